"""From the streams of a recording to the tables of a session."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extractors.parquet_table import ParquetTable
from extractors.recording.arrow_stream import SUFFIX, whole_batches
from extractors.recording.synchrony import certificate
from extractors.session_layout import table_path
from extractors.session_table_reader import table_batches
from extractors.session_tables import TABLES

__all__ = ["seal"]

GROUP = 4096
"""Rows in a row group."""


def seal(folder: Path) -> dict[str, Any]:
    """Turn every Arrow stream into a Parquet file, and return what the manifest says of them.

    A stream is removed only when its Parquet file is on the disk. Raises OSError if there is no
    room; whatever was not sealed is still there, and is read as it is.
    """
    streams: dict[str, Any] = {}
    for name in TABLES:
        path = table_path(folder, name, SUFFIX)
        if path.exists():
            streams[name] = _seal_table(path, name)
    ends = [found["until"] for found in streams.values() if found["until"] is not None]
    return {
        "duration": max(ends, default=0.0),
        "streams": streams,
        "synchrony": certificate(_pieces(folder, "pictures"), _pieces(folder, "sound")),
    }


def _pieces(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    for batch in table_batches(folder, name):
        yield {
            column: batch[column].to_numpy(zero_copy_only=False) for column in batch.schema.names
        }


def _seal_table(stream: Path, name: str) -> dict[str, Any]:
    final = stream.with_suffix(".parquet")
    beside = stream.with_suffix(".parquet.new")
    table = ParquetTable(beside, name)
    rows, since, until = 0, None, None
    try:
        for group in _groups(whole_batches(stream)):
            table.add_table(group)
            times = group["time"].to_numpy()
            rows += len(times)
            since = float(times.min()) if since is None else min(since, float(times.min()))
            until = float(times.max()) if until is None else max(until, float(times.max()))
        table.close()
        _make_durable(beside)
        beside.replace(final)
        stream.unlink()
    except BaseException:
        table.discard()
        beside.unlink(missing_ok=True)
        raise
    return {"rows": rows, "from": since, "until": until}


def _groups(batches: Iterator[Any]) -> Iterator[Any]:
    """Tables of at least `GROUP` rows, but for the last."""
    import pyarrow

    held: list[Any] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= GROUP:
            yield pyarrow.Table.from_batches(held)
            held = []
    if held:
        yield pyarrow.Table.from_batches(held)


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
