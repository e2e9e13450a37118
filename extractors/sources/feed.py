"""A stream of samples that outlives its source: it reconnects, switches, and says what happens."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from assets.errors import AffectscopeError
from extractors.sources.choice import SourceChoice
from extractors.sources.source import Source, SourceInfo, SourceLost, freed
from extractors.stream import SECOND, PacedClock, Sample

__all__ = ["Feed", "FeedState", "SourceStatus", "pictures_text", "retry_after"]

T = TypeVar("T")

FeedState = Literal["off", "opening", "open", "lost", "ended"]

SAME_RATE = 0.05
"""Share by which a rate may differ: 29.97 is 30."""
IDLE = 3600 * SECOND
"""How long a feed sleeps that has nothing to do; a switch wakes it."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How the source of pictures or of sound is doing."""

    choice: SourceChoice | None
    """None: switched off."""
    state: FeedState
    text: str = ""
    """One line for people: what happened and what to do; empty when all is well."""
    info: SourceInfo | None = None
    """Of the open source."""

    @property
    def unlike(self) -> bool:
        """Whether the camera gives other pictures than it was asked for."""
        choice, info = self.choice, self.info
        if choice is None or info is None or choice.kind != "device":
            return False
        if choice.rate and info.rate and abs(info.rate / choice.rate - 1) > SAME_RATE:
            return True
        return choice.size is not None and info.size is not None and choice.size != info.size

    @property
    def gives(self) -> str:
        """What pictures come: "gives 640 x 480 at 30/s (YUYV), not 1280 x 720"; empty while
        it is not known."""
        choice, info = self.choice, self.info
        if choice is None or info is None or info.size is None:
            return ""
        text = f"gives {pictures_text(info.size, info.rate)}"
        text += f" ({info.detail})" if info.detail else ""
        return f"{text}, not {pictures_text(choice.size, choice.rate)}" if self.unlike else text

    @property
    def in_use(self) -> bool:
        """Whether a camera or a microphone may be taking something: show the privacy indicator."""
        device = self.choice is not None and self.choice.kind == "device"
        return device and self.state in ("opening", "open")


def pictures_text(size: tuple[int, int] | None, rate: float | None) -> str:
    """ "640 x 480 at 30/s", or what of it is known."""
    parts = ["{} x {}".format(*size)] if size is not None else []
    return " at ".join(parts + ([f"{rate:.4g}/s"] if rate else []))


def retry_after(attempt: int) -> int:
    """Nanoseconds to wait after the n-th failure in a row: half a second, then up to four."""
    return min(SECOND // 2 << min(attempt, 3), 4 * SECOND)


class Feed(Generic[T]):
    """Samples of whatever source is chosen, from one thread, until `end`.

    `switch` and `end` may be called from any thread and return at once. A source that is lost is
    opened again until it is back. Each change of the status is reported to `on_change`, in the
    feed's thread.
    """

    def __init__(
        self,
        choice: SourceChoice | None,
        open_source: Callable[[SourceChoice], Source[T]],
        clock: PacedClock,
        on_change: Callable[[SourceStatus], None] | None = None,
    ) -> None:
        self.source: Source[T] | None = None
        """The source that is open, or being opened."""
        self._choice = choice
        self._open_source = open_source
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.RLock()
        self._changed = threading.Event()
        self._closed = False
        self._status = SourceStatus(choice, "off" if choice is None else "opening")

    @property
    def status(self) -> SourceStatus:
        return self._status

    def switch(self, choice: SourceChoice | None) -> None:
        """Leave the source, and open that of `choice`; also when it is the same, to try again."""
        with self._lock:
            self._choice = choice
            self._wake()

    def end(self) -> None:
        """No further sample comes; the thread that iterates frees the source."""
        with self._lock:
            self._closed = True
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        if self.source is not None:
            self.source.close()

    def samples(self) -> Iterator[Sample[T]]:
        """The samples; called once, and read to the end or closed."""
        self._clock.join()
        return self._run()

    def _run(self) -> Iterator[Sample[T]]:
        try:
            attempt = 0
            while not self._closed:
                with self._lock:
                    self._changed.clear()
                    choice = self._choice
                    self.source = None if choice is None else self._open_source(choice)
                if choice is None or self.source is None:
                    self._tell(SourceStatus(None, "off"))
                    attempt = 0
                    self._clock.wait_until(self._clock.now() + IDLE, self._changed)
                    continue
                wait = IDLE
                try:
                    for sample in self._samples(choice, self.source):
                        attempt = 0
                        yield sample
                    if not self._changed.is_set():
                        self._tell(SourceStatus(choice, "ended", f"{choice.label} is at its end"))
                except SourceLost as error:
                    self._tell(SourceStatus(choice, "lost", str(error)))
                    wait = IDLE if error.hopeless else retry_after(attempt)
                    attempt += 1
                except AffectscopeError as error:
                    self._tell(SourceStatus(choice, "lost", str(error)))
                except Exception as error:  # a driver or a library may raise anything
                    text = f"{choice.label}: {type(error).__name__}: {error}; it is opened again"
                    self._tell(SourceStatus(choice, "lost", text))
                    wait = retry_after(attempt)
                    attempt += 1
                if not self._changed.is_set():
                    self._clock.wait_until(self._clock.now() + wait, self._changed)
        finally:
            self.source = None
            if self._status.state in ("opening", "open"):  # who shows what is open hears the end
                text = "" if self._choice is None else f"{self._choice.label} is closed"
                self._tell(replace(self._status, state="ended", text=text))
            self._clock.leave()

    def _samples(self, choice: SourceChoice, source: Source[T]) -> Iterator[Sample[T]]:
        lost = self._status.state == "lost" and self._status.choice == choice
        if not lost:
            self._tell(SourceStatus(choice, "opening"))
        is_open = False
        with freed(source.samples()) as samples:
            for sample in samples:
                if not is_open:
                    is_open = True
                    self._tell(SourceStatus(choice, "open", info=source.info))
                yield sample
                if self._changed.is_set():
                    return

    def _tell(self, status: SourceStatus) -> None:
        if status != self._status:
            self._status = status
            if self._on_change is not None:
                self._on_change(status)
