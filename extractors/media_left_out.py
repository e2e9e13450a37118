"""What a media file holds beside the pictures and the sound that are read."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from av.container import InputContainer
from av.stream import Disposition, Stream

__all__ = ["NOT_MOVING", "LeftOut", "has_decoder", "in_words", "left_out"]

NOT_MOVING = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image

NAMES = {"video": "video stream", "audio": "audio stream", "subtitle": "stream of subtitles",
         "data": "stream of data", "attachment": "attached file"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stream that is not read."""

    stream: int
    """Its index in the file."""
    kind: str
    """"video", "audio", "subtitle", "data" or "attachment"."""
    codec: str | None
    """None if FFmpeg does not know it."""
    what: str
    """What it is and so why it is left out, in the singular: "further audio stream"."""


def has_decoder(stream: Stream) -> bool:
    """Whether FFmpeg knows how to decode the stream."""
    return getattr(stream, "codec_context", None) is not None


def left_out(container: InputContainer, read: Iterable[Stream | None]) -> tuple[LeftOut, ...]:
    """All streams but those that are `read`."""
    chosen = {stream.index for stream in read if stream is not None}
    return tuple(_left_out(s) for s in container.streams if s.index not in chosen)


def _left_out(stream: Stream) -> LeftOut:
    kind = stream.type
    name = NAMES.get(kind, "unknown stream")
    context = getattr(stream, "codec_context", None)
    if kind == "video" and stream.disposition & NOT_MOVING:
        what = "attached picture"
    elif kind in ("video", "audio"):
        what = f"further {name}" if has_decoder(stream) else f"{name} of an unknown codec"
    else:
        what = name
    return LeftOut(stream.index, kind, None if context is None else context.name, what)


def in_words(every: Iterable[str]) -> str:
    """Of each `LeftOut.what`: "2 further audio streams, 1 attached picture"; empty of none."""
    counts = Counter(every)
    return ", ".join(f"{n} {what if n == 1 else _plural(what)}" for what, n in counts.items())


def _plural(what: str) -> str:
    noun, of, rest = what.partition(" of ")
    return f"{noun}s{of}{rest}"
