"""For somebody with an NVIDIA GPU: fills the table "On a GPU" of docs/results.md.

    pip install -r requirements-tensorrt.txt    (or onnxruntime-gpu, or one after the other)
    python benchmarks/gpu_backends.py

Builds the engine of everything that runs on the GPU here, in float32 and float16, for one window
and for 64, holds it against eager on the CPU on the windows of the bundled clip, and times it on
them in turns with ONNX Runtime on one core of the same computer. A call begins and ends with arrays
of NumPy, so what is timed is what the program waits for.

Each build and each row is a process of its own that is ended after --limit seconds; a row that
fails says why, and the table is written after each, what builds for longest last. Rows of what
cannot be installed together stay, as long as GPU and network are the same. `make test-gpu` says
beforehand whether the numbers are right. Without a GPU it ends with exit code 2 and one line.

A computer with a GPU often lacks the rest of the program. There:
    python benchmarks/gpu_backends.py --windows FILE.npz --into RECORD.json
with a FILE.npz of benchmarks/sample_windows.py, and back here: ... --take RECORD.json
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assets import ASSETS
from assets.errors import BadInput
from benchmarks.backends import CHECKOUT
from benchmarks.gpu_rows import BATCHES, EAGER, NAMES, PRECISIONS, build, on_cpu, row
from benchmarks.limited_process import last_told
from benchmarks.sample_windows import CLIP, as_inputs, read_windows, windows_of, write_windows
from inference.backends.interface import version_of
from inference.backends.source import Source
from inference.nvidia_gpu import nvidia_gpu
from scripts.write_inference import RECORDS, write

__all__ = ["merged", "rows_of"]

ORDER = (EAGER, "ort-cuda", "tensorrt", "ort-tensorrt", "torch-compile", "aotinductor")
"""What is ready soonest comes first: whatever ends this early has most of the table by then."""
LIBRARIES = ("torch", "onnxruntime", "onnxruntime-gpu", "torch-tensorrt", "tensorrt",
             "torch-tensorrt-rtx", "tensorrt-rtx")  # fmt: skip

Told = tuple[dict[str, Any], str | None]
"""What a process told last, and why it ended early if it did."""


def rows_of(names: Sequence[str], jobs: int, run: Callable[..., Told]) -> Iterator[dict[str, Any]]:
    """The rows, one after the other, each built just before it is measured.

    `run` is given this script's words for a process. What cannot be built is not measured.
    """
    for name in sorted(names, key=ORDER.index):
        builds = [(precision, batch) for precision in PRECISIONS for batch in BATCHES]
        built: dict[tuple[str, int], Told] = {}
        if name != EAGER:
            with ThreadPoolExecutor(jobs) as pool:
                told = pool.map(lambda b, of=name: run("--build", of, *b), builds)
                built = dict(zip(builds, told, strict=True))
        for precision in PRECISIONS:
            yield {"backend": name, "precision": precision, **_one(name, precision, built, run)}


def _one(
    name: str, precision: str, built: dict[tuple[str, int], Told], run: Callable[..., Told]
) -> dict[str, Any]:
    seconds, ready, remark = None, [], None
    for batch in BATCHES:
        told, why = built.get((precision, batch), ({}, None))
        why = told.get("problem", why)
        if why is None:
            ready.append(batch)
            seconds = seconds or told.get("build_s")
        else:
            remark = remark or f"build for {batch} at once: {why}"
    if 1 not in ready:
        return {"problem": remark}
    found, why = run("--row", name, precision, "--batches", *ready)
    if why is not None and not found:
        return {"problem": why}
    remark = found.get("remark") or why or remark
    return {**found, "build_s": seconds, **({"remark": remark} if remark else {})}


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new rows, and the old ones of what was not measured now."""
    rows = {_key(one): one for one in old}
    for one in new:
        if "problem" not in one or "problem" in rows.get(_key(one), one):
            rows[_key(one)] = one
    return sorted(rows.values(), key=lambda one: NAMES.index(one["backend"]))


def _key(one: dict[str, Any]) -> tuple[str, str]:
    return one["backend"], one["precision"]


def _keep(record: dict[str, Any]) -> None:
    """Into docs/inference.json, and from there into the pages."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    old = records.get("gpu", {})
    same = all(old.get(key) == record[key] for key in ("gpu", "network_sha256"))
    rows = merged(old["rows"] if same else [], record["rows"])
    records["gpu"] = {**record, "rows": rows}
    RECORDS.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    write()


def _measure(options: argparse.Namespace, save: Callable[[dict[str, Any]], object]) -> None:
    """Saves the record after each row."""
    from benchmarks.inference_costs import processor, revision

    gpu = nvidia_gpu()
    if gpu is None:
        raise BadInput("there is no NVIDIA GPU with a driver here: nothing is measured")
    with tempfile.TemporaryDirectory() as folder:
        file = options.windows
        if file is None:
            file = Path(folder, "windows.npz")
            write_windows(file, as_inputs(*windows_of(CLIP, Path(folder, "session"))))
        common = ["--checkpoint", options.checkpoint, "--windows", file, "--rounds", options.rounds]
        paths = os.pathsep.join([str(CHECKOUT), *sys.path[1:]])

        def run(*words: object) -> Told:
            command = [sys.executable, __file__, *map(str, (*common, *words))]
            return last_told(command, options.limit, {**os.environ, "PYTHONPATH": paths})

        cpu, trouble = run("--cpu")
        if trouble:
            print(f"the CPU: {trouble}", file=sys.stderr)
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
            "windows": len(read_windows(file)[0]),
            "cpu": cpu.get("rows", []),
            "rows": [],
        }
        for one in rows_of(options.backends, options.jobs, run):
            record["rows"].append(one)
            print(json.dumps(one), flush=True)
            save(record)


def _part(options: argparse.Namespace) -> dict[str, Any] | None:
    """What this process was started for by another; None if it was started by a person."""
    source = Source(options.checkpoint)
    if options.build:
        name, precision, batch = options.build
        return build(source, name, PRECISIONS[precision], int(batch))
    if not (options.cpu or options.row):
        return None
    windows = read_windows(options.windows)
    if options.cpu:
        return {"rows": on_cpu(source, windows)}

    def tell(found: dict[str, Any]) -> None:
        print(json.dumps(found), flush=True)

    name, precision = options.row
    half, batches = PRECISIONS[precision], options.batches
    return row(source, windows, name, half, options.rounds, batches, tell)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoint", type=Path, default=ASSETS / "live.safetensors")
    parser.add_argument("--windows", type=Path, help="a file of benchmarks/sample_windows.py")
    parser.add_argument("--backends", nargs="+", default=NAMES, choices=NAMES, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=200, help="calls that are timed")
    parser.add_argument("--jobs", type=int, default=1, help="engines that are built at once")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a build or a row")
    parser.add_argument("--into", type=Path, help="write the record there and leave docs/ alone")
    parser.add_argument("--take", type=Path, help="put such a record into docs/; measure nothing")
    parser.add_argument("--build", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES, help=argparse.SUPPRESS)
    parser.add_argument("--cpu", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.take:
        _keep(json.loads(options.take.read_text(encoding="utf-8")))
        return 0
    found = _part(options)
    if found is not None:
        print(json.dumps(found), flush=True)
        return 0
    into = options.into

    def save(record: dict[str, Any]) -> None:
        if into is None:
            _keep(record)
        else:
            into.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    _measure(options, save)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BadInput as error:
        print(error, file=sys.stderr)
        sys.exit(2)
