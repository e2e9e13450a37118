"""What is drawn in the lanes of the plot. Each lane is painted once per change and then cached.

Qt strokes lines wider than a pixel in software: 12 to 20 ms for seven curves. With the lane cached
as a picture a moving playhead costs 0.3 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QTransform
from PyQt6.QtWidgets import QGraphicsItem

from desktop.drawn_item import DrawnItem
from desktop.theme import LIGHT, Theme, emotion_color
from extractors.features import EMOTIONS, MODALITIES
from extractors.timeline import Timeline

__all__ = [
    "BUCKET",
    "Condensed",
    "EmotionLane",
    "Lane",
    "PresenceLane",
    "SentimentLane",
    "condense",
    "runs",
    "visible_rows",
]

BUCKET = 4
"""Pixels that one point of a condensed curve stands for."""

FloatArray = npt.NDArray[np.float64]


def visible_rows(time: FloatArray, start: float, end: float) -> slice:
    """The rows from `start` to `end` seconds, with one more on each side."""
    first = int(np.searchsorted(time, start, side="left"))
    last = int(np.searchsorted(time, end, side="right"))
    return slice(max(0, first - 1), min(len(time), last + 1))


@dataclass(frozen=True, slots=True)
class Condensed:
    """Curves as they are drawn: `time` [m], the others [m, curves]. NaN marks a gap."""

    time: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def exact(self) -> bool:
        """Whether every row stands for itself."""
        return self.low is self.mean


def condense(time: FloatArray, values: npt.NDArray[np.floating], buckets: int) -> Condensed:
    """Mean, lowest and highest of equal buckets, so that a long recording stays readable.

    `time` [n], `values` [n, curves]. Up to `2 * buckets` rows come back as they are. A bucket with
    a gap is a gap; a last bucket that is not full ends a little early.
    """
    exact: FloatArray = values.astype(np.float64)
    rows = len(time)
    if rows <= 2 * buckets:
        return Condensed(time, exact, exact, exact)
    size = -(-rows // buckets)
    full = rows // size * size
    groups = exact[:full].reshape(-1, size, values.shape[1])
    middle = time[:full].reshape(-1, size).mean(axis=1)
    return Condensed(middle, groups.mean(axis=1), groups.min(axis=1), groups.max(axis=1))


class Lane(DrawnItem):
    """An item in data coordinates that covers what is visible of its lane."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._low, self._high = low, high
        self._start, self._end, self._pixels = 0.0, 1.0, 800
        self._theme = LIGHT
        self._timeline = Timeline.empty()
        self._until = 0.0
        self._other = Timeline.empty()

    def show_range(self, start: float, end: float, pixels: int) -> None:
        """The seconds that are visible, and across how many pixels."""
        self.prepareGeometryChange()
        self._start, self._end, self._pixels = start, end, max(1, pixels)
        self.refresh()

    def set_timeline(self, timeline: Timeline, until: float) -> None:
        """New rows; analysed until `until` seconds."""
        self._timeline, self._until = timeline, until
        self.refresh()

    def set_other(self, timeline: Timeline) -> None:
        """A trajectory to compare with; empty for none."""
        self._other = timeline
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Make ready what is drawn, and draw it anew."""
        self.prepare()
        self.update()

    def prepare(self) -> None:
        """Work out the shapes; called when data, range or theme change."""

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(self._start, self._low, self._end - self._start, self._high - self._low)

    def draw(self, painter: QPainter) -> None:
        to_device = painter.worldTransform()
        painter.resetTransform()
        self._paint_unknown(painter, to_device)
        self.paint_lane(painter, to_device)

    def paint_lane(self, painter: QPainter, to_device: QTransform) -> None:
        """Draw in device pixels."""
        raise NotImplementedError

    def _paint_unknown(self, painter: QPainter, to_device: QTransform) -> None:
        """Hatch what is not analysed yet and where no modality was there."""
        brush = QBrush(QColor(self._theme.border), Qt.BrushStyle.BDiagPattern)
        for begin, end in [*self._unknown(), (self._until, self._end)]:
            begin, end = max(begin, self._start), min(end, self._end)
            if end > begin:
                lane = QRectF(begin, self._low, end - begin, self._high - self._low)
                painter.fillRect(to_device.mapRect(lane), brush)

    def _unknown(self) -> list[tuple[float, float]]:
        if not len(self._timeline):
            return []
        return runs(self._timeline.time, ~self._timeline.known)


def runs(time: FloatArray, true: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Intervals of seconds in which `true` holds.

    A row holds until the next one, as everywhere in the window; the first one from the start on.
    """
    edges = np.diff(np.concatenate([[0], true.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    starts = np.concatenate([[0.0], time[1:], time[-1:]])
    return [(float(starts[a]), float(starts[b])) for a, b in zip(begins, ends, strict=True)]


class EmotionLane(Lane):
    """Seven curves from 0 to 1."""

    def __init__(self) -> None:
        super().__init__(0.0, 1.0)
        self._paths: list[QPainterPath] = []
        self._bands: list[QPainterPath] = []
        self._others: list[QPainterPath] = []
        self.emphasis = -1

    def prepare(self) -> None:
        shown, other = self._shown(self._timeline), self._shown(self._other)
        curves = range(len(EMOTIONS))
        self._paths = [_path(shown.time, shown.mean[:, i]) for i in curves]
        self._bands = [] if shown.exact else [_band(shown, i) for i in curves]
        self._others = [_path(other.time, other.mean[:, i]) for i in curves if len(other.time)]

    def _shown(self, timeline: Timeline) -> Condensed:
        rows = visible_rows(timeline.time, self._start, self._end)
        values = timeline.emotions[rows].astype(np.float64)
        values[~timeline.known[rows]] = np.nan
        return condense(timeline.time[rows], values, self._pixels // BUCKET)

    def paint_lane(self, painter: QPainter, to_device: QTransform) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(to_device.mapRect(self.boundingRect()).adjusted(0, -2, 0, 2))
        for index, path in enumerate(self._others):
            faded = self.emphasis not in (-1, index)
            painter.setPen(_dashes(emotion_color(self._theme, index, 0.15 if faded else 0.6)))
            painter.drawPath(to_device.map(path))
        order = sorted(range(len(self._paths)), key=lambda i: (i == self.emphasis, -i))
        for index in order:
            faded = self.emphasis not in (-1, index)
            if self._bands and not faded:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                painter.fillPath(
                    to_device.map(self._bands[index]), emotion_color(self._theme, index, 0.16)
                )
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            color = emotion_color(self._theme, index, 0.22 if faded else 1.0)
            pen = QPen(color, 2.8 if index == self.emphasis else 2.0)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPath(to_device.map(self._paths[index]))


class SentimentLane(Lane):
    """One curve from -3 to 3, filled to the middle."""

    def __init__(self) -> None:
        super().__init__(-3.0, 3.0)
        self._time = np.zeros(0)
        self._values = np.zeros(0)
        self._dashed = QPainterPath()

    def prepare(self) -> None:
        self._time, self._values = self._shown(self._timeline)
        self._dashed = _path(*self._shown(self._other))

    def _shown(self, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        rows = visible_rows(timeline.time, self._start, self._end)
        values = timeline.sentiment[rows, None]
        shown = condense(timeline.time[rows], values, self._pixels // BUCKET)
        return shown.time, np.clip(shown.mean[:, 0], -3.0, 3.0)

    def paint_lane(self, painter: QPainter, to_device: QTransform) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(to_device.mapRect(self.boundingRect()).adjusted(0, -1, 0, 1))
        color = QColor(self._theme.accent)
        area = QColor(color)
        area.setAlphaF(0.18)
        for begin, end in _finite_runs(self._values):
            at = self._time[[begin, *range(begin, end), end - 1]]
            up = np.concatenate([[0.0], self._values[begin:end], [0.0]])
            painter.fillPath(to_device.map(_path(at, up)), area)
        lighter = QColor(color)
        lighter.setAlphaF(0.6)
        painter.setPen(_dashes(lighter))
        painter.drawPath(to_device.map(self._dashed))
        painter.setPen(QPen(color, 2.0))
        painter.drawPath(to_device.map(_path(self._time, self._values)))


class PresenceLane(Lane):
    """Three thin bars: where words, voice and face were there, words uppermost."""

    def __init__(self) -> None:
        super().__init__(-0.5, len(MODALITIES) - 0.5)
        self._bars: Sequence[list[tuple[float, float]]] = [[] for _ in MODALITIES]

    def prepare(self) -> None:
        present = self._timeline.present
        self._bars = [runs(self._timeline.time, present[:, i]) for i in range(len(MODALITIES))]

    def paint_lane(self, painter: QPainter, to_device: QTransform) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        visible = to_device.mapRect(self.boundingRect())
        painter.setClipRect(visible)
        for index, bars in enumerate(self._bars):
            height = len(MODALITIES) - 1 - index
            y = to_device.map(QPointF(0.0, height)).y()
            painter.setPen(QPen(QColor(self._theme.border), 1.0))
            painter.drawLine(QPointF(visible.left(), y), QPointF(visible.right(), y))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.muted))
            for begin, end in bars:
                left = to_device.map(QPointF(begin, height)).x()
                right = to_device.map(QPointF(end, height)).x()
                painter.drawRoundedRect(QRectF(left, y - 3, max(2.0, right - left), 6), 2, 2)


def _dashes(color: QColor) -> QPen:
    """Of the trajectory that is compared with."""
    pen = QPen(color, 1.4)
    pen.setDashPattern([5.0, 3.0])
    return pen


def _path(x: FloatArray, y: FloatArray) -> QPainterPath:
    path: QPainterPath = pg.arrayToQPath(
        np.ascontiguousarray(x), np.ascontiguousarray(y), connect="finite"
    )
    return path


def _band(shown: Condensed, curve: int) -> QPainterPath:
    """The area between the lowest and the highest values of a curve."""
    whole = QPainterPath()
    for begin, end in _finite_runs(shown.mean[:, curve]):
        there, back = slice(begin, end), slice(end - 1, begin - 1 if begin else None, -1)
        time = np.concatenate([shown.time[there], shown.time[back]])
        edge = np.concatenate([shown.high[there, curve], shown.low[back, curve]])
        whole.addPath(_path(time, edge))
    return whole


def _finite_runs(values: FloatArray) -> list[tuple[int, int]]:
    edges = np.diff(np.concatenate([[0], np.isfinite(values).astype(np.int8), [0]]))
    return list(
        zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
    )
