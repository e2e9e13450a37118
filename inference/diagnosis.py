"""What runs where: each part is asked, or tried, rather than believed."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assets.errors import AffectscopeError, one_line
from inference.backends.interface import Engine
from inference.backends.opening import AUTO, BACKENDS, backend, choose, noise, open_engine
from inference.backends.source import Source
from inference.nvidia_gpu import nvidia_gpu

__all__ = ["diagnose"]

ROUNDS = 20
"""Windows that are timed; the fastest counts, for something else may be running."""


def diagnose(checkpoint: Path) -> dict[str, Any]:
    """GPU, libraries and backends as plain values.

    Backends that would have to be built first are not built: that is said instead.
    Raises ModelFileError for a checkpoint that cannot be read.
    """
    source = Source(checkpoint)
    gpu = nvidia_gpu()
    choice = choose(AUTO, source, 1, ready=True)
    return {
        "gpu": None if gpu is None else asdict(gpu),
        "parts": {name: _said(ask) for name, ask in PARTS.items()},
        "backends": {name: _backend(name, source) for name in BACKENDS},
        "auto": {"backend": choice.backend.name, "reason": choice.reason},
    }


def _backend(name: str, source: Source) -> dict[str, Any]:
    try:
        if backend(name).file is None and name != "eager":
            return {"problem": backend(name).missing() or "compiles for minutes at every start"}
        choose(name, source, 1, ready=True)
        engine, _ = open_engine(source, name)
        return {"device": engine.device, "milliseconds": _milliseconds(engine, source)}
    except AffectscopeError as error:
        return {"problem": str(error)}
    except Exception as error:
        return {"problem": one_line(error)}


def _milliseconds(engine: Engine, source: Source) -> float:
    window = list(noise(source, 1))[-1]
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        engine(window)
        least = min(least, time.perf_counter() - began)
    return round(1000 * least, 2)


def _said(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except Exception as error:
        return f"does not load: {one_line(error)}"


def _torch() -> str:
    import torch

    if not torch.cuda.is_available():
        built = torch.version.cuda
        return f"{torch.__version__} on the CPU" + (f" (built for CUDA {built})" if built else "")
    return f"{torch.__version__} on {torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}"


def _onnxruntime() -> str:
    import onnxruntime

    return f"{onnxruntime.__version__} with {', '.join(onnxruntime.get_available_providers())}"


def _ctranslate2() -> str:
    import ctranslate2

    count = ctranslate2.get_cuda_device_count()
    device = "cuda" if count else "cpu"
    types = ", ".join(sorted(ctranslate2.get_supported_compute_types(device)))
    return f"{ctranslate2.__version__} on {device} ({types})"


def _mediapipe() -> str:
    from importlib.metadata import version

    from assets.pretrained import path_of
    from extractors.face_device import face_device
    from inference.compute_plan import compute_plan, this_machine

    wanted = compute_plan(this_machine()).face_device
    return f"{version('mediapipe')}: {face_device(path_of('face-landmarker'), wanted)}"


PARTS: dict[str, Callable[[], str]] = {
    "torch": _torch,
    "onnxruntime": _onnxruntime,
    "ctranslate2": _ctranslate2,
    "mediapipe": _mediapipe,
}
