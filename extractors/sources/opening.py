"""From a choice to its source."""

from extractors.features import AudioBlock, VideoFrame
from extractors.sources.choice import SourceChoice
from extractors.sources.playhead import Playheads
from extractors.sources.source import Source
from extractors.stream import PacedClock

__all__ = ["open_pictures", "open_sound"]


def open_pictures(
    choice: SourceChoice, clock: PacedClock, playheads: Playheads
) -> Source[VideoFrame]:
    """The source of pictures; nothing is opened before its samples are asked for."""
    match choice.kind:
        case "device":
            from extractors.sources.camera import Camera

            return Camera(choice, clock)
        case "file":
            from extractors.sources.file_source import file_pictures

            return file_pictures(choice, clock, playheads)
        case "url":
            from extractors.sources.url_source import url_pictures

            return url_pictures(choice, clock)
        case "synthetic":
            from extractors.sources.synthetic import SyntheticPictures

            return SyntheticPictures(choice, clock)


def open_sound(choice: SourceChoice, clock: PacedClock, playheads: Playheads) -> Source[AudioBlock]:
    """The source of sound; nothing is opened before its samples are asked for."""
    match choice.kind:
        case "device":
            from extractors.sources.microphone import Microphone

            return Microphone(choice, clock)
        case "file":
            from extractors.sources.file_source import file_sound

            return file_sound(choice, clock, playheads)
        case "url":
            from extractors.sources.url_source import url_sound

            return url_sound(choice, clock)
        case "synthetic":
            from extractors.sources.synthetic import SyntheticSound

            return SyntheticSound(choice, clock)
