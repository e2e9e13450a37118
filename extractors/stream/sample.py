"""One value of a stream, with the time it speaks of and the time it became available."""

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["SECOND", "Sample", "from_seconds", "to_seconds"]

T = TypeVar("T")

SECOND = 1_000_000_000
"""Nanoseconds in a second; session times are integers of this unit."""


def from_seconds(seconds: float) -> int:
    """Session time in nanoseconds, rounded to the nearest."""
    return round(seconds * SECOND)


def to_seconds(time: int) -> float:
    """Session time in seconds."""
    return time / SECOND


@dataclass(frozen=True)
class Sample(Generic[T]):
    """A value that describes the world from `start` to `end`.

    The two kinds of time follow Microsoft \\psi: when the world was sensed (`start`, `end`: session
    nanoseconds, stamped at capture or taken from the container's presentation times) and when the
    value became available (`published`: nanoseconds of the clock of the run). The difference is
    the latency.
    """

    stream: str
    start: int
    end: int
    published: int
    data: T

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"sample of {self.stream} ends at {self.end}, before {self.start}")
