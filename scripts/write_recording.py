"""What a long recording keeps, in docs/formats.md.

    python scripts/write_recording.py

The numbers come from docs/recording.json, into which benchmarks/recorder_cost.py writes; it calls
this. They stand between marker comments; the text around them is left alone.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.errors import BadInput

__all__ = ["PAGE", "RECORDS", "add", "with_numbers", "write"]

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, RECORDS = DOCS / "formats.md", DOCS / "recording.json"
BEGIN, END = "<!-- recording: begin -->", "<!-- recording: end -->"


def summary(record: Mapping[str, Any]) -> str:
    """What one run gave."""
    given, found, sync = record["given"], record["in_file"], record["synchrony"]
    width, height = record["size"]
    memory = record["memory_mib"]
    lines = [
        f"{record['minutes']:g} minutes of session time, {width} x {height} at "
        f"{record['pictures_per_second']} pictures a second, a sound device {record['ppm']:g} ppm "
        f"({record['ppm'] * 3.6:.0f} ms an hour) too fast, as fast as the recorder takes them:",
        "",
        f"- in the file are {found['pictures']} of {given['pictures']} pictures and "
        f"{found['sound_s']} of {given['sound_s']} s of sound; problems: "
        f"{'; '.join(record['problems']) or 'none'}",
        f"- the certificate: offset {sync['offset_ms']} ms, at worst {sync['worst_ms']} ms, drift "
        f"{sync['drift_ms_per_hour']} ms an hour, dropped pictures {sync['dropped_frames']}",
        f"- memory in use {memory[1]:.0f} MiB after a twelfth, {memory[-1]:.0f} MiB at the end; "
        f"{record['peak_mib']} MiB at most, with the {record['mib_per_hour']} MiB an hour on disk",
        f"- {record['core']:.3f} of a core of real time, of which encoding alone takes "
        f"{record['bare_core']:.3f}; made complete in {record['finish_s']:.1f} s",
        f"- a picture at a random place is decoded in {record['seek_ms']['median']:.0f} ms in the "
        f"median, {record['seek_ms']['worst']:.0f} ms at most, opening the file included",
    ]
    return "\n".join(lines)


def key(record: Mapping[str, Any]) -> str:
    """Names a run; a later one of the same kind takes its place."""
    return f"{record['minutes']:g} minutes, {record['size'][1]} lines"


def add(record: Mapping[str, Any]) -> None:
    """Put a run into the records, and write the page."""
    records = json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.exists() else {}
    records[key(record)] = record
    RECORDS.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    write()


def with_numbers(page: str, records: Mapping[str, Any]) -> str:
    """The page with its numbers. Raises BadInput if a marker is missing."""
    before, has_begin, rest = page.partition(BEGIN)
    _, has_end, after = rest.partition(END)
    if not has_begin or not has_end:
        raise BadInput(f"{PAGE.name} lacks the lines {BEGIN} and {END}")
    text = "\n\n".join(map(summary, records.values()))
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def write() -> None:
    """Write the page."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    PAGE.write_text(with_numbers(PAGE.read_text(encoding="utf-8"), records), encoding="utf-8")


if __name__ == "__main__":
    write()
