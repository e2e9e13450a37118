"""The network operator by operator in PyTorch, on the CPU: what all others are held against."""

from pathlib import Path
from typing import TYPE_CHECKING

from extractors.features import MODALITIES
from inference.backends.interface import Backend, Engine, Inputs, Outputs
from inference.backends.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from inference.lean import LeanOutput

__all__ = ["Eager", "TorchEngine", "training_form"]


class TorchEngine:
    """Anything that maps six tensors to six tensors."""

    def __init__(
        self,
        backend: str,
        run: "Callable[..., Sequence[Tensor]]",
        batch: int,
        threads: int,
        device: str = "cpu",
    ) -> None:
        import torch

        self.backend, self.batch = backend, batch
        self.device = "CPU" if device == "cpu" else torch.cuda.get_device_name(device)
        self._run, self._threads, self._place = run, threads, device
        if device != "cpu":
            # Convolutions would use TF32, which has ten bits of the 23. Their shapes never change,
            # so all ways to compute them are tried once: the one that is guessed can be far slower.
            torch.backends.cudnn.allow_tf32 = False
            torch.backends.cudnn.benchmark = True

    def __call__(self, inputs: Inputs) -> Outputs:
        import torch

        # The number of threads belongs to the whole process: another part may have changed it.
        if self._place == "cpu" and torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        with torch.inference_mode():
            given = [torch.from_numpy(x).to(self._place) for x in inputs]
            return Outputs(*(y.float().cpu().numpy() for y in self._run(*given)))


class Eager(Backend):
    name = "eager"
    summary = "PyTorch, operator by operator"
    precisions = ("float32", "float16")

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        """Runs the training form of a network that has no other."""
        del file
        if source.without_lean_form():
            return TorchEngine(self.name, training_form(source), batch, threads)
        return TorchEngine(self.name, source.lean(half), batch, threads)


def training_form(source: Source) -> "Callable[..., LeanOutput]":
    """The network as it was trained, behind the interface of the lean one."""
    from inference.lean import LeanOutput

    network = source.checkpoint.model()

    def run(*inputs: "Tensor") -> LeanOutput:
        features = dict(zip(MODALITIES, inputs[:3], strict=True))
        output = network(features, dict(zip(MODALITIES, inputs[3:], strict=True)))
        return LeanOutput(
            output.emotion,
            output.sentiment,
            output.homogeneous.edges,
            output.heterogeneous.edges,
            output.homogeneous.activation,
            output.heterogeneous.activation,
        )

    return run
