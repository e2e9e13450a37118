"""What an export is asked to do and to leave out, and what it did."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

__all__ = ["ExportOptions", "Exported", "Face", "Progress", "no_progress"]

Progress = Callable[[float], None]
"""Told from time to time what part is done, 0 to 1. What it raises ends the export, and nothing of
it is left: that is how one is cancelled."""


class Face(Enum):
    """What of the pictures is exported."""

    SHOWN = "shown"
    """The pictures as they are."""
    BLURRED = "blurred"
    """The face as a coarse mosaic; the whole picture where it is not certain where the face is."""
    LANDMARKS = "landmarks"
    """No picture at all, but the lines of the face mesh."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Privacy, and what happens to files that are there. The defaults leave nothing out."""

    face: Face = Face.SHOWN
    voice: bool = True
    """Whether sound is exported. The measures of the voice are numbers and stay."""
    words: bool = True
    """Whether words are legible; otherwise their times stay and each is the same blank."""
    replace: bool = False
    """Whether a file of the same name may be replaced."""

    @property
    def private(self) -> bool:
        """Whether anything is to be left out: then no export points to the recording either."""
        return self.face is not Face.SHOWN or not self.voice or not self.words


@dataclass(frozen=True, slots=True)
class Exported:
    """What one exporter made."""

    files: tuple[Path, ...]
    """The main file first."""
    missing: tuple[str, ...] = ()
    """What the session lacks or could not be read, one line each."""


def no_progress(_: float) -> None:
    """Nobody wants to know."""
