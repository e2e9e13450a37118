"""How loud the microphone hears: a bar on a scale of decibels."""

import math

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from desktop.theme import GRID, LIGHT, Theme

__all__ = ["LevelMeter", "level_share"]

QUIETEST = -60.0
"""Decibels below full scale at which the bar is empty."""
FALL = 0.08
"""Part of the bar by which the peak sinks at each look."""


def level_share(amplitude: float) -> float:
    """Part of the bar, 0 to 1, that stands for an amplitude of 0 to 1."""
    if amplitude <= 0:
        return 0.0
    return min(1.0, max(0.0, 1 - 20 * math.log10(amplitude) / QUIETEST))


class LevelMeter(QWidget):
    """The bar is the mean power, the tick the peak; from full scale on the tick changes colour."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT
        self._mean = self._peak = 0.0
        self._clipped = False
        self.setAccessibleName("Level of the microphone")
        self.setToolTip("Level of the microphone")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(8 * GRID, 2 * GRID)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_level(self, mean: float, peak: float) -> None:
        """Root mean square and peak, 0 to 1."""
        shown = (level_share(mean), max(level_share(peak), self._peak - FALL, 0.0), peak >= 0.99)
        if shown != (self._mean, self._peak, self._clipped):
            self._mean, self._peak, self._clipped = shown
            self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(0, self.height() / 2 - 3, self.width(), 6)
        painter.setBrush(QColor(self._theme.border))
        painter.drawRoundedRect(whole, 3, 3)
        if self._mean > 0:
            painter.setBrush(QColor(self._theme.accent))
            bar = QRectF(whole)
            bar.setWidth(max(6.0, whole.width() * self._mean))
            painter.drawRoundedRect(bar, 3, 3)
        if self._peak > 0:
            color = self._theme.alert_text if self._clipped else self._theme.text
            x = min(whole.width() - 3, whole.width() * self._peak)
            painter.fillRect(QRectF(x, whole.top() - 2, 2, 10), QColor(color))
