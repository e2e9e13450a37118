"""What makes data unfit to train on: nobody to hold out, people on both sides, labels missing.

Examples are named as the configuration does, by their folder.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import FloatArray
from inference.training.batches import class_of_label
from inference.training.configuration import TrainingSettings
from inference.training.split import Parts

__all__ = ["require_apart", "require_labels", "require_labels_to_test", "require_parts"]

IntArray = npt.NDArray[np.int64]


def require_parts(name: str, parts: Parts, settings: TrainingSettings) -> None:
    """Raise BadInput unless there is something to train on, to test on and to watch."""
    if not parts.train.any() or not (parts.test.any() or settings.everyone):
        raise BadInput(
            f"the examples of {name} are of too few people to hold some out; label more people, or "
            "set everyone=true, with which nothing is measured"
        )
    watches = settings.keep == "best" or settings.stop_after or settings.schedule == "plateau"
    if watches and not parts.validation.any():
        raise BadInput(
            f"the examples of {name} have no part to validate on; set validation to the part of "
            "the people that is for it, such as 0.15"
        )


def require_apart(sets: Sequence[tuple[str, Sequence[str], Parts]]) -> None:
    """Raise BadInput if somebody is trained on in one set and tested on or watched in another."""
    for name, people, parts in sets:
        trained = {person for person, known in zip(people, parts.train, strict=True) if known}
        for other, whom, those in sets:
            kept_back = those.test | those.validation
            tested = {person for person, kept in zip(whom, kept_back, strict=True) if kept}
            both = sorted(trained & tested) if whom is not people else []
            if both:
                raise BadInput(
                    f"{both[0]} is trained on in the examples of {name} and held out in those of "
                    f"{other}; extract them as one, or name people apart"
                )


def require_labels(
    what: str, emotions: IntArray, sentiments: FloatArray, settings: TrainingSettings
) -> None:
    """Raise BadInput if there is an emotion, or sentiment, to predict of which there is no example.

    `emotions` [n] and `sentiments` [n] are those trained on, as `Sequences` has them.
    """
    found = set(class_of_label(settings.labels.emotions)[emotions].tolist())
    empty = [name for i, name in enumerate(settings.labels.emotions) if i not in found]
    if empty:
        raise BadInput(
            f"{what}: no example to train on is {' or '.join(empty)}; "
            "take it out of the labels.emotions of the configuration"
        )
    if settings.labels.sentiment and np.isnan(sentiments).all():
        raise BadInput(
            f"{what}: no example to train on has a sentiment; set labels.sentiment = false in the "
            "configuration"
        )


def require_labels_to_test(
    what: str, emotions: IntArray, sentiments: FloatArray, settings: TrainingSettings
) -> None:
    """Raise BadInput if nothing held out has a label by which it can be measured.

    `emotions` [n] and `sentiments` [n] are those held out; there are none with `everyone`.
    """
    told = class_of_label(settings.labels.emotions)[emotions] >= 0
    if settings.labels.sentiment:
        told = told | ~np.isnan(sentiments)
    if len(told) and not told.any():
        raise BadInput(f"{what}: no example that is held out has a label that is predicted")
