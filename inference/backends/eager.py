"""The network operator by operator in PyTorch, on the CPU: what all others are held against."""

from pathlib import Path
from typing import TYPE_CHECKING

from inference.backends.interface import Backend, Engine, Inputs, Outputs
from inference.backends.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

__all__ = ["Eager", "TorchEngine"]


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
        del file
        return TorchEngine(self.name, source.lean(half), batch, threads)
