"""What one window costs in each backend that runs here, as ratios in one run.

Parts of `python benchmarks/inference_costs.py`, which says how to run them.

The training form is the network of inference/model.py in eager mode; eager is the lean form. All
run on one thread, in turns, on the same windows of noise with everything present. A ratio is the
median of the rounds' own ratios, so that what else the computer does falls on both sides; the
milliseconds are the median and the least of all rounds.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assets import ASSETS
from benchmarks.counted_cost import lengthened, slope
from extractors.features import MODALITIES
from inference.backends.eager import TorchEngine, training_form
from inference.backends.interface import Inputs
from inference.backends.opening import BACKENDS, backend, noise, open_engine
from inference.backends.source import Source
from inference.lean import LeanDHMD, empty_inputs
from inference.model import DHMD

__all__ = ["backends", "batches", "compilers", "lengths", "memory", "modalities", "start", "timed"]

CHECKOUT = Path(__file__).resolve().parents[1]
CHECKPOINT = ASSETS / "live.safetensors"
COMPILERS = ("torch-compile", "aotinductor")
"""They build for minutes."""
ROUNDS = 60
WARM_UP = 3
BATCH = 64
LENGTHS = (1, 2, 4)
QUICK = ("eager", "onnxruntime", "openvino")

Run = Callable[[], object]


def in_turns(runs: dict[str, Run], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each round of each run; the first rounds only warm up."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + WARM_UP):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if turn >= WARM_UP:
                took[name].append(time.perf_counter() - began)
    return took


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """How many times as long `of` takes, round by round."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def timed(took: dict[str, list[float]], *against: str) -> dict[str, dict[str, float]]:
    """Milliseconds of each run, and how many times as fast it is as those in `against`."""
    return {
        name: {
            "median_ms": 1000 * statistics.median(seconds),
            "least_ms": 1000 * min(seconds),
            **{f"faster_than_{other}": ratio(took[other], seconds) for other in against},
        }
        for name, seconds in took.items()
    }


def full(source: Source, batch: int = 1, present: Sequence[str] = MODALITIES) -> Inputs:
    """Windows of noise in which all steps of these modalities are valid, and no others."""
    parts = list(noise(source, batch))[-1]
    there = [np.full(x.shape, n in present) for n, x in zip(MODALITIES, parts[3:], strict=True)]
    return [*parts[:3], *there]


@contextmanager
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


def here(name: str) -> str | None:
    """Why a backend is not timed here; None if it is."""
    found = backend(name)
    return found.missing() or (found.cannot_build() if found.file else None)


def backends() -> dict[str, Any]:
    """Each backend that does not build for minutes, built anew."""
    return _backends([name for name in BACKENDS if name not in COMPILERS], anew=True)


def compilers() -> dict[str, Any]:
    """PyTorch's compilers. Build them beforehand, or this takes minutes."""
    return _backends(["eager", "onnxruntime", *COMPILERS], anew=False)


def _backends(names: Sequence[str], *, anew: bool) -> dict[str, Any]:
    source = Source(CHECKPOINT)
    inputs = full(source)
    ready: dict[str, float] = {}
    absent: dict[str, str] = {}
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        if anew:
            os.environ["AFFECTSCOPE_ENGINES"] = folder
        training = TorchEngine("training form", training_form(source), 1, 1)
        runs: dict[str, Run] = {"training form": lambda: training(inputs)}
        try:
            for name in names:
                obstacle = here(name)
                if obstacle:
                    absent[name] = obstacle
                    continue
                began = time.perf_counter()
                engine, _ = open_engine(source, name)
                ready[name] = time.perf_counter() - began
                runs[name] = lambda engine=engine: engine(inputs)  # type: ignore[misc]
            rows = timed(in_turns(runs), "training form", "eager")
        finally:
            if anew:
                del os.environ["AFFECTSCOPE_ENGINES"]
    if anew:
        for name, seconds in ready.items():
            rows[name]["ready_s"] = seconds
    return {"rows": rows, "absent": absent}


