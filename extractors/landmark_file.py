"""Landmarks of a whole recording in one .npy file that grows by appending."""

import io
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.lib.format
import numpy.typing as npt

from assets.errors import SessionError
from extractors.features import LANDMARKS, FloatArray

__all__ = [
    "HEADER",
    "ROW",
    "LandmarkWriter",
    "declared_rows",
    "landmark_bytes",
    "landmark_header",
    "read_landmarks",
    "read_row",
]

SHAPE = (LANDMARKS, 3)
HEADER = 128
"""Bytes before the data. NumPy pads its headers, so a longer row count fits in later."""
ROW = LANDMARKS * 3 * 2
"""Bytes of one row."""
FLUSHED = 16
"""Rows between flushes, so that `read_row` sees a file that still grows."""


class LandmarkWriter:
    """Appends landmarks [478, 3] as float16; `close` makes the file a .npy file of all rows.

    Half precision errs by at most 0.00025 of the picture's width: a sixth of a pixel of 640.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO | None = path.open("wb")
        self.rows = 0
        self._write_header()

    def append(self, landmarks: FloatArray) -> None:
        """Add one row. Raises OSError if the disk is full."""
        assert self._file is not None
        self._file.write(landmark_bytes(landmarks))
        self.rows += 1
        if self.rows % FLUSHED == 0:
            self._file.flush()

    def close(self) -> None:
        """Write the number of rows into the header. Calling it twice does no harm.

        Raises OSError if the disk is full; the file is closed all the same.
        """
        if self._file is not None:
            try:
                self._file.seek(0)
                self._write_header()
            finally:
                file, self._file = self._file, None
                file.close()

    def _write_header(self) -> None:
        assert self._file is not None
        self._file.write(landmark_header(self.rows))

    def __enter__(self) -> "LandmarkWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def landmark_header(rows: int) -> bytes:
    """The first `HEADER` bytes of a file of so many rows."""
    shape = f"'shape': ({rows}, {SHAPE[0]}, {SHAPE[1]})"
    text = f"{{'descr': '<f2', 'fortran_order': False, {shape}, }}"
    magic = numpy.lib.format.magic(1, 0)
    room = HEADER - len(magic) - 2
    return magic + room.to_bytes(2, "little") + text.ljust(room - 1).encode("ascii") + b"\n"


def landmark_bytes(landmarks: FloatArray) -> bytes:
    """One row as it stands in the file."""
    return np.ascontiguousarray(landmarks, np.float16).tobytes()


def read_row(path: Path, row: int) -> FloatArray | None:
    """One row [478, 3] of a file that may still grow; None if it is not there yet."""
    try:
        with path.open("rb") as file:
            file.seek(HEADER + row * ROW)
            data = file.read(ROW)
    except OSError:
        return None
    if len(data) < ROW:
        return None
    return np.frombuffer(data, np.float16).reshape(SHAPE).astype(np.float32)


def read_landmarks(path: Path) -> npt.NDArray[np.float16]:
    """All whole rows [n, 478, 3], mapped and not loaded, of a file that is complete or not.

    Raises SessionError if the file is missing or not such a file.
    """
    try:
        with path.open("rb") as file:
            header = file.read(HEADER)
            rows = (os.fstat(file.fileno()).st_size - HEADER) // ROW
        if len(header) < HEADER or not _is_ours(header):
            raise ValueError(f"not float16 [n, {SHAPE[0]}, {SHAPE[1]}]")
        if rows == 0:
            return np.zeros((0, *SHAPE), np.float16)
        return np.memmap(path, np.float16, "r", HEADER, (rows, *SHAPE))
    except (OSError, ValueError) as error:
        raise SessionError(f"{path} cannot be read: {error}") from error


def declared_rows(path: Path) -> int:
    """The number of rows that the header tells; 0 while the file grows. Raises as above."""
    try:
        with path.open("rb") as file:
            return int(_header_of(file.read(HEADER))[0][0])
    except (OSError, ValueError) as error:
        raise SessionError(f"{path} cannot be read: {error}") from error


def _header_of(header: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    file = io.BytesIO(header)
    numpy.lib.format.read_magic(file)
    shape, _, dtype = numpy.lib.format.read_array_header_1_0(file)
    return shape, dtype


def _is_ours(header: bytes) -> bool:
    shape, dtype = _header_of(header)
    return len(shape) == 3 and shape[1:] == SHAPE and dtype == np.float16
