"""The end of the process, also while a library holds one of our threads."""

import logging
import os
import sys
import threading
from typing import NoReturn

__all__ = ["end_process"]


def end_process(code: int) -> NoReturn:
    """Leave with `code`; at once where threads of a session are still alive.

    A library that loads a model lets nobody end its thread. If the interpreter ends first, the
    thread comes back into one that is gone, and the process aborts. All that is to be kept has been
    written by then, and what a recording lacks is repaired when it is opened.
    """
    if any(thread.name.startswith("affectscope ") for thread in threading.enumerate()):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue  # its reader has gone
        os._exit(code)
    sys.exit(code)
