"""CSV and Parquet: tidy tables, one per kind of thing that was observed.

Every column is a variable, every row one observation, every cell one value; all tables begin with
the name of the session, so that those of many sessions can be put below each other.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assets.errors import SessionError
from desktop.export.legible import legible
from desktop.export.material import Material, material
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.whole_files import whole_files
from extractors.features import EMOTIONS
from extractors.session import Session
from extractors.session_tables import PRESENCE, SPACES
from extractors.stream import to_seconds
from extractors.timeline import EDGES

__all__ = ["export_csv", "export_parquet", "tidy_tables"]


def export_csv(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """The timeline as `path`, the other tables beside it: "a.csv", "a.words.csv" and so on.

    UTF-8 with a header; absent values are empty.
    """
    import pyarrow.csv

    def write(table: Any, file: Any) -> None:
        pyarrow.csv.write_csv(table, file)

    return _export(session, path, options or ExportOptions(), progress, write)


def export_parquet(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """As `export_csv`, with the types kept and absent values null."""
    import pyarrow.parquet

    def write(table: Any, file: Any) -> None:
        pyarrow.parquet.write_table(table, file, compression="zstd")

    return _export(session, path, options or ExportOptions(), progress, write)


def _export(
    session: Session,
    path: Path,
    options: ExportOptions,
    progress: Progress,
    write: Callable[[Any, Any], None],
) -> Exported:
    found = material(session, options)
    with whole_files(path, options.replace) as files:
        for number, (name, table) in enumerate(tidy_tables(session, found)):
            progress(number / 6)
            ending = "" if name == "timeline" else f".{name}{path.suffix}"
            # Python's file: Arrow itself refuses names that are not UTF-8
            with files.place(ending).open("wb") as file:
                write(table, file)
    return Exported(files.files, found.missing)


def tidy_tables(session: Session, found: Material) -> Iterator[tuple[str, Any]]:
    """Name and pyarrow.Table of each table of which the session has rows, the timeline always."""
    yield "timeline", _named(found, _timeline(found))
    for name, table in (
        ("graph", _graph(found)),
        ("atoms", _atoms(session)),
        ("words", _words(found)),
        ("markers", _markers(found)),
        ("face", found.face),
        ("voice", found.voice),
    ):
        if table is not None and table.num_rows:
            yield name, _named(found, table)


def _named(found: Material, table: Any) -> Any:
    import pyarrow

    names = pyarrow.array([legible(found.name)] * table.num_rows, pyarrow.string())
    return table.add_column(0, "session", names)


def _timeline(found: Material) -> Any:
    import pyarrow

    timeline = found.timeline
    columns = {"time": pyarrow.array(timeline.time)}
    for index, emotion in enumerate(EMOTIONS):
        columns[emotion] = pyarrow.array(timeline.emotions[:, index])
    columns["sentiment"] = pyarrow.array(timeline.sentiment, from_pandas=True)  # NaN becomes null
    for index, name in reversed(list(enumerate(PRESENCE))):
        columns[name] = pyarrow.array(timeline.present[:, index])
    columns["uncertainty"] = pyarrow.array(timeline.uncertainty, from_pandas=True)
    return pyarrow.table(columns)


def _graph(found: Material) -> Any:
    """One row per window, space and edge."""
    import pyarrow

    timeline = found.timeline
    rows, edges = len(timeline), len(EDGES)
    weights = np.stack([timeline.homogeneous, timeline.heterogeneous], axis=1)  # [n, 2, 6]
    return pyarrow.table(
        {
            "time": pyarrow.array(np.repeat(timeline.time, 2 * edges)),
            "space": pyarrow.array([space for space in SPACES for _ in EDGES] * rows, "string"),
            "teacher": pyarrow.array([teacher for teacher, _ in EDGES] * 2 * rows, "string"),
            "student": pyarrow.array([student for _, student in EDGES] * 2 * rows, "string"),
            "weight": pyarrow.array(weights.reshape(-1)),
        }
    )


def _atoms(session: Session) -> Any:
    """One row per window, space and atom that is active; None if they cannot be read."""
    import pyarrow
    import pyarrow.compute as compute

    parts = []
    for space in SPACES:
        names = [f"{space}_atoms", f"{space}_activations"]
        try:
            table = session.table("timeline", ["time", *names])
        except SessionError:
            return None
        atoms, activations = (table[name].combine_chunks() for name in names)
        parent = compute.list_parent_indices(atoms)
        flat = compute.list_flatten(atoms)
        parts.append(
            pyarrow.table(
                {
                    "time": table["time"].combine_chunks().take(parent),
                    "space": pyarrow.array([space] * len(flat), "string"),
                    "atom": flat,
                    "activation": compute.list_flatten(activations),
                }
            )
        )
    order = [("time", "ascending"), ("space", "descending"), ("atom", "ascending")]
    return pyarrow.concat_tables(parts).sort_by(order)


def _words(found: Material) -> Any:
    import pyarrow

    words = found.words
    return pyarrow.table(
        {
            "start": pyarrow.array([to_seconds(word.start) for word in words], "float64"),
            "end": pyarrow.array([to_seconds(word.end) for word in words], "float64"),
            "word": pyarrow.array([word.text for word in words], "string"),
            "probability": pyarrow.array([word.probability for word in words], "float32"),
        }
    )


def _markers(found: Material) -> Any:
    import pyarrow

    return pyarrow.table(
        {
            "time": pyarrow.array([mark.time for mark in found.marks], "float64"),
            "label": pyarrow.array([mark.label for mark in found.marks], "string"),
            "note": pyarrow.array([mark.note for mark in found.marks], "string"),
        }
    )
