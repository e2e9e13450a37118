"""Pretrained files on this computer: where they lie and whether their bytes are right."""

import hashlib
import json
import os
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from assets.errors import ModelFileError
from assets.manifest import Manifest, ModelFile, manifest

__all__ = ["FileState", "check", "local_path", "model_folder", "path_of"]

# A file changed within one tick of the file system's clock (4 ms on many kernels) keeps its time
# stamps, so a check made this soon after the last change proves nothing later.
SETTLED_NS = 50_000_000


class FileState(StrEnum):
    """What was found at the place of a model file."""

    PRESENT = "present"
    ABSENT = "absent"
    DAMAGED = "damaged"


def model_folder() -> Path:
    """Folder of the pretrained files: $AFFECTSCOPE_MODELS, or "models" in the user's cache."""
    override = os.environ.get("AFFECTSCOPE_MODELS")
    if override:
        return Path(override).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("affectscope") / "models"


def local_path(file: ModelFile) -> Path:
    """Where this file lies, or would lie once fetched."""
    return model_folder() / file.set_key / file.name


def path_of(key: str, known: Manifest | None = None) -> Path:
    """Path of a pretrained file or set whose bytes were checked against the manifest.

    `key` is a set ("whisper-tiny.en": its folder; a set of one file: that file) or one file of a
    set ("minilm/tokenizer.json"). The sha256 is computed once and again whenever the file changed.

    Raises `ModelFileError`, which says how to fetch, when a file is missing or damaged, and
    `BadInput` when there is no such set.
    """
    set_key, _, name = key.partition("/")
    entry = (known or manifest()).of(set_key)
    files = [file for file in entry.files if name in ("", file.name)]
    if not files:
        raise ModelFileError(f"the model set {set_key} has no file {name!r}")
    for file in files:
        state = check(file)
        if state is not FileState.PRESENT:
            again = "" if entry.default else f" {entry.key}"
            what = "is missing" if state is FileState.ABSENT else "is damaged"
            raise ModelFileError(
                f"the model file {file.key} {what} in {model_folder()}: "
                f"run `affectscope models fetch{again}`"
            )
    path = local_path(files[0])
    return path if len(files) == 1 else path.parent


def check(file: ModelFile, *, thorough: bool = False) -> FileState:
    """Compare the file on disk with the manifest.

    The full sha256 is computed when `thorough`, and otherwise only when the file changed since it
    was last found right. Raises `ModelFileError` when the file cannot be read.
    """
    path = local_path(file)
    try:
        found = path.stat()
        if found.st_size != file.size:
            return FileState.DAMAGED
        if not thorough and _was_checked(file, found):
            return FileState.PRESENT
        checked_at = time.time_ns()
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return FileState.ABSENT
    except OSError as error:
        raise ModelFileError(
            f"the model file {path} cannot be read: {error.strerror or error}"
        ) from error
    if digest != file.sha256:
        return FileState.DAMAGED
    _remember_checked(file, found, checked_at)
    return FileState.PRESENT


def _remember_checked(file: ModelFile, found: os.stat_result, checked_at: int) -> None:
    """Note beside the file that it was right as it was `found`, at `checked_at` (Unix, ns).

    A folder that cannot be written just means that the next check computes the hash again.
    """
    stamp = _stamp_path(file)
    draft = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(_identity(file, found) | {"checked_at": checked_at}) + "\n")
        draft.replace(stamp)
    except OSError:
        with suppress(OSError):
            draft.unlink()


def _was_checked(file: ModelFile, found: os.stat_result) -> bool:
    try:
        stamp = json.loads(_stamp_path(file).read_text())
        checked_at = int(stamp.pop("checked_at"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    settled = checked_at - max(found.st_mtime_ns, found.st_ctime_ns) > SETTLED_NS
    return settled and stamp == _identity(file, found)


def _identity(file: ModelFile, found: os.stat_result) -> dict[str, object]:
    # The time of change (ctime) cannot be set by a program, so even an edit that restores the
    # time of modification is seen.
    return {
        "sha256": file.sha256,
        "size": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "ctime_ns": found.st_ctime_ns,
        "inode": found.st_ino,
    }


def _stamp_path(file: ModelFile) -> Path:
    path = local_path(file)
    return path.with_name(f".{path.name}.checked")
