"""`affectscope analyze DIR --jobs 2` against one job, as whole commands.

A part of `python benchmarks/inference_costs.py`, which says how to run it.

A folder of copies of the bundled clip is analysed by one job that may use every core, by one job
that is held to one core, and by two jobs. Beside the wall time stands the processor time, from
which follows how busy the cores were, and so what more jobs can bring at all: a single analysis has
a thread for each stage already.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assets import ASSETS

__all__ = ["jobs"]

CHECKOUT = Path(__file__).resolve().parents[1]
CLIP = ASSETS / "sample" / "sample.mp4"
CLIPS = 6
JOBS = 2
ROUNDS = 2
"""The commands take turns, and the fastest of each counts: other computers may share this one."""


def jobs(clips: int = CLIPS) -> dict[str, Any]:
    """Wall and processor seconds of each, and how many times as fast two jobs are."""
    cores = sorted(os.sched_getaffinity(0))[:JOBS]
    runs = {"one job": (1, cores), "one job on one core": (1, cores[:1]), "two jobs": (JOBS, cores)}
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        videos = Path(folder, "videos")
        videos.mkdir()
        for number in range(clips):
            shutil.copy(CLIP, videos / f"{number}.mp4")
        for turn in range(ROUNDS):
            for name, (count, use) in runs.items():
                wall, processor = _command(videos, Path(folder, f"{name} {turn}"), count, use)
                if name not in rows or wall < rows[name]["wall_s"]:
                    found = {"wall_s": wall, "processor_s": processor, "busy": processor / wall}
                    rows[name] = found
    two = rows["two jobs"]["wall_s"]
    return {
        "clips": clips,
        "rounds": ROUNDS,
        "cores": len(cores),
        "rows": rows,
        "against_one_job": rows["one job"]["wall_s"] / two,
        "against_one_core": rows["one job on one core"]["wall_s"] / two,
    }


def _command(videos: Path, out: Path, count: int, cores: list[int]) -> tuple[float, float]:
    command = [sys.executable, "-m", "desktop.cli", "analyze", str(videos), "--out", str(out),
               "--jobs", str(count)]  # fmt: skip
    before, began = _processor(), time.perf_counter()
    subprocess.run(
        command,
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_held_to(cores),
    )
    return time.perf_counter() - began, _processor() - before


def _held_to(cores: list[int]) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, cores)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
