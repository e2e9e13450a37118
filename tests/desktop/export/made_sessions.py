"""Sessions whose every number is known, for the tests of exports."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from extractors.session_writer import SessionWriter
from extractors.stream import SECOND
from extractors.timeline import uncertainty_of
from tests.extractors import sessions

__all__ = ["MARKS", "WORDS", "made_session"]

WORDS = (
    ("Grüße,", 0, SECOND // 3),
    ('"you"', SECOND // 3, SECOND),
    ("<b>&", SECOND, 5 * SECOND // 4),
    ("tea-->time.", 5 * SECOND // 4, 2 * SECOND),
    ("再见", 3 * SECOND, 3 * SECOND + SECOND // 2),
)
MARKS = (
    {"time": 0.5, "label": "begin", "note": 'say "hi" & <go>'},
    {"time": 2.5, "label": "end", "note": ""},
)


def made_session(
    folder: Path,
    *,
    words: Sequence[tuple[str, int, int]] = WORDS,
    marks: Sequence[dict[str, Any]] = (),
    seen: bool = True,
    rows: int = 20,
    media: Path | None = None,
    duration: float = 4.0,
    pictures: Sequence[int] | None = None,
) -> Path:
    """Four seconds: neutral is strongest for two, then happy; nothing is known in the last row.

    A face at `pictures` (nanoseconds; twenty a second if None) while `seen`; voice in the first
    half; `words` (text, start, end).
    """
    if pictures is None:
        pictures = range(0, round(duration * SECOND), SECOND // 20)
    with SessionWriter(folder) as writer:
        for time in pictures:
            writer.add_face(sessions.face(time, 1 if seen else None))
        for tenth in range(1, round(10 * duration) + 1):
            writer.add_voice(sessions.voice(tenth * SECOND // 10, spoken=tenth <= 20))
        for last in range(len(words)):
            writer.add_text(sessions.text(*words[: last + 1]))
        known = sessions.timeline(rows)
        known.emotions[rows // 2 :, :2] = known.emotions[rows // 2 :, 1::-1]
        known.emotions[-1], known.sentiment[-1], known.present[-1] = 1 / 7, np.nan, False
        known = replace(known, uncertainty=uncertainty_of(known.emotions))
        writer.add_timeline(known, sessions.activations(rows))
        manifest = {
            "duration": duration,
            "media": {"path": str(media) if media else "gone.mp4", "name": folder.name},
        }
        writer.finish(manifest)
    if marks:
        lines = "".join(json.dumps(mark) + "\n" for mark in marks)
        (folder / "markers.jsonl").write_text(lines, encoding="utf-8")
    return folder
