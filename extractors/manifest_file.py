"""The manifest of a session that is written more than once: always a whole one, old or new."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extractors.session_layout import FORMAT, MANIFEST

__all__ = ["manifest_text", "sync_folder", "write_manifest"]


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in the file."""
    return json.dumps({"format": FORMAT, **manifest}, indent=2, ensure_ascii=False) + "\n"


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Replace the manifest by one that is on the disk before it bears the name. Raises OSError."""
    path = folder / MANIFEST
    beside = path.with_suffix(".json.new")
    # a path that is not UTF-8 holds lone surrogates, which JSON writes as \udcff
    with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(manifest_text(manifest))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
