"""Samples and timelines as extractors and network would give them, for tests of sessions."""

import numpy as np

from extractors.features import (
    BLENDSHAPES,
    EMOTIONS,
    LANDMARKS,
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
from extractors.stream import SECOND, Sample
from extractors.timeline import EDGES, Timeline

__all__ = ["ATOMS", "activations", "face", "text", "timeline", "voice"]

ATOMS = 8


def face(time: int, seed: int | None) -> Sample[FaceFeatures]:
    """A picture at `time`; without a seed nobody is in it."""
    if seed is None:
        return Sample("face", time, time, time, FaceFeatures(0))
    random = np.random.default_rng(seed)
    features = FaceFeatures(
        faces=1,
        landmarks=random.random((LANDMARKS, 3), np.float32),
        blendshapes=random.random(len(BLENDSHAPES), np.float32),
        measures=random.random(len(MEASURES), np.float32),
        pose=random.random(len(POSE), np.float32),
    )
    return Sample("face", time, time, time, features)


def voice(time: int, spoken: bool) -> Sample[VoiceFeatures]:
    prosody = np.asarray([120 if spoken else np.nan] + [1.0] * (len(PROSODY) - 1), np.float32)
    states = np.full(VOICE_STATES, 0.5, np.float32) if spoken else None
    return Sample("voice", time - SECOND // 10, time, time, VoiceFeatures(prosody, states))


def text(*words: tuple[str, int, int]) -> Sample[TextContext]:
    """Words (text, start, end) of which the last is new."""
    known = tuple(Word(word, start, end, 0.75) for word, start, end in words)
    states = np.ones((len(known), TEXT_STATES), np.float32)
    last = known[-1]
    return Sample("text", last.start, last.end, last.end, TextContext(known, states))


def timeline(rows: int, *, known: bool = True, first: float = 0.2) -> Timeline:
    """Rows every 0.2 s: strong feeling, or nothing known."""
    emotions = np.full((rows, len(EMOTIONS)), 1 / 7, np.float32)
    sentiment = np.full(rows, np.nan, np.float32)
    if known:
        emotions[:] = [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.015625]
        sentiment[:] = -1.5
    return Timeline(
        time=np.asarray(first + 0.2 * np.arange(rows), np.float64),
        emotions=emotions,
        sentiment=sentiment,
        present=np.tile([known, False, known], (rows, 1)),
        homogeneous=np.full((rows, len(EDGES)), 1 / 6 if known else 0, np.float32),
        heterogeneous=np.full((rows, len(EDGES)), 0.25 if known else 0, np.float32),
    )


def activations(rows: int) -> dict[str, FloatArray]:
    """Atom 2 of both dictionaries is active at 0.5, and atom 5 in the common space at 0.25."""
    homogeneous = np.zeros((rows, ATOMS), np.float32)
    heterogeneous = np.zeros((rows, ATOMS), np.float32)
    homogeneous[:, 2], homogeneous[:, 5], heterogeneous[:, 2] = 0.5, 0.25, 0.5
    return {"homogeneous": homogeneous, "heterogeneous": heterogeneous}
