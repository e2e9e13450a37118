"""How good a checkpoint is on labelled items."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from assets.errors import BadInput
from extractors.features import FloatArray
from inference.checkpoint import Checkpoint
from inference.model import DHMDConfig
from inference.training.batches import batch_of, class_of_label, targets_of
from inference.training.configuration import TrainingSettings, settings_from
from inference.training.examples import Example, ExampleSet, require_widths
from inference.training.metrics import EmotionMetrics, emotion_metrics, sentiment_metrics
from inference.training.prepare import prepared_examples, prepared_sequences
from inference.training.sequences import Sequences, per_person, sequences_of
from inference.training.split import hash_of_people, parts_by_person, split_by_person

__all__ = ["Predicted", "evaluate", "items_for", "predict", "scores", "settings_of"]

AT_ONCE = 64
"""Items that go through the network together."""
SENTIMENT_LIMIT = 3.0


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a checkpoint says of n items: probabilities [n, E], sentiment [n], and which have any
    modality at all, bool [n]. Of the others the probabilities are equal and the sentiment 0."""

    emotions: FloatArray
    sentiment: FloatArray
    known: npt.NDArray[np.bool_]


def predict(checkpoint: Checkpoint, items: Sequences) -> Predicted:
    """Predictions for items of the sizes of the checkpoint's network.

    Raises ModelFileError if the weights do not fit the network.
    """
    model = checkpoint.model()
    emotions, sentiment = [], []
    with torch.inference_mode():
        for first in range(0, len(items), AT_ONCE):
            some = items.take(np.arange(first, min(first + AT_ONCE, len(items))))
            targets = targets_of(some, checkpoint.config.emotions)
            batch = batch_of(some.features, some.valid, targets, checkpoint.normaliser)
            output = model(batch.features, batch.valid)
            temperature = torch.from_numpy(checkpoint.temperatures(some.present)).unsqueeze(1)
            emotions.append((output.emotion / temperature).softmax(1).numpy())
            sentiment.append(output.sentiment.clamp(-SENTIMENT_LIMIT, SENTIMENT_LIMIT).numpy())
    probabilities, known = np.concatenate(emotions), np.asarray(items.present.any(axis=1))
    if probabilities.shape[1]:
        probabilities[~known] = 1 / probabilities.shape[1]
    return Predicted(probabilities, np.where(known, np.concatenate(sentiment), 0.0), known)


def evaluate(
    checkpoint: Checkpoint, items: Sequences | Sequence[Example]
) -> dict[str, float | None]:
    """Metrics by name: `n`, those of emotions and those of sentiment, as far as predicted.

    What is undefined is None. Raises BadInput without items, or if they are of another width than
    the checkpoint's windows.
    """
    if not len(items):
        raise BadInput("there is no example to evaluate on")
    if not isinstance(items, Sequences):
        if checkpoint.windows is None:
            raise BadInput("this checkpoint was trained on sequences, not on examples")
        require_widths(items, checkpoint.windows)
        items = sequences_of("examples", items, checkpoint.windows)
    return scores(checkpoint.config, items, predict(checkpoint, items))


def scores(
    config: DHMDConfig,
    items: Sequences,
    predicted: Predicted,
    chosen: npt.NDArray[np.int64] | None = None,
) -> dict[str, float | None]:
    """The metrics of `evaluate`, of the items at the indices `chosen`, which may repeat.

    Emotions are measured on the items that have one of the network's, sentiment on those that
    have one and on which anything was seen; without such items the metrics are None. Raises
    BadInput if no item has either.
    """
    rows = np.arange(len(items)) if chosen is None else chosen
    found: dict[str, Any] = {"n": len(rows)}
    labelled = False
    if config.emotions:
        labels = class_of_label(config.emotions)[items.emotion]
        told = rows[labels[rows] >= 0]
        labelled |= len(told) > 0
        found |= (
            asdict(emotion_metrics(labels[told], predicted.emotions[told]))
            if len(told)
            else dict.fromkeys(f.name for f in fields(EmotionMetrics))
        )
    if config.sentiment:
        told = rows[predicted.known[rows] & ~np.isnan(items.sentiment[rows])]
        labelled |= len(told) > 0
        found |= asdict(sentiment_metrics(items.sentiment[told], predicted.sentiment[told]))
    if not labelled:
        raise BadInput("no example to evaluate on has a label that the checkpoint predicts")
    return found | {"n": len(rows)}


def settings_of(checkpoint: Checkpoint) -> TrainingSettings:
    """The settings that made a checkpoint; what an older one does not say has its default.

    Raises BadInput if they are damaged.
    """
    values = dict(checkpoint.origin.get("settings", {}))
    values.setdefault("examples", ["unknown"])
    known = {name: value for name, value in values.items() if name not in _FORMER}
    return settings_from(known, "the checkpoint")


_FORMER = ("feature_noise",)
"""Settings that there no longer are."""


def items_for(
    checkpoint: Checkpoint, data: ExampleSet | Sequences, held_out: bool = False
) -> Sequences:
    """Data as the checkpoint reads it: its modalities, labels and normalisation, no variants.

    With `held_out` only people whom its training tested on. Raises BadInput if it does not fit, or
    if it is not known whom the training held out of these data.
    """
    settings = settings_of(checkpoint)
    if held_out and "settings" not in checkpoint.origin:
        raise BadInput("the checkpoint does not say whom it held out")
    if held_out and settings.everyone:
        raise BadInput("the checkpoint was trained on everybody, nobody was held out")
    if isinstance(data, Sequences):
        items = prepared_sequences(data, settings)
        if held_out:
            _require_people(checkpoint, items.kind, items.people, items.splits)
            items = items.take(parts_by_person(items.people, items.splits, settings.fold).test)
    elif checkpoint.windows is None:
        raise BadInput(f"this checkpoint was trained on sequences; {data.kind} has samples in time")
    else:
        found = prepared_examples(data, settings)
        if held_out:
            people, splits = zip(*((e.person, e.split) for e in found.examples), strict=True)
            _require_people(checkpoint, found.kind, people, splits)
            found = replace(found, examples=split_by_person(found, settings.fold).test)
        items = sequences_of(found.kind, found.examples, checkpoint.windows)
    if settings.normalise_people:
        items = per_person(items)
    return items.take(items.variants == 0)


def _require_people(
    checkpoint: Checkpoint, kind: str, people: Sequence[str], splits: Sequence[str]
) -> None:
    """Raise BadInput unless the checkpoint was trained on data of these very people.

    A checkpoint of before this was recorded is believed.
    """
    known = checkpoint.origin.get("people")
    if known is not None and hash_of_people(people, splits) not in known:
        raise BadInput(
            f"the people in the examples of {kind} are not those that the checkpoint was trained "
            "on, so whom it held out is not known; evaluate on the examples of its training"
        )
