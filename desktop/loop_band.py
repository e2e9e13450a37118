"""The range that repeats, laid over the lanes of the trajectory plot."""

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from desktop.drawn_item import DrawnItem, draw_upright
from desktop.theme import LIGHT, Theme

__all__ = ["LoopBand"]

BAR = 4.0
"""Height of the bar on the time axis."""


class LoopBand(DrawnItem):
    """A tint with two edges and a bar below, in scene coordinates."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT
        self._area = QRectF()
        self._edges = (0.0, 0.0)
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def place(self, area: QRectF, left: float, right: float) -> None:
        """From `left` to `right` within the lanes, which cover `area`; outside nothing is drawn."""
        self.prepareGeometryChange()
        self._area, self._edges = area, (left, right)
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area.adjusted(-2, 0, 2, BAR + 2)

    def draw(self, painter: QPainter) -> None:
        area = self._area
        left, right = max(area.left(), self._edges[0]), min(area.right(), self._edges[1])
        if right <= left:
            return
        color = QColor(self._theme.accent)
        tint = QColor(color)
        tint.setAlphaF(0.12)
        painter.fillRect(QRectF(left, area.top(), right - left, area.height()), tint)
        painter.fillRect(QRectF(left, area.bottom(), right - left, BAR), color)
        painter.setPen(QPen(color, 1, Qt.PenStyle.SolidLine))
        for edge in self._edges:
            draw_upright(painter, area, edge)
