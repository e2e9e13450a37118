"""How long the lines of docs/results.md take: some steps of each, and what comes before and after.

    python benchmarks/results_time.py --examples runs/examples
    python scripts/write_results.py

Two processes of one thread at a time, as benchmarks/dhmd_results.py has them by default, with
nothing else at work; processor time.
"""

import argparse
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch

from benchmarks.dhmd_results import LINES, ON_REQUEST, Line, loaded, measured
from inference.training.configuration import read_settings
from inference.training.plan import plan
from inference.training.train import begin

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "results_time.json"
JOBS = 2
WARM_UP = 2
STEPS = 15


def seconds_of(line: Line, examples: Path) -> dict[str, Any]:
    """Steps of a run of this line; seconds of one, and of all that is not a step."""
    settings = read_settings(line.preset, line.assignments)
    clock = [time.process_time()]
    data = [loaded(examples / folder) for folder in settings.examples]
    planned = plan(settings, data)
    running = begin(planned)
    clock.append(time.process_time())
    for _ in range(WARM_UP):
        running.advance()
    clock.append(time.process_time())
    for _ in range(STEPS):
        running.advance()
    clock.append(time.process_time())
    measured(planned, planned.checkpoint(running.result()), data, number=0)
    clock.append(time.process_time())
    return {
        "steps": running.steps,
        "step": (clock[3] - clock[2]) / STEPS,
        "around": clock[1] - clock[0] + clock[4] - clock[3],
    }


def timed(name: str, examples: Path) -> tuple[str, dict[str, Any]]:
    """The line of this name, on one thread."""
    torch.set_num_threads(1)
    loaded.cache_clear()
    return name, seconds_of(LINES[name], examples)


def main() -> None:
    """Time every line that is wanted; those that were timed before are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--only", action="append", default=[], choices=list(LINES))
    args = parser.parse_args()
    known = json.loads(args.records.read_text()) if args.records.is_file() else []
    times = known[0]["lines"] if known else {}
    with ProcessPoolExecutor(JOBS, multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(timed, name, args.examples) for name in args.only or LINES]
        for task in as_completed(tasks):
            name, found = task.result()
            times[name] = found
            print(name, times[name], flush=True)
            lines = {line: times[line] for line in LINES if line in times}
            record = {
                "line": "time", "torch": torch.__version__, "lines": lines,
                "on_request": ON_REQUEST,
            }  # fmt: skip
            args.records.write_text(json.dumps([record], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
