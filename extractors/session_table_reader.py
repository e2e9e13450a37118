"""Reads a table of a session, sealed as Parquet or still an Arrow stream, as far as it can be."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from extractors.recording.arrow_stream import SUFFIX, whole_batches
from extractors.session_layout import TENTATIVE, table_path
from extractors.session_tables import ADDED, schema_of

__all__ = ["first_line", "newest", "read_table", "table_batches", "tentative_batches"]

Report = Callable[[Path, str], None]


def table_batches(
    folder: Path, name: str, columns: Sequence[str] | None = None, report: Report | None = None
) -> Iterator[Any]:
    """The record batches of a table, up to where it is damaged.

    Columns that earlier versions did not write are null. `report(path, why)` is called for what
    cannot be read; nothing is raised.
    """
    import pyarrow
    import pyarrow.parquet

    path, stream = table_path(folder, name), table_path(folder, name, SUFFIX)
    if stream.exists() and not path.exists():
        try:
            last = -np.inf
            for batch in whole_batches(stream, report):
                last = max(last, newest(batch))
                yield _completed(batch, name, columns)
            if name in TENTATIVE:
                for batch in tentative_batches(folder, name, last, report):
                    yield _completed(batch, name, columns)
        except OSError as error:
            if report is not None:
                report(stream, error.strerror or str(error))
        return
    try:
        with path.open("rb") as file:  # Arrow itself refuses names that are not UTF-8
            table = pyarrow.parquet.ParquetFile(file, page_checksum_verification=True)
            there = table.schema_arrow.names
            for column in columns or ():
                if column not in there and column not in ADDED.get(name, ()):
                    raise ValueError(f"it has no column {column}")
            read = None if columns is None else [column for column in columns if column in there]
            for batch in table.iter_batches(columns=read):
                yield _completed(batch, name, columns)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        if report is not None:
            missing = isinstance(error, FileNotFoundError)
            report(path, "is missing" if missing else f"cannot be read: {first_line(error)}")


def tentative_batches(
    folder: Path, name: str, after: float, report: Report | None = None
) -> Iterator[Any]:
    """Rows later than `after` seconds that were recorded before they were settled."""
    path = folder / TENTATIVE[name]
    if path.exists():
        for batch in whole_batches(path, report):
            if newest(batch) > after:
                yield batch.filter(batch["time"].to_numpy() > after)


def newest(batch: Any) -> float:
    """The latest time in a record batch; minus infinity of an empty one."""
    return float(batch["time"].to_numpy().max()) if len(batch) else -np.inf


def _completed(batch: Any, name: str, columns: Sequence[str] | None) -> Any:
    """A batch with the columns asked for, or all, and null for what was not written then."""
    import pyarrow

    schema = schema_of(name)
    for column in ADDED.get(name, ()):
        if column not in batch.schema.names and (columns is None or column in columns):
            field = schema.field(column)
            batch = batch.append_column(field, pyarrow.nulls(batch.num_rows, field.type))
    return batch if columns is None else batch.select(list(columns))


def read_table(folder: Path, name: str, columns: Sequence[str] | None, report: Report) -> Any:
    """A pyarrow.Table in the order of time, with the columns asked for or all that are known.

    It is as long as it can be read, and may be empty; `report` is called as above.
    """
    import pyarrow

    schema = schema_of(name)
    wanted = schema.names if columns is None else list(columns)
    read = wanted if "time" in wanted else [*wanted, "time"]
    target = pyarrow.schema([schema.field(column) for column in read])
    batches = list(table_batches(folder, name, read, report))
    path = table_path(folder, name)
    try:
        table = pyarrow.Table.from_batches(batches, None if batches else target)
        table = table.cast(_as_wide(target, table.schema))
    except (pyarrow.ArrowException, ValueError) as error:
        report(path, f"cannot be read: {first_line(error)}")
        table = target.empty_table()
    return _in_time_order(table, path, report).select(wanted)


def _as_wide(target: Any, written: Any) -> Any:
    """The schema with vectors as wide as they were written: those of the voice have grown."""
    import pyarrow

    for index, field in enumerate(target):
        known, found = field.type, written.field(field.name).type
        fixed = pyarrow.types.is_fixed_size_list
        if fixed(known) and fixed(found):
            wide = pyarrow.list_(known.value_type, found.list_size)
            target = target.set(index, field.with_type(wide))
    return target


def _in_time_order(table: Any, path: Path, report: Report) -> Any:
    time = table["time"].to_numpy()
    known = np.isfinite(time)
    if not known.all():
        report(path, f"has {int((~known).sum())} rows without a time; they are left out")
        table, time = table.filter(known), time[known]
    if (np.diff(time) < 0).any():
        report(path, "has times that go backwards; its rows are sorted")
        table = table.take(np.argsort(time, kind="stable"))
    return table


def first_line(error: Exception) -> str:
    """What an error says, on one line."""
    text = getattr(error, "strerror", None) or str(error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__
