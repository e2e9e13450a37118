"""A checkpoint whose network compiles in seconds, and engines that compute nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from extractors.features import EMOTIONS, MODALITIES
from extractors.stream.window import ContextWindow, StepWindow, WindowSpec
from inference.backends.interface import Backend, Engine, Inputs, Outputs
from inference.backends.source import Source
from inference.checkpoint import Checkpoint, Normaliser, save_checkpoint
from inference.model import DHMD
from tests.inference.small_network import changed

__all__ = ["Steady", "Written", "small_checkpoint", "small_file"]


def small_checkpoint(seed: int = 0, **values: object) -> Checkpoint:
    config = changed(emotions=EMOTIONS, **values)
    torch.manual_seed(seed)
    weights = {name: tensor.numpy() for name, tensor in DHMD(config).state_dict().items()}
    text, voice, face = (config.modalities[name] for name in MODALITIES)
    windows = WindowSpec(
        hop=200_000_000,
        text=ContextWindow(text.features, text.steps, 8_000_000_000),
        voice=StepWindow(voice.features, voice.steps, 100_000_000),
        face=StepWindow(face.features, face.steps, 100_000_000),
    )
    sizes = {name: m.features for name, m in config.modalities.items()}
    normaliser = Normaliser(
        {name: np.zeros(size, np.float32) for name, size in sizes.items()},
        {name: np.ones(size, np.float32) for name, size in sizes.items()},
    )
    return Checkpoint(config, windows, normaliser, weights, dict.fromkeys(sizes, 1.0), {})


def small_file(folder: Path, seed: int = 0) -> Path:
    path = folder / f"small-{seed}.safetensors"
    save_checkpoint(path, small_checkpoint(seed))
    return path


class Steady:
    """Gives its number for everything, or raises its error."""

    def __init__(
        self,
        number: float = 0.0,
        *,
        backend: str = "steady",
        device: str = "CPU",
        batch: int = 1,
        error: Exception | None = None,
    ) -> None:
        self.number, self.error = number, error
        self.backend, self.device, self.batch = backend, device, batch

    def __call__(self, inputs: Inputs) -> Outputs:
        if self.error is not None:
            raise self.error
        n = len(inputs[0])
        shapes: Sequence[tuple[int, ...]] = [(n, 7), (n,), (n, 6), (n, 6), (n, 3, 12), (n, 3, 12)]
        return Outputs(*(np.full(shape, self.number, np.float32) for shape in shapes))


class Written(Backend):
    """A backend whose file holds one line, and whose engines are those of eager."""

    name = "written"
    summary = "for tests"
    file = "network.txt"
    form = "written"

    def __init__(
        self, made_for: dict[str, str] | None = None, engine: Engine | None = None
    ) -> None:
        self.builds = 0
        self._made_for, self._engine = made_for or {}, engine

    def made_for(self) -> dict[str, str]:
        return self._made_for

    def build(self, source: Source, batch: int, half: bool, file: Path) -> None:
        del source, half
        self.builds += 1
        file.write_text(f"for {batch}")

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        from inference.backends.eager import Eager

        assert file is not None
        assert file.read_text() == f"for {batch}"
        return self._engine or Eager().open(source, batch, half, None, threads)