def batches() -> dict[str, Any]:
    """A window's share of a batch of 64 against a window alone, and how many a second that is."""
    source, rows = Source(CHECKPOINT), {}
    with one_thread():
        for name in ("eager", "onnxruntime"):
            one, _ = open_engine(source, name)
            many, _ = open_engine(source, name, batch=BATCH)
            few, lot = full(source), full(source, BATCH)
            took = in_turns({"1": lambda: one(few), "64": lambda: many(lot)}, ROUNDS // 6)  # noqa: B023
            rows[name] = {
                "share": ratio(took["64"], took["1"]) / BATCH,
                "windows_per_s": BATCH / statistics.median(took["64"]),
            }
    return {"batch": BATCH, "rows": rows}


def lengths() -> dict[str, Any]:
    """The lean form in eager on windows of 1, 2 and 4 times as many steps."""
    config = Source(CHECKPOINT).checkpoint.config
    runs: dict[str, Run] = {}
    with one_thread():
        for factor in LENGTHS:
            grown = lengthened(config, factor)
            torch.manual_seed(0)
            lean, empty = LeanDHMD(DHMD(grown).eval()), empty_inputs(grown, 1)
            runs[str(factor)] = lambda lean=lean, empty=empty: lean(*empty)  # type: ignore[misc]
        took = in_turns(runs, ROUNDS // 2)
    times = [ratio(took[name], took["1"]) for name in runs]
    return {"factors": LENGTHS, "times": times, "power": slope(LENGTHS, times)}


def modalities() -> dict[str, Any]:
    """A window in which one, two and three modalities are there, against one with all."""
    source, rows = Source(CHECKPOINT), {}
    counts = range(1, 1 + len(MODALITIES))
    with one_thread():
        for name in ("eager", "onnxruntime"):
            engine, _ = open_engine(source, name)
            given = {str(n): full(source, 1, MODALITIES[len(MODALITIES) - n :]) for n in counts}
            runs: dict[str, Run] = {n: lambda x=x: engine(x) for n, x in given.items()}  # type: ignore[misc]  # noqa: B023
            took = in_turns(runs, ROUNDS)
            rows[name] = [ratio(took[str(n)], took[str(len(MODALITIES))]) for n in counts]
    return {"rows": rows}


START = """
import sys, time
began = time.perf_counter()
import inference
imported = time.perf_counter() - began
from pathlib import Path
import numpy as np
from inference.backends.opening import open_engine
from inference.backends.source import Source
source = Source(Path(sys.argv[1]))
engine, _ = open_engine(source, sys.argv[2])
sizes = source.checkpoint.config.modalities.values()
engine([np.zeros((1, m.steps, m.features), np.float32) for m in sizes]
       + [np.zeros((1, m.steps), bool) for m in sizes])
loaded = "torch" in sys.modules
"""
NOTHING = """
import numpy
imported, loaded = 0, False
"""
TELL = """
# not getrusage: what the parent held before the start would count
lines = open("/proc/self/status").read().splitlines()
print(imported, loaded, next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


def _process(code: str, name: str) -> tuple[float, float, bool, float]:
    """Seconds to import, and of the whole process; whether with PyTorch, and peak MiB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + TELL, str(CHECKPOINT), name],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    took = time.perf_counter() - began
    imported, has_torch, peak = done.stdout.split()
    return float(imported), took, has_torch == "True", float(peak) / 1024


def start() -> dict[str, Any]:
    """Whole processes that predict once: the median of five."""
    rows: dict[str, Any] = {}
    for name in ("onnxruntime", "eager"):
        open_engine(Source(CHECKPOINT), name)
        found = [_process(START, name) for _ in range(6)][1:]  # the first warms the file cache
        rows[name] = {
            "import_s": statistics.median(x[0] for x in found),
            "first_s": statistics.median(x[1] for x in found),
            "torch": found[0][2],
        }
    return {"rows": rows}


def memory() -> dict[str, Any]:
    """The most that a process holds which does nothing but predict, and one with NumPy alone."""
    rows = {"NumPy alone": _process(NOTHING, "")[3]}
    for name in QUICK:
        if here(name) is None:
            open_engine(Source(CHECKPOINT), name)
            rows[name] = _process(START, name)[3]
    weights = Source(CHECKPOINT).checkpoint.weights
    return {"mib": rows, "weights_mib": sum(w.nbytes for w in weights.values()) / 2**20}
