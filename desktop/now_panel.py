"""The emotions of this moment as bars with figures; also the legend of the curves."""

import math

from PyQt6.QtCore import QEvent, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from desktop.theme import GRID, LIGHT, Theme, emotion_color, figures
from desktop.time_format import percent_text, sentiment_text
from desktop.timeline_lookup import Moment
from extractors.features import EMOTIONS

__all__ = ["NowPanel"]

NAME = 10 * GRID
VALUE = 6 * GRID
ROW = 17


class NowPanel(QWidget):
    """One row per emotion and one for the sentiment. Pointing at a row emphasises its curve."""

    emphasised = pyqtSignal(int)
    """Index of the emotion under the pointer or pinned by a click; -1 for none."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Emotions now")
        self.setMouseTracking(True)
        self.setMinimumHeight(ROW * (len(EMOTIONS) + 2))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._theme = LIGHT
        self._moment = Moment()
        self._hover = -1
        self._pinned = -1

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(32 * GRID, 26 * (len(EMOTIONS) + 2))

    @property
    def emphasis(self) -> int:
        return self._hover if self._hover >= 0 else self._pinned

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_moment(self, moment: Moment) -> None:
        if moment is self._moment:
            return
        self._moment = moment
        self.setAccessibleDescription(self.description())
        self.update()

    def description(self) -> str:
        """What a screen reader says."""
        if self._moment.emotions is None:
            return "nothing is known here"
        values = [
            f"{name} {percent_text(float(value))}"
            for name, value in zip(EMOTIONS, self._moment.emotions, strict=True)
        ]
        return ", ".join([*values, f"sentiment {sentiment_text(self._moment.sentiment)}"])

    def pin(self, index: int) -> None:
        """Keep a curve emphasised; the same one again, or -1, lets go."""
        self._pinned = -1 if index == self._pinned else index
        self.emphasised.emit(self.emphasis)
        self.update()

    def row_rect(self, row: int) -> QRectF:
        """The row of an emotion, or of the sentiment (the last)."""
        height = min(28.0, self.height() / (len(EMOTIONS) + 1.6))
        gap = 0.6 * height if row == len(EMOTIONS) else 0.0
        return QRectF(0, row * height + gap, self.width(), height)

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        emotions = self._moment.emotions
        strongest = -1 if emotions is None else int(emotions.argmax())
        for index, name in enumerate(EMOTIONS):
            value = None if emotions is None else float(emotions[index])
            self._paint_emotion(painter, index, name.capitalize(), value, index == strongest)
        rule = self.row_rect(len(EMOTIONS)).top() - 0.3 * self.row_rect(0).height()
        painter.fillRect(QRectF(0, round(rule), self.width(), 1), QColor(self._theme.border))
        self._paint_sentiment(painter)

    def _paint_emotion(
        self, painter: QPainter, index: int, name: str, value: float | None, strong: bool
    ) -> None:
        row = self.row_rect(index)
        faded = self.emphasis not in (-1, index)
        color = emotion_color(self._theme, index, 0.35 if faded else 1.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(QRectF(0, row.center().y() - 5, 10, 10), 3, 3)
        weight = QFont.Weight.Bold if strong or index == self.emphasis else QFont.Weight.Normal
        ink = self._theme.muted if faded else self._theme.text
        text = "\N{EN DASH}" if value is None else percent_text(value)
        self._paint_words(painter, row, name, text, weight, ink)
        bar = self._bar(row)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.faint))
        painter.drawRoundedRect(bar, 3, 3)
        if value:
            painter.setBrush(color)
            bar.setWidth(max(3.0, bar.width() * value))
            painter.drawRoundedRect(bar, 3, 3)

    def _paint_sentiment(self, painter: QPainter) -> None:
        row = self.row_rect(len(EMOTIONS))
        value = self._moment.sentiment
        self._paint_words(
            painter,
            row,
            "Sentiment",
            sentiment_text(value),
            QFont.Weight.Normal,
            self._theme.text,
            0,
        )
        bar = self._bar(row)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.faint))
        painter.drawRoundedRect(bar, 3, 3)
        middle = bar.center().x()
        if not math.isnan(value):
            end = middle + max(-1.0, min(1.0, value / 3)) * bar.width() / 2
            painter.setBrush(QColor(self._theme.accent))
            left = QRectF(min(middle, end), bar.top(), abs(end - middle), bar.height())
            painter.drawRoundedRect(left, 2, 2)
        tick = QRectF(round(middle) - 1, bar.top() - 3, 2, bar.height() + 6)
        painter.fillRect(tick, QColor(self._theme.muted))

    def _paint_words(
        self,
        painter: QPainter,
        row: QRectF,
        name: str,
        value: str,
        weight: QFont.Weight,
        ink: str,
        indent: int = 18,
    ) -> None:
        painter.setPen(QColor(ink))
        painter.setFont(figures(self.font(), 1.0, weight))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(row.adjusted(indent, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, name)
        painter.drawText(row, middle | Qt.AlignmentFlag.AlignRight, value)

    def _bar(self, row: QRectF) -> QRectF:
        return QRectF(
            NAME + 2 * GRID, row.center().y() - 4, row.width() - NAME - VALUE - 3 * GRID, 8
        )

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        self._set_hover(self._row_at(event.position().y()))

    def leaveEvent(self, _event: QEvent | None) -> None:  # noqa: N802
        self._set_hover(-1)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        self.pin(self._row_at(event.position().y()))

    def _row_at(self, y: float) -> int:
        rows = (i for i in range(len(EMOTIONS)) if self.row_rect(i).contains(1.0, y))
        return next(rows, -1)

    def _set_hover(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            self.emphasised.emit(self.emphasis)
            self.update()
