"""What a backend is, and what an engine takes and gives."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import FloatArray

if TYPE_CHECKING:
    from inference.backends.source import Source

__all__ = ["Backend", "BackendMissing", "Engine", "Inputs", "Outputs", "in_batches"]

Inputs = Sequence[npt.NDArray[Any]]
"""Normalised features float32 [n, steps, features] of text, voice and face, then which steps are
valid, bool [n, steps], in the same order."""


class Outputs(NamedTuple):
    """What the network says of n windows; the same fields as `inference.lean.LeanOutput`."""

    emotion: FloatArray
    """[n, emotions] logits."""
    sentiment: FloatArray
    """[n], not yet held within its limits."""
    homogeneous_edges: FloatArray
    """[n, 6] in the order of `inference.model.EDGES`."""
    heterogeneous_edges: FloatArray
    """[n, 6]."""
    homogeneous_atoms: FloatArray
    """[n, 3, atoms] activations of the dictionary."""
    heterogeneous_atoms: FloatArray
    """[n, 3, atoms]."""


class BackendMissing(BadInput):
    """A backend cannot run here; the text says what to install."""


class Engine(Protocol):
    """The network ready to run. Used by one thread at a time."""

    @property
    def backend(self) -> str: ...

    @property
    def device(self) -> str:
        """Where it really runs, as its library reports: "CPU", or the name of a GPU."""

    @property
    def batch(self) -> int:
        """Windows that it takes at once, no more and no fewer."""

    def __call__(self, inputs: Inputs) -> Outputs: ...


class Backend(ABC):
    """One way to run the network. Making one loads nothing."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """What it is, in a few words."""
    on_gpu: ClassVar[bool] = False
    packages: ClassVar[Mapping[str, str]] = {}
    """Modules that it needs besides the program's own, and how each is installed."""
    file: ClassVar[str | None] = None
    """Name of the file that `build` writes; None if there is nothing to build."""
    form: ClassVar[str] = ""
    """What the file is; backends of one form share it."""
    precisions: ClassVar[tuple[str, ...]] = ("float32",)
    builder_packages: ClassVar[Mapping[str, str]] = {}
    """Modules that only `build` needs, and how each is installed."""

    def missing(self) -> str | None:
        """Why it cannot run here and what to do about it; None if it can."""
        return _missing(self.name, self.packages)

    def cannot_build(self) -> str | None:
        """Why `build` would fail here and what to do about it; None if it would not."""
        return _missing(self.name, {**self.packages, **self.builder_packages})

    def made_for(self) -> Mapping[str, str]:
        """What a file depends on besides the network: versions, GPU. Read without loading much."""
        return {}

    def build(self, source: "Source", batch: int, half: bool, file: Path) -> None:
        """Write `file` (see `file`) for so many windows at once; may take minutes."""
        raise NotImplementedError(f"{self.name} has nothing to build")

    @abstractmethod
    def open(
        self, source: "Source", batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        """The engine, from the file that `build` wrote if there is one."""


def _missing(name: str, packages: Mapping[str, str]) -> str | None:
    for module, install in packages.items():
        if find_spec(module) is None:
            return f"the backend {name} needs {module}, which is not installed: {install}"
    return None


def version_of(*distributions: str) -> dict[str, str]:
    """Versions of those installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def in_batches(engine: Engine, inputs: Inputs) -> Outputs:
    """Run the engine on any number of windows, the last batch filled up with empty ones.

    A window always meets the same shapes, so it gives the same bits however many come with it.
    """
    count = len(inputs[0])
    parts = []
    for first in range(0, count, engine.batch):
        piece = [x[first : first + engine.batch] for x in inputs]
        short = engine.batch - len(piece[0])
        if short:
            piece = [np.concatenate([x, np.zeros((short, *x.shape[1:]), x.dtype)]) for x in piece]
        parts.append([y[: engine.batch - short] for y in engine(piece)])
    return Outputs(*(np.concatenate(column) for column in zip(*parts, strict=True)))
