"""AOTInductor: PyTorch's compiler ahead of time, into a package of machine code."""

import platform
import warnings
from collections.abc import Mapping
from pathlib import Path

from inference.backends.eager import TorchEngine
from inference.backends.interface import Backend, Engine, version_of
from inference.backends.source import Source
from inference.backends.torch_compile import compiler_missing, place
from inference.nvidia_gpu import gpu_identity

__all__ = ["AOTInductor"]


class AOTInductor(Backend):
    """On the GPU where PyTorch has one."""

    name = "aotinductor"
    summary = "PyTorch's compiler ahead of time"
    file = "network.pt2"
    form = "aotinductor"
    precisions = ("float32", "float16")

    def cannot_build(self) -> str | None:
        return super().cannot_build() or compiler_missing(self.name)

    def made_for(self) -> Mapping[str, str]:
        gpu = gpu_identity() if place() == "cuda" else {}
        return {**version_of("torch"), "processor": _processor(), **gpu}

    def build(self, source: Source, batch: int, half: bool, file: Path) -> None:
        import torch

        from inference.lean import export

        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of the compiler about itself
            program = export(source.lean(half).to(place()), batch)
            torch._inductor.aoti_compile_and_package(program, package_path=str(file))

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        del source, half
        import torch

        # By default it has a thread of its own for each caller; there is one.
        run = torch._inductor.aoti_load_package(str(file), run_single_threaded=True)
        return TorchEngine(self.name, run, batch, threads, place())


def _processor() -> str:
    """The machine code is for the vector instructions of this processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    vectors = sorted(f for f in flags.split() if f.startswith(("avx", "amx", "asimd", "sve")))
    return " ".join([platform.machine(), *vectors])
