"""Files that are whole or not there: what replaces a file is written beside it first."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assets.errors import BadInput

__all__ = ["require_writable", "whole_file"]


@contextmanager
def whole_file(path: Path, what: str = "") -> Iterator[Path]:
    """A file to write that takes the place of `path` at the end of the block, if nothing is raised.

    Raises BadInput if it cannot be written; `what` says what it is, "the checkpoint".
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        name = f"{what} {path}".strip()
        raise BadInput(f"cannot write {name}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def require_writable(path: Path, what: str) -> None:
    """Raise BadInput unless `what` can be written to `path`, before long work is done."""
    if path.is_dir():
        raise BadInput(f"cannot write {what} {path}: it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise BadInput(f"cannot write {what} {path}: {error.strerror}") from error
