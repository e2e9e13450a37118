"""Windows in, emotions out: the network with everything around it that a caller need not know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from extractors.features import MODALITIES, FloatArray
from extractors.stream import to_seconds
from extractors.stream.window import Window
from extractors.timeline import Timeline
from inference.checkpoint import Checkpoint

__all__ = ["Predictions", "Predictor"]

SENTIMENT_LIMIT = 3.0


@dataclass(frozen=True, slots=True)
class Predictions:
    """What the network says of `n` windows, in their order."""

    timeline: Timeline
    atoms_homogeneous: FloatArray
    """[n, atoms] activations of the dictionary of the common space, summed over modalities."""
    atoms_heterogeneous: FloatArray
    """[n, atoms] the same for the specific space."""


class Predictor:
    """The trained network on the CPU. Used by one thread at a time."""

    def __init__(self, checkpoint: Checkpoint, *, threads: int = 1) -> None:
        """Raises ModelFileError if the checkpoint's weights do not fit its configuration."""
        import torch

        torch.set_num_threads(threads)
        self.checkpoint = checkpoint
        self._model = checkpoint.model()

    def __call__(self, windows: Sequence[Window]) -> Predictions:
        """Predict for windows of the checkpoint's specification.

        Where no modality is present the emotions are all equal and the sentiment is NaN.
        """
        import torch

        features, valid = self._inputs(windows)
        with torch.inference_mode():
            output = self._model(
                {name: torch.from_numpy(features[name]) for name in MODALITIES},
                {name: torch.from_numpy(valid[name]) for name in MODALITIES},
            )
            emotions = torch.softmax(output.emotion / self.checkpoint.temperature, dim=1).numpy()
            sentiment = output.sentiment.clamp(-SENTIMENT_LIMIT, SENTIMENT_LIMIT).numpy()
        present = np.stack([valid[name].any(axis=1) for name in MODALITIES], axis=1)
        unknown = ~present.any(axis=1)
        emotions[unknown] = 1 / emotions.shape[1]
        sentiment[unknown] = np.nan
        timeline = Timeline(
            time=np.asarray([to_seconds(window.end) for window in windows]),
            emotions=emotions,
            sentiment=sentiment,
            present=present,
            homogeneous=output.homogeneous.edges.numpy(),
            heterogeneous=output.heterogeneous.edges.numpy(),
        )
        return Predictions(
            timeline,
            output.homogeneous.activation.sum(dim=1).numpy(),
            output.heterogeneous.activation.sum(dim=1).numpy(),
        )

    def _inputs(
        self, windows: Sequence[Window]
    ) -> tuple[dict[str, FloatArray], dict[str, npt.NDArray[np.bool_]]]:
        valid = {name: np.stack([w.valid[name] for w in windows]) for name in MODALITIES}
        features = {
            name: self.checkpoint.normaliser(
                name, np.stack([w.features[name] for w in windows]), valid[name]
            )
            for name in MODALITIES
        }
        return features, valid
