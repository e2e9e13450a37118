"""The trajectory that another checkpoint draws of a recorded session, from its stored features.

Pictures and sound are not needed. Only the words are read again: the session keeps the state of
each word in the words before it, the network sees the newest word with all of them.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from assets.errors import BadInput
from extractors.features import (
    BLENDSHAPES,
    PROSODY,
    VOICE_STATES,
    FaceFeatures,
    FloatArray,
    TextContext,
    VoiceFeatures,
    Word,
)
from extractors.session import Session
from extractors.stream import Sample, from_seconds, in_time_order
from extractors.stream.window import Window, WindowBuilder
from extractors.text import TextStage
from extractors.timeline import Timeline
from inference.models import Models

__all__ = ["predict_again"]

BATCH = 8
"""Windows that the network sees at once."""


def predict_again(session: Session, models: Models) -> Iterator[Timeline]:
    """Parts of the timeline by the checkpoint of `models`, in the order of time.

    With the checkpoint that made the session they agree with its timeline within 1e-3.
    Raises SessionError if the features cannot be read, ModelFileError if the checkpoint is damaged
    and BadInput if it takes other inputs or gives other emotions than the app's.
    """
    windows = _windows(session, models)
    predictor = models.predictor()
    while batch := list(islice(windows, BATCH)):
        yield predictor(batch).timeline


def _windows(session: Session, models: Models) -> Iterator[Window]:
    builder = WindowBuilder(models.checkpoint().live_windows())
    for sample in in_time_order(_text(session, models), _voice(session), _face(session)):
        yield from builder.add(sample.stream, sample)
    yield from builder.advance(from_seconds(session.duration))


def _face(session: Session) -> Iterator[Sample[FaceFeatures]]:
    table = session.table("face", ["time", "present", "faces", *BLENDSHAPES])
    shapes = _columns(table, BLENDSHAPES)
    rows = zip(*(table[name].to_pylist() for name in ("time", "present", "faces")), strict=True)
    for index, (time, present, faces) in enumerate(rows):
        end = from_seconds(time)
        face = FaceFeatures(faces, blendshapes=shapes[index] if present else None)
        yield Sample("face", end, end, end, face)


def _voice(session: Session) -> Iterator[Sample[VoiceFeatures]]:
    table = session.table("voice", ["time", *PROSODY, "states"])
    prosody = _columns(table, PROSODY)
    states = table["states"]
    if (width := states.type.list_size) != VOICE_STATES:
        raise BadInput(
            f"{session.folder} was made by an earlier version, with {width} states of the voice in "
            f"place of {VOICE_STATES}; analyse its video again"
        )
    for index, time in enumerate(table["time"].to_pylist()):
        end = from_seconds(time)
        row = states[index].as_py()
        state = None if row is None else np.asarray(row, np.float32)
        yield Sample("voice", end, end, end, VoiceFeatures(prosody[index], state))


def _text(session: Session, models: Models) -> Iterator[Sample[TextContext | None]]:
    ends = [from_seconds(time) for time in session.table("text", ["time"])["time"].to_pylist()]
    if not ends:
        return
    stage = TextStage(models.text())
    for end, word in zip(ends, session.words, strict=True):
        whole = Word(word.text, min(word.start, end), end, word.probability)
        yield from stage.process(Sample("words", whole.start, end, end, whole))


def _columns(table: Any, names: Sequence[str]) -> FloatArray:
    """Columns as float32 [rows, columns], NaN where a value is absent."""
    columns = [np.asarray(table[name].to_numpy(zero_copy_only=False), np.float32) for name in names]
    return np.stack(columns, axis=1)
