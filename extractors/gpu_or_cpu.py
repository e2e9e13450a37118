"""A model on a GPU that gives way to the same model on the CPU when the GPU fails."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from assets.errors import one_line

__all__ = ["CPU", "GaveWay", "GpuOrCpu", "ignore"]

CPU = "cpu"

Model = TypeVar("Model")
Result = TypeVar("Result")

GaveWay = Callable[[str], None]
"""Is told, in the thread in which it happens, why the CPU goes on: the GPU's error in one line."""


def ignore(_: Any) -> None:
    """Nobody wants to know."""


class GpuOrCpu(Generic[Model]):
    """Safe between threads as far as the model is. What fails on the GPU is done on the CPU anew,
    from its beginning, so nothing that was given is lost; later work goes to the CPU at once.

    Whatever a GPU raises counts: memory that is short, a library that is missing or a driver that
    has stopped all come as the same types. What the CPU raises is raised.
    """

    def __init__(
        self,
        make: Callable[[str], Model],
        device: str,
        gave_way: GaveWay = ignore,
        *,
        free: Callable[[Model], object] = ignore,
    ) -> None:
        """`make` loads the model on a device and `free` ends one that has failed."""
        self._make, self._free, self._gave_way = make, free, gave_way
        self._lock = threading.Lock()
        self.device = device
        self._model: Model | None = None
        """None while the CPU takes over from a GPU: what it held must be free before."""
        try:
            self._model = make(device)
        except Exception as error:
            if device == CPU:
                raise
            reason = one_line(error)
        if self._model is None:
            self._go_to_cpu()
            gave_way(reason)

    @property
    def model(self) -> Model:
        """The one that works now."""
        with self._lock:
            assert self._model is not None
            return self._model

    def __call__(self, work: Callable[[Model], Result]) -> Result:
        """What `work` makes of the model; it may be called twice, the second time on the CPU."""
        model = self.model
        try:
            return work(model)
        except Exception as error:
            if self.device == CPU and model is self._model:
                raise
            reason = one_line(error)
        with self._lock:
            first = self._model is model  # no other thread was quicker
            if first:
                self._model = None
                with suppress(Exception):
                    self._free(model)
                del model
                self._go_to_cpu()
        if first:
            self._gave_way(reason)
        return work(self.model)

    def _go_to_cpu(self) -> None:
        self.device = CPU
        self._model = self._make(CPU)
