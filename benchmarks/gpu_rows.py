"""What one backend does on a GPU, in one precision: a row of the table "On a GPU".

Parts of `python benchmarks/gpu_backends.py`, which says how to run them.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assets.errors import AffectscopeError, one_line
from benchmarks.backends import BATCH, COMPILERS, in_turns, ratio
from inference.backends.eager import TorchEngine
from inference.backends.interface import Engine, Inputs, Outputs, in_batches
from inference.backends.opening import ON_GPU, backend, compiled, noise, open_engine
from inference.backends.source import Source
from inference.backends.torch_compile import place

__all__ = ["BATCHES", "EAGER", "NAMES", "PRECISIONS", "build", "measured", "on_cpu", "row"]

EAGER = "eager"
"""PyTorch on the GPU, operator by operator: no backend, but what its compilers start from."""
NAMES = (*ON_GPU, *COMPILERS, EAGER)
PRECISIONS = {"float32": False, "float16": True}
BATCHES = (1, BATCH)
WARM_UP = 20
"""Calls of each engine before any is timed: a GPU that slept is slow."""


def measured(
    source: Source, windows: Inputs, names: Sequence[str], rounds: int = 200
) -> list[dict[str, Any]]:
    """A row for each in each precision; what does not run says why."""
    return [
        {"backend": name, "precision": precision, **row(source, windows, name, half, rounds)}
        for name in names
        for precision, half in PRECISIONS.items()
    ]


def row(
    source: Source,
    windows: Inputs,
    name: str,
    half: bool,
    rounds: int,
    batches: Sequence[int] = BATCHES,
    tell: Callable[[dict[str, Any]], object] = lambda _: None,
) -> dict[str, Any]:
    """What was found, told too as it grows: who ends this early has what was found until then.

    "problem" says why nothing was, "remark" why it is less than all.
    """
    found: dict[str, Any] = {}
    batch = batches[0]
    try:
        before, began = _memory_mib(), time.perf_counter()
        engine = _open(source, name, half, batch)
        engine(_taken(windows, 0, batch))
        ready, after = time.perf_counter() - began, _memory_mib()
        first = {"device": engine.device, "ready_s": ready, "memory_mib": after - before}
        first |= _against_eager(source, windows, engine)
        for batch in batches:
            gpu = engine if batch == engine.batch else _open(source, name, half, batch)
            cpu, _ = open_engine(source, "onnxruntime", batch=batch)
            times = _timed(gpu, cpu, windows, rounds if batch == 1 else rounds // 8)
            found |= {**first, str(batch): times}
            tell(found)
    except Exception as error:
        why = said(error)
        return {**found, "remark": f"{batch} at once: {why}"} if found else {"problem": why}
    return found


def said(error: Exception) -> str:
    return str(error) if isinstance(error, AffectscopeError) else one_line(error)


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


def build(source: Source, name: str, half: bool, batch: int) -> dict[str, Any]:
    """The engine into its cache, and the seconds that took."""
    began = time.perf_counter()
    try:
        if backend(name).file is None:
            open_engine(source, name, half=half, batch=batch)
        else:
            compiled(backend(name), source, batch, half)
    except Exception as error:
        return {"problem": said(error)}
    return {"build_s": time.perf_counter() - began}
