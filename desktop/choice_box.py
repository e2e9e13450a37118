"""A list to choose from, whose long entries give up their middle."""

from PyQt6.QtCore import QPointF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

from desktop.theme import LIGHT, Theme

__all__ = ["ChoiceBox"]


BEFORE, AFTER = 10, 26
"""Pixels of the frame before and after the text."""


class ChoiceBox(QComboBox):
    """As the style paints it, but for the text and the arrow."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Room for the longest entry as it is painted here."""
        hint = super().sizeHint()
        if self.sizeAdjustPolicy() is QComboBox.SizeAdjustPolicy.AdjustToContentsOnFirstShow:
            texts = (self.itemText(index) for index in range(self.count()))
            longest = max(map(self.fontMetrics().horizontalAdvance, texts), default=0)
            hint.setWidth(max(hint.width(), BEFORE + longest + AFTER))
        return hint

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        room = self.rect().adjusted(BEFORE, 0, -AFTER, 0)
        text = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideMiddle, room.width()
        )
        painter.setPen(QColor(self._theme.text if self.isEnabled() else self._theme.muted))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.muted), 1.6))
        x, y = self.width() - 15.0, self.height() / 2
        painter.drawPolyline(
            QPolygonF([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])
        )
