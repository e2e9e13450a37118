"""Axes of the trajectory plot, and the names at the ends of the curves."""

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPen

from desktop.drawn_item import DrawnItem
from desktop.time_format import clock_text

__all__ = ["EndLabels", "TimeAxis", "spread", "time_step"]

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
LABEL_WIDTH = 96.0


def time_step(span: float, pixels: float) -> float:
    """Seconds between labels, so that they stand at least 96 pixels apart."""
    least = span * LABEL_WIDTH / max(1.0, pixels)
    return next((float(step) for step in STEPS if step >= least), float(STEPS[-1]))


class TimeAxis(pg.AxisItem):  # type: ignore[misc]
    """Minutes and seconds at round distances."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:  # noqa: N802
        return [(time_step(high - low, size), 0.0)]

    def tickStrings(self, values: Sequence[float], _scale: Any, spacing: float) -> list[str]:  # noqa: N802
        return [clock_text(value + 1e-6, tenths=spacing < 1) for value in values]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in [low, high] near the wanted ones, at least `gap` apart, in the same order.

    Where they do not all fit they stand evenly.
    """
    count = len(wanted)
    if not count:
        return []
    if (count - 1) * gap > high - low:
        gap = (high - low) / max(1, count - 1)
    order = sorted(range(count), key=lambda i: wanted[i])
    placed = [0.0] * count
    floor = low
    for rank, index in enumerate(order):
        ceiling = high - (count - 1 - rank) * gap
        placed[index] = min(max(wanted[index], floor), ceiling)
        floor = placed[index] + gap
    # Pull groups that were pushed down back up to their middle.
    for rank in range(count - 2, -1, -1):
        index, above = order[rank], order[rank + 1]
        overshoot = placed[above] - wanted[above]
        if overshoot > 0 and placed[above] - placed[index] <= gap + 1e-9:
            lowest = low + rank * gap if rank == 0 else placed[order[rank - 1]] + gap
            placed[index] = max(lowest, placed[index] - overshoot / 2)
    return placed


class EndLabels(DrawnItem):
    """Names beside the right ends of the curves, in scene coordinates."""

    def __init__(self) -> None:
        super().__init__()
        self._area = QRectF()
        self._labels: list[tuple[str, QColor, float, float, bool]] = []
        self._font = QFont()

    def set_labels(
        self, area: QRectF, font: QFont, labels: list[tuple[str, QColor, float, float, bool]]
    ) -> None:
        """Each is (name, colour, y of the curve's end, y of the name, strong)."""
        self.prepareGeometryChange()
        self._area, self._font, self._labels = area, font, labels
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self._area.left()
        for name, color, end, y, strong in self._labels:
            painter.setPen(QPen(color, 1.2))
            painter.drawLine(QPointF(left + 2, end), QPointF(left + 12, y))
            font = QFont(self._font)
            font.setWeight(QFont.Weight.Bold if strong else QFont.Weight.Normal)
            painter.setFont(font)
            painter.drawText(
                QRectF(left + 16, y - 10, self._area.width() - 16, 20),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
                name,
            )
