"""A session folder as version 0.1 wrote it, byte for byte the same each time.

Nothing here is taken from what reads or writes sessions today: a change there must not change
what an old session looks like.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

__all__ = ["ROWS", "WORDS", "write_version_1"]

ROWS = 15
"""Of the timeline, five a second; nothing is known in the last."""
WORDS = (("Grüße,", 0.1, 0.5, 0.9), ("old", 0.5, 0.9, 0.8), ("friend.", 1.0, 1.6, 0.7))
EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
EDGES = ("voice_to_text", "face_to_text", "text_to_voice", "face_to_voice", "text_to_face",
         "voice_to_face")  # fmt: skip
BLENDSHAPE_NAMES = """
    _neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
    cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight
    eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight
    eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight
    mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft
    mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight
    mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft
    noseSneerRight
"""
BLENDSHAPES = tuple(BLENDSHAPE_NAMES.split())
VOICE_STATES, TEXT_STATES, LANDMARKS = 384, 384, 478


def write_version_1(folder: Path, media: Path) -> Path:
    """Three seconds of a file: a face in the first two, voice throughout, three words.

    Neutral is strongest at first, then happy. Returns the folder.
    """
    (folder / "features").mkdir(parents=True)
    _write(folder / "timeline.parquet", _timeline())
    _write(folder / "features/face.parquet", _face())
    _write(folder / "features/voice.parquet", _voice())
    _write(folder / "features/text.parquet", _text())
    _write_landmarks(folder / "features/landmarks.npy")
    lines = [
        json.dumps({"word": word, "start": start, "end": end, "probability": p}, ensure_ascii=False)
        for word, start, end, p in WORDS
    ]
    (folder / "words.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = {
        "format": "affectscope-session-1",
        "affectscope": "0.1.0",
        "python": "3.11.9",
        "media": {
            "name": media.name, "path": str(media), "video": "h264", "width": 160, "height": 120,
            "rotation": 0, "audio": "aac", "audio_rate": 48000, "audio_channels": 1,
        },
        "duration": 3.0,
        "truncated": False,
        "streams": {
            "video": {
                "end": 3.0, "declared": 3.0, "truncated": False, "error": None, "skipped": 0,
            }
        },
        "model": {"checkpoint": "live.safetensors", "checkpoint_sha256": "0" * 64},
        "rows": ROWS,
        "words": len(WORDS),
        "face": {"pictures": 60, "with_face": 40, "most_faces": 1, "switched_at": []},
        "drops": {},
    }  # fmt: skip
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return folder


def _write(path: Path, columns: dict[str, Any]) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd")


def _floats(values: Any) -> Any:
    return pyarrow.array(np.asarray(values, np.float32), from_pandas=True)


def _timeline() -> dict[str, Any]:
    emotions = np.full((ROWS, 7), 1 / 16, np.float32)
    emotions[:8, 0] = emotions[8:, 1] = 10 / 16
    emotions[-1] = 1 / 7
    sentiment = np.where(np.arange(ROWS) < 8, 0.0, 1.5)
    sentiment[-1] = np.nan
    known = np.arange(ROWS) < ROWS - 1
    found: dict[str, Any] = {"time": pyarrow.array(0.2 * np.arange(1, ROWS + 1))}
    found |= {name: _floats(emotions[:, index]) for index, name in enumerate(EMOTIONS)}
    found["sentiment"] = _floats(sentiment)
    for name in ("face_present", "voice_present", "words_present"):
        found[name] = pyarrow.array(known)
    for space in ("homogeneous", "heterogeneous"):
        found |= {f"{space}_{edge}": _floats(np.where(known, 1 / 6, 0)) for edge in EDGES}
    atoms = pyarrow.list_(pyarrow.int16())
    active = pyarrow.list_(pyarrow.float32())
    for space in ("homogeneous", "heterogeneous"):
        found[f"{space}_atoms"] = pyarrow.array([[2, 5]] * ROWS, atoms)
    for space in ("homogeneous", "heterogeneous"):
        found[f"{space}_activations"] = pyarrow.array([[0.5, 0.25]] * ROWS, active)
    return found


def _face() -> dict[str, Any]:
    seen = np.arange(60) < 40
    found: dict[str, Any] = {
        "time": pyarrow.array(np.arange(60) / 20),
        "present": pyarrow.array(seen),
        "faces": pyarrow.array(seen.astype(np.int16)),
        "switched": pyarrow.array(np.zeros(60, np.bool_)),
        "landmark_row": pyarrow.array(np.where(seen, np.arange(60), -1).astype(np.int32)),
    }
    for index, name in enumerate(BLENDSHAPES):
        found[name] = _floats(np.where(seen, index / 52, np.nan))
    for index, name in enumerate(("pitch", "yaw", "roll", "x", "y", "z")):
        found[name] = _floats(np.where(seen, index, np.nan))
    return found


def _voice() -> dict[str, Any]:
    states = np.full(30 * VOICE_STATES, 0.5, np.float32)
    found: dict[str, Any] = {
        "time": pyarrow.array(np.arange(1, 31) / 10),
        "present": pyarrow.array(np.ones(30, np.bool_)),
    }
    for name, value in (("f0", 120), ("intensity", 60), ("voicing", 0.9), ("harmonicity", 12),
                        ("jitter", 0.01), ("tilt", -6)):  # fmt: skip
        found[name] = _floats(np.full(30, value))
    found["states"] = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(states), VOICE_STATES)
    return found


def _text() -> dict[str, Any]:
    states = pyarrow.array(np.ones(len(WORDS) * TEXT_STATES, np.float32))
    return {
        "time": pyarrow.array([end for _, _, end, _ in WORDS]),
        "word": pyarrow.array([word for word, _, _, _ in WORDS]),
        "states": pyarrow.FixedSizeListArray.from_arrays(states, TEXT_STATES),
    }


def _write_landmarks(path: Path) -> None:
    """One row for each picture with a face: all points at a place that moves to the right."""
    rows = np.broadcast_to(np.arange(40)[:, None, None] / 40, (40, LANDMARKS, 3))
    np.save(path, rows.astype(np.float16))
