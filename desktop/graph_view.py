"""The learned graph: who teaches whom among words, voice and face, in both spaces."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from desktop.theme import GRID, LIGHT, Theme, figures, scaled
from desktop.time_format import percent_text
from desktop.timeline_lookup import UNSEEN, Moment
from extractors.features import MODALITIES
from extractors.timeline import EDGES

__all__ = ["NAMES", "GraphView", "arrow"]

NAMES = {"text": "Words", "voice": "Voice", "face": "Face"}
SPACES = ("Shared features", "Own features")
THICKEST = 7.0
NODE = 5.0


@dataclass(frozen=True, slots=True)
class Arrow:
    """A bent arrow: the line, and the head that ends at the student."""

    line: QPainterPath
    head: QPolygonF


def arrow(start: QPointF, end: QPointF, gap: float, width: float) -> Arrow:
    """From `start` to `end`, `gap` short of both, bent to the left so that two never overlap."""
    along = end - start
    length = math.hypot(along.x(), along.y())
    unit = along / length
    left = QPointF(unit.y(), -unit.x())
    bend = left * (0.11 * length)
    begin = start + unit * gap + left * 3.5
    tip = end - unit * gap + left * 3.5
    middle = (start + end) / 2 + bend * 1.6
    facing = tip - middle
    facing = facing / math.hypot(facing.x(), facing.y())
    size = 5.0 + 1.1 * width
    neck = tip - facing * size
    side = QPointF(facing.y(), -facing.x()) * (size * 0.55)
    line = QPainterPath(begin)
    line.quadTo(middle, neck)
    return Arrow(line, QPolygonF([tip, neck + side, neck - side]))


class GraphView(QWidget):
    """Two triangles; the width of an arrow is the weight of its edge at this moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Learned graph")
        self.setMinimumSize(24 * GRID, 14 * GRID)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._theme = LIGHT
        self._moment = Moment()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(32 * GRID, 40 * GRID)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_moment(self, moment: Moment) -> None:
        if moment is self._moment:
            return
        self._moment = moment
        self.setAccessibleDescription(self.description())
        self.setToolTip(self.description())
        self.update()

    def description(self) -> str:
        """The weights in words, strongest first."""
        lines = []
        for space, weights in zip(SPACES, self._weights(), strict=True):
            order = np.argsort(-weights)
            edges = [
                f"{NAMES[EDGES[i][0]]} \N{RIGHTWARDS ARROW} {NAMES[EDGES[i][1]]} "
                f"{percent_text(float(weights[i]))}"
                for i in order
                if weights[i] > 0
            ]
            lines.append(f"{space}: {', '.join(edges) if edges else 'no edges here'}")
        return "\n".join(lines)

    def _weights(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        if self._moment.present is None:
            return UNSEEN, UNSEEN
        return self._moment.homogeneous, self._moment.heterogeneous

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height = float(self.width()), float(self.height())
        stacked = height > width
        for index, (name, weights) in enumerate(zip(SPACES, self._weights(), strict=True)):
            if stacked:
                area = QRectF(0, index * (height + GRID) / 2, width, (height - GRID) / 2)
            else:
                area = QRectF(index * (width + GRID) / 2, 0, (width - GRID) / 2, height)
            self._paint_space(painter, area, name, weights)

    def _paint_space(
        self, painter: QPainter, area: QRectF, name: str, weights: npt.NDArray[np.float32]
    ) -> None:
        painter.setFont(scaled(self.font(), 0.9))
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter, name)
        places = self._places(area)
        for index in np.argsort(weights):
            self._paint_edge(painter, places, int(index), float(weights[index]))
        self._paint_nodes(painter, places)

    def _places(self, area: QRectF) -> dict[str, QPointF]:
        line = float(self.fontMetrics().height())
        top = area.top() + 2 * line + GRID
        bottom = area.bottom() - line - GRID
        half = min(area.width() / 2 - 17, (bottom - top) * 0.72)
        spare = max(0.0, bottom - top - 1.8 * half)
        top, bottom = top + spare / 3, bottom - 2 * spare / 3
        x = area.center().x()
        return {
            "text": QPointF(x, top),
            "voice": QPointF(x - half, bottom),
            "face": QPointF(x + half, bottom),
        }

    def _paint_edge(
        self, painter: QPainter, places: dict[str, QPointF], index: int, weight: float
    ) -> None:
        teacher, student = EDGES[index]
        width = 0.8 + (THICKEST - 0.8) * min(1.0, weight / 0.6)
        shape = arrow(places[teacher], places[student], NODE + 5, width)
        color = QColor(self._theme.accent if weight > 0 else self._theme.border)
        color.setAlphaF(min(1.0, 0.35 + 1.3 * weight) if weight > 0 else 1.0)
        style = Qt.PenStyle.SolidLine if weight > 0 else Qt.PenStyle.DotLine
        pen = QPen(color, width if weight > 0 else 1.0, style, Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape.line)
        if weight > 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawPolygon(shape.head)

    def _paint_nodes(self, painter: QPainter, places: dict[str, QPointF]) -> None:
        present = self._moment.present or (False,) * len(MODALITIES)
        painter.setFont(figures(self.font(), 0.9))
        line = float(self.fontMetrics().height())
        for modality, here in zip(MODALITIES, present, strict=True):
            place = places[modality]
            ink = QColor(self._theme.text if here else self._theme.muted)
            painter.setPen(QPen(ink, 1.5))
            painter.setBrush(ink if here else QColor(self._theme.surface))
            painter.drawEllipse(place, NODE, NODE)
            above = modality == "text"
            y = place.y() - NODE - line - 1 if above else place.y() + NODE + 2
            box = QRectF(place.x() - 50, y, 100, line)
            painter.setPen(ink)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, NAMES[modality])
