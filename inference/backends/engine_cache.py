"""Built engines on this computer: found by what they were made for, whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.errors import BadInput
from inference.backends.interface import Backend
from inference.backends.source import Source

__all__ = ["Entry", "build", "engine_folder", "entry_of", "find"]

RECORD = "engine.json"
LAYOUT = 2
"""Version of what stands in the record."""
KEPT = 24
"""Engines that stay; those unused for longest go."""
LONGEST_BUILD = 24 * 3600
"""Seconds after which what is half written belongs to nobody: its process was killed."""


def engine_folder() -> Path:
    """$AFFECTSCOPE_ENGINES, or "engines" in the user's cache."""
    override = os.environ.get("AFFECTSCOPE_ENGINES")
    if override:
        return Path(override).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("affectscope") / "engines"


@dataclass(frozen=True, slots=True)
class Entry:
    """The place of one engine, and everything that it depends on."""

    folder: Path
    file: Path
    made_for: dict[str, Any]


def entry_of(backend: Backend, source: Source, batch: int, half: bool) -> Entry:
    """Where this engine lies, or would lie once built."""
    assert backend.file is not None
    made_for = {
        "layout": LAYOUT,
        "form": backend.form,
        "network": source.sha256,
        "batch": batch,
        "precision": "float16" if half else "float32",
        **backend.made_for(),
    }
    digest = hashlib.sha256(json.dumps(made_for, sort_keys=True).encode()).hexdigest()
    folder = engine_folder() / f"{backend.form}-{digest[:24]}"
    return Entry(folder, folder / backend.file, made_for)


def find(entry: Entry) -> Path | None:
    """The engine's file if it is there, whole, and made for just this; else None.

    A record that says another GPU, driver, library or network makes an engine stale, wherever it
    came from; a byte that differs from what was built makes it damaged, also in what lies beside
    the file (TensorRT's engine beside the ONNX file). Neither is ever loaded.
    """
    try:
        record = json.loads((entry.folder / RECORD).read_text(encoding="utf-8"))
        if record["made_for"] != entry.made_for or entry.file.name not in record["sha256"]:
            return None
        if any(_sha256(entry.folder / name) != built for name, built in record["sha256"].items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    with suppress(OSError):
        os.utime(entry.folder / RECORD)  # used now, see `_forget`
    return entry.file


def build(entry: Entry, write: Callable[[Path], None]) -> Path:
    """Have the engine written and put it in its place, in one step; what was there goes.

    Raises BadInput if it cannot be written. If `write` raises, nothing is left behind.
    """
    parent = entry.folder.parent
    partial: Path | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{entry.folder.name}.", dir=parent))
        file = partial / entry.file.name
        write(file)
        files = sorted(path for path in partial.rglob("*") if path.is_file())
        hashes = {path.relative_to(partial).as_posix(): _sha256(path) for path in files}
        record = {"made_for": entry.made_for, "sha256": hashes}
        (partial / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        _put(partial, entry)
    except OSError as error:
        raise BadInput(f"cannot write the engine to {entry.folder}: {error}") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    _forget(parent)
    return entry.file


def _put(partial: Path, entry: Entry) -> None:
    for last in (False, True):
        if find(entry) is not None:
            return  # another process was faster
        shutil.rmtree(entry.folder, ignore_errors=True)
        try:
            partial.replace(entry.folder)
            return
        except OSError:
            if last:
                raise


def _forget(parent: Path) -> None:
    """Remove the engines that were not used for longest, and what killed processes left."""
    for partial in parent.glob(".*"):
        with suppress(OSError):
            if time.time() - partial.stat().st_mtime > LONGEST_BUILD:
                shutil.rmtree(partial, ignore_errors=True)
    used = []
    for record in parent.glob(f"*/{RECORD}"):
        with suppress(OSError):
            used.append((record.stat().st_mtime, record.parent))
    for _, folder in sorted(used, reverse=True)[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
