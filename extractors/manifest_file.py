"""The manifest of a session that is written more than once: always a whole one, old or new."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extractors.session_layout import FORMAT, MANIFEST

__all__ = ["json_line", "make_durable", "manifest_text", "write_manifest"]


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in the file."""
    entries = {"format": FORMAT, **manifest}
    return json.dumps(entries, indent=2, ensure_ascii=False, default=_plain) + "\n"


def json_line(entries: Mapping[str, Any]) -> bytes:
    """A line of a file of JSON lines. What JSON does not know becomes a number or a text."""
    text = json.dumps(entries, ensure_ascii=False, default=_plain)
    # text that is not Unicode (from names of files) holds lone surrogates: JSON writes \udcff
    return (text + "\n").encode(errors="backslashreplace")


def _plain(value: Any) -> Any:
    """Numbers of NumPy as numbers, arrays as lists, anything else as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def write_manifest(folder: Path, manifest: Mapping[str, Any], *, durable: bool = True) -> None:
    """Replace the manifest by one that, if `durable`, is on the disk before it bears the name.

    Raises OSError.
    """
    path = folder / MANIFEST
    beside = path.with_suffix(".json.new")
    # a path that is not UTF-8 holds lone surrogates, which JSON writes as \udcff
    with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(manifest_text(manifest))
        file.flush()
        if durable:
            os.fsync(file.fileno())
    beside.replace(path)
    if durable:
        make_durable(folder)


def make_durable(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
