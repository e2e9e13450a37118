"""What the items of the trajectory plot have in common: how Qt has them drawn."""

from PyQt6.QtCore import QLineF, QRectF
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

__all__ = ["DrawnItem", "draw_upright"]


class DrawnItem(QGraphicsItem):
    """An item that draws itself with `draw`, which subclasses write, and nothing else."""

    def paint(
        self,
        painter: QPainter | None,
        _option: QStyleOptionGraphicsItem | None,
        _widget: QWidget | None = None,
    ) -> None:
        assert painter is not None
        self.draw(painter)

    def draw(self, painter: QPainter) -> None:
        """Draw in the item's coordinates."""
        raise NotImplementedError


def draw_upright(painter: QPainter, area: QRectF, x: float) -> None:
    """A line from the top of `area` to its bottom, sharp at a width of one pixel; none outside."""
    if area.left() <= x <= area.right():
        sharp = round(x) + 0.5
        painter.drawLine(QLineF(sharp, area.top(), sharp, area.bottom()))
