"""Emotions, sentiment and presence over time, with the playhead across them."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPen, QPolygonF, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QFrame, QGraphicsLineItem, QGraphicsPolygonItem

from desktop.graph_view import NAMES
from desktop.loop_band import LoopBand
from desktop.marker_lines import MarkerLines
from desktop.marks import Mark
from desktop.theme import LIGHT, Theme, emotion_color, figures
from desktop.time_format import MINUS, clock_text
from desktop.trajectory_axes import EndLabels, TimeAxis, spread
from desktop.trajectory_lanes import EmotionLane, Lane, PresenceLane, SentimentLane
from extractors.features import EMOTIONS, MODALITIES
from extractors.timeline import Timeline

__all__ = ["TrajectoryPlot"]

LEFT, RIGHT = 56, 104
SENTIMENT_HEIGHT, PRESENCE_HEIGHT = 56, 52
LOW_SENTIMENT_HEIGHT, LOW_PRESENCE_HEIGHT = 36, 42
LOW = 250
"""Height in pixels below which the lower lanes make room for the emotions."""
AXIS = 22
LABEL_GAP = 13.0
SHORTEST = 1.0
"""Seconds that are visible at the closest zoom."""
CLICK = 4
"""Pixels up to which a drag along the axis is a click."""


class TrajectoryPlot(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """Press or drag to seek, turn the wheel to zoom around the pointer, double-click for all.

    A drag along the time axis chooses a range, a click there gives it up.
    """

    sought = pyqtSignal(float)
    """Seconds under the pointer while its button is down."""
    scrubbing = pyqtSignal(bool)
    """The button went down, or up again."""
    range_chosen = pyqtSignal(float, float)
    """Seconds between which somebody dragged along the time axis."""
    range_dropped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Emotions over time")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setVerticalSpacing(8)
        self._theme = LIGHT
        self._timeline = Timeline.empty()
        self._duration = 1.0
        self._range = (0.0, 1.0)
        self._position = 0.0
        self._dragging = False
        self._loop: tuple[float, float] | None = None
        self._chosen_from: float | None = None
        self._drawn = (-1.0, -1)
        self._lanes: list[tuple[pg.PlotItem, Lane]] = []
        self._emotions, self._sentiment, self._presence = self._make_lanes()
        self._labels = EndLabels()
        self._line = QGraphicsLineItem()
        self._knob = QGraphicsPolygonItem(
            QPolygonF(
                [QPointF(-5, 0), QPointF(5, 0), QPointF(5, 5), QPointF(0, 10), QPointF(-5, 5)]
            )
        )
        self._band = LoopBand()
        self._marks: Sequence[Mark] = ()
        self.markers = MarkerLines()
        for height, item in enumerate(
            (self._band, self.markers, self._labels, self._line, self._knob)
        ):
            item.setZValue(10 + height)
            self.scene().addItem(item)
        self.apply_theme(LIGHT)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(640, 280)

    @property
    def duration(self) -> float:
        """Seconds that the whole axis is long."""
        return self._duration

    @property
    def visible_range(self) -> tuple[float, float]:
        """Seconds at the left and right edge."""
        return self._range

    def set_duration(self, seconds: float) -> None:
        """Show all of a recording that long."""
        self._duration = max(seconds, 0.1)
        self._drawn = (-1.0, -1)
        self.show_range(0.0, self._duration)

    def set_timeline(self, timeline: Timeline, until: float) -> None:
        """Draw the rows that there are, analysed until `until` seconds.

        While an analysis runs it is drawn again only once it has come on by a pixel.
        """
        last, rows = self._drawn
        pixel = (self._range[1] - self._range[0]) / max(1.0, self._box(0).width())
        if 0 <= until - last < pixel and until < self._duration and rows > 0:
            return
        if (last, rows) == (until, len(timeline)):
            return
        self._drawn = (until, len(timeline))
        self._timeline = timeline
        for _, lane in self._lanes:
            lane.set_timeline(timeline, until)
        self._place_labels()

    def set_other(self, timeline: Timeline | None) -> None:
        """A second trajectory, dashed and lighter; None for none."""
        for _, lane in self._lanes:
            lane.set_other(Timeline.empty() if timeline is None else timeline)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Markers and what happened, in the order of time."""
        if marks != self._marks:
            self._marks = marks
            told = (f"{clock_text(m.time, tenths=False)} {m.label}" for m in marks)
            self.setAccessibleDescription("; ".join(told))
            self._place_band()

    def set_loop(self, span: tuple[float, float] | None) -> None:
        """Tint the seconds that repeat."""
        self._loop = span
        self._band.setVisible(span is not None)
        self._place_band()

    def set_position(self, seconds: float) -> None:
        """Move the playhead; a zoomed view turns the page to keep it in sight."""
        self._position = seconds
        start, end = self._range
        if not start <= seconds <= end and not self._dragging:
            self.show_range(seconds - 0.1 * (end - start), seconds + 0.9 * (end - start))
        self._place_playhead()

    def emphasise(self, index: int) -> None:
        """Fade all curves but one; -1 for none."""
        self._emotions.emphasis = index
        self._emotions.refresh()
        self._place_labels()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setBackground(theme.surface)
        ink, rule = QColor(theme.muted), QColor(theme.border)
        font = figures(self.font(), 0.85)
        for plot, lane in self._lanes:
            lane.apply_theme(theme)
            for side in ("left", "bottom", "right"):
                axis = plot.getAxis(side)
                axis.setPen(QPen(rule, 1))
                axis.setTextPen(ink)
                axis.setTickFont(font)
            plot.getAxis("left").setGrid(46 if theme.dark else 60)
        self._band.apply_theme(theme)
        self.markers.apply_theme(theme, font)
        self._line.setPen(QPen(QColor(theme.text), 1))
        self._knob.setPen(QPen(Qt.PenStyle.NoPen))
        self._knob.setBrush(QColor(theme.text))
        self._place_labels()

    def show_range(self, start: float, end: float) -> None:
        """Show these seconds, moved so that they lie within the recording."""
        span = min(max(end - start, min(SHORTEST, self._duration)), self._duration)
        start = min(max(0.0, start), self._duration - span)
        self._range = (start, start + span)
        for plot, lane in self._lanes:
            plot.vb.setXRange(*self._range, padding=0)
            lane.show_range(*self._range, round(plot.vb.width()))
        self._place_labels()
        self._place_playhead()
        self._place_band()

    def time_at(self, x: float) -> float:
        """Seconds under a horizontal place in the widget, brought into the visible range."""
        box = self._box(0)
        start, end = self._range
        share = (x - box.left()) / max(1.0, box.width())
        return start + min(max(share, 0.0), 1.0) * (end - start)

    def x_of(self, seconds: float) -> float:
        """Inverse of `time_at`."""
        box = self._box(0)
        start, end = self._range
        return box.left() + (seconds - start) / (end - start) * box.width()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self._on_axis(event.position().y()):
            self._chosen_from = event.position().x()
        else:
            self._dragging = True
            self.scrubbing.emit(True)
            self.sought.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        over = self._chosen_from is not None or self._on_axis(event.position().y())
        shape = Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
        self.markers.say_what_happened(event.position().x())
        if self._chosen_from is not None:
            self.set_loop(self._span_to(event.position().x()))
        elif self._dragging:
            self.sought.emit(self.time_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self._chosen_from is not None:
            x = event.position().x()
            start, end = self._span_to(x)
            if abs(x - self._chosen_from) > CLICK:
                self.range_chosen.emit(start, end)
            else:
                self.range_dropped.emit()
            self._chosen_from = None
        elif self._dragging:
            self._dragging = False
            self.scrubbing.emit(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if not self._on_axis(event.position().y()):
            self.show_range(0.0, self._duration)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        start, end = self._range
        sideways, turn = event.angleDelta().x(), event.angleDelta().y()
        if sideways:
            shift = -sideways / 1200 * (end - start)
            self.show_range(start + shift, end + shift)
        elif turn:
            factor = 0.8 ** (turn / 120)
            at = self.time_at(event.position().x())
            self.show_range(at - (at - start) * factor, at + (end - at) * factor)
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        if hasattr(self, "_knob"):
            low = self.height() < LOW
            self._lanes[1][0].setFixedHeight(LOW_SENTIMENT_HEIGHT if low else SENTIMENT_HEIGHT)
            presence = LOW_PRESENCE_HEIGHT if low else PRESENCE_HEIGHT
            self._lanes[2][0].setFixedHeight(presence + AXIS)
            self.ci.layout.setVerticalSpacing(4 if low else 8)
            self.ci.layout.activate()
            self.show_range(*self._range)

    def _make_lanes(self) -> tuple[EmotionLane, SentimentLane, PresenceLane]:
        emotions, sentiment, presence = EmotionLane(), SentimentLane(), PresenceLane()
        names = [(len(MODALITIES) - 1 - i, NAMES[name]) for i, name in enumerate(MODALITIES)]
        scales = (
            (emotions, (0.0, 1.0), [(0, "0 %"), (0.5, "50 %"), (1, "100 %")]),
            (sentiment, (-3.0, 3.0), [(-3, f"{MINUS}3"), (0, "0"), (3, "+3")]),
            (presence, (-0.5, 2.5), names),
        )
        for row, (lane, (low, high), ticks) in enumerate(scales):
            plot = self.addPlot(row=row, col=0, axisItems={"bottom": TimeAxis("bottom")})
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.vb.setMouseEnabled(False, False)
            plot.vb.setYRange(low, high, padding=(0.08, 0.16, 0.0)[row])
            plot.vb.setDefaultPadding(0)
            plot.vb.addItem(lane, ignoreBounds=True)
            left, bottom = plot.getAxis("left"), plot.getAxis("bottom")
            left.setWidth(LEFT)
            left.setTicks([ticks])
            left.setStyle(tickLength=0, tickTextOffset=8, hideOverlappingLabels=False)
            bottom.setStyle(showValues=row == 2, tickLength=0, hideOverlappingLabels=False)
            bottom.setHeight(AXIS if row == 2 else 1)
            plot.showAxis("right")
            right = plot.getAxis("right")
            right.setWidth(RIGHT)
            right.setStyle(showValues=False, tickLength=0)
            right.setTicks([])
            self._lanes.append((plot, lane))
        return emotions, sentiment, presence

    def _box(self, lane: int) -> QRectF:
        view = self._lanes[lane][0].vb
        return QRectF(view.mapRectToScene(view.rect()))

    def _on_axis(self, y: float) -> bool:
        return y > self._box(2).bottom()

    def _span_to(self, x: float) -> tuple[float, float]:
        assert self._chosen_from is not None
        start, end = sorted((self.time_at(self._chosen_from), self.time_at(x)))
        return start, end

    def _place_band(self) -> None:
        if not hasattr(self, "_band"):
            return
        area = self._box(0).united(self._box(2))
        self.markers.place(area, [(self.x_of(mark.time), mark) for mark in self._marks])
        if self._loop is not None:
            self._band.place(area, *(self.x_of(seconds) for seconds in self._loop))

    def _place_playhead(self) -> None:
        start, end = self._range
        visible = start <= self._position <= end
        self._line.setVisible(visible)
        self._knob.setVisible(visible)
        x = round(self.x_of(self._position)) + 0.5
        top = self._box(0).top()
        line = QLineF(x, top, x, self._box(2).bottom())
        if self._line.line() != line:
            self._line.setLine(line)
            self._knob.setPos(x, top)

    def _place_labels(self) -> None:
        if not hasattr(self, "_labels"):
            return
        box, lower = self._box(0), self._box(1)
        area = QRectF(box.right(), box.top() - 10, RIGHT, lower.bottom() - box.top() + 20)
        font = figures(self.font(), 0.9)
        labels: list[tuple[str, QColor, float, float, bool]] = []
        rows = np.flatnonzero(self._timeline.known & (self._timeline.time <= self._range[1] + 1e-6))
        if len(rows):
            values = self._timeline.emotions[rows[-1]]
            low, high = box.top() + 4, box.bottom() - 4
            ends = [box.bottom() - float(v) * box.height() for v in values]
            gap = min(15.0, (high - low) / (len(ends) - 1))
            places = spread(ends, gap, low, high) if gap >= LABEL_GAP else []
            for index, y in enumerate(places):
                faded = self._emotions.emphasis not in (-1, index)
                strong = self._emotions.emphasis == index
                color = emotion_color(self._theme, index, 0.35 if faded else 1.0)
                labels.append((EMOTIONS[index].capitalize(), color, ends[index], y, strong))
            middle = lower.center().y()
            labels.append(("Sentiment", QColor(self._theme.accent), middle, middle, False))
        self._labels.set_labels(area, font, labels)
