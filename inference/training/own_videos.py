"""A user's own labelled recordings: files, and a table of labels beside them.

`labels.csv` has a line per label: `file`, relative to the folder, and `emotion`, `sentiment` or
both. Optional columns: `person`, whom a split keeps together (else every file is a person of its
own); `start` and `end` in seconds, if the label is of a part of the recording; `split`, one of
`SPLITS`, see `inference.training.split.parts_by_person`.
"""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from assets.errors import BadInput
from extractors.features import EMOTIONS
from inference.training.labelled_item import LabelledItem

__all__ = ["LABELS", "read_own_videos"]

LABELS = "labels.csv"
SPLITS = ("train", "valid", "dev", "test")
"""What a split may be; an empty one is `train`."""
COLUMNS = ("file", "emotion", "sentiment", "person", "start", "end", "split")


def read_own_videos(folder: Path) -> Iterator[LabelledItem]:
    """The labelled parts of recordings, in the order of the table.

    Raises BadInput, naming file, line and column, for what cannot be read or is out of range, for
    a label that is there twice and for a person in two parts of the split: who is trained on
    cannot be tested on. A recording that is missing is an item like others: it fails when it is
    opened.
    """
    path = folder / LABELS
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(csv.DictReader(file, strict=True), path)
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing; it must have the columns file and emotion") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not a CSV file in UTF-8: {error}") from error


def _rows(table: "csv.DictReader[str]", path: Path) -> Iterator[LabelledItem]:
    names = table.fieldnames or ()
    if "file" not in names:
        raise BadInput(f"{path} has no column file")
    if "emotion" not in names and "sentiment" not in names:
        raise BadInput(f"{path} has neither a column emotion nor a column sentiment")
    for name in names:
        if name not in COLUMNS:
            raise BadInput(f"{path}: unknown column {name}; known are {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise BadInput(f"{path} has two columns {name}")
    known: set[str] = set()
    parts: dict[str, str] = {}
    for row in table:
        where = f"{path} line {table.line_num}"
        if None in row:  # where the reader puts values beyond the last column
            raise BadInput(f"{where} has more values than there are columns")
        item = _item({k: (v or "").strip() for k, v in row.items()}, where, path)
        if item.id in known:
            raise BadInput(f"{where}: {item.id} has a label already")
        known.add(item.id)
        part = item.split or "train"
        if parts.setdefault(item.person, part) != part:
            raise BadInput(
                f"{where}: split is {part}, and {item.person} is in {parts[item.person]} already; "
                "a person belongs to one part"
            )
        yield item


def _item(row: dict[str, str], where: str, path: Path) -> LabelledItem:
    name, emotion = row["file"], row.get("emotion", "")
    if not name:
        raise BadInput(f"{where}: file is empty")
    if emotion and emotion not in EMOTIONS:
        raise BadInput(f"{where}: emotion is {emotion!r}; known are {', '.join(EMOTIONS)}")
    sentiment = _number(row, "sentiment", math.nan, where)
    if not math.isnan(sentiment) and not -3 <= sentiment <= 3:
        raise BadInput(f"{where}: sentiment is {sentiment:g}, not in [-3, 3]")
    if not emotion and math.isnan(sentiment):
        raise BadInput(f"{where} has neither an emotion nor a sentiment")
    split = row.get("split", "")
    if split and split not in SPLITS:
        raise BadInput(f"{where}: split is {split!r}; known are {', '.join(SPLITS)}")
    start, end = _number(row, "start", 0.0, where), _number(row, "end", math.inf, where)
    if not 0 <= start < end:
        raise BadInput(f"{where}: start and end are {start:g} and {end:g} s")
    whole = start == 0 and end == math.inf
    return LabelledItem(
        id=name if whole else f"{name} {start:g}-{end:g} s",
        person=row.get("person") or name,
        emotion=emotion or None,
        sentiment=sentiment,
        path=path.parent / name,
        split=split,
        start=start,
        end=end,
    )


def _number(row: dict[str, str], column: str, default: float, where: str) -> float:
    text = row.get(column, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise BadInput(f"{where}: {column} is {text!r}, not a number") from error
    if not math.isfinite(value):
        raise BadInput(f"{where}: {column} is {text!r}, not a finite number")
    return value
