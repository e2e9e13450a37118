"""Thousands of damaged and some odd recordings through `affectscope analyze`.

    python -m benchmarks.odd_media [--count 2000] [--seed 1] [--at-once 25] [--keep DIR]

Each batch is a process of its own. Every file must become a session that opens without a problem,
or be named in one line with exit code 2; no traceback, nothing half-written, no process that dies.
Prints one JSON object; files that break this are listed and, with `--keep`, kept.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from extractors import Session
from tests.extractors.odd_media import damaged, odd

LONGEST = 600.0
"""Seconds for a batch; a file with a gap of an hour has an hour to analyse."""


def analyse(files: Sequence[Path], out: Path) -> dict[str, Any]:
    """What one process made of the files: numbers of sessions and errors, and what is wrong."""
    words = [sys.executable, "-m", "desktop.cli", "analyze", *map(str, files), "--out", str(out)]
    try:
        done = subprocess.run(
            [*words, "--json"], capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return {"sessions": 0, "errors": 0, "wrong": [f"more than {LONGEST:.0f} s"]}
    summaries = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [summary["error"] for summary in summaries if "error" in summary]
    sessions = [Path(summary["session"]) for summary in summaries if "session" in summary]
    wrong = []
    if done.returncode != (2 if errors else 0) or len(summaries) != len(files):
        wrong.append(f"exit code {done.returncode} after {len(summaries)} files")
    if done.stderr.splitlines() != [f"affectscope: {error}" for error in errors]:
        wrong.append(f"it said {done.stderr[-500:]!r}")
    left = {path.name for path in out.iterdir()} if out.exists() else set()
    wrong += [f"left behind: {name}" for name in left - {folder.name for folder in sessions}]
    for folder in sessions:
        wrong += [f"{folder.name}: {problem}" for problem in Session(folder).problems]
    return {"sessions": len(sessions), "errors": len(errors), "wrong": wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=25)
    parser.add_argument("--keep", type=Path, help="where files go that break it")
    args = parser.parse_args()
    began = time.monotonic()
    total: dict[str, Any] = {"files": 0, "sessions": 0, "errors": 0, "wrong": []}
    with tempfile.TemporaryDirectory() as place:
        files = [*odd(Path(place, "odd")), *damaged(Path(place, "bad"), args.seed, args.count)]
        for first in range(0, len(files), args.at_once):
            batch, out = files[first : first + args.at_once], Path(place, "out")
            found = analyse(batch, out)
            for file in batch if found["wrong"] else ():  # which of them was it?
                shutil.rmtree(out, ignore_errors=True)
                alone = analyse([file], out)["wrong"]
                total["wrong"] += [f"{file.name}: {what}" for what in alone]
                if alone and args.keep is not None:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, args.keep)
            shutil.rmtree(out, ignore_errors=True)
            total["files"] += len(batch)
            for key in ("sessions", "errors"):
                total[key] += found[key]
    print(json.dumps({**total, "seconds": round(time.monotonic() - began)}, indent=2))
    sys.exit(bool(total["wrong"]))


if __name__ == "__main__":
    main()
