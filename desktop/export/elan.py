"""ELAN: annotations (EAF 3.0), with the curves as a linked time series.

ELAN shows the curves through two more files: a table and a `_tsconf.xml` that says which column is
which track. It looks for linked files beside the .eaf when they are not at the address given.
"""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np

from desktop.export.legible import legible
from desktop.export.material import (
    Material,
    Stretch,
    material,
    presence,
    strongest,
    word_stretches,
)
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.whole_files import WholeFiles, whole_files
from desktop.palette import LIGHT
from extractors.features import EMOTIONS
from extractors.session import Session
from extractors.session_layout import MANIFEST

__all__ = ["export_elan"]

TABLE = "_timeseries.csv"
CONFIGURATION = "_tsconf.xml"
MIME = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".mkv": "video/x-matroska",
    ".webm": "video/webm", ".avi": "video/x-msvideo", ".mpg": "video/mpeg", ".wav": "audio/x-wav",
    ".mp3": "audio/mpeg", ".m4a": "audio/mp4",
}  # fmt: skip
READER = "mpi.eudico.client.annotator.timeseries.csv.CSVServiceProvider"
"""The name by which ELAN knows its reader of tables."""
MARK = 0.2
"""Seconds that a marker lasts: an annotation needs a length."""


def export_elan(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """Tiers words, emotion, face, voice and markers, and the curves of the timeline.

    The recording is linked unless something is to be left out.
    """
    options = options or ExportOptions()
    found = material(session, options)
    media = None if options.private else session.media
    date = _date(session)
    progress(0.0)
    with whole_files(path, options.replace) as files:
        _write(_annotations(found, files, media, date, options.private), files.place())
        if len(found.timeline):
            _write_table(found, files.place(TABLE))
            _write(_configuration(found, files, date, options.private), files.place(CONFIGURATION))
    return Exported(files.files, found.missing)


def _date(session: Session) -> str:
    """When it was recorded or analysed, not exported: the same session gives the same bytes."""
    seconds = int((session.folder / MANIFEST).stat().st_mtime)
    return str(session.manifest.get("recorded") or datetime.fromtimestamp(seconds, UTC).isoformat())


def _write(root: Element, path: Path) -> None:
    indent(root)
    with path.open("wb") as file:
        ElementTree(root).write(file, encoding="UTF-8", xml_declaration=True)


def _address(path: Path, private: bool) -> str:
    """Of a file beside the .eaf; from a private export nobody reads whose folder that was."""
    return f"./{legible(path.name)}" if private else f"file://{legible(path.absolute().as_posix())}"


def _annotations(
    found: Material, files: WholeFiles, media: Path | None, date: str, private: bool
) -> Element:
    root = Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "Affectscope", "DATE": date, "FORMAT": "3.0", "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )  # fmt: skip
    header = SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if media is not None:
        mime = MIME.get(media.suffix.lower(), "unknown")
        address = _address(media, private)
        SubElement(header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": address, "MIME_TYPE": mime})
    if len(found.timeline):
        for ending, mime in ((TABLE, "text/plain"), (CONFIGURATION, "text/xml")):
            name = legible(files.final(ending).name)
            SubElement(
                header,
                "LINKED_FILE_DESCRIPTOR",
                {
                    "LINK_URL": _address(files.final(ending), private),
                    "RELATIVE_LINK_URL": f"./{name}",
                    "MIME_TYPE": mime,
                    "TIME_ORIGIN": "0",
                },
            )
    tiers = {
        "words": word_stretches(found),
        "emotion": strongest(found),
        "face": presence(found, "face"),
        "voice": presence(found, "voice"),
        "markers": _marks(found),
    }
    SubElement(header, "PROPERTY", {"NAME": "lastUsedAnnotationId"}).text = str(
        sum(map(len, tiers.values()))
    )
    _add_tiers(root, tiers)
    SubElement(
        root,
        "LINGUISTIC_TYPE",
        {
            "LINGUISTIC_TYPE_ID": "default-lt",
            "TIME_ALIGNABLE": "true",
            "GRAPHIC_REFERENCES": "false",
        },
    )
    return root


def _marks(found: Material) -> list[Stretch]:
    marks = sorted(found.marks, key=lambda mark: mark.time)
    nexts = [*(mark.time for mark in marks), float("inf")][1:]
    return [
        Stretch(mark.time, min(mark.time + MARK, after), f"{mark.label} {mark.note}".strip())
        for mark, after in zip(marks, nexts, strict=False)
    ]


def _add_tiers(root: Element, tiers: Mapping[str, Sequence[Stretch]]) -> None:
    order = SubElement(root, "TIME_ORDER")
    slots = 0
    number = 0
    for name, stretches in tiers.items():
        tier = SubElement(root, "TIER", {"TIER_ID": name, "LINGUISTIC_TYPE_REF": "default-lt"})
        last = 0
        for stretch in stretches:
            start = max(last, round(1000 * stretch.start))
            last = max(round(1000 * stretch.end), start + 1)
            for time in (start, last):
                slots += 1
                SubElement(
                    order, "TIME_SLOT", {"TIME_SLOT_ID": f"ts{slots}", "TIME_VALUE": str(time)}
                )
            number += 1
            annotation = SubElement(SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION")
            annotation.set("ANNOTATION_ID", f"a{number}")
            annotation.set("TIME_SLOT_REF1", f"ts{slots - 1}")
            annotation.set("TIME_SLOT_REF2", f"ts{slots}")
            SubElement(annotation, "ANNOTATION_VALUE").text = legible(stretch.label)


def _write_table(found: Material, path: Path) -> None:
    """Time in seconds and the curves; rows where nothing is known are left out, as a gap."""
    timeline = found.timeline
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        tracks = _tracks(found)
        writer.writerow(["time", *(name for name, _, _ in tracks)])
        for i in np.flatnonzero(timeline.known):
            values = (*timeline.emotions[i], timeline.sentiment[i], timeline.uncertainty[i])
            texts = (f"{value:.5f}" for value in values[: len(tracks)])
            writer.writerow([f"{timeline.time[i]:.3f}", *texts])


def _tracks(found: Material) -> list[tuple[str, str, str]]:
    """Name, lowest and highest value of each curve."""
    tracks = [*((name, "0.0", "1.0") for name in EMOTIONS), ("sentiment", "-3.0", "3.0")]
    timeline = found.timeline
    if np.isfinite(timeline.uncertainty[timeline.known]).all():  # older sessions did not keep it
        tracks.append(("uncertainty", "0.0", "1.0"))
    return tracks


def _configuration(found: Material, files: WholeFiles, date: str, private: bool) -> Element:
    root = Element("timeseries", {"date": date, "version": "1.0"})
    source = SubElement(
        root,
        "tracksource",
        {
            "source-url": _address(files.final(TABLE), private),
            "sample-type": "Discontinuous Rate",
            "time-column": "0",
        },
    )
    SubElement(source, "property", {"key": "provider", "value": READER})
    for column, (name, low, high) in enumerate(_tracks(found), 1):
        track = SubElement(source, "track", {"name": name, "derivative": "0"})
        SubElement(track, "property", {"key": "detect-range", "value": "false"})
        position = SubElement(track, "sample-position")
        SubElement(position, "pos", {"row": "0", "col": str(column)})
        SubElement(track, "description")
        SubElement(track, "units")
        SubElement(track, "range", {"min": low, "max": high})
        color = (*LIGHT.emotions, LIGHT.text, LIGHT.muted)[column - 1]
        red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
        SubElement(track, "color").text = f"{red},{green},{blue}"
    return root
