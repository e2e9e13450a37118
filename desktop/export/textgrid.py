"""Praat TextGrid, in the long text form that every reader knows."""

from collections.abc import Sequence
from pathlib import Path

from desktop.export.legible import legible
from desktop.export.material import (
    Mark,
    Material,
    Stretch,
    material,
    presence,
    strongest,
    word_stretches,
)
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.whole_files import whole_files
from extractors.session import Session

__all__ = ["export_textgrid"]


def export_textgrid(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """Interval tiers words, emotion, face and voice, and a point tier of markers."""
    options = options or ExportOptions()
    found = material(session, options)
    progress(0.0)
    with whole_files(path, options.replace) as files:
        files.place().write_text(_grid(found), encoding="utf-8", newline="\n")
    return Exported(files.files, found.missing)


def _grid(found: Material) -> str:
    tiers = {
        "words": word_stretches(found),
        "emotion": strongest(found),
        "face": presence(found, "face"),
        "voice": presence(found, "voice"),
    }
    end = max([found.duration, *(tier[-1].end for tier in tiers.values() if tier)])
    marks = [mark for mark in found.marks if 0 <= mark.time <= end]
    head = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end!r}",
        "tiers? <exists>", f"size = {len(tiers) + bool(marks)}", "item []:",
    ]  # fmt: skip
    body = [
        line
        for number, (name, stretches) in enumerate(tiers.items(), 1)
        for line in _interval_tier(number, name, stretches, end)
    ]
    # a point tier without points is an error to some readers
    points = _point_tier(len(tiers) + 1, "markers", marks, end) if marks else []
    return "\n".join([*head, *body, *points]) + "\n"


def _tier(number: int, kind: str, name: str, end: float) -> list[str]:
    return [
        f"    item [{number}]:", f'        class = "{kind}"', f"        name = {_quoted(name)}",
        "        xmin = 0", f"        xmax = {end!r}",
    ]  # fmt: skip


def _interval_tier(number: int, name: str, stretches: Sequence[Stretch], end: float) -> list[str]:
    """The stretches with empty ones between: intervals must follow each other without a gap."""
    filled: list[Stretch] = []
    at = 0.0
    for stretch in stretches:
        if stretch.start > at:
            filled.append(Stretch(at, stretch.start, ""))
        filled.append(stretch)
        at = stretch.end
    if at < end or not filled:
        filled.append(Stretch(at, end, ""))
    lines = [
        *_tier(number, "IntervalTier", name, end),
        f"        intervals: size = {len(filled)}",
    ]
    for index, stretch in enumerate(filled, 1):
        lines += [
            f"        intervals [{index}]:", f"            xmin = {float(stretch.start)!r}",
            f"            xmax = {float(stretch.end)!r}",
            f"            text = {_quoted(stretch.label)}",
        ]  # fmt: skip
    return lines


def _point_tier(number: int, name: str, marks: Sequence[Mark], end: float) -> list[str]:
    lines = [*_tier(number, "TextTier", name, end), f"        points: size = {len(marks)}"]
    for index, mark in enumerate(marks, 1):
        lines += [
            f"        points [{index}]:", f"            number = {float(mark.time)!r}",
            f"            mark = {_quoted(f'{mark.label} {mark.note}'.strip())}",
        ]  # fmt: skip
    return lines


def _quoted(text: str) -> str:
    return '"' + " ".join(legible(text).split()).replace('"', '""') + '"'
