"""A recording made of plain functions of time, for tests and for looking at the window."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.marks import Mark
from extractors.features import LANDMARKS, Word
from extractors.stream.sample import SECOND, from_seconds
from extractors.timeline import EDGES, Timeline


def plain_timeline(duration: float, hop: float = 0.2, seed: int = 1) -> Timeline:
    """Slow curves with a smile in the middle, a second without anything at three quarters."""
    time = np.arange(1, int(duration / hop) + 1) * hop
    rows = len(time)
    rng = np.random.default_rng(seed)
    waves = np.stack(
        [np.sin(time * (0.5 + 0.13 * i) + rng.uniform(0, 6)) for i in range(7)], axis=1
    )
    logits = 0.9 * waves + np.array([1.6, 0.3, -0.4, -0.9, -1.2, -1.5, -0.3])
    logits[:, 1] += 3.2 * np.exp(-(((time - duration / 2) / (0.12 * duration)) ** 2))
    emotions = np.exp(logits)
    emotions /= emotions.sum(axis=1, keepdims=True)
    present = np.ones((rows, 3), bool)
    present[time < 0.06 * duration, 0] = False
    present[(time > 0.3 * duration) & (time < 0.36 * duration), 1] = False
    present[(time > 0.75 * duration) & (time < 0.82 * duration)] = False
    unknown = ~present.any(axis=1)
    emotions[unknown] = 1 / 7
    sentiment = 3 * np.tanh(1.6 * (emotions[:, 1] - emotions[:, 2] - emotions[:, 3]) + 0.2)
    sentiment[unknown] = np.nan
    weights = [rng.dirichlet(np.ones(len(EDGES))) for _ in range(2)]
    edges = [w + 0.07 * np.sin(time[:, None] + np.arange(6)) for w in weights]
    edges = [np.clip(e, 0.01, None) / np.clip(e, 0.01, None).sum(1, keepdims=True) for e in edges]
    for e in edges:
        e[present.sum(axis=1) < 2] = 0
    f32 = np.float32
    return Timeline(
        time.astype(np.float64),
        emotions.astype(f32),
        sentiment.astype(f32),
        present,
        *(e.astype(f32) for e in edges),
    )


def plain_words(duration: float) -> list[Word]:
    """Two words a second, and a pause every five seconds."""
    text = ("so", "this", "is", "what", "somebody", "says", "unhurriedly,", "and", "waits.")
    words = []
    for index, start in enumerate(np.arange(0.5, duration - 0.5, 0.5)):
        if start % 5 < 4:
            at = from_seconds(float(start))
            sure = 0.3 if index % 9 == 4 else 0.95
            words.append(Word(text[index % len(text)], at, at + 4 * SECOND // 10, sure))
    return words


@dataclass
class FakeRecording:
    """All members of `desktop.recording.Recording`, set by hand."""

    title: str = "A recording"
    media: Path | None = None
    session: Path | None = None
    duration: float = 12.0
    analysed_until: float = 12.0
    complete: bool = True
    failure: str | None = None
    interruption: str | None = None
    rows: Timeline | None = None
    marked: Sequence[Mark] = ()
    said: Sequence[Word] | None = None
    faces: npt.NDArray[np.float32] | None = None
    face_times: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    closed: int = 0

    def timeline(self) -> Timeline:
        if self.rows is None:
            self.rows = plain_timeline(self.duration)
        seen = self.rows.time <= self.analysed_until + 1e-6
        return Timeline(
            self.rows.time[seen],
            self.rows.emotions[seen],
            self.rows.sentiment[seen],
            self.rows.present[seen],
            self.rows.homogeneous[seen],
            self.rows.heterogeneous[seen],
        )

    def words(self) -> Sequence[Word]:
        if self.said is None:
            self.said = plain_words(self.duration)
        return [word for word in self.said if word.end <= self.analysed_until * SECOND]

    def marks(self) -> Sequence[Mark]:
        return self.marked

    def landmarks_at(self, time: float) -> npt.NDArray[np.float32] | None:
        if self.faces is None:
            return np.full((LANDMARKS, 3), 0.5, np.float32)
        index = int(np.searchsorted(self.face_times, time + 1e-6, side="right")) - 1
        return None if index < 0 else self.faces[index]

    def close(self) -> None:
        self.closed += 1
