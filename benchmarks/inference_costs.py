"""Measures what docs/inference.md says, and writes it there: one command for all of it.

    python benchmarks/inference_costs.py [PART ...]

Without a part: all of them, each in a process of its own, in some ten minutes; but the compilers,
which build for minutes, only by name. What is measured goes into docs/inference.json, part by part,
with the computer and what else it was doing, and scripts/write_inference.py makes the page of it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.write_inference import RECORDS, write

CHECKOUT = Path(__file__).resolve().parents[1]
FACTORS = (1, 2, 4)


def video_lengths() -> dict[str, Any]:
    """`analyze` on the bundled clip played once, twice and four times, with models loaded."""
    from assets import ASSETS
    from benchmarks.analyze_memory import loop
    from benchmarks.counted_cost import slope
    from inference.analysis import Analysis
    from inference.models import Models

    clip, models = ASSETS / "sample" / "sample.mp4", Models()
    took: dict[int, list[float]] = {factor: [] for factor in FACTORS}
    lengths: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(3):
            for factor in FACTORS if turn else (1,):
                video = Path(folder, f"{factor}.mkv")
                if not video.exists():
                    lengths[factor] = loop(clip, video, 12 * factor)
                analysis = Analysis(video, Path(folder, "session"), models)
                began = time.perf_counter()
                analysis.start()
                analysis.finish()
                if turn:  # the first loads the models
                    took[factor].append(time.perf_counter() - began)
    seconds = [min(took[factor]) for factor in FACTORS]
    long = [lengths[factor] for factor in FACTORS]
    return {
        "lengths_s": long,
        "seconds": seconds,
        "power": slope(long, seconds),
        "marginal": (seconds[-1] - seconds[0]) / (long[-1] - long[0]),
    }


def bare_libraries() -> dict[str, Any]:
    """`analyze` against MediaPipe and faster-whisper alone."""
    from assets import ASSETS
    from benchmarks.analyze_speed import measured

    return measured(ASSETS / "sample" / "sample.mp4", rounds=4)


def counted() -> dict[str, Any]:
    """What can be counted, see benchmarks/counted_cost.py."""
    from benchmarks.counted_cost import (
        both_forms,
        cost,
        growth_with_length,
        growth_with_modalities,
        slope,
    )
    from inference.checkpoint import load_checkpoint

    config, lengths = load_checkpoint("live").config, (1, 2, 4, 8)
    training, lean = (cost(run) for run in both_forms(config))
    growth = growth_with_length(config, lengths)
    return {
        "training": training._asdict(),
        "lean": lean._asdict(),
        "modalities": [x.operations for x in growth_with_modalities(config)],
        "lengths": lengths,
        "length_operations": [x.operations for x in growth],
        "length_power": slope(lengths, [x.operations for x in growth]),
    }


def _of(module: str, name: str) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        from importlib import import_module

        found: dict[str, Any] = getattr(import_module(f"benchmarks.{module}"), name)()
        return found

    return run


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "counted": counted,
    "backends": _of("backends", "backends"),
    "operators": _of("onnx_operators", "operators"),
    "batches": _of("backends", "batches"),
    "lengths": _of("backends", "lengths"),
    "modalities": _of("backends", "modalities"),
    "start": _of("backends", "start"),
    "memory": _of("backends", "memory"),
    "bare libraries": bare_libraries,
    "video lengths": video_lengths,
    "jobs": _of("many_jobs", "jobs"),
    "threads": _of("thread_split", "threads"),
    "compilers": _of("backends", "compilers"),
}
BY_NAME = ("compilers",)
"""Only if asked for."""


def computer() -> dict[str, Any]:
    """What it was measured on, and how busy that was in the minute before."""
    from importlib import metadata

    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "revision": revision(),
        "versions": {name: metadata.version(name) for name in ("torch", "onnxruntime", "openvino")},
    }


def revision() -> str:
    """Of the checkout, as git has it; what was changed since is not in it."""
    asked = ["git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parts = parser.parse_args().parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {unknown.pop()}; take some of {', '.join(PARTS)}")
    if len(parts) == 1:
        record = {"computer": computer(), **PARTS[parts[0]]()}
        records = json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.exists() else {}
        records[parts[0]] = record
        ordered = {name: records[name] for name in [*PARTS, "gpu"] if name in records}
        RECORDS.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
        write()
        print(f"{parts[0]}: {json.dumps(record)}", flush=True)
        return
    for part in parts or [name for name in PARTS if name not in BY_NAME]:
        subprocess.run(
            [sys.executable, __file__, part],
            check=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )


if __name__ == "__main__":
    main()
