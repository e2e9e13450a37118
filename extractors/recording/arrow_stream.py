"""Tables that grow by appending, as Arrow IPC streams, and what can be read of one cut off."""

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from extractors.recording.disk import GrowingFile
from extractors.session_tables import Row, schema_of

__all__ = ["SUFFIX", "StreamTable", "whole_batches"]

SUFFIX = ".arrows"
CHECKSUM = b"crc32"


class StreamTable:
    """One table of a session while it is recorded. A batch carries the CRC-32 of its values.

    After a power cut a file system may give back a file of the right length whose last pages were
    never written; Arrow itself would read numbers out of them.
    """

    def __init__(self, name: str, file: GrowingFile) -> None:
        import pyarrow.ipc

        self._arrow = pyarrow
        self._schema = schema_of(name)
        self._file = file
        self._rows: list[Row] = []
        self._stream = pyarrow.ipc.new_stream(pyarrow.PythonFile(file, "w"), self._schema)

    def add(self, row: Row) -> None:
        self._rows.append(row)

    def flush(self) -> None:
        """Hand the rows so far to the disk, as one batch."""
        rows, self._rows = self._rows, []
        if rows:
            columns = [
                self._arrow.array([row[field.name] for row in rows], field.type)
                for field in self._schema
            ]
            batch = self._arrow.record_batch(columns, schema=self._schema)
            self._stream.write_batch(batch, {CHECKSUM: b"%08x" % checksum(batch)})

    def close(self) -> None:
        self.flush()
        self._stream.close()


def checksum(batch: Any) -> int:
    """CRC-32 of a record batch's values and validity, whatever its buffers are padded with."""
    value = 0
    for column in batch.columns:
        for buffer in _buffers(column):
            value = zlib.crc32(buffer, value)
    return value


def _buffers(array: Any) -> Iterator[memoryview]:
    for buffer in array.buffers():
        if buffer is not None:
            yield memoryview(buffer)


def whole_batches(path: Path, report: Callable[[Path, str], None] | None = None) -> Iterator[Any]:
    """The record batches of a stream up to where it was cut off or is damaged.

    Nothing is raised for what is damaged, but `report` is told: a file that holds nothing gives
    nothing. Raises OSError if the file cannot be opened.
    """
    import pyarrow
    import pyarrow.ipc

    rows = 0
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return  # nothing was written yet
        try:
            stream = pyarrow.ipc.open_stream(file)
            while True:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
                batch.validate(full=True)  # lengths may be damaged that no checksum covers
                declared = (metadata or {}).get(CHECKSUM)
                if declared is not None and declared != b"%08x" % checksum(batch):
                    raise ValueError("a checksum is wrong")
                rows += len(batch)
                yield batch
        except StopIteration:
            return
        except (pyarrow.ArrowException, OSError, ValueError):
            if report is not None:
                report(path, f"is cut off after {rows} rows")
