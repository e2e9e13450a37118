"""Windows of the bundled clip, as the analysis cuts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from assets import ASSETS
from extractors.features import MODALITIES
from extractors.stream.window import Window
from inference.analysis import Analysis
from inference.checkpoint import Checkpoint
from inference.models import Models
from inference.predictor import Predictions
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
        valid, features = {}, {}
        for name in MODALITIES:
            masks = [torch.from_numpy(w.valid[name]) for w in self.windows]
            valid[name] = torch.stack(masks)
            raw = torch.stack([torch.from_numpy(w.features[name]) for w in self.windows]).numpy()
            normal = self.checkpoint.normaliser(name, raw, valid[name].numpy())
            features[name] = torch.from_numpy(normal)
        return features, valid


def real_windows(folder: Path) -> RealWindows:
    """Analyse the clip into `folder` and keep its windows."""
    models = Models()
    predictor, kept = models.predictor(), list[Window]()

    def predict(windows: Sequence[Window]) -> Predictions:
        kept.extend(windows)
        return predictor(windows)

    models.predictor = lambda: predict  # type: ignore[assignment, return-value]
    analysis = Analysis(ASSETS / "sample" / "sample.mp4", folder, models)
    analysis.start()
    analysis.finish()
    return RealWindows(models.checkpoint(), kept)
