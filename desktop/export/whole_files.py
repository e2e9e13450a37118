"""Files that appear under their names together and only when all of them are whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assets.errors import AffectscopeError, BadInput
from extractors.folder_lock import lock_folder

__all__ = ["WholeFiles", "whole_files"]

HIDDEN = ".export-"
"""How the names of the folders begin in which files are written."""


class WholeFiles:
    """Places in a hidden folder beside the final one."""

    def __init__(self, path: Path, folder: Path, replace: bool) -> None:
        self._path = path
        self._folder = folder
        self._replace = replace
        self._names: list[str] = []

    def place(self, ending: str = "") -> Path:
        """Where to write the file that becomes `path`, or `path` with another ending."""
        name = self.final(ending).name
        self._names.append(name)
        return self._folder / name

    def final(self, ending: str = "") -> Path:
        """`path`; with an ending, that in the place of its suffix: "a.csv" -> "a.words.csv"."""
        return self._path.with_name(self._path.stem + ending) if ending else self._path

    @property
    def files(self) -> tuple[Path, ...]:
        """The final names of all places given so far, in their order."""
        return tuple(self._path.with_name(name) for name in self._names)

    def appear(self) -> None:
        """Give the files their names."""
        for file in self.files:
            check_free(file, self._replace)
        for file in self.files:
            (self._folder / file.name).replace(file)


def check_free(path: Path, replace: bool) -> None:
    """Raises BadInput if something is there that must not be replaced."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder; choose another --out")
    if os.path.lexists(path) and not replace:
        raise BadInput(f"{path} exists; choose another --out, or give --replace")


def _clear_up(parent: Path) -> None:
    """Remove what an export that was killed left; those of living processes are locked."""
    for folder in parent.glob(f"{HIDDEN}*"):
        with suppress(OSError):
            lock = lock_folder(folder)
            try:
                # one that is being made has no lock yet, but nothing in it either
                if any(folder.iterdir()):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


@contextmanager
def whole_files(path: Path, replace: bool) -> Iterator[WholeFiles]:
    """Write `path` and its siblings; left by an error, nothing of them is there.

    Raises BadInput if the place cannot be written or a file is there and must not be replaced.
    """
    check_free(path, replace)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_up(path.parent)
        with tempfile.TemporaryDirectory(prefix=HIDDEN, dir=path.parent) as folder:
            lock = lock_folder(Path(folder))
            try:
                files = WholeFiles(path, Path(folder), replace)
                yield files
                files.appear()
            finally:
                os.close(lock)
    except AffectscopeError:
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(f"cannot write {path}: {why}; choose another --out") from error
