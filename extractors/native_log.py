"""Keeps the chatter of native libraries off the user's terminal."""

import faulthandler
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["native_log_apart", "native_log_captured"]

log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()
_apart: IO[bytes] | None = None


def native_log_apart() -> None:
    """From now on native libraries write to a file of their own and Python alone to the terminal.

    For a program that prints one line for each thing that is wrong. MediaPipe complains once, at
    whatever picture first gives it memory that is not aligned, so no short capture is sure to hold
    it. Where Python dies of a native fault, its traceback still comes to the terminal. A process
    whose `sys.stderr` somebody has replaced is left as it is.
    """
    global _apart
    shown = sys.__stderr__
    if _apart is not None or shown is None or sys.stderr is not shown:
        return
    shown.flush()
    terminal = os.fdopen(os.dup(2), "w", 1, shown.encoding, "backslashreplace")
    _apart = tempfile.TemporaryFile()  # noqa: SIM115
    os.dup2(_apart.fileno(), 2)
    sys.stderr = terminal
    faulthandler.enable(terminal)


@contextmanager
def native_log_captured() -> Iterator[None]:
    """While inside, what is written to file descriptor 2 goes to the debug log.

    MediaPipe's libraries write a dozen lines there when they load a model, and no setting of
    theirs turns that off (tried: GLOG_minloglevel, TF_CPP_MIN_LOG_LEVEL, ABSL_MIN_LOG_LEVEL). The
    descriptor belongs to the whole process, so keep the time inside short.
    """
    with _one_at_a_time, tempfile.TemporaryFile() as captured:
        if sys.stderr is not None:
            sys.stderr.flush()
        original = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines():
                log.debug("%s", line)
