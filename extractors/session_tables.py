"""The tables of a session folder: their columns, and rows from samples."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from extractors.features import (
    BLENDSHAPES,
    EMOTIONS,
    MEASURES,
    POSE,
    PROSODY,
    TEXT_STATES,
    VOICE_STATES,
    FaceFeatures,
    FloatArray,
    TextContext,
    VoiceFeatures,
    Word,
)
from extractors.stream import Sample, to_seconds
from extractors.timeline import EDGES, Timeline

__all__ = [
    "ADDED",
    "PRESENCE",
    "SPACES",
    "TABLES",
    "Row",
    "edge_column",
    "face_row",
    "schema_of",
    "text_row",
    "timeline_rows",
    "voice_row",
    "word_line",
]

SPACES = ("homogeneous", "heterogeneous")
PRESENCE = ("words_present", "voice_present", "face_present")
"""Columns in the order of `MODALITIES`."""

Row = dict[str, Any]
"""A row by column."""
Columns = Sequence[tuple[str, str]]


def edge_column(space: str, edge: tuple[str, str]) -> str:
    """Name of the column of an edge (teacher, student): `homogeneous_voice_to_text`."""
    return f"{space}_{edge[0]}_to_{edge[1]}"


TABLES: Mapping[str, Columns] = {
    "timeline": [
        ("time", "float64"),
        *((emotion, "float32") for emotion in EMOTIONS),
        ("sentiment", "float32"),
        *((name, "bool") for name in reversed(PRESENCE)),
        *((edge_column(space, edge), "float32") for space in SPACES for edge in EDGES),
        *((f"{space}_atoms", "list<int16>") for space in SPACES),
        *((f"{space}_activations", "list<float32>") for space in SPACES),
        ("uncertainty", "float32"),
    ],
    "face": [
        ("time", "float64"),
        ("present", "bool"),
        ("faces", "int16"),
        ("switched", "bool"),
        ("landmark_row", "int32"),
        *((name, "float32") for name in BLENDSHAPES),
        *((name, "float32") for name in POSE),
        *((name, "float32") for name in MEASURES),
    ],
    "voice": [
        ("time", "float64"),
        ("present", "bool"),
        *((name, "float32") for name in PROSODY),
        ("states", f"float32[{VOICE_STATES}]"),
    ],
    "text": [
        ("time", "float64"),
        ("word", "string"),
        ("states", f"float32[{TEXT_STATES}]"),
    ],
    "pictures": [
        ("time", "float64"),
        ("published", "float64"),
        ("written", "float64"),
    ],
    "sound": [
        ("time", "float64"),
        ("start", "float64"),
        ("published", "float64"),
        ("written", "float64"),
        ("counted", "float64"),
        ("filled", "float64"),
    ],
}
"""Columns and types of each table. `time` is in seconds of session time: the end of what a row
describes. Absent values are null."""

ADDED: Mapping[str, frozenset[str]] = {
    "timeline": frozenset({"uncertainty"}),
    "face": frozenset(MEASURES),
}
"""Columns that tables written by earlier versions lack. They are read as null."""


def schema_of(name: str) -> Any:
    """The pyarrow.Schema of a table."""
    import pyarrow

    return pyarrow.schema([(column, _arrow_type(kind)) for column, kind in TABLES[name]])


def _arrow_type(kind: str) -> Any:
    import pyarrow

    if match := re.fullmatch(r"list<(\w+)>", kind):
        return pyarrow.list_(_arrow_type(match[1]))
    if match := re.fullmatch(r"(\w+)\[(\d+)\]", kind):
        return pyarrow.list_(_arrow_type(match[1]), int(match[2]))
    return getattr(pyarrow, {"bool": "bool_"}.get(kind, kind))()


def face_row(sample: Sample[FaceFeatures], landmark_row: int) -> Row:
    """A row of the table `face`; `landmark_row` is -1 where no face is there."""
    face = sample.data
    row: Row = {
        "time": to_seconds(sample.end),
        "present": face.present,
        "faces": face.faces,
        "switched": face.switched,
        "landmark_row": landmark_row,
    }
    row.update(_named(BLENDSHAPES, face.blendshapes))
    row.update(_named(POSE, face.pose))
    row.update(_named(MEASURES, face.measures))
    return row


def voice_row(sample: Sample[VoiceFeatures]) -> Row:
    """A row of the table `voice`: prosody always, states where someone speaks."""
    voice = sample.data
    row: Row = {"time": to_seconds(sample.end), "present": voice.present, "states": voice.states}
    row.update({k: None if np.isnan(v) else v for k, v in _named(PROSODY, voice.prosody).items()})
    return row


def text_row(sample: Sample[TextContext]) -> Row:
    """A row of the table `text`: the newest word and its state in the words before it."""
    text = sample.data
    return {
        "time": to_seconds(sample.end),
        "word": text.words[-1].text,
        "states": text.states[-1],
    }


def word_line(word: Word) -> Row:
    """A line of words.jsonl; times in seconds, to the millisecond."""
    return {
        "word": word.text,
        "start": round(to_seconds(word.start), 3),
        "end": round(to_seconds(word.end), 3),
        "probability": round(word.probability, 4),
    }


def timeline_rows(timeline: Timeline, activations: Mapping[str, FloatArray]) -> Iterable[Row]:
    """Rows of the table `timeline`; `activations[space]` is [n, atoms], kept where not zero."""
    for i in range(len(timeline)):
        sentiment = float(timeline.sentiment[i])
        row: Row = {"time": float(timeline.time[i])}
        row.update(_named(EMOTIONS, timeline.emotions[i]))
        row["sentiment"] = None if np.isnan(sentiment) else sentiment
        row.update(zip(PRESENCE, map(bool, timeline.present[i]), strict=True))
        for space, edges in zip(
            SPACES, (timeline.homogeneous, timeline.heterogeneous), strict=True
        ):
            for edge, weight in zip(EDGES, edges[i], strict=True):
                row[edge_column(space, edge)] = weight
            active = np.flatnonzero(activations[space][i])
            row[f"{space}_atoms"] = active.astype(np.int16)
            row[f"{space}_activations"] = activations[space][i][active]
        uncertainty = float(timeline.uncertainty[i])
        row["uncertainty"] = None if np.isnan(uncertainty) else uncertainty
        yield row


def _named(names: Sequence[str], values: FloatArray | None) -> Row:
    if values is None:
        return dict.fromkeys(names)
    return dict(zip(names, values, strict=True))
