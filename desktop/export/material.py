"""What a session holds for export: everything that can be read, and what is missing by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import SessionError
from desktop.export.options import ExportOptions
from extractors.features import EMOTIONS, MODALITIES, Word
from extractors.session import Session
from extractors.stream import to_seconds
from extractors.timeline import Timeline

__all__ = [
    "BLANK",
    "Mark",
    "Material",
    "Stretch",
    "material",
    "presence",
    "strongest",
    "word_stretches",
]

BLANK = "___"
"""Stands for a word that was blanked, however long it was."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker at `time` seconds."""

    time: float
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to `end` seconds something holds."""

    start: float
    end: float
    label: str


@dataclass(frozen=True, slots=True)
class Material:
    """A session as far as it could be read. Times in seconds of session time."""

    name: str
    duration: float
    timeline: Timeline
    words: Sequence[Word]
    marks: Sequence[Mark]
    face: Any
    """The table as a pyarrow.Table, or None."""
    voice: Any
    """The table as a pyarrow.Table, or None."""
    missing: tuple[str, ...]


def material(session: Session, options: ExportOptions) -> Material:
    """Read what there is, with the words blanked where that is wanted.

    A part that is missing or damaged is named in `missing`. Raises SessionError if nothing of the
    session can be read.
    """
    timeline, words = session.timeline, session.words
    face, voice = _without(session.table("face"), "landmark_row"), session.table("voice")
    nothing = not (len(timeline) or words or face.num_rows or voice.num_rows)
    if nothing and len(session.problems) >= 4:
        raise SessionError(f"{session.folder}: {session.problems[0]}")
    missing = [
        f"no {what}"
        for what, there in (
            ("emotions", len(timeline)),
            ("words", words),
            ("face", _somebody(face)),
            ("voice", _somebody(voice)),
        )
        if not there
    ]
    marks = _marks(session, missing)
    words = tuple(sorted(words, key=lambda word: (word.start, word.end)))
    if not options.words:
        words = tuple(replace(word, text=BLANK) for word in words)
    last = max([0.0, *timeline.time[-1:].tolist(), *(to_seconds(w.end) for w in words[-1:])])
    return Material(
        name=session.folder.resolve().name,
        duration=max(session.duration, last, 0.001),
        timeline=_rising(timeline),
        words=words,
        marks=marks,
        face=face,
        voice=_without(voice, "states"),
        missing=(*missing, *session.problems),
    )


def _marks(session: Session, missing: list[str]) -> tuple[Mark, ...]:
    marks = []
    for line in session.markers:
        try:
            marks.append(Mark(float(line["time"]), str(line["label"]), str(line.get("note") or "")))
        except (KeyError, TypeError, ValueError):
            missing.append(f"a marker without a label at {line['time']} s")
    return tuple(sorted(marks, key=lambda mark: mark.time))


def _without(table: Any, column: str) -> Any:
    return table.drop_columns([column]) if column in table.column_names else table


def _somebody(table: Any) -> bool:
    return any(table["present"].to_pylist())


def _rising(timeline: Timeline) -> Timeline:
    """The rows whose time is later than those of all rows before: a damaged clock goes back."""
    time = timeline.time
    if len(time) < 2 or (np.diff(time) > 0).all():
        return timeline
    before = np.concatenate([[-np.inf], np.maximum.accumulate(time)[:-1]])
    kept = time > before
    return Timeline(
        time[kept],
        timeline.emotions[kept],
        timeline.sentiment[kept],
        timeline.present[kept],
        timeline.homogeneous[kept],
        timeline.heterogeneous[kept],
        timeline.uncertainty[kept],
    )


def strongest(found: Material) -> list[Stretch]:
    """Where each emotion is the strongest; left out where nothing is known.

    A row of the timeline holds until the next one, as in the window.
    """
    timeline = found.timeline
    best = np.where(timeline.known, timeline.emotions.argmax(axis=1), -1)
    return [
        Stretch(start, end, EMOTIONS[index])
        for start, end, index in _runs(timeline.time, best, found.duration)
        if index >= 0
    ]


def presence(found: Material, modality: str) -> list[Stretch]:
    """Where the network saw "text", "voice" or "face"."""
    seen = found.timeline.present[:, MODALITIES.index(modality)].astype(int)
    return [
        Stretch(start, end, modality)
        for start, end, there in _runs(found.timeline.time, seen, found.duration)
        if there
    ]


def _runs(
    time: npt.NDArray[np.float64], values: npt.NDArray[Any], end: float
) -> list[tuple[float, float, int]]:
    """Stretches (start, end, value) of equal values; the first begins at 0, the last at `end`."""
    if not len(time):
        return []
    firsts = np.flatnonzero(np.diff(values)) + 1
    edges = [0.0, *time[firsts].tolist(), max(end, float(time[-1]))]
    starts = [0, *firsts.tolist()]
    return [
        (edges[i], edges[i + 1], int(values[start]))
        for i, start in enumerate(starts)
        if edges[i + 1] > edges[i]
    ]


def word_stretches(found: Material, least: float = 0.001) -> list[Stretch]:
    """The words as stretches in order that do not overlap, each at least `least` seconds long.

    A word that begins before the last one has ended cuts that one short.
    """
    stretches: list[Stretch] = []
    for word in found.words:
        start = max(to_seconds(word.start), stretches[-1].start + least if stretches else 0.0)
        if stretches and stretches[-1].end > start:
            stretches[-1] = replace(stretches[-1], end=start)
        stretches.append(Stretch(start, max(to_seconds(word.end), start + least), word.text))
    return stretches
