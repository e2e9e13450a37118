"""torch.compile: PyTorch's own compiler when the network is first run, with PyTorch's own cache."""

import warnings
from pathlib import Path

from inference.backends.eager import TorchEngine
from inference.backends.interface import Backend, Engine
from inference.backends.source import Source

__all__ = ["TorchCompile", "compiler_missing", "place"]


class TorchCompile(Backend):
    """On the GPU where PyTorch has one."""

    name = "torch-compile"
    summary = "PyTorch's compiler at every start"
    precisions = ("float32", "float16")

    def missing(self) -> str | None:
        return super().missing() or compiler_missing(self.name)

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        del file
        import torch

        from inference.lean import empty_inputs

        on = place()
        compiled = torch.compile(source.lean(half).to(on), dynamic=False, fullgraph=True)
        engine = TorchEngine(self.name, compiled, batch, threads, on)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the compiler about itself
            engine([x.numpy() for x in empty_inputs(source.checkpoint.config, batch)])
        return engine


def place() -> str:
    """Where PyTorch's compilers compile for: "cuda" where PyTorch has a GPU, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def compiler_missing(name: str) -> str | None:
    """Why PyTorch cannot compile here; None if it can."""
    import os
    import shutil

    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        return f"the backend {name} needs a C++ compiler; there is no {compiler}: apt install g++"
    return None
