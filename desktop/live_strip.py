"""The picture of what scrolls: a little longer than what is in sight, drawn where it changed."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QPointF, QRect, QRectF
from PyQt6.QtGui import QPainter, QPixmap

from extractors.timeline import Timeline

__all__ = ["LiveStrip", "Scale", "changed_since"]

EDGE = 4
"""Pixels by which a line reaches over its points."""
PAD = 8
"""Pixels that are drawn before a piece and left out: a line that begins there looks different."""

Draw = Callable[[QPainter, int, int], None]
"""Draw the pixels [left, right) of the strip, as they are counted from session time 0."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How time becomes pixels of the screen."""

    per_second: float
    width: int
    """Of what is in sight."""
    margin: int
    """By which the strip is wider."""
    height: int
    ratio: float
    """Pixels of the screen for one of the widget."""


class LiveStrip:
    """Pixels are counted from session time 0, so a pixel looks the same whenever it is drawn."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._scale: Scale | None = None
        self._picture: QPixmap | None = None
        self._left = self._stale = 0
        """The first pixel of the picture, and the first that has to be drawn."""
        self.drawn = 0
        """How often anything was drawn."""

    def forget(self) -> None:
        """Everything has changed."""
        self._picture = None

    def change(self, since: float) -> None:
        """What is drawn from `since` seconds on has changed: everything from minus infinity on,
        nothing from infinity on."""
        if since == -math.inf:
            self.forget()
        elif self._scale is not None and math.isfinite(since):
            at = math.floor(since * self._scale.per_second) - math.ceil(EDGE * self._scale.ratio)
            self._stale = min(self._stale, at)

    def at(self, start: float, scale: Scale, *, whole: bool = False) -> tuple[QPixmap, float]:
        """The picture, and how many of its pixels lie before `start` seconds.

        `whole`: what has to be drawn is drawn together with all the rest.
        """
        left = math.floor(start * scale.per_second)
        width = scale.width + scale.margin + 1
        ahead = left - self._left
        old = whole and (ahead > scale.margin or self._stale < self._left + width)
        if self._picture is None or scale != self._scale or not 0 <= ahead < scale.width or old:
            self._picture = QPixmap(width, scale.height)
            self._picture.setDevicePixelRatio(scale.ratio)
            self._scale, self._left, self._stale = scale, left, left
        elif ahead > scale.margin:
            self._stale = min(self._stale, self._left + width)
            self._picture.scroll(-ahead, 0, QRect(0, 0, width, scale.height))
            self._left = left
        self._bring_up_to_date(self._picture, scale)
        return self._picture, start * scale.per_second - self._left

    def _bring_up_to_date(self, picture: QPixmap, scale: Scale) -> None:
        begin, end = max(self._left, self._stale), self._left + picture.width()
        if begin >= end:
            return
        self.drawn += 1
        pad = math.ceil(PAD * scale.ratio)
        piece = QPixmap(end - begin + pad, scale.height)
        piece.setDevicePixelRatio(scale.ratio)
        painter = QPainter(piece)
        self._draw(painter, begin - pad, end)
        painter.end()
        painter.begin(picture)
        place = QPointF((begin - self._left) / scale.ratio, 0)
        painter.drawPixmap(place, piece, QRectF(pad, 0, end - begin, scale.height))
        painter.end()
        self._stale = end


def changed_since(before: Timeline, after: Timeline) -> float:
    """Seconds from which on curves through `after` differ from those through `before`.

    Rows that `after` has left out at its beginning are no change. Infinity without any.
    """
    if not len(before) or not len(after):
        return -math.inf if len(before) or len(after) else math.inf
    skipped = int(np.searchsorted(before.time, after.time[0]))
    rows = min(len(before) - skipped, len(after))
    old, new = slice(skipped, skipped + rows), slice(rows)
    same = before.time[old] == after.time[new]
    same &= (before.present[old] == after.present[new]).all(axis=1)
    for name in ("emotions", "sentiment"):
        a, b = getattr(before, name)[old], getattr(after, name)[new]
        equal = (a == b) | (np.isnan(a) & np.isnan(b))
        same &= equal.all(axis=1) if equal.ndim > 1 else equal
    first = rows if same.all() else int(np.argmin(same))
    if first == rows and len(before) - skipped == len(after):
        return math.inf
    return float(after.time[first - 1]) if first else -math.inf
