"""Writes that wait for a slow disk, kept where they outlive the process: in memory with a name."""

import os
import shutil
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from extractors.session_layout import STANDBY

__all__ = ["Standby", "take_over"]

ROOT = Path("/dev/shm")
"""A file system in memory (Linux): writing there never waits for a disk."""
PREFIX = "affectscope-"
SEGMENT = 1 << 22
"""Bytes after which another file begins; one is removed when all that it holds is on the disk."""
HEADER = struct.Struct("<IHQI")
"""CRC-32 of all that follows, length of the name, place in the file, length of the data."""


class Standby:
    """Copies of writes to the files of `folder`. Used under the lock of the disk's queue.

    A write must be kept if one before it is kept that is not on the disk yet: they are taken over
    in their order.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        """Raises OSError if there is no such memory here, or the folder cannot be written."""
        self._folder = folder
        self._place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root or ROOT))
        try:
            (folder / STANDBY).write_text(str(self._place), encoding="utf-8")
        except OSError:
            self.remove()
            raise
        self._kept: Counter[int] = Counter()
        self._number = self._size = 0
        self._file = -1

    def keep(self, path: Path, offset: int, data: bytes) -> int:
        """Returns the number of the segment, for `release`. Raises OSError if there is no room."""
        if self._file < 0 or self._size > SEGMENT:
            self._next()
        name = os.fsencode(path.relative_to(self._folder))
        rest = HEADER.pack(0, len(name), offset, len(data))[4:] + name + data
        record = struct.pack("<I", zlib.crc32(rest)) + rest
        if os.write(self._file, record) < len(record):
            raise OSError("no room in memory")
        self._size += len(record)
        self._kept[self._number] += 1
        return self._number

    def release(self, number: int) -> None:
        """A write of this segment is on the disk."""
        self._kept[number] -= 1
        if self._kept[number] == 0:
            del self._kept[number]
            if number == self._number:
                self._end()
            self._segment(number).unlink(missing_ok=True)

    def remove(self) -> None:
        """Nothing that is kept is needed any more."""
        self._end()
        shutil.rmtree(self._place, ignore_errors=True)
        (self._folder / STANDBY).unlink(missing_ok=True)

    def _next(self) -> None:
        self._end()
        self._number += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.open(self._segment(self._number), flags, 0o600)

    def _end(self) -> None:
        file, self._file, self._size = self._file, -1, 0
        if file >= 0:
            os.close(file)

    def _segment(self, number: int) -> Path:
        return self._place / f"{number:08}"


def take_over(folder: Path, root: Path | None = None) -> None:
    """Write into the files of a session what its process left waiting. The caller has locked it.

    Being cut off in it, and doing it again, does no harm. Raises OSError.
    """
    try:
        place = Path((folder / STANDBY).read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return
    if place.parent == (root or ROOT) and place.name.startswith(PREFIX) and place.is_dir():
        for segment in sorted(place.iterdir()):
            for name, offset, data in _records(segment.read_bytes()):
                path = folder / name
                if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                    _write(path, offset, data)
        shutil.rmtree(place)
    (folder / STANDBY).unlink()


def _write(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def _records(content: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Name, place and data of each write, up to where the process was killed."""
    at = 0
    while at + HEADER.size <= len(content):
        checksum, name, offset, length = HEADER.unpack_from(content, at)
        begin = at + HEADER.size
        end = begin + name + length
        if end > len(content) or zlib.crc32(content[at + 4 : end]) != checksum:
            return
        yield os.fsdecode(content[begin : begin + name]), offset, content[begin + name : end]
        at = end
