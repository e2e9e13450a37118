"""Opening a media file, with one clear line for each way in which that can fail."""

import os
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from assets.errors import BadInput

__all__ = ["open_media"]

NOT_RECORDINGS = {"tty", "image2", "hls", "dash", "concat", "sdp", "rtsp", "ffmetadata"}
"""Formats FFmpeg opens that are text, single pictures or lists of other files."""

MP4_BOXES = {b"ftyp", b"mdat", b"wide", b"free", b"skip", b"moov"}
"""Types that the first box of an MP4 or QuickTime file can have."""


def open_media(path: Path) -> InputContainer:
    """Open a file for use by one thread; the caller closes it. Raises BadInput."""
    _check_file(path)
    if _index_is_cut_off(path):
        raise BadInput(
            f"{path}: the recording was cut off before its index was written; it cannot be read. "
            "Use the original, or repair it with a recovery tool"
        )
    try:
        container = av.open(
            f"file:{path}",  # without the prefix a colon in a name would mean a protocol
            mode="r",
            container_options={"protocol_whitelist": "file"},  # a file never fetches another one
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        raise BadInput(
            f"{path} is not a media file, or is damaged; "
            "give a recording such as mp4, mkv, mov or wav"
        ) from error
    name = container.format.name
    if name.endswith("_pipe") or set(name.split(",")) & NOT_RECORDINGS:
        container.close()
        raise BadInput(
            f"{path} is a text, a still picture or a playlist; "
            "give a recording such as mp4, mkv, mov or wav"
        )
    return container


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; give a video or sound file")
        if path.exists() and not path.is_file():
            raise BadInput(f"{path} is not a regular file; give a video or sound file")
        with path.open("rb") as file:
            empty = os.fstat(file.fileno()).st_size == 0
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist; check the name") from error
    except PermissionError as error:
        raise BadInput(f"{path} may not be read; change its permissions or copy it") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"{str(path)!r} cannot be read: {reason}; give another file") from error
    if empty:
        raise BadInput(f"{path} is empty; copy or record it again")


def _index_is_cut_off(path: Path) -> bool:
    """Whether this is an MP4 or QuickTime file without a whole `moov` box (ISO 14496-12, 4.2)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(8)[4:] not in MP4_BOXES:
            return False
        at = 0
        while at + 8 <= size:
            file.seek(at)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length == 0:
                length = size - at
            if header[4:8] == b"moov":
                return at + length > size
            if length < 8:
                return False
            at += length
    return True
