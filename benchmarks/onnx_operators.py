"""Where ONNX Runtime spends the time of one window, by its own profile.

A part of `python benchmarks/inference_costs.py`, which says how to run it.

What is told is the share of matrix products and convolutions in the time of all operators (the
median of each), for the profile itself slows a window down. It says how much faster a window could
become if all else cost nothing.
"""

import json
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.backends import CHECKPOINT, full
from inference.backends.onnx_file import input_names
from inference.backends.opening import backend, compiled
from inference.backends.source import Source

__all__ = ["operators", "products_of"]

PRODUCTS = frozenset({"Conv", "FusedConv", "FusedMatMul", "FusedGemm", "Gemm", "MatMul"})
WINDOWS = 200


def operators() -> dict[str, Any]:
    """Of the engine for one window, on one thread."""
    import onnxruntime

    source = Source(CHECKPOINT)
    file = compiled(backend("onnxruntime"), source, 1)
    feed = dict(zip(input_names(), full(source), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder, "profile"))
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        for _ in range(WINDOWS):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return products_of(events)


def products_of(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Operators of a profile, how many of them are products, and the share of these in the time."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            took[event["args"]["op_name"], event["name"]].append(event["dur"])
    times = {key: statistics.median(found) for key, found in took.items()}
    products = [time for (kind, _), time in times.items() if kind in PRODUCTS]
    return {
        "operators": len(times),
        "products": len(products),
        "share": sum(products) / sum(times.values()),
    }
