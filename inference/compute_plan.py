"""Which model runs where, in which numbers and on how many threads, so that they do not fight."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from inference.nvidia_gpu import nvidia_gpu

__all__ = ["ComputePlan", "Machine", "compute_plan", "this_machine"]

MOST_SPEECH_THREADS = 4
"""More make a pass of the small model no faster."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the plan depends on: cores that this process may use, and for whom there is a GPU."""

    cores: int
    speech_gpu: bool = False
    text_gpu: bool = False
    face_gpu: bool = False


@dataclass(frozen=True, slots=True)
class ComputePlan:
    """Devices are "cpu" or "cuda" ("gpu" for MediaPipe)."""

    speech_device: str
    speech_type: str
    """CTranslate2's compute type."""
    speech_threads: int
    text_device: str
    text_threads: int
    face_device: str
    network_threads: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a session's manifest."""
        return asdict(self)


def compute_plan(machine: Machine) -> ComputePlan:
    """Threads and devices for face, speech, text and DHMD side by side.

    The face takes a core (MediaPipe gives no choice), DHMD and MiniLM a few milliseconds at a time,
    for which waking a second thread costs more than it brings. Speech is the one that is waited
    for: it gets half the cores. On a GPU a model needs one thread to feed it.
    """
    on_gpu = machine.speech_gpu
    threads = 1 if on_gpu else max(1, min(MOST_SPEECH_THREADS, machine.cores // 2))
    return ComputePlan(
        speech_device="cuda" if on_gpu else "cpu",
        speech_type="float16" if on_gpu else "int8",
        speech_threads=threads,
        text_device="cuda" if machine.text_gpu else "cpu",
        text_threads=1,
        face_device="gpu" if machine.face_gpu else "cpu",
        network_threads=1,
    )


def this_machine(
    cores: Callable[[], int] = lambda: usable_cores(),
    has_gpu: Callable[[], bool] = lambda: nvidia_gpu() is not None,
    speech_types: Callable[[], set[str]] = lambda: speech_types_on_gpu(),
    text_providers: Callable[[], list[str]] = lambda: onnx_providers(),
    platform: str = sys.platform,
) -> Machine:
    """What there is. Without a GPU no library is asked, for that would load it."""
    if not has_gpu():
        return Machine(cores())
    return Machine(
        cores(),
        speech_gpu="float16" in speech_types(),
        text_gpu="CUDAExecutionProvider" in text_providers(),
        face_gpu=platform == "linux",
    )


def usable_cores() -> int:
    """Cores that this process may run on: a container often has fewer than the machine."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return os.cpu_count() or 1 if affinity is None else len(affinity(0))


def speech_types_on_gpu() -> set[str]:
    """Compute types that CTranslate2 has on the first GPU; none if it was built without CUDA."""
    import ctranslate2

    if ctranslate2.get_cuda_device_count() == 0:
        return set()
    return set(ctranslate2.get_supported_compute_types("cuda"))


def onnx_providers() -> list[str]:
    """Execution providers that ONNX Runtime was built with."""
    import onnxruntime

    return list(onnxruntime.get_available_providers())
