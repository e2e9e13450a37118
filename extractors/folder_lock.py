"""Says whether a living process writes a folder."""

import fcntl
import os
from pathlib import Path

__all__ = ["is_locked", "lock_folder"]


def lock_folder(folder: Path) -> int:
    """A descriptor that locks the folder until it is closed or the process ends, however.

    Raises BlockingIOError if another process has it, OSError if it cannot be opened.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock


def is_locked(folder: Path) -> bool:
    """Whether a process, this one or another, has locked the folder."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
