"""What every source of pictures or sound does, be it a device or what stands in for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from assets.errors import AffectscopeError
from extractors.features import AudioBlock, VideoFrame
from extractors.stream import Sample

__all__ = ["PictureSource", "SoundSource", "Source", "SourceInfo", "SourceLost", "freed"]

T = TypeVar("T")

LossReason = Literal["missing", "taken", "denied", "unplugged", "silent", "failed"]


class SourceLost(AffectscopeError):
    """A source cannot be opened, or gives nothing any more. The text says what to do."""

    def __init__(self, reason: LossReason, text: str, *, hopeless: bool = False) -> None:
        super().__init__(text)
        self.reason: LossReason = reason
        self.hopeless = hopeless
        """Whether trying again is of no use (the file is no recording)."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What an open source is."""

    name: str
    size: tuple[int, int] | None = None
    """Width and height of the pictures."""
    rate: float | None = None
    """Pictures a second, or samples of sound a second before the conversion; None if unknown."""
    detail: str = ""
    """Anything else worth showing: "MJPG", "2 channels"."""


class Source(Protocol[T]):
    """One opening of a source.

    Samples are stamped at capture with the session's clock: a picture's `start` and `end` are the
    moment when it was taken, a block of sound lasts from `start` to `end`; `published` is when it
    reached the program. Within one opening blocks of sound follow each other without gap or
    overlap, mono at 16 kHz of session time, or say by their `start` that something is missing.
    """

    @property
    def info(self) -> SourceInfo | None:
        """None until it is open."""
        ...

    def samples(self) -> Iterator[Sample[T]]:
        """Open it, in the thread that iterates, and free it when the iterator ends or is closed.

        Opening may take seconds. Ends when a file or `close` ends it. Raises SourceLost. Called
        once.
        """
        ...

    def close(self) -> None:
        """From any thread, at once: `samples` ends with the next sample or within 0.5 s.

        A driver that does not return from opening holds its thread until it does.
        """
        ...


PictureSource = Source[VideoFrame]
SoundSource = Source[AudioBlock]


@contextmanager
def freed(samples: Iterator[T]) -> Iterator[Iterator[T]]:
    """Frees what a generator holds, in this thread, however the block is left."""
    try:
        yield samples
    finally:
        close = getattr(samples, "close", None)
        if close is not None:
            close()
