"""For somebody with an NVIDIA GPU: fills the table "On a GPU" of docs/results.md.

    pip install -r requirements-tensorrt.txt    (or onnxruntime-gpu, or one after the other)
    python benchmarks/gpu_backends.py

Builds the engine of everything that runs on the GPU here, in float32 and float16, for one window
and for 64, holds it against eager on the CPU on the windows of the bundled clip, and times it on
them in turns with ONNX Runtime on one core of the same computer. A call begins and ends with arrays
of NumPy, so what is timed is what the program waits for. Each row is a process of its own. Rows of
what cannot be installed together stay, as long as GPU and network are the same. `make test-gpu`
says beforehand whether the numbers are right. Without a GPU it ends with exit code 2 and one line.

A computer with a GPU often lacks the rest of the program. There:
    python benchmarks/gpu_backends.py --windows FILE.npz --into RECORD.json
with a FILE.npz of benchmarks/sample_windows.py, and back here: ... --take RECORD.json
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from assets import ASSETS
from assets.errors import AffectscopeError, BadInput, one_line
from benchmarks.backends import BATCH, CHECKOUT, COMPILERS, in_turns, ratio
from benchmarks.sample_windows import (
    CLIP,
    as_inputs,
    read_windows,
    windows_of,
    write_windows,
)
from inference.backends.eager import TorchEngine
from inference.backends.interface import Engine, Inputs, Outputs, in_batches, version_of
from inference.backends.opening import ON_GPU, backend, compiled, noise, open_engine
from inference.backends.source import Source
from inference.backends.torch_compile import place
from inference.nvidia_gpu import nvidia_gpu
from scripts.write_inference import RECORDS, write

__all__ = ["measured", "merged", "on_cpu"]

EAGER = "eager"
"""PyTorch on the GPU, operator by operator: no backend, but what its compilers start from."""
NAMES = (*ON_GPU, *COMPILERS, EAGER)
PRECISIONS = {"float32": False, "float16": True}
LIBRARIES = ("torch", "onnxruntime", "onnxruntime-gpu", "torch-tensorrt", "tensorrt",
             "torch-tensorrt-rtx", "tensorrt-rtx")  # fmt: skip
WARM_UP = 20
"""Calls of each engine before any is timed: a GPU that slept is slow."""


def measured(
    source: Source, windows: Inputs, names: Sequence[str], rounds: int = 200
) -> list[dict[str, Any]]:
    """A row for each in each precision; what does not run says why."""
    return [
        {"backend": name, "precision": precision, **_row(source, windows, name, half, rounds)}
        for name in names
        for precision, half in PRECISIONS.items()
    ]


def _row(source: Source, windows: Inputs, name: str, half: bool, rounds: int) -> dict[str, Any]:
    try:
        before, began = _memory_mib(), time.perf_counter()
        engine = _open(source, name, half, 1)
        engine(_taken(windows, 0, 1))
        ready, after = time.perf_counter() - began, _memory_mib()
        found = {"device": engine.device, "ready_s": ready, "memory_mib": after - before}
        found |= _against_eager(source, windows, engine)
        for batch in (1, BATCH):
            gpu = engine if batch == 1 else _open(source, name, half, batch)
            cpu, _ = open_engine(source, "onnxruntime", batch=batch)
            found[str(batch)] = _timed(gpu, cpu, windows, rounds if batch == 1 else rounds // 8)
    except Exception as error:
        return {"problem": str(error) if isinstance(error, AffectscopeError) else one_line(error)}
    return found


def _open(source: Source, name: str, half: bool, batch: int) -> Engine:
    if name == EAGER:
        on = place()
        return TorchEngine(name, source.lean(half).to(on), batch, 1, on)
    return open_engine(source, name, half=half, batch=batch)[0]


def _timed(gpu: Engine, cpu: Engine, windows: Inputs, rounds: int) -> dict[str, float]:
    given = [_taken(windows, first, gpu.batch) for first in range(8)]
    turn = {"cpu": 0, "gpu": 0}

    def run(name: str, engine: Engine) -> None:
        turn[name] += 1
        engine(given[turn[name] % len(given)])

    for _ in range(min(WARM_UP, rounds)):
        gpu(given[0])
    took = in_turns({"cpu": lambda: run("cpu", cpu), "gpu": lambda: run("gpu", gpu)}, rounds + 1)
    alone = in_turns({"gpu": lambda: run("gpu", gpu)}, rounds + 1)["gpu"]
    return {
        "median_ms": 1000 * statistics.median(took["gpu"]),
        "least_ms": 1000 * min(took["gpu"]),
        "without_pause_ms": 1000 * statistics.median(alone),
        "cpu_median_ms": 1000 * statistics.median(took["cpu"]),
        "faster_than_cpu": ratio(took["cpu"], took["gpu"]),
        "windows_per_s": gpu.batch / statistics.median(alone),
    }


def _taken(windows: Inputs, first: int, count: int) -> Inputs:
    """So many windows; from the beginning again where they end."""
    which = (first + np.arange(count)) % len(windows[0])
    return [x[which] for x in windows]


def _against_eager(source: Source, windows: Inputs, engine: Engine) -> dict[str, Any]:
    """The largest differences to eager, and how often the strongest emotion is the same."""
    eager, _ = open_engine(source, "eager")
    found, wanted = in_batches(engine, windows), in_batches(eager, windows)
    same = found.emotion.argmax(1) == wanted.emotion.argmax(1)
    subsets = max(_apart(engine(window), eager(window)) for window in noise(source, 1, 4))
    return {
        "windows": len(windows[0]),
        "apart": _apart(found, wanted),
        "apart_on_noise": subsets,
        "same_class": float(same.mean()),
    }


def _apart(found: Outputs, wanted: Outputs) -> float:
    return max(float(np.abs(f - w).max()) for f, w in zip(found, wanted, strict=True))


def _memory_mib() -> float:
    """What is taken of the first GPU, by whomever; NaN without its driver's command."""
    asked = ["nvidia-smi", "-i", "0", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        return float(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return float("nan")


def on_cpu(source: Source, windows: Inputs, rounds: int = 50) -> list[dict[str, Any]]:
    """The CPU of the same computer."""
    rows = []
    cores = len(os.sched_getaffinity(0))
    for name, threads in (("onnxruntime", 1), ("onnxruntime", cores), ("eager", 1)):
        row: dict[str, Any] = {"backend": name, "threads": threads}
        for batch in (1, BATCH):
            engine, _ = open_engine(source, name, batch=batch, threads=threads)
            given = _taken(windows, 0, batch)
            took = in_turns({"": lambda e=engine, x=given: e(x)}, rounds)[""]  # type: ignore[misc]
            seconds = statistics.median(took)
            row[str(batch)] = {"median_ms": 1000 * seconds, "windows_per_s": batch / seconds}
        rows.append(row)
    return rows


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new rows, and the old ones of what was not measured now."""
    rows = {(row["backend"], row["precision"]): row for row in old}
    for row in new:
        if "problem" not in row or "problem" in rows.get(_key(row), row):
            rows[_key(row)] = row
    return sorted(rows.values(), key=lambda row: NAMES.index(row["backend"]))


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["backend"], row["precision"]


def _build(source: Source, name: str, half: bool, batch: int) -> dict[str, Any]:
    """The engine into its cache, and the seconds that took."""
    began = time.perf_counter()
    try:
        if backend(name).file is None:
            open_engine(source, name, half=half, batch=batch)
        else:
            compiled(backend(name), source, batch, half)
    except Exception as error:
        return {"problem": str(error) if isinstance(error, AffectscopeError) else one_line(error)}
    return {"build_s": time.perf_counter() - began}


def _process(*words: object) -> dict[str, Any]:
    """What this script prints last when it is called so."""
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), *sys.path[1:]])},
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        found = {"problem": f"the process ended with {done.returncode}: {last}"}
    return found


def _all_rows(common: Sequence[object], names: Sequence[str], jobs: int) -> list[dict[str, Any]]:
    kinds = [(name, precision) for name in names for precision in PRECISIONS]
    builds = [(*k, batch) for k in kinds if k[0] != EAGER for batch in (1, BATCH)]
    with ThreadPoolExecutor(jobs) as pool:
        built = dict(zip(builds, pool.map(lambda b: _process(*common, "--build", *b), builds),
                         strict=True))  # fmt: skip
    rows = []
    for name, precision in kinds:
        row: dict[str, Any] = {"backend": name, "precision": precision}
        row |= _process(*common, "--row", name, precision)
        row["build_s"] = built.get((name, precision, 1), {}).get("build_s")
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def _keep(record: dict[str, Any]) -> None:
    """Into docs/inference.json, and from there into the pages."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    old = records.get("gpu", {})
    same = all(old.get(key) == record[key] for key in ("gpu", "network_sha256"))
    rows = merged(old["rows"] if same else [], record["rows"])
    records["gpu"] = {**record, "rows": rows}
    RECORDS.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    write()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoint", type=Path, default=ASSETS / "live.safetensors")
    parser.add_argument("--windows", type=Path, help="a file of benchmarks/sample_windows.py")
    parser.add_argument("--backends", nargs="+", default=NAMES, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=200, help="calls that are timed")
    parser.add_argument("--jobs", type=int, default=1, help="engines that are built at once")
    parser.add_argument("--into", type=Path, help="write the record there and leave docs/ alone")
    parser.add_argument("--take", type=Path, help="put such a record into docs/; measure nothing")
    parser.add_argument("--build", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    source = Source(options.checkpoint)
    if options.take:
        _keep(json.loads(options.take.read_text(encoding="utf-8")))
        return 0
    if options.build:
        name, precision, batch = options.build
        print(json.dumps(_build(source, name, PRECISIONS[precision], int(batch))))
        return 0
    if options.row:
        name, precision = options.row
        windows = read_windows(options.windows)
        print(json.dumps(_row(source, windows, name, PRECISIONS[precision], options.rounds)))
        return 0
    gpu = nvidia_gpu()
    if gpu is None:
        raise BadInput("there is no NVIDIA GPU with a driver here: nothing is measured")
    from benchmarks.inference_costs import processor, revision

    with tempfile.TemporaryDirectory() as folder:
        file = options.windows
        if file is None:
            file = Path(folder, "windows.npz")
            write_windows(file, as_inputs(*windows_of(CLIP, Path(folder, "session"))))
        common = ["--checkpoint", options.checkpoint, "--windows", file, "--rounds", options.rounds]
        rows = _all_rows(common, options.backends, options.jobs)
        windows = read_windows(file)
    record = {
        "gpu": asdict(gpu),
        "network_sha256": hashlib.sha256(options.checkpoint.read_bytes()).hexdigest(),
        "computer": {
            "processor": processor(),
            "cores": len(os.sched_getaffinity(0)),
            "versions": {"python": sys.version.split()[0], **version_of(*LIBRARIES)},
            "revision": revision(),
        },
        "built_at_once": options.jobs,
        "windows": len(windows[0]),
        "cpu": on_cpu(source, windows),
        "rows": rows,
    }
    if options.into:
        options.into.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    else:
        _keep(record)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BadInput as error:
        print(error, file=sys.stderr)
        sys.exit(2)
