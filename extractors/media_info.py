"""What a media file says about itself before it is played."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from assets.errors import BadInput
from extractors.media_left_out import NOT_MOVING, LeftOut, has_decoder, left_out
from extractors.media_open import open_media
from extractors.picture import orientation_of
from extractors.stream.sample import SECOND

__all__ = [
    "MediaInfo",
    "MediaStream",
    "audio_stream",
    "declared_end",
    "probe",
    "session_zero",
    "video_stream",
]

MediaStream = VideoStream | AudioStream
AnyStream = TypeVar("AnyStream", VideoStream, AudioStream)

ESTIMATED = {"aac", "ac3", "amr", "dts", "eac3", "h264", "hevc", "loas", "m4v", "mp3", "mpegvideo"}
"""Formats without a declared duration: FFmpeg guesses one from the bit rate."""

PROBE_PACKETS = 300
"""After so many packets without a picture or sound a stream counts as one that cannot be read."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file declares. Times are session nanoseconds unless said otherwise.

    Session time zero is the earliest start of the pictures and the sound.
    """

    start: int
    """Session time zero in the container's own time, in nanoseconds."""
    video_index: int
    """Of the stream that is read; -1 without."""
    audio_index: int
    duration: int | None
    """Declared, from session time zero; None if the file does not say. Not to be trusted."""
    video_codec: str | None
    video_start: int
    width: int
    """Of the upright picture in stored pixels; a pixel aspect ratio other than 1 is not applied."""
    height: int
    rotation: int
    """Degrees (0, 90, 180, 270) anticlockwise by which a stored picture is turned upright."""
    frame_rate: float | None
    """Nominal, for information only: times come from the container."""
    audio_codec: str | None
    audio_start: int
    audio_rate: int
    audio_channels: int
    left_out: tuple[LeftOut, ...] = ()
    """The streams of the file that are not read."""

    @property
    def has_video(self) -> bool:
        return self.video_codec is not None

    @property
    def has_audio(self) -> bool:
        return self.audio_codec is not None


def video_stream(container: InputContainer) -> VideoStream | None:
    """The stream of pictures that a player would choose of those that FFmpeg can decode; cover art
    and thumbnails do not count."""
    moving = [stream for stream in container.streams.video if not stream.disposition & NOT_MOVING]
    return _chosen(moving, container.streams.best("video"))


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The stream of sound that a player would choose of those that FFmpeg can decode."""
    return _chosen(list(container.streams.audio), container.streams.best("audio"))


def _chosen(every: Sequence[AnyStream], best: Stream | None) -> AnyStream | None:
    usable = [stream for stream in every if has_decoder(stream)]
    preferred = [stream for stream in usable if best is not None and stream.index == best.index]
    return next(iter(preferred or usable), None)


def session_zero(container: InputContainer) -> Fraction:
    """Session time zero in the container's time, in seconds."""
    streams = (video_stream(container), audio_stream(container))
    return min((_start(container, s) for s in streams if s is not None), default=Fraction(0))


def _start(container: InputContainer, stream: MediaStream) -> Fraction:
    """Start of the stream in the container's time, in seconds."""
    if stream.start_time is not None and stream.time_base is not None:
        return stream.start_time * stream.time_base
    return Fraction(container.start_time or 0, av.time_base)


def declared_end(container: InputContainer, stream: MediaStream) -> tuple[Fraction | None, bool]:
    """Where the file says that the stream ends, in the container's seconds; None if nowhere.

    The second value is whether it says so of this stream and not of the whole file.
    """
    if set(container.format.name.split(",")) & ESTIMATED:
        return None, False
    if stream.duration and stream.time_base is not None:
        return _start(container, stream) + stream.duration * stream.time_base, True
    try:  # Matroska as FFmpeg and mkvmerge write it: hours:minutes:seconds
        hours, minutes, seconds = map(Fraction, stream.metadata.get("DURATION", "").split(":"))
        return hours * 3600 + minutes * 60 + seconds, True
    except ValueError:
        pass
    if container.duration:
        return Fraction((container.start_time or 0) + container.duration, av.time_base), False
    return None, False


def probe(path: Path) -> MediaInfo:
    """What the file says of itself. Decodes one picture, to see how it is turned.

    Raises BadInput if the file cannot be read or nothing in it can be decoded.
    """
    with open_media(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        if video is None and audio is None:
            raise BadInput(_why_nothing(path, container))
        zero = session_zero(container)
        duration = None
        if container.duration:
            end = Fraction((container.start_time or 0) + container.duration, av.time_base)
            duration = max(0, round((end - zero) * SECOND))
        frame = _first_frame(container, video)
        width, height, rotation = _upright(video, frame)
        info = MediaInfo(
            start=round(zero * SECOND),
            video_index=video.index if video else -1,
            audio_index=audio.index if audio else -1,
            duration=duration,
            video_codec=video.codec_context.name if video else None,
            video_start=round((_start(container, video) - zero) * SECOND) if video else 0,
            width=width,
            height=height,
            rotation=rotation,
            frame_rate=float(video.average_rate) if video and video.average_rate else None,
            audio_codec=audio.codec_context.name if audio else None,
            audio_start=round((_start(container, audio) - zero) * SECOND) if audio else 0,
            audio_rate=audio.codec_context.sample_rate if audio else 0,
            audio_channels=audio.codec_context.layout.nb_channels if audio else 0,
            left_out=left_out(container, (video, audio)),
        )
    if frame is None and not (audio and _can_be_heard(path)):
        raise BadInput(
            f"{path}: nothing in it can be decoded, it may be encrypted, damaged or cut off; "
            "use the original, or convert it to H.264 and AAC"
        )
    return info


def _why_nothing(path: Path, container: InputContainer) -> str:
    unknown = {one.kind for one in left_out(container, ()) if one.codec is None}
    if not unknown & {"video", "audio"}:
        return f"{path} holds neither pictures nor sound; give another file"
    what = "pictures are" if "video" in unknown else "sound is"
    return f"{path}: its {what} encrypted or of an unknown codec; convert it to H.264 and AAC"


def _first_frame(container: InputContainer, stream: MediaStream | None) -> object | None:
    """The first frame that can be decoded; None if there is none near the start."""
    if stream is None:
        return None
    try:
        for count, packet in enumerate(container.demux(stream)):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                frames = []
            if frames:
                return frames[0]
            if count > PROBE_PACKETS:
                break
    except av.error.FFmpegError:
        pass
    return None


def _can_be_heard(path: Path) -> bool:
    with open_media(path) as container:
        return _first_frame(container, audio_stream(container)) is not None


def _upright(stream: VideoStream | None, frame: object | None) -> tuple[int, int, int]:
    """Width, height and rotation of the pictures."""
    if stream is None:
        return 0, 0, 0
    if not isinstance(frame, VideoFrame):
        return stream.codec_context.width, stream.codec_context.height, 0
    orientation = orientation_of(frame)
    width, height = frame.width, frame.height
    if orientation.transposed:
        width, height = height, width
    return width, height, orientation.rotation
