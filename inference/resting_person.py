"""A checkpoint fitted to one person, from a recording of them at rest.

Narrow eyes, low brows or a low voice read as expression unless it is known that they are always so.
Half a minute of a neutral face and of neutral speech tells.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from assets.errors import BadInput
from extractors.features import FloatArray
from extractors.session import Session
from extractors.stream import Sample
from inference.calibration import LEAST_STEPS, RestingPerson, require_rest
from inference.checkpoint import Checkpoint
from inference.rerun import session_face, session_voice

__all__ = ["fitted_to", "resting_person"]

NAMES = ("voice", "face")
"""Modalities that have a rest; what somebody says has none."""


def resting_person(session: Session, checkpoint: Checkpoint) -> RestingPerson:
    """Who was recorded in `session`, being neutral all the time.

    Raises BadInput if there are not 5 s of a voice or of a face, or if the session or the
    checkpoint is of an earlier version, and SessionError if the features cannot be read.
    """
    require_rest(checkpoint.rest)
    steps = {
        "voice": np.asarray(list(_steps(session_voice(session), checkpoint, "voice"))),
        "face": np.asarray(list(_steps(session_face(session), checkpoint, "face"))),
    }
    known = {name: rows for name, rows in steps.items() if len(rows) and name in checkpoint.rest}
    person = RestingPerson.measured(known, {n: np.ones(len(r), np.bool_) for n, r in known.items()})
    if not person.mean:
        raise BadInput(
            f"{session.title} has less than {LEAST_STEPS / 10:.0f} s of a face and of a voice; "
            "record half a minute of a neutral face that reads something aloud"
        )
    return person


def fitted_to(checkpoint: Checkpoint, person: RestingPerson) -> Checkpoint:
    """The same checkpoint with this person's rest for a zero; its origin says so."""
    normaliser = person.normaliser(checkpoint.normaliser, checkpoint.rest)
    rest = {**checkpoint.rest, **person.mean}
    origin = {**checkpoint.origin, "fitted_to_rest_of": sorted(person.mean)}
    return replace(checkpoint, normaliser=normaliser, rest=rest, origin=origin)


def _steps(
    samples: Iterable[Sample[Any]], checkpoint: Checkpoint, name: str
) -> Iterator[FloatArray]:
    """Means of the samples in each step of the checkpoint's window, as the network sees them."""
    windows = checkpoint.live_windows()
    step = windows.voice.step if name == "voice" else windows.face.step
    at, together = -1, list[FloatArray]()
    for sample in samples:
        vector = sample.data.vector
        if vector is None:
            continue
        if sample.end // step != at and together:
            yield np.mean(together, axis=0)
            together.clear()
        at = sample.end // step
        together.append(vector)
    if together:
        yield np.mean(together, axis=0)
