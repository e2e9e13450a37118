"""Makes a Matroska file whole that ends in the middle: an index, a length, nothing torn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from extractors.manifest_file import make_durable
from extractors.recording.media_writer import MUXER

__all__ = ["RepairedMedia", "repair_media"]


@dataclass(frozen=True, slots=True)
class RepairedMedia:
    """What a file holds. Times in seconds of session time."""

    pictures_until: float
    """Time of the last picture; -1 without any."""
    sound_until: float
    """End of the sound; -1 without any."""
    video: dict[str, Any]
    audio: dict[str, Any]

    @property
    def until(self) -> float:
        return max(self.pictures_until, self.sound_until, 0.0)

    def describe(self) -> dict[str, Any]:
        """What the manifest says of the file."""
        return {**self.video, **self.audio}


def repair_media(path: Path) -> RepairedMedia | None:
    """Copy what can be read into a file with an index, without encoding anything again.

    None if there is no file or nothing in it, and then it is removed. Where there is no room for
    the copy the file stays as it is: it plays to its end, but finding a place in it takes longer.
    """
    if not path.exists():
        return None
    beside = path.with_suffix(".mkv.new")
    try:
        found = _copy(path, beside)
        if found is not None:
            make_durable(beside)
            beside.replace(path)
    except OSError:  # no room; av's errors of the disk are OSErrors, too
        beside.unlink(missing_ok=True)
        found = _copy(path, None)
    beside.unlink(missing_ok=True)
    if found is None:
        path.unlink()
    return found


def _copy(path: Path, target: Path | None) -> RepairedMedia | None:
    """Copy the packets, or only look at them. None if there are none."""
    try:
        source = av.open(f"file:{path}")
    except av.error.FFmpegError:
        return None
    sink: Any = None
    if target is not None:
        sink = av.open(f"file:{target}", "w", format="matroska", container_options=MUXER)
    until = {"video": -1.0, "audio": -1.0}
    try:
        copies = {
            stream.index: sink.add_stream_from_template(stream)
            for stream in source.streams
            if sink is not None
        }
        for packet in _packets(source):
            kind, unit = packet.stream.type, packet.time_base
            length = (packet.duration or 0) if kind == "audio" else 0
            until[kind] = max(until[kind], float((packet.pts + length) * unit))
            if sink is not None:
                packet.stream = copies[packet.stream.index]
                sink.mux(packet)
        return _found(source, until) if max(until.values()) >= 0 else None
    finally:
        source.close()
        if sink is not None:
            sink.close()


def _packets(source: Any) -> Any:
    """Packets with a time, up to where the file cannot be read further."""
    try:
        for packet in source.demux():
            if packet.pts is not None and packet.size and not packet.is_corrupt:
                yield packet
    except av.error.FFmpegError:
        return


def _found(source: Any, until: dict[str, float]) -> RepairedMedia:
    video, audio = {}, {}
    for stream in source.streams.video:
        video = {"video": stream.name, "width": stream.width, "height": stream.height}
    for stream in source.streams.audio:
        audio = {
            "audio": stream.name,
            "audio_rate": stream.rate,
            "audio_channels": stream.codec_context.layout.nb_channels,
        }
    return RepairedMedia(until["video"], until["audio"], video, audio)
