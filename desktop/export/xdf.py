"""XDF 1.0 (Extensible Data Format): the streams as the Lab Streaming Layer would record them.

A file is "XDF:" and chunks: length, tag, content (github.com/sccn/xdf, wiki "Specifications").
Every sample bears its time stamp, in seconds of session time.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
import numpy.typing as npt

from desktop.export.legible import legible
from desktop.export.material import Material, material
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.whole_files import whole_files
from extractors.features import BLENDSHAPES, EMOTIONS, MEASURES, POSE, PROSODY
from extractors.session import Session
from extractors.session_tables import PRESENCE
from extractors.stream import to_seconds

__all__ = ["export_xdf"]

PART = 512
"""Samples of one chunk."""
RATES = (5.0, 10.0)
"""Samples a second of the timeline and of the voice, where no row is missing."""
PROSODY_UNITS = ("hertz", "decibels", "0..1", "decibels", "fraction", "decibels per octave")


class _Tag(IntEnum):
    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    STREAM_FOOTER = 6


@dataclass(frozen=True)
class _Stream:
    name: str
    kind: str
    """LSL's content type."""
    channels: Sequence[tuple[str, str]]
    """Label and unit of each."""
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32] | Sequence[Sequence[str]]
    """[n, channels]"""
    rate: float = 0.0
    """Nominal, in hertz; 0 where the times are irregular."""

    @property
    def text(self) -> bool:
        return not isinstance(self.values, np.ndarray)


def export_xdf(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """Streams of emotions, face, voice, words and markers, as many as there are."""
    options = options or ExportOptions()
    found = material(session, options)
    streams = _streams(found)
    with whole_files(path, options.replace) as files, files.place().open("wb") as file:
        file.write(b"XDF:")
        info = Element("info")
        SubElement(info, "version").text = "1.0"
        _chunk(file, _Tag.FILE_HEADER, _xml(info))
        for number, stream in enumerate(streams, 1):
            _chunk(file, _Tag.STREAM_HEADER, _id(number) + _xml(_header(stream, found.name)))
        for number, stream in enumerate(streams, 1):
            progress((number - 1) / len(streams))
            for first in range(0, len(stream.times), PART):
                samples = _samples(stream, first, first + PART)
                _chunk(file, _Tag.SAMPLES, _id(number) + samples)
            _chunk(file, _Tag.STREAM_FOOTER, _id(number) + _xml(_footer(stream)))
    return Exported(files.files, found.missing)


def _streams(found: Material) -> list[_Stream]:
    timeline = found.timeline
    streams = []
    if len(timeline):
        values = [
            timeline.emotions, timeline.sentiment[:, None], timeline.present,
            timeline.uncertainty[:, None],
        ]  # fmt: skip
        channels = [
            *((name, "probability") for name in EMOTIONS),
            ("sentiment", "-3..3"),
            *((name, "boolean") for name in PRESENCE),
            ("uncertainty", "0..1"),
        ]
        streams.append(
            _Stream(
                "Affectscope emotions", "Emotion", channels, timeline.time,
                np.concatenate(values, axis=1).astype(np.float32), _rate(timeline.time),
            )
        )  # fmt: skip
    degrees = [(name, "degrees" if i < 3 else "centimeters") for i, name in enumerate(POSE)]
    shapes = [(name, "0..1") for name in BLENDSHAPES]
    measures = [(name, "eye distances") for name in MEASURES]
    prosody = list(zip(PROSODY, PROSODY_UNITS, strict=True))
    for name, kind, table, numbers in (
        ("Affectscope face", "Mocap", found.face, [*shapes, *degrees, *measures]),
        ("Affectscope voice", "Prosody", found.voice, prosody),
    ):
        if table is not None and table.num_rows:
            columns = [table[label].to_numpy(zero_copy_only=False) for label, _ in numbers]
            times = table["time"].to_numpy()
            values_ = np.stack(columns, axis=1).astype(np.float32)
            streams.append(_Stream(name, kind, numbers, times, values_, _rate(times)))
    if found.words:
        starts = np.array([to_seconds(word.start) for word in found.words])
        rows = [[w.text, f"{to_seconds(w.end):.3f}", f"{w.probability:.4f}"] for w in found.words]
        labels = [("word", ""), ("end", "seconds"), ("probability", "0..1")]
        streams.append(_Stream("Affectscope words", "Words", labels, starts, rows))
    if found.marks:
        times = np.array([mark.time for mark in found.marks])
        lines = [[f"{mark.label} {mark.note}".strip()] for mark in found.marks]
        streams.append(_Stream("Affectscope markers", "Markers", [("marker", "")], times, lines))
    return streams


def _rate(times: npt.NDArray[np.float64]) -> float:
    """The rate of times that are regular to the microsecond, else 0."""
    if len(times) > 1:
        for rate in RATES:
            if np.abs(np.diff(times) - 1 / rate).max() < 1e-6:
                return rate
    return 0.0


def _header(stream: _Stream, session: str) -> Element:
    info = Element("info")
    for key, value in (
        ("name", stream.name),
        ("type", stream.kind),
        ("channel_count", len(stream.channels)),
        ("nominal_srate", stream.rate),
        ("channel_format", "string" if stream.text else "float32"),
        ("source_id", f"{stream.name} of {session}"),
        ("version", "1.1"),
        ("created_at", 0.0),
    ):
        SubElement(info, key).text = legible(str(value))
    channels = SubElement(SubElement(info, "desc"), "channels")
    for label, unit in stream.channels:
        channel = SubElement(channels, "channel")
        SubElement(channel, "label").text = label
        SubElement(channel, "unit").text = unit
    return info


def _footer(stream: _Stream) -> Element:
    info = Element("info")
    first, last = (float(stream.times[i]) if len(stream.times) else 0.0 for i in (0, -1))
    SubElement(info, "first_timestamp").text = repr(first)
    SubElement(info, "last_timestamp").text = repr(last)
    SubElement(info, "sample_count").text = str(len(stream.times))
    SubElement(info, "clock_offsets")
    return info


def _samples(stream: _Stream, first: int, last: int) -> bytes:
    """The content of a chunk of samples, each with its time stamp."""
    times = stream.times[first:last]
    content = [_length(len(times))]
    if isinstance(stream.values, np.ndarray):
        rows = np.zeros(
            len(times),
            [("size", "u1"), ("time", "<f8"), ("values", "<f4", (len(stream.channels),))],
        )
        rows["size"], rows["time"], rows["values"] = 8, times, stream.values[first:last]
        content.append(rows.tobytes())
    else:
        for time, texts in zip(times, stream.values[first:last], strict=True):
            content.append(b"\x08" + struct.pack("<d", time))
            for text in texts:
                encoded = text.encode(errors="replace")
                content.append(_length(len(encoded)) + encoded)
    return b"".join(content)


def _length(value: int) -> bytes:
    """A length: how many bytes it takes, then the number, in the least of 1, 4 and 8."""
    size, kind = (1, "B") if value < 1 << 8 else (4, "I") if value < 1 << 32 else (8, "Q")
    return bytes([size]) + struct.pack(f"<{kind}", value)


def _id(number: int) -> bytes:
    return struct.pack("<I", number)


def _xml(element: Element) -> bytes:
    data: bytes = tostring(element, "UTF-8", xml_declaration=True)
    return data


def _chunk(file: BinaryIO, tag: _Tag, content: bytes) -> None:
    file.write(_length(len(content) + 2) + struct.pack("<H", tag) + content)
