"""The table of export formats, and one call for several of them.

It imports the standard library alone, so that `--help` can list the formats at once.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assets.errors import BadInput
from desktop.export.options import Exported, ExportOptions, Progress, no_progress

if TYPE_CHECKING:
    from extractors.session import Session

__all__ = ["FORMATS", "Exporter", "Format", "export", "format_named"]


class Exporter(Protocol):
    """Writes a session as one format. Raises SessionError and BadInput."""

    def __call__(
        self, session: "Session", path: Path, options: ExportOptions, progress: Progress
    ) -> Exported: ...


class Format(NamedTuple):
    """One entry of the table. The module is imported when it is used."""

    name: str
    suffix: str
    description: str
    module: str
    function: str

    @property
    def exporter(self) -> Exporter:
        exporter: Exporter = getattr(import_module(self.module), self.function)
        return exporter


FORMATS = (
    Format(
        "csv", ".csv", "tidy tables as text, for any program",
        "desktop.export.tables", "export_csv",
    ),
    Format(
        "parquet", ".parquet", "the same tables with their types, for pandas, R and DuckDB",
        "desktop.export.tables", "export_parquet",
    ),
    Format(
        "vtt", ".vtt", "WebVTT subtitles with the time of every word",
        "desktop.export.subtitles", "export_vtt",
    ),
    Format(
        "srt", ".srt", "SubRip subtitles, for every video player",
        "desktop.export.subtitles", "export_srt",
    ),
    Format(
        "elan", ".eaf", "ELAN annotations with tiers and a linked time series",
        "desktop.export.elan", "export_elan",
    ),
    Format(
        "textgrid", ".TextGrid", "Praat annotations",
        "desktop.export.textgrid", "export_textgrid",
    ),
    Format(
        "xdf", ".xdf", "Extensible Data Format, as the Lab Streaming Layer records it",
        "desktop.export.xdf", "export_xdf",
    ),
    Format(
        "mp4", ".mp4", "the recording with the trajectory burnt in",
        "desktop.export.trajectory_video", "export_mp4",
    ),
    Format(
        "html", ".html", "a report in one file: player, trajectory, words, summary",
        "desktop.export.report", "export_html",
    ),
)  # fmt: skip


def format_named(name: str) -> Format:
    """The format of that name. Raises BadInput, listing all, if there is none."""
    for entry in FORMATS:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in FORMATS)
    raise BadInput(f"there is no export format {name!r}; choose from {names}")


def export(
    session: "Session",
    formats: Sequence[str],
    out: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> list[tuple[Format, Exported]]:
    """Write a session as each of the formats, named after its folder, into the folder `out`.

    With one format `out` may be the file itself, told by the format's suffix; that of another
    format is refused. Each format is whole
    or not there; those before one that fails stay. Raises SessionError and BadInput.
    """
    options = options or ExportOptions()
    entries = [format_named(name) for name in dict.fromkeys(formats)]
    if not entries:
        raise BadInput("name at least one export format")
    kinds = {entry.suffix.lower() for entry in FORMATS}
    is_file = out.suffix.lower() in kinds and not out.is_dir()
    if is_file and len(entries) > 1:
        raise BadInput(f"{out} is the name of one file, and there are several; give a folder")
    if is_file and entries[0].suffix.lower() != out.suffix.lower():
        raise BadInput(f"{out} does not end in {entries[0].suffix}; give such a name, or a folder")
    done = []
    for number, entry in enumerate(entries):

        def part(share: float, number: int = number) -> None:
            progress((number + share) / len(entries))

        path = out / f"{session.folder.resolve().name}{entry.suffix}"
        if is_file:
            path = out
        done.append((entry, entry.exporter(session, path, options, part)))
        part(1.0)
    return done
