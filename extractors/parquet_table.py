"""A Parquet file that is written in row groups."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from extractors.session_tables import Row, schema_of

__all__ = ["ParquetTable", "quietly"]

ROWS = 256
"""Rows held in memory before they are written."""


class ParquetTable:
    """A table of a session, see `session_tables.TABLES`."""

    def __init__(self, path: Path, name: str, schema: Any = None) -> None:
        """`schema`: a pyarrow.Schema of an earlier version, if it is not that of today."""
        import pyarrow
        import pyarrow.parquet

        self._arrow = pyarrow
        self._schema = schema_of(name) if schema is None else schema
        self._rows: list[Row] = []
        # Python's file: Arrow itself refuses names that are not UTF-8
        self._sink = path.open("wb")
        self._file = pyarrow.parquet.ParquetWriter(
            self._sink, self._schema, compression="zstd", write_page_checksum=True
        )

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            columns = [
                self._arrow.array([row[field.name] for row in self._rows], field.type)
                for field in self._schema
            ]
            self._rows = []
            self.add_table(self._arrow.table(columns, schema=self._schema))

    def add_table(self, table: Any) -> None:
        """Write a pyarrow.Table of the same schema as one row group."""
        self._file.write_table(table)

    def close(self) -> None:
        self.flush()
        self._file.close()
        self._sink.close()

    def discard(self) -> None:
        """Free what is held; the file is not usable."""
        self._rows = []
        for close in (self._file.close, self._sink.close):
            quietly(close)


def quietly(close: Callable[[], None]) -> None:
    """Close what belongs to a file that will be removed anyway, whatever the disk says."""
    with suppress(OSError, ValueError):
        close()
