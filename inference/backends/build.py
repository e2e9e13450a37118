"""`python -m inference.backends.build CHECKPOINT BACKEND BATCH HALF`: one engine, into the cache.

What the app starts beside itself. Prints a JSON object with the engine's file, or with the error
and exit code 1. For people there is `affectscope compile`.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from assets.errors import one_line
from inference.backends.opening import backend, compiled
from inference.backends.source import Source

NICENESS = 5
"""Whoever waits for the app comes first."""


def main(words: Sequence[str]) -> int:
    checkpoint, name, batch, half = words
    signal.signal(signal.SIGTERM, _end)
    if hasattr(os, "nice"):  # not on every system
        os.nice(NICENESS)
    try:
        file = compiled(backend(name), Source(Path(checkpoint)), int(batch), bool(int(half)))
    except Exception as error:
        print(json.dumps({"error": one_line(error)}))
        return 1
    print(json.dumps({"file": None if file is None else str(file)}))
    return 0


def _end(signum: int, _frame: object) -> None:
    """Told to end: what is half written is cleared away on the way out."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
