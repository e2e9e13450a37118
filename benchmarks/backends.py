"""What one window costs in each backend that runs here, as ratios in one run.

    python benchmarks/backends.py [--rounds 60] [--write docs/inference.md]

The training form is the network of inference/model.py in eager mode; eager is the lean form. All
run on one thread, in turns, on the same windows of noise with everything present. A ratio is the
median of the rounds' own ratios, so that what else the computer does falls on both sides; the
milliseconds are the least of all rounds. Engines are built first, which is timed apart. Batches of
64 are timed in eager and in ONNX Runtime, and growth in windows of twice the length.
"""

import argparse
import dataclasses
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from assets import ASSETS
from inference.backends.eager import TorchEngine, training_form
from inference.backends.interface import Inputs
from inference.backends.opening import BACKENDS, noise, open_engine
from inference.backends.source import Source
from inference.lean import LeanDHMD, empty_inputs
from inference.model import DHMD

CHECKOUT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- benchmarks/backends.py -->", "<!-- end -->"
COMPILERS = ("torch-compile", "aotinductor")
"""Left out unless --compilers is given: they build for minutes."""

Run = Callable[[], object]


def in_turns(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round of each run; the first two rounds only warm up."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 2):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if turn >= 2:
                took[name].append(time.perf_counter() - began)
    return took


def ratio(of: list[float], to: list[float]) -> float:
    """How many times as long `of` takes, round by round."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def everything_present(source: Source, batch: int) -> Inputs:
    parts = list(noise(source, batch))[-1]
    return [x if x.dtype != bool else x | True for x in parts]


def backends_table(source: Source, rounds: int, compilers: bool) -> list[str]:
    """Rows: backend, times as fast as the training form and as eager, least time, building."""
    inputs = everything_present(source, 1)
    training = TorchEngine("training form", training_form(source), 1, 1)
    runs: dict[str, Run] = {"training form": lambda: training(inputs)}
    built: dict[str, float] = {}
    absent: dict[str, str] = {}
    for name in BACKENDS:
        if name in COMPILERS and not compilers:
            absent[name] = "not timed in this run"
            continue
        began = time.perf_counter()
        try:
            engine, _ = open_engine(source, name)
        except Exception as error:
            absent[name] = str(error)
            continue
        built[name] = time.perf_counter() - began
        runs[name] = lambda engine=engine: engine(inputs)  # type: ignore[misc]
    took = in_turns(runs, rounds)
    rows = [
        "| backend | against the training form | against eager | least, ms | to be ready, s |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in took.items():
        faster = f"{ratio(took['training form'], seconds):.1f} x"
        than_eager = f"{ratio(took['eager'], seconds):.1f} x"
        build = f"{built[name]:.0f}" if name in built else ""
        rows.append(f"| {name} | {faster} | {than_eager} | {1000 * min(seconds):.1f} | {build} |")
    rows += [f"| {name} | not timed | | | |" for name in absent]
    return rows


def batch_rows(source: Source, rounds: int) -> list[str]:
    """A window's share of a batch of 64 against a window alone."""
    rows = []
    for name in ("eager", "onnxruntime"):
        one, _ = open_engine(source, name)
        many, _ = open_engine(source, name, batch=64)
        few, lot = everything_present(source, 1), everything_present(source, 64)
        took = in_turns({"1": lambda: one(few), "64": lambda: many(lot)}, rounds)  # noqa: B023
        share = ratio(took["64"], took["1"]) / 64
        rows.append(
            f"- {name}: in a batch of 64 a window takes {share:.2f} of the time it does alone."
        )
    return rows


def growth_rows(source: Source, rounds: int) -> list[str]:
    """The lean form on windows of 1, 2 and 4 times as many steps."""
    config = source.checkpoint.config
    runs: dict[str, Run] = {}
    for factor in (1, 2, 4):
        longer = {
            name: dataclasses.replace(m, steps=factor * m.steps)
            for name, m in config.modalities.items()
        }
        grown = dataclasses.replace(config, **longer)  # type: ignore[arg-type]
        torch.manual_seed(0)
        lean = LeanDHMD(DHMD(grown).eval())
        empty = empty_inputs(grown, 1)
        runs[str(factor)] = lambda lean=lean, empty=empty: lean(*empty)  # type: ignore[misc]
    took = in_turns(runs, rounds)
    two, four = (ratio(took[factor], took["1"]) for factor in ("2", "4"))
    return [
        f"- Windows of 2 and 4 times as many steps take {two:.1f} and {four:.1f} times as long "
        "(lean form, eager)."
    ]


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
print(imported, time.perf_counter() - began, "torch" in sys.modules)
"""


def start_rows(checkpoint: Path) -> list[str]:
    """From the start of Python's own work to the first prediction, the least of five processes."""
    rows = []
    least: dict[str, float] = {}
    for name in ("onnxruntime", "eager"):
        found = []
        for _ in range(5):
            done = subprocess.run(
                [sys.executable, "-c", START, str(checkpoint), name],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            )
            imported, first, torch_loaded = done.stdout.split()
            found.append((float(first), float(imported), torch_loaded))
        least[name], imported_in, loaded = min(found)
        torch_is = "with" if loaded == "True" else "without"
        rows.append(
            f"- {name}: `import inference` {imported_in:.3f} s, first prediction after "
            f"{least[name]:.2f} s, {torch_is} PyTorch."
        )
    rows.append(f"- {least['eager'] / least['onnxruntime']:.1f} times sooner without PyTorch.")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--compilers", action="store_true", help="also what builds for minutes")
    parser.add_argument("--write", type=Path, help="put the tables between the marks of this page")
    options = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = ASSETS / "live.safetensors"
    source = Source(checkpoint)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        os.environ["AFFECTSCOPE_ENGINES"] = folder
        lines = [
            f"One window, one thread, {options.rounds} rounds in turns; {platform.machine()}, "
            f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start; "
            f"PyTorch {torch.__version__}.",
            "",
            *backends_table(source, options.rounds, options.compilers),
            "",
            *batch_rows(source, max(5, options.rounds // 6)),
            *growth_rows(source, max(5, options.rounds // 3)),
            *start_rows(checkpoint),
        ]
    text = "\n".join(lines)
    print(text)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        options.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
