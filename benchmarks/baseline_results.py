"""What linear models read from the same windows: the records that DHMD is held against.

    python benchmarks/baseline_results.py --examples runs/examples

Mean and deviation over the valid steps of each modality, standardised. A logistic regression,
C = 0.003, is trained on made variants of a clip too, as DHMD is; a linear discriminant analysis,
its covariance shrunk as Ledoit and Wolf 2004 have it, on the clips as they are. Records go to the
file of benchmarks/dhmd_results.py.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from extractors.features import MODALITIES, FloatArray
from inference.training.batches import class_of_label
from inference.training.configuration import read_settings, windows
from inference.training.metrics import emotion_metrics
from inference.training.plan import Data
from inference.training.prepare import prepared_examples
from inference.training.sequence_files import load_data
from inference.training.sequences import Sequences, per_person, sequences_of
from inference.training.split import parts_by_person

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "results.json"
PARTS = (
    # what is read, preset, corpus, name of what is held out, normalised by person, folds
    ("face", "live", "ckplus", "face", False, 5),
    ("voice", "live", "ravdess", "voice", False, 5),
    ("words", "live", "meld", "text", False, 1),
    ("ravdess", "ravdess", "ravdess", "test", False, 5),
    ("ravdess, normalised by person", "ravdess", "ravdess", "test", True, 5),
)
KINDS = ("regression", "discriminant")
LINES = tuple(
    (f"{kind}, {name}", preset, corpus, held, by_person, folds)
    for kind in KINDS
    for name, preset, corpus, held, by_person, folds in PARTS
)


def classifier_of(line: str) -> Pipeline:
    """The linear model of a line, not fitted yet."""
    if line.startswith("discriminant"):
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    else:
        model = LogisticRegression(C=0.003, max_iter=300)
    return make_pipeline(StandardScaler(), model)


def pooled(items: Sequences) -> FloatArray:
    """Mean and deviation of every feature of every modality over its valid steps: [n, ...]."""
    columns = []
    for name in MODALITIES:
        mask = items.valid[name][..., None]
        if not mask.any():
            continue
        count = np.maximum(mask.sum(axis=1), 1)
        mean = np.where(mask, items.features[name], 0).sum(axis=1) / count
        gap = np.where(mask, items.features[name] - mean[:, None], 0)
        columns += [mean, np.sqrt(np.square(gap).sum(axis=1) / count)]
    return np.concatenate(columns, axis=1).astype(np.float32)


def records(data: Data, line: tuple[str, str, str, str, bool, int]) -> Sequence[dict[str, Any]]:
    """A record for each fold."""
    name, preset, _, held, by_person, folds = line
    settings = read_settings(preset)
    spec = windows(settings)
    assert spec is not None
    assert not isinstance(data, Sequences)
    prepared = prepared_examples(data, settings)
    items = sequences_of(prepared.kind, prepared.examples, spec)
    values = pooled(per_person(items) if by_person else items)
    labels = class_of_label(settings.labels.emotions)[items.emotion]
    found = []
    for fold in range(folds):
        parts = parts_by_person(items.people, items.splits, fold)
        test = parts.test & (items.variants == 0)
        known = parts.train
        if name.startswith("discriminant"):
            known = known & (items.variants == 0)
        classifier = classifier_of(name)
        classifier.fit(values[known], labels[known])
        chance = np.zeros((test.sum(), len(settings.labels.emotions)), np.float32)
        chance[:, classifier.classes_] = classifier.predict_proba(values[test])
        metrics = asdict(emotion_metrics(labels[test], chance))
        found.append({"line": name, "seed": 0, "fold": fold, "held_out": {held: metrics}})
    return found


def main() -> None:
    """Replace the records of all lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    args = parser.parse_args()
    for line in LINES:
        found = records(load_data(args.examples / line[2]), line)
        known = json.loads(args.records.read_text()) if args.records.is_file() else []
        kept = [r for r in known if r["line"] != line[0]]
        text = json.dumps([*kept, *found], indent=1, allow_nan=False)
        args.records.write_text(text + "\n", encoding="utf-8")
        accuracy = [r["held_out"][line[3]]["accuracy"] for r in found]
        print(line[0], [round(a, 3) for a in accuracy], flush=True)


if __name__ == "__main__":
    main()
