"""Markers of a recording, laid over the lanes of the trajectory plot."""

import bisect
from collections.abc import Sequence

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from desktop.drawn_item import DrawnItem, draw_upright
from desktop.marks import Mark
from desktop.theme import LIGHT, Theme
from desktop.time_format import clock_text

__all__ = ["MarkerLines"]

GAP = 4.0
NEAR = 4.0
"""Pixels between a line and the pointer at which it says what happened."""


class MarkerLines(DrawnItem):
    """Dotted lines with their labels above, in scene coordinates. A label that has no room before
    the next one is left away; that of a marker goes before that of an event, which is paler. What
    happened is the tooltip of its line."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT
        self._font = QFont()
        self._area = QRectF()
        self._marks: Sequence[tuple[float, Mark]] = ()
        self._labels: list[tuple[float, Mark]] | None = None

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font, self._labels = theme, font, None
        self.update()

    def place(self, area: QRectF, marks: Sequence[tuple[float, Mark]]) -> None:
        """`marks` with their x, in its order; `area` is what the lanes cover."""
        if (area, marks) != (self._area, self._marks):
            self.prepareGeometryChange()
            self._area, self._marks, self._labels = area, marks, None
            self.update()

    def labels(self) -> list[tuple[float, Mark]]:
        """Whose labels are written, and from which x on."""
        if self._labels is None:
            self._labels = self._with_room()
        return self._labels

    def _with_room(self) -> list[tuple[float, Mark]]:
        metrics, area = QFontMetricsF(self._font), self._area
        seen = [(x, mark) for x, mark in self._marks if area.left() <= x <= area.right()]
        markers = [(x, mark) for x, mark in seen if not mark.text]
        events = [(x, mark) for x, mark in seen if mark.text]
        written: list[tuple[float, float, Mark]] = []
        for candidates, others in ((markers, markers), (events, seen)):
            edges = [x for x, _ in others] + [area.right()]
            for x, mark in candidates:
                left, right = x + GAP, x + GAP + metrics.horizontalAdvance(mark.label)
                end = edges[min(bisect.bisect_right(edges, x), len(edges) - 1)]
                free = not any(begin < right and left < stop for begin, stop, _ in written)
                if right <= end and free:
                    written.append((left, right, mark))
        return [(left, mark) for left, _, mark in sorted(written)]

    def say_what_happened(self, x: float) -> None:
        """Have the tooltip tell of the events whose lines are at the pointer."""
        near = [mark for at, mark in self._marks if mark.text and abs(at - x) <= NEAR]
        self.setToolTip("\n".join(f"{clock_text(m.time)}  {m.text}" for m in near))

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area.adjusted(-1, 0, 1, 0)

    def draw(self, painter: QPainter) -> None:
        area = self._area
        painter.setFont(self._font)
        for x, mark in self._marks:
            painter.setPen(QPen(self._ink(mark), 1, Qt.PenStyle.DotLine))
            draw_upright(painter, area, x)
        height = QFontMetricsF(self._font).height()
        for x, mark in self.labels():
            room = QRectF(x, area.top(), area.right() - x, height)
            veil = QColor(self._theme.surface)
            veil.setAlphaF(0.8)
            width = QFontMetricsF(self._font).horizontalAdvance(mark.label)
            painter.fillRect(QRectF(x - 2, area.top(), width + 4, height), veil)
            painter.setPen(self._ink(mark))
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft, mark.label)

    def _ink(self, mark: Mark) -> QColor:
        return QColor(self._theme.muted if mark.text else self._theme.text)
