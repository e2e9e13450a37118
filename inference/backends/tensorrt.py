"""TensorRT through torch-tensorrt, ahead of time, on an NVIDIA GPU."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.backends.eager import TorchEngine
from inference.backends.interface import Backend, Engine, version_of
from inference.backends.source import Source
from inference.nvidia_gpu import gpu_identity, nvidia_gpu

__all__ = ["TensorRT", "settings"]

LIBRARIES = ("torch", "torch-tensorrt", "tensorrt", "torch-tensorrt-rtx", "tensorrt-rtx")
"""Distributions that an engine depends on. torch-tensorrt-rtx is the same module over TensorRT for
RTX, which takes fewer GPUs."""


def settings() -> dict[str, Any]:
    """How torch-tensorrt compiles: the types are those of the graph, and all of it is converted."""
    return {
        "disable_tf32": True,  # TF32 has ten bits of the 23
        "truncate_double": True,
        "min_block_size": 1,
        "require_full_compilation": True,
        "attn_bias_is_causal": False,  # by default it may put another mask in place of ours
    }


class TensorRT(Backend):
    name = "tensorrt"
    summary = "TensorRT on an NVIDIA GPU, built for it"
    on_gpu = True
    packages = {"torch_tensorrt": "pip install -r requirements-tensorrt.txt"}  # noqa: RUF012
    file = "network.ep"
    form = "tensorrt"
    precisions = ("float32", "float16")

    def missing(self) -> str | None:
        missing = super().missing()
        if missing:
            return missing
        if nvidia_gpu() is None:
            return f"the backend {self.name} needs an NVIDIA GPU with its driver; none is here"
        import torch

        if not torch.cuda.is_available():
            return (
                f"the backend {self.name} needs a PyTorch with CUDA; {torch.__version__} has none "
                "that works: pip install -r requirements-tensorrt.txt"
            )
        return None

    def made_for(self) -> Mapping[str, str]:
        return {**gpu_identity(), **version_of(*LIBRARIES)}

    def build(self, source: Source, batch: int, half: bool, file: Path) -> None:
        import torch
        import torch_tensorrt

        from inference.lean import empty_inputs, export

        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            warnings.simplefilter("ignore")  # of the compiler about itself
            program = export(source.lean(half).to("cuda"), batch)
            inputs = [x.cuda() for x in empty_inputs(source.checkpoint.config, batch)]
            module = torch_tensorrt.dynamo.compile(program, arg_inputs=inputs, **settings())
            torch_tensorrt.save(
                module, str(file), output_format="exported_program", arg_inputs=inputs
            )

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        del source, half
        import torch_tensorrt

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = torch_tensorrt.load(str(file)).module()
        return TorchEngine(self.name, module, batch, threads, "cuda")
