"""Markers of a recording, laid over the lanes of the trajectory plot."""

from collections.abc import Sequence

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from desktop.drawn_item import DrawnItem, draw_upright
from desktop.theme import LIGHT, Theme

__all__ = ["MarkerLines"]

GAP = 4.0


class MarkerLines(DrawnItem):
    """Dotted lines with their labels above, in scene coordinates; a label that has no room before
    the next one is left away."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT
        self._font = QFont()
        self._area = QRectF()
        self._marks: Sequence[tuple[float, str]] = ()

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, font
        self.update()

    def place(self, area: QRectF, marks: Sequence[tuple[float, str]]) -> None:
        """`marks` are (x, label) in the order of x; `area` is what the lanes cover."""
        if (area, marks) != (self._area, self._marks):
            self.prepareGeometryChange()
            self._area, self._marks = area, marks
            self.update()

    def labels(self) -> list[tuple[float, str]]:
        """What is written, and from which x on."""
        if not self._marks:
            return []
        metrics = QFontMetricsF(self._font)
        written = []
        ends = [x for x, _ in self._marks[1:]] + [self._area.right()]
        for (x, label), end in zip(self._marks, ends, strict=True):
            if x + GAP + metrics.horizontalAdvance(label) <= end:
                written.append((x + GAP, label))
        return written

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area.adjusted(-1, 0, 1, 0)

    def draw(self, painter: QPainter) -> None:
        area = self._area
        ink = QColor(self._theme.text)
        painter.setFont(self._font)
        painter.setPen(QPen(ink, 1, Qt.PenStyle.DotLine))
        for x, _ in self._marks:
            draw_upright(painter, area, x)
        height = QFontMetricsF(self._font).height()
        painter.setPen(ink)
        for x, label in self.labels():
            if x >= area.left():
                room = QRectF(x, area.top(), area.right() - x, height)
                veil = QColor(self._theme.surface)
                veil.setAlphaF(0.8)
                width = QFontMetricsF(self._font).horizontalAdvance(label)
                painter.fillRect(QRectF(x - 2, area.top(), width + 4, height), veil)
                painter.drawText(room, Qt.AlignmentFlag.AlignLeft, label)
