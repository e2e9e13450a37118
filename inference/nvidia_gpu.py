"""The first NVIDIA GPU, asked of its driver: no library needs to be installed or loaded for that.

https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__DEVICE.html
"""

import ctypes
from dataclasses import dataclass
from functools import cache

__all__ = ["NvidiaGpu", "gpu_identity", "nvidia_gpu"]

CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76


@dataclass(frozen=True, slots=True)
class NvidiaGpu:
    """What an engine depends on."""

    name: str
    capability: str
    """Compute capability, such as 9.0."""
    driver: str
    """Version of the driver, such as 580.65.06."""


@cache
def nvidia_gpu() -> NvidiaGpu | None:
    """The first GPU that CUDA shows to this process; None without driver or GPU."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    return ask(cuda)


def ask(cuda: ctypes.CDLL) -> NvidiaGpu | None:
    """The first GPU, from the driver's library."""
    device, number = ctypes.c_int(), ctypes.c_int()
    if cuda.cuInit(0) != 0 or cuda.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return None

    def value(attribute: int) -> int:
        cuda.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
        return number.value

    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetName(name, len(name), device)
    capability = f"{value(CAPABILITY_MAJOR)}.{value(CAPABILITY_MINOR)}"
    cuda.cuDriverGetVersion(ctypes.byref(number))
    supported = f"CUDA {number.value // 1000}.{number.value % 1000 // 10}"
    return NvidiaGpu(name.value.decode(errors="replace"), capability, driver() or supported)


def driver() -> str | None:
    """Version of the driver, from its management library; None where that is not installed."""
    try:
        management = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    version = ctypes.create_string_buffer(96)
    if management.nvmlInit_v2() != 0:
        return None
    try:
        if management.nvmlSystemGetDriverVersion(version, len(version)) != 0:
            return None
    finally:
        management.nvmlShutdown()
    return version.value.decode(errors="replace")


def gpu_identity() -> dict[str, str]:
    """The GPU as part of what an engine was made for; says so where there is none."""
    gpu = nvidia_gpu()
    if gpu is None:
        return {"gpu": "none"}
    return {"gpu": gpu.name, "capability": gpu.capability, "driver": gpu.driver}
