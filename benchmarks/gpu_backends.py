"""For somebody with an NVIDIA GPU: fills the table "On a GPU" of docs/results.md.

    pip install -r requirements-tensorrt.txt    (or onnxruntime-gpu, or one after the other)
    python benchmarks/gpu_backends.py

Builds the engine of every backend that runs on the GPU here, in float32 and float16, and times it
on windows of noise against ONNX Runtime on the CPU of the same computer, in turns. Rows of other
backends stay as they are, so that what cannot be installed together can be measured one after the
other. `make test-gpu` says beforehand whether the numbers are right. Ends with exit code 2 and one
line where there is no GPU.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from assets import ASSETS
from assets.errors import AffectscopeError, BadInput, one_line
from benchmarks.backends import BATCH, full, in_turns, ratio
from inference.backends.interface import Engine, Outputs
from inference.backends.opening import ON_GPU, noise, open_engine
from inference.backends.source import Source
from inference.nvidia_gpu import nvidia_gpu
from scripts.write_inference import RECORDS, write

__all__ = ["measured", "merged"]

PRECISIONS = {"float32": False, "float16": True}
PARITY = 25
"""How often each subset of the modalities is held against eager."""


def measured(source: Source, names: Sequence[str], rounds: int = 60) -> list[dict[str, Any]]:
    """A row for each backend in each precision; one that does not run says why."""
    cpu, _ = open_engine(source, "onnxruntime")
    return [
        {"backend": name, "precision": precision, **_row(source, name, half, cpu, rounds)}
        for name in names
        for precision, half in PRECISIONS.items()
    ]


def _row(source: Source, name: str, half: bool, cpu: Engine, rounds: int) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        engine, _ = open_engine(source, name, half=half)
        ready = time.perf_counter() - began
        many, _ = open_engine(source, name, half=half, batch=BATCH)
        few, lot = full(source), full(source, BATCH)
        took = in_turns({"cpu": lambda: cpu(few), "gpu": lambda: engine(few)}, rounds)
        batch = in_turns({"batch": lambda: many(lot)}, max(1, rounds // 6))["batch"]
        apart, same = _against_eager(source, engine)
    except Exception as error:
        return {"problem": str(error) if isinstance(error, AffectscopeError) else one_line(error)}
    return {
        "device": engine.device,
        "median_ms": 1000 * statistics.median(took["gpu"]),
        "faster_than_cpu": ratio(took["cpu"], took["gpu"]),
        "windows_per_s": BATCH / statistics.median(batch),
        "apart": apart,
        "same_class": same,
        "ready_s": ready,
    }


def _against_eager(source: Source, engine: Engine) -> tuple[float, float]:
    """The largest difference to eager, and how often the strongest emotion is the same."""
    eager, _ = open_engine(source, "eager")
    windows = list(noise(source, 1, PARITY))
    pairs = [(engine(window), eager(window)) for window in windows]
    same = [found.emotion.argmax() == wanted.emotion.argmax() for found, wanted in pairs]
    return max(_apart(*pair) for pair in pairs), float(np.mean(same))


def _apart(found: Outputs, wanted: Outputs) -> float:
    return max(float(np.abs(f - w).max()) for f, w in zip(found, wanted, strict=True))


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new rows, and the old ones of what was measured before and does not run now."""
    before = {(row["backend"], row["precision"]): row for row in old}
    rows = []
    for row in new:
        earlier = before.get((row["backend"], row["precision"]))
        rows.append(earlier if "problem" in row and earlier else row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoint", type=Path, default=ASSETS / "live.safetensors")
    options = parser.parse_args()
    gpu = nvidia_gpu()
    if gpu is None:
        raise BadInput("there is no NVIDIA GPU with a driver here: nothing is measured")
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    old = records.get("gpu", {})
    same = old.get("gpu") == asdict(gpu)
    rows = measured(Source(options.checkpoint), ON_GPU)
    records["gpu"] = {"gpu": asdict(gpu), "rows": merged(old["rows"] if same else [], rows)}
    RECORDS.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    write()
    print(json.dumps(records["gpu"], indent=1))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BadInput as error:
        print(error, file=sys.stderr)
        sys.exit(2)
