"""Windows of the bundled clip, as the analysis cuts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.sample_windows import CLIP, as_inputs, windows_of
from extractors.features import MODALITIES
from extractors.stream.window import Window
from inference.backends.interface import Inputs
from inference.checkpoint import Checkpoint
from tests.inference.small_network import Batch

__all__ = ["RealWindows", "real_windows"]


@dataclass(frozen=True)
class RealWindows:
    """All windows of the clip, and the shipped checkpoint that they are for."""

    checkpoint: Checkpoint
    windows: Sequence[Window]

    @property
    def batch(self) -> Batch:
        """As the network takes them."""
        tensors = [torch.from_numpy(x) for x in self.inputs]
        features = dict(zip(MODALITIES, tensors[:3], strict=True))
        return features, dict(zip(MODALITIES, tensors[3:], strict=True))

    @property
    def inputs(self) -> Inputs:
        """As an engine takes them."""
        return as_inputs(self.checkpoint, self.windows)


def real_windows(folder: Path) -> RealWindows:
    """Analyse the clip into `folder` and keep its windows."""
    return RealWindows(*windows_of(CLIP, folder))
