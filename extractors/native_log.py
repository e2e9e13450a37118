"""Keeps the start-up chatter of native libraries off the user's terminal."""

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["native_log_captured"]

log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()


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
