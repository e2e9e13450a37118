"""What a chooser names: a device, or a file, a URL or a synthetic source in its place."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from assets.errors import BadInput

__all__ = ["PictureWish", "SourceChoice", "SourceKind"]

SourceKind = Literal["device", "file", "url", "synthetic"]

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "tcp")


@dataclass(frozen=True, slots=True)
class PictureWish:
    """How large and how many a camera's pictures are to be; None: as suits the program."""

    size: tuple[int, int] | None = None
    """Width and height."""
    rate: float | None = None
    """Pictures a second."""


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """One source of pictures or of sound. Equal choices mean the same source."""

    kind: SourceKind
    where: str = ""
    """Of a device what `devices` lists as its `where`, empty for the default; a path; a URL."""
    name: str = ""
    """As people know it; a device that comes back under another number is found by it."""
    size: tuple[int, int] | None = None
    """Wanted width and height of the pictures; the nearest that the device has is taken."""
    rate: float | None = None
    """Wanted pictures a second."""
    loop: bool = True
    """Whether a file begins again at its end."""

    def asking(self, wish: PictureWish) -> "SourceChoice":
        """The same camera with such pictures; what is no device gives those that it has."""
        return replace(self, size=wish.size, rate=wish.rate) if self.kind == "device" else self

    @property
    def label(self) -> str:
        """For people: the name of the device or file."""
        if self.name:
            return self.name
        if self.kind == "file":
            return Path(self.where).name
        if self.kind == "device":
            return f"device {self.where}" if self.where else "default device"
        return self.where if self.kind == "url" else "synthetic"

    @classmethod
    def parse(cls, text: str) -> "SourceChoice":
        """A choice from a command line.

        `default`, `device:WHERE`, a number, `file:PATH`, a path, a URL or `synthetic`. Raises
        BadInput if it is none of these, or the file does not exist.
        """
        if text == "synthetic":
            return cls("synthetic")
        if text in ("default", "device"):
            return cls("device")
        if text.isdigit():
            return cls("device", text)
        kind, _, rest = text.partition(":")
        if kind == "device" and rest:
            return cls("device", rest)
        if re.match(r"\w+://", text):
            if kind.lower() not in SCHEMES:
                raise BadInput(f"{text}: give a URL that begins with one of {', '.join(SCHEMES)}")
            return cls("url", text)
        path = Path(rest if kind == "file" else text)
        if not path.is_file():
            raise BadInput(
                f"{text} names no source; give default, device:NUMBER, a file, a URL or synthetic"
            )
        return cls("file", str(path))
