"""Which curves are drawn through and which are dashed, where two trajectories share one axis."""

from PyQt6.QtCore import QPointF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.controls import IconButton
from desktop.elided_label import ElidedLabel
from desktop.theme import GRID, LIGHT, Theme, scaled

__all__ = ["CurveLegend"]

WIDEST = 200
"""Pixels of a name before its middle is left out."""


class Stroke(QWidget):
    """A piece of line as it is drawn in the lanes."""

    def __init__(self, dashed: bool) -> None:
        super().__init__()
        self._dashed = dashed
        self._theme = LIGHT
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(3 * GRID, 2 * GRID)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        pen = QPen(QColor(self._theme.text), 1.4 if self._dashed else 2.0)
        if self._dashed:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        y = self.height() / 2
        painter.drawLine(QPointF(0, y), QPointF(self.width(), y))


class CurveLegend(QWidget):
    """Two names, hidden until there are two trajectories."""

    closed = pyqtSignal()
    """Somebody wants the dashed curves gone."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        self.strokes = (Stroke(False), Stroke(True))
        self.names = (ElidedLabel(), ElidedLabel())
        for stroke, name in zip(self.strokes, self.names, strict=True):
            name.setFont(scaled(self.font(), 0.9))
            name.setProperty("quiet", True)
            name.setMaximumWidth(WIDEST)
            row.addWidget(stroke)
            row.addWidget(name)
            row.addSpacing(GRID)
        self.close_button = IconButton("close", "End the comparison", "End the comparison")
        self.close_button.setObjectName("small")
        self.close_button.setFixedSize(3 * GRID, 3 * GRID)
        self.close_button.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.close_button.clicked.connect(self.closed)
        row.addWidget(self.close_button)
        self.setFixedHeight(3 * GRID)
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        for stroke in self.strokes:
            stroke.apply_theme(theme)
        self.close_button.set_color(theme.text)

    def show_names(self, through: str, dashed: str) -> None:
        """`through` is drawn through, `dashed` is dashed."""
        for label, name in zip(self.names, (through, dashed), strict=True):
            label.set_whole(name)
        self.show()
