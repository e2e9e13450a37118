"""The trajectory that another checkpoint draws of a recorded session, from its stored features.

Pictures and sound are not needed. Only the words are read again: the session keeps the state of
each word in the words before it, the network sees the newest word with all of them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from assets.errors import BadInput
from extractors.features import (
    BLENDSHAPES,
    MEASURES,
    PROSODY,
    VOICE_STATES,
    FaceFeatures,
    FloatArray,
    TextContext,
    VoiceFeatures,
    Word,
)
from extractors.session import Session
from extractors.session_layout import baseline_path
from extractors.stream import Sample, from_seconds, in_time_order, to_seconds
from extractors.stream.window import Window, WindowBuilder
from extractors.text import TextStage
from extractors.timeline import Timeline
from inference.baseline_file import load_baseline
from inference.models import Models
from inference.predictor import Predictor

__all__ = ["predict_again", "session_face", "session_voice"]

HASH = re.compile("[0-9a-f]{64}")
BATCH = 8
"""Windows that the network sees at once."""


def predict_again(session: Session, models: Models) -> Iterator[Timeline]:
    """Parts of the timeline by the checkpoint of `models`, in the order of time.

    With the checkpoint that made the session they agree with its timeline within 1e-3: people at
    rest to whom it was fitted count from when on they did. Raises SessionError if the features
    cannot be read, ModelFileError if the checkpoint is damaged and BadInput if it takes other
    inputs or gives other emotions than the app's, or if a baseline of the session is damaged.
    """
    windows = _windows(session, models)
    predictor = _fitted(session, models)
    while batch := list(islice(windows, BATCH)):
        yield predictor(batch).timeline


def _fitted(session: Session, models: Models) -> Predictor:
    predictor = models.predictor()
    events = [event for event in session.events if event.get("kind") == "baseline"]
    if not events:
        return predictor
    checkpoint = models.checkpoint()
    own = Predictor(checkpoint, predictor.engine)  # that of `models` serves other sessions too
    for event in events:
        details = event.get("details")
        details = details if isinstance(details, Mapping) else {}
        since, digest = details.get("from"), details.get("sha256")
        if not isinstance(since, float | int) or not (
            digest is None or HASH.fullmatch(str(digest))
        ):
            raise BadInput(f"{session.folder}: an event does not say which baseline it is of")
        normaliser = None
        if digest is not None:
            person = load_baseline(baseline_path(session.folder, str(digest)))
            if checkpoint.rest:
                person.require_fit(checkpoint.rest)
            normaliser = person.normaliser(checkpoint.normaliser, checkpoint.rest)
        own.normalise(from_seconds(since), normaliser)
    return own


def _windows(session: Session, models: Models) -> Iterator[Window]:
    builder = WindowBuilder(models.checkpoint().live_windows())
    for sample in in_time_order(
        _text(session, models), session_voice(session), session_face(session)
    ):
        yield from builder.add(sample.stream, sample)
    yield from builder.advance(from_seconds(session.duration))


def session_face(session: Session) -> Iterator[Sample[FaceFeatures]]:
    """The faces of a session. Raises BadInput if it is of a version without measures."""
    table = session.table("face", ["time", "present", "faces", *BLENDSHAPES, *MEASURES])
    shapes, measures = _columns(table, BLENDSHAPES), _columns(table, MEASURES)
    if table.num_rows and np.isnan(measures[table["present"].to_numpy()]).any():
        raise BadInput(
            f"{session.folder} was made by an earlier version, without the measures of the face; "
            "analyse its video again"
        )
    rows = zip(*(table[name].to_pylist() for name in ("time", "present", "faces")), strict=True)
    for index, (time, present, faces) in enumerate(rows):
        end = from_seconds(time)
        face = FaceFeatures(faces)
        if present:
            face = FaceFeatures(faces, blendshapes=shapes[index], measures=measures[index])
        yield Sample("face", end, end, end, face)


def session_voice(session: Session) -> Iterator[Sample[VoiceFeatures]]:
    """The voice of a session. Raises BadInput if it is of a version with fewer states."""
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
    words = _words(session)
    stage = TextStage(models.text()) if words else None
    for word in words:
        assert stage is not None
        yield from stage.process(Sample("words", word.start, word.end, word.end, word))


def _words(session: Session) -> list[Word]:
    """The words in the order of their ends, which the table knows to the nanosecond.

    Of a recording that was cut off the lines may have a word more than the table, and a damaged
    line one less.
    """
    table = session.table("text", ["time", "word"]).to_pydict()
    found = {(round(to_seconds(word.end), 3), word.text): word for word in session.words}
    for time, text in zip(table["time"], table["word"], strict=True):
        end = from_seconds(time)
        line = found.get((round(time, 3), text))
        start, probability = (end, 1.0) if line is None else (line.start, line.probability)
        found[round(time, 3), text] = Word(text, min(start, end), end, probability)
    return sorted(found.values(), key=lambda word: word.end)


def _columns(table: Any, names: Sequence[str]) -> FloatArray:
    """Columns as float32 [rows, columns], NaN where a value is absent."""
    columns = [np.asarray(table[name].to_numpy(zero_copy_only=False), np.float32) for name in names]
    return np.stack(columns, axis=1)
