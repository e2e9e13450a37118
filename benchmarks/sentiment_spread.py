"""What the interval of the sentiment of faces and voices is worth for one person's own judgement.

    python benchmarks/dhmd_results.py --examples runs/examples --only live --keep runs/nets
    python benchmarks/sentiment_spread.py --examples runs/examples --checkpoints runs/nets
    python scripts/write_results.py

Their label is the norm of an emotion: the mean over people who do not agree. Taken as normal about
it, with the least and the largest standard deviation of the norms, it is told how often the
interval of the norm holds such a judgement, and how wide one must be that holds it as often as it
should.
"""

import argparse
import json
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dhmd_results import RUNS, file_of, loaded
from extractors.features import FloatArray
from inference.checkpoint import load_checkpoint
from inference.training.calibrate import INTERVAL_LEVEL
from inference.training.evaluate import items_for, predict

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "results_spread.json"
CORPORA = {"face": "ckplus", "voice": "ravdess"}
SPREADS = (0.6, 0.9)
"""See `inference.training.corpora.VALENCE`."""
WIDEST = 12.0


def held(residuals: FloatArray, spread: float, width: float) -> float:
    """Mean over residuals r [n] of P(|r + e| <= width), e normal with deviation `spread`."""
    scale = spread * sqrt(2)
    inside = [(erf((width - r) / scale) - erf((-width - r) / scale)) / 2 for r in residuals]
    return float(np.mean(inside))


def wide_enough(residuals: FloatArray, spread: float, level: float) -> float:
    """The width for which `held` is `level`, by bisection: it grows with the width."""
    low, high = 0.0, WIDEST
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if held(residuals, spread, middle) < level else (low, middle)
    return high


def record(modality: str, fold: int, examples: Path, checkpoints: Path) -> dict[str, Any]:
    """Of the people whom the run of this fold held out."""
    checkpoint = load_checkpoint(file_of(checkpoints, "live", fold))
    items = items_for(checkpoint, loaded(examples / CORPORA[modality]), held_out=True)
    residuals = items.sentiment - predict(checkpoint, items).sentiment
    width = checkpoint.origin["calibration"][modality]["interval"]
    return {
        "line": "spread",
        "modality": modality,
        "fold": fold,
        "interval": width,
        "held": [held(residuals, spread, width) for spread in SPREADS],
        "needed": [wide_enough(residuals, spread, INTERVAL_LEVEL) for spread in SPREADS],
    }


def main() -> None:
    """Every fold of both modalities."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    args = parser.parse_args()
    found = [
        record(modality, fold, args.examples, args.checkpoints)
        for modality in CORPORA
        for fold in range(RUNS)
    ]
    args.records.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
