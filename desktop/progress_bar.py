"""Progress of a long command on standard error: one moving line on a terminal, else plain lines."""

import math
import shutil
import sys
import time
from typing import TextIO

__all__ = ["ProgressBar", "clock_left", "time_left"]

REDRAW_S = 0.1
LEAST_SHARE = 0.02
"""Less than this says nothing of how long the rest will take."""


def time_left(fraction: float, elapsed: float) -> str:
    """How long the rest takes if it goes on like that: `0:07 left`, `1:02:05 left`; "" at first.

    `fraction` of the work, 0 to 1, took `elapsed` seconds. Seconds are rounded up.
    """
    if not LEAST_SHARE <= fraction <= 1 or elapsed < 0:
        return ""
    return clock_left(elapsed / fraction * (1 - fraction))


def clock_left(seconds_left: float) -> str:
    """Seconds as `0:07 left` or `1:02:05 left`, rounded up."""
    minutes, seconds = divmod(math.ceil(round(seconds_left, 3)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"


class ProgressBar:
    """A line such as `[#####.....]  50 %  37.5 of 75.5 MB  label`, redrawn in place.

    On a stream that is no terminal nothing moves and only `line` prints. Used as a context manager
    it leaves the cursor at the start of an empty line, also after an error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._moving = self._stream.isatty()
        self._drawn = False
        self._redraw_at = 0.0

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, fraction: float, text: str) -> None:
        """Draw the share that is done, 0 to 1, with a text; at most ten times a second."""
        now = time.monotonic()
        if not self._moving or now < self._redraw_at:
            return
        self._redraw_at = now + REDRAW_S
        share = min(max(fraction, 0.0), 1.0)
        filled = round(20 * share)
        bar = f"[{'#' * filled}{'.' * (20 - filled)}] {share:4.0%}  {text}"
        # One column short: a full line would wrap and could not be redrawn in place.
        self._write(f"\r\x1b[K{bar[: shutil.get_terminal_size().columns - 1]}")
        self._drawn = True

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        self._write(f"{text}\n")

    def clear(self) -> None:
        """Take the bar away until it is shown again, so that others can print."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
