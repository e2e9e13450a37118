"""What it costs a live session to load PyTorch's libraries where the network runs without it.

    python benchmarks/torch_in_live.py [--runs 5] [--seconds 5]

Each run is a process of its own that opens a live session as the window does, on made-up sources,
and starts it: without PyTorch's libraries, and with them loaded before. Prints one JSON object with
the medians: seconds until the session is made, until it runs, and the memory in MB after it has run
for so long (resident, and of that what is this process's alone). Needs an engine of onnxruntime
(`affectscope compile`).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
FIGURES = ("made", "running", "resident", "own")
CODE = """
import json, sys, time
from desktop.live_opening import make_live
from extractors.large_libraries import load_large_libraries
from extractors.recording import RecordingPlan
from extractors.sources import SourceChoice
from inference.live import LiveState
wanted, seconds = sys.argv[1] == "with", float(sys.argv[2])
began = time.perf_counter()
if wanted:
    load_large_libraries(torch=True)
synthetic = SourceChoice("synthetic")
live = make_live(synthetic, synthetic, RecordingPlan)
made = time.perf_counter() - began
live.start()
while live.state is not LiveState.RUNNING:
    time.sleep(0.01)
running = time.perf_counter() - began
time.sleep(seconds)
assert ("libtorch" in open("/proc/self/maps").read()) == wanted
assert "torch" not in sys.modules
assert live.health().engine == "onnxruntime on CPU"
rollup = dict(line.split(":") for line in open("/proc/self/smaps_rollup").read().splitlines()[1:])
kilobytes = {name: int(value.split()[0]) for name, value in rollup.items()}
own = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
print(json.dumps([made, running, kilobytes["Rss"] / 1000, own / 1000]), flush=True)
live.abort()
live.wait(10)
"""


def one_run(which: str, seconds: float) -> list[float]:
    """The FIGURES of a process "with" or "without" PyTorch."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, which, str(seconds)],
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    found: dict[str, list[list[float]]] = {"with": [], "without": []}
    for run in range(options.runs + 1):
        for which, figures in found.items():
            figure = one_run(which, options.seconds)
            if run:  # the first warms the file cache
                figures.append(figure)
    print(
        json.dumps(
            {
                which: {
                    name: round(statistics.median(column), 2)
                    for name, column in zip(FIGURES, zip(*figures, strict=True), strict=True)
                }
                for which, figures in found.items()
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
