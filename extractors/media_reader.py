"""One pass over one stream of a media file: its frames, with session times, whatever is broken."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import av
import av.error
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame

from extractors.kept_containers import KeptContainers
from extractors.media_info import (
    MediaStream,
    audio_stream,
    declared_end,
    session_zero,
    video_stream,
)
from extractors.stream.sample import SECOND

__all__ = ["THREADS", "StreamReader", "read_audio", "read_video"]

AnyFrame = TypeVar("AnyFrame", VideoFrame, AudioFrame)

LONGEST_GAP = 3600 * SECOND
"""A time that is further ahead of the one before is damage, not silence."""

SHORT = SECOND // 2
"""A stream that ends earlier than declared by more than this was cut off."""

REORDERED = 32
"""More packets than any codec lets a picture come ahead of its turn (H.264 and H.265: 16)."""

THREADS = 2
"""That decode beside everything else that is done with what they decode."""

FLUSHES = 8
"""How often a decoder that fails while it is drained is asked for the rest."""


class StreamReader(Generic[AnyFrame]):
    """Decodes the pictures or the sound of a file, from `start` (session nanoseconds) on.

    What cannot be decoded is counted in `skipped` and left out; reading ends where the container
    cannot be read further. Used by one thread only.
    """

    def __init__(
        self,
        path: Path,
        kind: Literal["video", "audio"],
        start: int = 0,
        containers: KeptContainers | None = None,
        threads: int = THREADS,
    ) -> None:
        """`threads` decode, where `containers` keeps none that is open already."""
        self.path = path
        self.kind = kind
        self.start = start
        self._containers = containers or KeptContainers(path, room=0)
        self._threads = threads
        self.skipped = 0
        """Packets that could not be decoded and frames whose time is missing or wrong."""
        self.error: str | None = None
        """Why the container could not be read to its end."""
        self.declared: int | None = None
        """Session nanoseconds at which the stream ends as the file says."""
        self._read_until: int | None = None
        self._zero = Fraction(0)

    @property
    def truncated(self) -> bool:
        """Whether the file ends before the stream should."""
        if self.error is not None:
            return True
        return self.declared is not None and self.declared - (self._read_until or 0) > SHORT

    def frames(self) -> Iterator[tuple[int | None, AnyFrame]]:
        """Session time (None if the file gives none) and frame, in order of presentation.

        Some frames before `start` come first; of pictures always the newest of them, but not those
        that none after them needs. Has a container for itself, and lets go of it at the end.
        """
        lead = SECOND // 2 if self.kind == "audio" else 0  # sound decoders need a run-up
        for margin in (lead, lead + 5 * SECOND, None):
            if margin is not None and self.start - margin <= 0:
                margin = None
            with self._containers.use(anew=margin is None) as container:
                stream = self._stream(container)
                if stream is None:
                    return
                self.skipped, self.error, self._read_until = 0, None, None
                if margin is not None and not self._seek(container, stream, self.start - margin):
                    continue
                frames = self._decode(container, stream)
                first = next(frames, None)
                if margin is not None and not (first and self._reaches(first, margin)):
                    continue  # it landed after a key frame that is needed: look further back
                if first is not None:
                    yield first
                yield from frames
                return

    def _reaches(self, first: tuple[int | None, AnyFrame], margin: int) -> bool:
        return first[0] is not None and first[0] <= self.start - margin

    def _stream(self, container: InputContainer) -> MediaStream | None:
        stream = video_stream(container) if self.kind == "video" else audio_stream(container)
        if stream is None:
            return None
        if not stream.codec_context.is_open:
            stream.codec_context.thread_type = "AUTO"
            stream.codec_context.thread_count = self._threads
        self._zero = session_zero(container)
        return stream

    def _seek(self, container: InputContainer, stream: MediaStream, time: int) -> bool:
        assert stream.time_base is not None
        seconds = Fraction(time, SECOND) + self._zero
        try:
            container.seek(int(seconds // stream.time_base), stream=stream)
        except av.error.FFmpegError:
            return False
        return True

    def _session_time(self, pts: int, time_base: Fraction) -> int:
        return round((pts * time_base - self._zero) * SECOND)

    def _decode(
        self, container: InputContainer, stream: MediaStream
    ) -> Iterator[tuple[int | None, AnyFrame]]:
        last: int | None = None
        for packet, shown in self._shown(stream, self._packets(container, stream)):
            if self.kind == "video":  # decoders pass over pictures to which no other refers
                stream.codec_context.skip_frame = "DEFAULT" if shown else "NONREF"
            for frame in self._frames_of(stream, packet):
                if frame.is_corrupt:
                    self.skipped += 1
                    continue
                time = None
                time_base = frame.time_base or stream.time_base  # the last ones come without
                if frame.pts is not None and time_base is not None:
                    time = self._session_time(frame.pts, time_base)
                    if last is not None and time - last > LONGEST_GAP:
                        self.skipped += 1
                        continue
                    last = time
                yield time, frame

    def _shown(
        self, stream: MediaStream, packets: "Iterable[Packet[Any] | None]"
    ) -> "Iterator[tuple[Packet[Any] | None, bool]]":
        """Each packet, and whether its picture may be wanted: it is the newest one before `start`,
        or later. A packet waits until that is known."""
        packets = iter(packets)
        held: deque[Packet[Any]] = deque()
        newest: int | None = None
        if self.kind == "video" and stream.time_base is not None:
            start = (Fraction(self.start, SECOND) + self._zero) / stream.time_base
            for packet in packets:
                if packet is None or packet.pts is None or self._all_later(packet, start, held):
                    packets = chain([packet], packets)
                    break
                held.append(packet)
                if packet.pts <= start:
                    newest = packet.pts if newest is None else max(newest, packet.pts)
                    while held[0].pts is not None and held[0].pts < newest:
                        yield held.popleft(), False
        for packet in held:
            yield packet, newest is None or packet.pts is None or packet.pts >= newest
        for rest in packets:
            yield rest, True

    @staticmethod
    def _all_later(packet: "Packet[Any]", start: Fraction, held: Sequence[Any]) -> bool:
        """Whether no picture from this packet on can be shown at `start` or before."""
        if packet.dts is not None:
            return packet.dts > start
        return len(held) > REORDERED  # Matroska tells no times of decoding after a seek

    def _frames_of(self, stream: MediaStream, packet: "Packet[Any] | None") -> list[AnyFrame]:
        """The frames that a packet completes; without a packet, those still in the decoder."""
        frames: list[AnyFrame] = []
        for _ in range(FLUSHES if packet is None else 1):
            try:
                frames += stream.decode(packet)  # type: ignore[arg-type]
                break
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                self.skipped += 1
        return frames

    def _packets(
        self, container: InputContainer, stream: MediaStream
    ) -> "Iterator[Packet[Any] | None]":
        """The packets of the stream, then None. Notes how far the file can be read."""
        end, of_stream = declared_end(container, stream)
        self.declared = None if end is None else round((end - self._zero) * SECOND)
        # If only the end of the whole file is declared, it may be that of another stream.
        watched = [s for s in (video_stream(container), audio_stream(container)) if s is not None]
        try:
            for packet in container.demux(stream if of_stream or end is None else watched):
                if packet.size == 0:
                    continue  # an empty packet would end the decoder
                self._note_end(packet)
                if packet.stream_index == stream.index:
                    yield packet
        except av.error.FFmpegError as error:
            self.error = error.strerror or str(error)
        yield None

    def _note_end(self, packet: "Packet[Any]") -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and not packet.is_corrupt:
            end = self._session_time(time + (packet.duration or 0), packet.time_base)
            self._read_until = max(self._read_until or 0, end)


def read_video(
    path: Path,
    start: int = 0,
    containers: KeptContainers | None = None,
    threads: int = THREADS,
) -> "StreamReader[VideoFrame]":
    """A reader of the file's pictures."""
    return StreamReader(path, "video", start, containers, threads)


def read_audio(path: Path, start: int = 0) -> "StreamReader[AudioFrame]":
    """A reader of the file's sound."""
    return StreamReader(path, "audio", start)
