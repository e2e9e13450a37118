"""From the streams of a recording to the tables of a session."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from extractors.manifest_file import make_durable
from extractors.parquet_table import ParquetTable
from extractors.recording.arrow_stream import SUFFIX, whole_batches
from extractors.recording.synchrony import certificate
from extractors.session_layout import TENTATIVE, table_path
from extractors.session_table_reader import newest, table_batches, tentative_batches
from extractors.session_tables import TABLES, schema_of

__all__ = ["columns_of", "seal"]

GROUP = 4096
"""Rows in a row group."""


def seal(folder: Path, landmark_rows: int | None = None) -> dict[str, Any]:
    """Turn every Arrow stream into a Parquet file. Returns what the manifest says of the tables.

    A stream is removed only when its Parquet file is on the disk. One for which there is no room
    stays, is read as it is, and is sealed by a later call. Rows of the table `face` that name a row
    of landmarks from `landmark_rows` on name none afterwards.
    """
    streams = {}
    tentative = {name: _first_tentative(folder, name) for name in TENTATIVE}
    for name in TABLES:
        with suppress(OSError):
            _seal_table(folder, name, landmark_rows)
        streams[name] = _summary(folder, name)
    for name, first in tentative.items():
        if first is not None:
            streams[name]["tentative_from"] = first
    ends = [found["until"] for found in streams.values() if found["until"] is not None]
    return {
        "duration": max(ends, default=0.0),
        "streams": streams,
        "synchrony": certificate(columns_of(folder, "pictures"), columns_of(folder, "sound")),
    }


def columns_of(
    folder: Path, name: str, columns: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The columns of a table as NumPy arrays, piece by piece; absent numbers are NaN."""
    for batch in table_batches(folder, name, columns):
        yield {
            column: batch[column].to_numpy(zero_copy_only=False) for column in batch.schema.names
        }


def _summary(folder: Path, name: str) -> dict[str, Any]:
    rows, since, until = 0, np.inf, -np.inf
    for piece in columns_of(folder, name, ["time"]):
        time = piece["time"][np.isfinite(piece["time"])]
        rows += len(time)
        if len(time):
            since, until = min(since, time.min()), max(until, time.max())
    return {
        "rows": rows,
        "from": float(since) if rows else None,
        "until": float(until) if rows else None,
    }


def _first_tentative(folder: Path, name: str) -> float | None:
    """Time of the first row that was never settled."""
    stream = table_path(folder, name, SUFFIX)
    if not stream.exists():
        return None
    settled = max(map(newest, whole_batches(stream)), default=-np.inf)
    first = next(tentative_batches(folder, name, settled), None)
    return None if first is None else float(first["time"][0].as_py())


def _seal_table(folder: Path, name: str, landmark_rows: int | None) -> None:
    stream, final = table_path(folder, name, SUFFIX), table_path(folder, name)
    if not final.exists():
        final.parent.mkdir(exist_ok=True)
        beside = final.with_suffix(".parquet.new")
        groups = _groups(folder, name)
        first = next(groups, None)
        table = ParquetTable(beside, name, None if first is None else first.schema)
        try:
            for group in chain([] if first is None else [first], groups):
                if name == "face" and landmark_rows is not None:
                    group = _without_lost(group, landmark_rows)
                table.add_table(group)
            table.close()
            make_durable(beside)
            beside.replace(final)
        except BaseException:
            table.discard()
            beside.unlink(missing_ok=True)
            raise
    stream.unlink(missing_ok=True)
    if name in TENTATIVE:
        (folder / TENTATIVE[name]).unlink(missing_ok=True)


def _groups(folder: Path, name: str) -> Iterator[Any]:
    """Tables of at least `GROUP` rows, but for the last."""
    import pyarrow

    held: list[Any] = []
    rows = 0
    for batch in table_batches(folder, name):
        held.append(batch)
        rows += len(batch)
        if rows >= GROUP:
            yield pyarrow.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield pyarrow.Table.from_batches(held)


def _without_lost(face: Any, landmark_rows: int) -> Any:
    import pyarrow

    index = schema_of("face").get_field_index("landmark_row")
    rows = face["landmark_row"].to_numpy()
    rows = np.where(rows < landmark_rows, rows, -1).astype(np.int32)
    return face.set_column(index, face.schema.field(index), pyarrow.array(rows))
