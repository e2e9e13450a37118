"""The trajectory while it happens: it scrolls, the right edge is now.

A scrolling view has to be drawn thirty times a second. The curves are drawn into a picture, once
per prediction and only where that changed them; in between it is shifted
(benchmarks/live_window_cost.py), by parts of a pixel: half a minute on a plot of usual width moves
by fewer whole pixels than thirty a second.
"""

import math
from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QBrush,
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from desktop.graph_view import NAMES
from desktop.live_rows import rows_since, with_gaps
from desktop.live_strip import LiveStrip, Scale, changed_since
from desktop.marks import Mark
from desktop.theme import GRID, LIGHT, Theme, emotion_color, figures
from desktop.time_format import MINUS, clock_text
from desktop.trajectory_axes import spread, time_step
from desktop.trajectory_lanes import BUCKET, EmotionLane, Lane, PresenceLane, SentimentLane
from extractors.features import EMOTIONS, MODALITIES
from extractors.timeline import Timeline

__all__ = ["SPANS", "LivePlot"]

SPANS = (15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds that can be in sight; the wheel goes from one to the next."""
LEFT, RIGHT, AXIS, TOP = 56, 104, 22, 14
SENTIMENT, PRESENCE, LOW_SENTIMENT, LOW_PRESENCE = 56, 52, 28, 38
LOW = 250
PARTS = 4
"""Of a pixel by which the curves are shifted."""
SCALED = 0.01
"""Pixels by which they are stretched: nobody sees it, but Qt then shifts them smoothly."""
MARGIN = 2.0
"""Seconds that the picture of the curves is wider than what is in sight."""
TIME_WIDTH = 100
HATCH = 8
"""Pixels after which Qt's hatching repeats."""


class LivePlot(QWidget):
    """Takes rows, markers and the present time; paints nothing that has not changed."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Emotions of the last seconds")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme = LIGHT
        self._span = 30.0
        self._now = 0.0
        self._timeline = Timeline.empty()
        self._marks: Sequence[Mark] = ()
        self._lanes: tuple[Lane, ...] = (EmotionLane(), SentimentLane(), PresenceLane())
        self._strip = LiveStrip(self._draw_piece)
        self._frame: QPixmap | None = None
        self._place = -1

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(640, 280)

    @property
    def drawn(self) -> int:
        """How often curves were drawn, all of them or only their ends."""
        return self._strip.drawn

    @property
    def span(self) -> float:
        """Seconds in sight."""
        return self._span

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for lane in self._lanes:
            lane.apply_theme(theme)
        self._redraw()

    def clear(self) -> None:
        """Forget everything, for a new session."""
        self._now, self._marks = 0.0, ()
        self.set_rows(Timeline.empty())

    def set_rows(self, timeline: Timeline) -> None:
        """New or corrected rows; a hole in their times is a gap."""
        rows = with_gaps(rows_since(timeline, self._now - SPANS[-1] - MARGIN))
        self._strip.change(changed_since(self._timeline, rows))
        self._timeline, self._frame = rows, None
        self.update()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        if marks != self._marks:
            self._marks = marks
            self._redraw()

    def set_now(self, seconds: float) -> None:
        """Let the right edge be at `seconds`; painted only when that can be seen."""
        self._now = seconds
        place = round(seconds * self._pixels_per_second() * PARTS)
        if place != self._place:
            self._place = place
            self.update()

    def set_span(self, seconds: float) -> None:
        self._span = seconds
        self._redraw()

    def emphasise(self, index: int) -> None:
        """Fade all curves but one; -1 for none."""
        lane = self._lanes[0]
        assert isinstance(lane, EmotionLane)
        lane.emphasis = index
        self._redraw()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        assert event is not None
        step = -1 if event.angleDelta().y() > 0 else 1
        index = min(max(SPANS.index(self._span) + step, 0), len(SPANS) - 1)
        self.set_span(SPANS[index])
        event.accept()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._redraw()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        scale = self._scale()
        strip, ahead = self._strip.at(self._now - self._span, scale, whole=self._condensed())
        self._paint_strip(painter, strip, round(ahead * PARTS / scale.ratio) / PARTS)
        if self._frame is None:
            self._frame = self._drawn_frame()
        painter.drawPixmap(0, 0, self._frame)

    def _paint_strip(self, painter: QPainter, strip: QPixmap, shift: float) -> None:
        """The curves from `shift` pixels on. Qt shifts by parts of a pixel only what it scales."""
        whole = QRectF(LEFT, 0, self._width(), self.height())
        ratio = strip.devicePixelRatio()
        part = QRectF(shift * ratio, 0, (whole.width() - SCALED) * ratio, strip.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(whole, strip, part)

    def _drawn_frame(self) -> QPixmap:
        """Everything that stands still between two predictions."""
        ratio = self.devicePixelRatioF()
        frame = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        frame.setDevicePixelRatio(ratio)
        frame.fill(Qt.GlobalColor.transparent)
        painter = QPainter(frame)
        self._paint_frame(painter)
        self._paint_names(painter)
        painter.end()
        return frame

    def _redraw(self) -> None:
        self._strip.forget()
        self._frame = None
        self.update()

    def _condensed(self) -> bool:
        """Whether a point stands for several rows, and for others whenever the view moves."""
        sight = self._now - self._span, self._now + MARGIN
        first, last = np.searchsorted(self._timeline.time, sight)
        return bool(last - first + 4 > 2 * (self._width() // BUCKET))

    def _width(self) -> int:
        return max(1, self.width() - LEFT - RIGHT)

    def _pixels_per_second(self) -> float:
        return self._width() / self._span

    def _boxes(self) -> tuple[QRectF, QRectF, QRectF]:
        """Where the three lanes are, in pixels of the widget, from left to right edge in sight."""
        low = self.height() < LOW
        sentiment = LOW_SENTIMENT if low else SENTIMENT
        presence = LOW_PRESENCE if low else PRESENCE
        gap = 4 if low else GRID
        width = self._width()
        bottom = self.height() - AXIS
        third = QRectF(LEFT, bottom - presence, width, presence)
        second = QRectF(LEFT, third.top() - gap - sentiment, width, sentiment)
        first = QRectF(LEFT, TOP, width, max(20.0, second.top() - gap - TOP))
        return first, second, third

    def _scale(self) -> Scale:
        ratio = self.devicePixelRatioF()
        per_second = self._pixels_per_second() * ratio
        width, height = round(self._width() * ratio), round(self.height() * ratio)
        return Scale(per_second, width, round(MARGIN * per_second), height, ratio)

    def _draw_piece(self, painter: QPainter, left: int, right: int) -> None:
        """Draw everything that scrolls: curves, markers and the times below."""
        ratio, scale = self.devicePixelRatioF(), self._pixels_per_second()
        start, end = left / ratio / scale, right / ratio / scale
        painter.fillRect(QRectF(0, 0, (right - left) / ratio, self.height()),
                         QColor(self._theme.surface))  # fmt: skip
        painter.setBrushOrigin(QPointF(-(left / ratio % HATCH), 0))
        until = float(self._timeline.time[-1]) if len(self._timeline) else end
        for lane, box, pad in zip(self._lanes, self._boxes(), (0.06, 0.14, 0.0), strict=True):
            lane.set_timeline(self._timeline, max(until, end))
            lane.show_range(start, end, self._width())
            area = lane.boundingRect()
            inner = box.adjusted(0, pad * box.height(), 0, -pad * box.height())
            down = -inner.height() / area.height()
            to_device = QTransform(
                scale, 0, 0, down, -left / ratio, inner.bottom() - area.top() * down
            )
            painter.save()
            painter.setTransform(to_device)
            lane.paint(painter, None)
            painter.restore()
        self._draw_times(painter, start, end)
        self._draw_marks(painter, start)

    def _draw_times(self, painter: QPainter, start: float, end: float) -> None:
        step, scale = time_step(self._span, self._width()), self._pixels_per_second()
        reach = TIME_WIDTH / 2 / scale
        painter.setFont(figures(self.font(), 0.85))
        painter.setPen(QColor(self._theme.muted))
        first = max(0, int(np.ceil((start - reach) / step)))
        for index in range(first, int((end + reach) / step) + 1):
            x = (index * step - start) * scale
            box = QRectF(x - TIME_WIDTH / 2, self.height() - AXIS + 2, TIME_WIDTH, AXIS - 4)
            text = clock_text(index * step + 1e-6, tenths=step < 1)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_marks(self, painter: QPainter, start: float) -> None:
        top, _, bottom = self._boxes()
        painter.setFont(figures(self.font(), 0.85))
        marks = sorted(self._marks)
        ends = [*(mark.time for mark in marks), math.inf][1:]
        for (time, label, text), end in zip(marks, ends, strict=True):
            x = round((time - start) * self._pixels_per_second()) + 0.5
            if x < -200:
                continue
            ink = QColor(self._theme.muted if text else self._theme.text)
            painter.setPen(QPen(ink, 1, Qt.PenStyle.DotLine))
            painter.drawLine(QLineF(x, TOP, x, bottom.bottom()))
            width = min(160.0, (end - time) * self._pixels_per_second() - GRID)
            written = painter.fontMetrics().elidedText(
                label, Qt.TextElideMode.ElideRight, max(0, int(width))
            )
            room = QRectF(x + 4, top.top() - TOP, 160, TOP + 2)
            painter.setPen(ink)
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, written)

    def _paint_frame(self, painter: QPainter) -> None:
        boxes = self._boxes()
        painter.setFont(figures(self.font(), 0.85))
        for box in boxes:
            painter.setPen(QPen(QColor(self._theme.border), 1))
            painter.setBrush(QBrush(Qt.BrushStyle.NoBrush))
            painter.drawRect(box.adjusted(-0.5, 0, 0.5, 0))
        painter.setPen(QColor(self._theme.muted))
        first, second, third = boxes
        inner = 0.06 * first.height()
        scale = ((first.top() + inner, "100 %"), (first.center().y(), "50 %"))
        ticks = [*scale, (first.bottom() - inner, "0 %"), (second.center().y(), "0")]
        if second.height() >= SENTIMENT:
            ticks += [(second.top() + 8, "+3"), (second.bottom() - 8, f"{MINUS}3")]
        row = third.height() / len(MODALITIES)
        ticks += [(third.top() + (i + 0.5) * row, NAMES[name]) for i, name in enumerate(MODALITIES)]
        for y, text in ticks:
            box = QRectF(0, y - 9, LEFT - GRID, 18)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)

    def _paint_names(self, painter: QPainter) -> None:
        known = np.flatnonzero(self._timeline.known)
        if not len(known):
            return
        first, second, _ = self._boxes()
        inner = first.adjusted(0, 0.06 * first.height(), 0, -0.06 * first.height())
        values = self._timeline.emotions[known[-1]]
        ends = [inner.bottom() - float(v) * inner.height() for v in values]
        gap = min(15.0, (first.height() - 8) / (len(ends) - 1))
        if gap < 12:
            return
        lane = self._lanes[0]
        assert isinstance(lane, EmotionLane)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(figures(self.font(), 0.9))
        left = first.right()
        places = spread(ends, gap, first.top() + 4, first.bottom() - 4)
        for index, y in enumerate(places):
            faded = lane.emphasis not in (-1, index)
            painter.setPen(QPen(emotion_color(self._theme, index, 0.35 if faded else 1.0), 1.2))
            painter.drawLine(QPointF(left + 2, ends[index]), QPointF(left + 12, y))
            self._paint_name(painter, left, y, EMOTIONS[index].capitalize())
        painter.setPen(QPen(QColor(self._theme.accent), 1.2))
        y = second.center().y()
        painter.drawLine(QPointF(left + 2, y), QPointF(left + 12, y))
        self._paint_name(painter, left, y, "Sentiment")

    def _paint_name(self, painter: QPainter, left: float, y: float, name: str) -> None:
        box = QRectF(left + 16, y - 10, RIGHT - 16, 20)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
