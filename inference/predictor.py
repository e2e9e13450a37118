"""Windows in, emotions out: the network with everything around it that a caller need not know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from extractors.features import MODALITIES, FloatArray
from extractors.stream import to_seconds
from extractors.stream.window import Window
from extractors.timeline import Timeline
from inference.backends.interface import Engine, in_batches
from inference.checkpoint import Checkpoint, Normaliser

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
    """The trained network. Used by one thread at a time."""

    def __init__(
        self, checkpoint: Checkpoint, engine: Engine | None = None, *, threads: int = 1
    ) -> None:
        """Without an engine the network runs in PyTorch, on the CPU, on so many threads.

        Raises ModelFileError if the checkpoint's weights do not fit its configuration.
        """
        if engine is None:
            from inference.backends.eager import Eager
            from inference.backends.source import Source

            engine = Eager().open(Source(checkpoint), 1, False, None, threads)
        self.checkpoint = checkpoint
        self.engine = engine
        self._normalisers: list[tuple[int, Normaliser]] = [(0, checkpoint.normaliser)]

    def normalise(self, since: int, normaliser: Normaliser | None) -> None:
        """Take another normaliser, that of a person, for all windows that end after `since`
        (session nanoseconds, not before the last time); None is the checkpoint's own again.

        The network stays as it is, so no engine is built. Raises ValueError for an earlier `since`.
        """
        if since < self._normalisers[-1][0]:
            raise ValueError(f"{since} is before {self._normalisers[-1][0]}")
        self._normalisers.append((since, normaliser or self.checkpoint.normaliser))

    def __call__(self, windows: Sequence[Window]) -> Predictions:
        """Predict for windows of the checkpoint's specification.

        Where no modality is present the emotions are all equal and the sentiment is NaN.
        """
        features, valid = self._inputs(windows)
        output = in_batches(self.engine, [*features.values(), *valid.values()])
        present = np.stack([valid[name].any(axis=1) for name in MODALITIES], axis=1)
        emotions = _softmax(output.emotion / self.checkpoint.temperatures(present)[:, None])
        sentiment = output.sentiment.clip(-SENTIMENT_LIMIT, SENTIMENT_LIMIT)
        unknown = ~present.any(axis=1)
        emotions[unknown] = 1 / emotions.shape[1]
        sentiment[unknown] = np.nan
        timeline = Timeline(
            time=np.asarray([to_seconds(window.end) for window in windows]),
            emotions=emotions,
            sentiment=sentiment,
            present=present,
            homogeneous=output.homogeneous_edges,
            heterogeneous=output.heterogeneous_edges,
        )
        return Predictions(
            timeline,
            output.homogeneous_atoms.sum(axis=1),
            output.heterogeneous_atoms.sum(axis=1),
        )

    def _inputs(
        self, windows: Sequence[Window]
    ) -> tuple[dict[str, FloatArray], dict[str, npt.NDArray[np.bool_]]]:
        valid = {name: np.stack([w.valid[name] for w in windows]) for name in MODALITIES}
        normalisers = [self._normaliser_at(window.end) for window in windows]
        features = {
            name: np.stack(
                [
                    normaliser(name, window.features[name], window.valid[name])
                    for normaliser, window in zip(normalisers, windows, strict=True)
                ]
            )
            for name in MODALITIES
        }
        return features, valid

    def _normaliser_at(self, end: int) -> Normaliser:
        first = self._normalisers[0][1]
        return next((n for since, n in reversed(self._normalisers) if end > since), first)


def _softmax(logits: FloatArray) -> FloatArray:
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: FloatArray = grown / grown.sum(axis=1, keepdims=True)
    return shares
