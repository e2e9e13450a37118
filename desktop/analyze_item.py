"""One recording to one session folder and its summary, in whatever process it is asked for."""

import os
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.analysis import Analysis
    from inference.models import Models

__all__ = [
    "PICTURE",
    "Item",
    "Outcome",
    "among",
    "analyse",
    "found_in",
    "items_of",
    "on_the_cluster",
]

PICTURE = "trajectories.png"
MEDIA = frozenset({
    ".3gp", ".aac", ".avi", ".flac", ".flv", ".m4a", ".m4v", ".mkv", ".mov", ".mp3", ".mp4",
    ".mpeg", ".mpg", ".mts", ".oga", ".ogg", ".ogv", ".opus", ".ts", ".wav", ".webm", ".wma",
    ".wmv",
})  # fmt: skip
"""Names of files that are taken from a folder; a file that is named itself is always tried."""
WORTH_TELLING = 0.05
"""Seconds of sound; less is lost where two pieces of a damaged file meet."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be analysed, and how; small and picklable."""

    video: Path
    folder: Path
    checkpoint: str
    backend: str
    picture: bool
    cores: int | None = None
    """For how many its threads are planned, where others run beside it; None for all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an item."""

    summary: dict[str, Any]
    """Plain values, with "error" if it failed."""
    code: int
    """Its exit code: 0, 2 for bad input, else 1."""
    trace: str | None = None
    """Where the program failed, if that is no fault of the input."""
    remarks: tuple[str, ...] = ()
    """What else is to be told: a GPU that failed, and what goes on in its place."""


def found_in(places: Iterable[Path]) -> list[Path]:
    """The files named, and the recordings in the folders named, by name.

    Raises BadInput for a folder that holds none.
    """
    from assets.errors import BadInput

    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            found.append(place)
            continue
        inside = sorted(
            path for path in place.iterdir() if path.suffix.lower() in MEDIA and path.is_file()
        )
        if not inside:
            raise BadInput(f"{place} holds no video or sound file")
        found += inside
    return found


def items_of(
    videos: Iterable[Path], out: Path, checkpoint: str, backend: str, picture: bool
) -> list[Item]:
    """Items with folders of their own, the same however many run at once."""
    from extractors.session_writer import session_folder

    taken: set[Path] = set()
    items = []
    for video in videos:
        folder = session_folder(out, video, taken)
        taken.add(folder)
        items.append(Item(video, folder, checkpoint, backend, picture))
    return items


@cache
def _models(checkpoint: str, backend: str, cores: int | None) -> "Models":
    """Loaded once in each process."""
    # NumPy's threads would only get in the way of ours: it reads this when it is loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from extractors.native_memory import few_arenas
    from inference.compute_plan import compute_plan, this_machine
    from inference.models import Models

    few_arenas()
    machine = this_machine()
    plan = compute_plan(replace(machine, cores=cores or machine.cores))
    return Models(checkpoint, backend=backend, plan=plan)


def analyse(
    item: Item,
    models: "Models | None" = None,
    watch: "Callable[[Analysis, float], None] | None" = None,
) -> Outcome:
    """Analyse a recording; whatever is wrong with it is told in the outcome.

    `watch` is called several times a second with the analysis and the seconds since it began.
    """
    from assets.errors import AffectscopeError, BadInput

    remarks: list[str] = []
    try:
        used = models or _models(item.checkpoint, item.backend, item.cores)
        used.on_fallback = lambda _part, text: remarks.append(text)
        summary = _summary_of(item, used, watch)
        if item.picture:
            summary["picture"] = _draw(item.folder)
        return Outcome(summary, 0, remarks=tuple(remarks))
    except AffectscopeError as error:
        failed = {"video": str(item.video), "error": str(error)}
        code = 2 if isinstance(error, BadInput) else 1
        return Outcome(failed, code, remarks=tuple(remarks))
    except Exception as error:
        failed = {"video": str(item.video), "error": f"{type(error).__name__}: {error}"}
        return Outcome(failed, 1, traceback.format_exc().rstrip(), tuple(remarks))


def _summary_of(
    item: Item, models: "Models", watch: "Callable[[Analysis, float], None] | None"
) -> dict[str, Any]:
    from inference.analysis import Analysis

    analysis = Analysis(item.video, item.folder, models)
    try:
        analysis.start()
        began = time.monotonic()
        while not analysis.wait(0.2):
            if watch is not None:
                watch(analysis, time.monotonic() - began)
        manifest = analysis.finish()
    except BaseException:
        analysis.abort()
        raise
    return _summary(item.video, item.folder, analysis, manifest)


def _summary(
    video: Path, folder: Path, analysis: "Analysis", manifest: dict[str, Any]
) -> dict[str, Any]:
    from extractors.features import EMOTIONS

    timeline = analysis.timeline()
    known = timeline.emotions[timeline.known]
    mean = (
        {e: round(float(m), 4) for e, m in zip(EMOTIONS, known.mean(axis=0), strict=True)}
        if (len(known))
        else {}
    )
    return {
        "video": str(video),
        "session": str(folder),
        "duration": manifest["duration"],
        "truncated": manifest["truncated"],
        "left_out": _left_out(manifest),
        "rows": manifest["rows"],
        "words": " ".join(word.text for word in analysis.words()),
        "emotions": mean,
        "strongest": max(mean, key=lambda name: mean[name]) if mean else None,
        "seconds": manifest["timings"]["seconds"],
    }


def _left_out(manifest: dict[str, Any]) -> str:
    """What of the file was not analysed, in words; empty if all was."""
    from extractors.media_left_out import in_words

    parts = [in_words(one["what"] for one in manifest["left_out"])]
    overlap = manifest["streams"].get("audio", {}).get("overlap", 0.0)
    if overlap >= WORTH_TELLING:
        parts.append(f"{overlap:.2f} s of sound whose times go back")
    return ", ".join(filter(None, parts))


def _draw(folder: Path) -> str:
    from assets.errors import SessionError
    from desktop.trajectory_picture import draw_trajectories
    from extractors.session import Session

    path = folder / PICTURE
    try:
        draw_trajectories(Session(folder), path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SessionError(f"cannot write {path}: {error.strerror or error}") from error
    return str(path)


def among(jobs: int, items: Iterable[Item]) -> list[Item]:
    """The items with an equal share of this computer's cores for each of so many at once."""
    from inference.compute_plan import usable_cores

    return [replace(item, cores=max(1, usable_cores() // jobs)) for item in items]


def on_the_cluster(item: Item) -> Item:
    """The item with paths that do not depend on the folder a process runs in.

    A cluster counts on each to take one core.
    """
    checkpoint = Path(item.checkpoint)
    return replace(
        item,
        cores=1,
        video=item.video.absolute(),
        folder=item.folder.absolute(),
        checkpoint=str(checkpoint.absolute()) if checkpoint.is_file() else item.checkpoint,
    )
