"""From features to predictions while they happen: when a window is due, and when it is settled."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from extractors.stream import SECOND, Sample
from extractors.stream.window import ContextWindow, Window, WindowSpec, build_window

__all__ = ["GRACE", "LONGEST_GRACE", "PATIENCE", "STALL", "Due", "LiveEngine"]

PATIENCE = SECOND // 20
"""A window is predicted this long after its end: the face of its last picture is then there."""
GRACE = 3 * SECOND // 2
"""What comes later than this after the end of a window does not change its row any more."""
LONGEST_GRACE = 4 * SECOND
"""While the voice is behind, windows wait so long for it: on a busy machine it is told of some
seconds late, and a row that did not wait would say that nobody spoke."""
STALL = 2 * SECOND
"""Windows that are later than this are left out: the machine slept, or stood still."""


@dataclass(frozen=True, slots=True)
class Due:
    """The windows of one look at the clock."""

    fresh: tuple[Window, ...]
    """Predicted for the first time, with what is known."""
    settled: tuple[Window, ...]
    """Their grace is over: predicted again, with what came late. In the order of time."""
    gap: tuple[int, int] | None = None
    """Session time that was passed over."""


class LiveEngine:
    """Keeps the samples that windows can still see and tells which windows are due.

    Words are committed some 0.8 s after they were spoken, and voice comes in passes that look again
    at the last seconds. A window does not wait for them: it is predicted at once with what is
    there, and once more when its grace has passed, which is longer while the voice is behind. The
    second is what is recorded, and nearly what an analysis of the recording would give.
    Deterministic: time is what `due` is told.
    """

    def __init__(self, spec: WindowSpec, *, grace: int = GRACE, patience: int = PATIENCE) -> None:
        self.spec = spec
        self.hop = spec.hop
        """May be changed; windows end at its multiples."""
        self.grace = grace
        self.patience = patience
        self._next: int | None = None
        self._open: deque[int] = deque()
        """Ends of windows whose grace is not over."""
        self._kept: dict[str, deque[Sample[Any]]] = {name: deque() for name in spec.modalities}
        self._tentative: tuple[Sample[Any], ...] = ()

    def add(self, sample: Sample[Any]) -> None:
        """Take a sample of a modality; others, and those without data, are passed over.

        "tentative voice" stands, until the next one comes, for the voice that is not yet there.
        """
        if sample.stream == "tentative voice":
            self._tentative = sample.data
            return
        kept = self._kept.get(sample.stream)
        if kept is not None and sample.data is not None:
            kept.append(sample)

    def next_due(self, now: int) -> int:
        """When the next window will be due; to be asked again after `due`."""
        return self._following(now) + self.patience

    def _following(self, now: int) -> int:
        if self._next is None:
            self._next = now - now % self.hop + self.hop
        return self._next

    def due(self, now: int) -> Due:
        """The windows due at `now`."""
        following = self._following(now)
        gap: tuple[int, int] | None = None
        if now - following > STALL:
            resumed = now - now % self.hop
            gap, following = (following, resumed), resumed
        ends: list[int] = []
        while following + self.patience <= now:
            ends.append(following)
            following += self.hop - following % self.hop
        self._next = following
        fresh = self._windows(ends)
        self._open.extend(ends)
        over: list[int] = []
        while self._open and self._is_over(self._open[0], now):
            over.append(self._open.popleft())
        settled = self._windows(over)
        self._forget(self._open[0] if self._open else following)
        return Due(fresh, settled, gap)

    def _is_over(self, end: int, now: int) -> bool:
        """Whether the grace of the window that ended at `end` is over."""
        late = now - end
        heard = max((s.end for s in (*self._kept["voice"], *self._tentative)), default=end)
        behind = end - LONGEST_GRACE < heard < end  # longer ago: there is no sound to wait for
        return late >= (max(self.grace, LONGEST_GRACE) if behind else self.grace)

    def interrupt(self) -> tuple[Window, ...]:
        """A pause or the end: settle everything now, and forget what was sensed before."""
        settled = self._windows(self._open)
        self._open.clear()
        self._next = None
        self._tentative = ()
        for kept in self._kept.values():
            kept.clear()
        return settled

    def newly_seen(self, window: Window, stream: str) -> list[int]:
        """Ends of the samples of a stream that no earlier window has seen."""
        return [s.end for s in self._kept[stream] if window.end - self.hop < s.end <= window.end]

    def _windows(self, ends: Iterable[int]) -> tuple[Window, ...]:
        voice = self._kept["voice"]
        known = voice[-1].end if voice else 0
        tentative = [sample for sample in self._tentative if sample.start >= known]
        seen = {**self._kept, "voice": [*voice, *tentative]}
        return tuple(build_window(self.spec, end, seen) for end in ends)

    def _forget(self, oldest: int) -> None:
        """Drop what no window from `oldest` on can see. Of a context the newest always stays."""
        for name, modality in self.spec.modalities.items():
            kept = self._kept[name]
            if isinstance(modality, ContextWindow):
                # the newest context at or before `oldest` is what that window looks at
                while len(kept) > 1 and kept[1].end <= oldest:
                    kept.popleft()
            else:
                while kept and kept[0].end <= oldest - modality.span:
                    kept.popleft()
