"""The words, in paragraphs by pause; the spoken one is marked, a click on a word goes there."""

from bisect import bisect_right
from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QWheelEvent,
)
from PyQt6.QtWidgets import QFrame, QTextEdit, QToolTip

from desktop.theme import GRID, LIGHT, Theme, figures
from desktop.time_format import clock_text, percent_text
from extractors.features import Word
from extractors.stream.sample import SECOND, to_seconds

__all__ = ["TranscriptView", "starts_paragraph", "text_with_space"]

PAUSE = 7 * SECOND // 10
"""Silence that starts a paragraph."""
UNSURE = 0.5
"""Words below this probability are marked as doubtful."""


def starts_paragraph(word: Word, before: Word | None) -> bool:
    """Whether `word` opens a paragraph."""
    return before is None or word.start - before.end >= PAUSE


def text_with_space(word: Word) -> str:
    """The word as it follows another one: punctuation keeps close."""
    text = word.text.strip()
    return text if text[:1] in ".,;:!?%)'’…-" else f" {text}"


class TranscriptView(QTextEdit):
    """Takes the words that are known so far and appends what is new."""

    word_clicked = pyqtSignal(int)
    """Start of the word, session nanoseconds."""
    following_changed = pyqtSignal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setAccessibleName("Transcript")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._document().setDocumentMargin(0)
        self._theme = LIGHT
        self._words: list[Word] = []
        self._spans: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self._current = -1
        self._following = True
        self._long = False
        port = self.viewport()
        assert port is not None
        port.setMouseTracking(True)
        port.setCursor(Qt.CursorShape.ArrowCursor)

    @property
    def words(self) -> Sequence[Word]:
        return self._words

    @property
    def current(self) -> int:
        """Index of the marked word; -1 before the first."""
        return self._current

    @property
    def following(self) -> bool:
        """Whether it scrolls along; ends when somebody scrolls."""
        return self._following

    def follow(self, following: bool = True) -> None:
        if following != self._following:
            self._following = following
            self.following_changed.emit(following)
        if following:
            self._scroll_to_current()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._rebuild(self._words)

    def set_duration(self, seconds: float) -> None:
        """Make room for the times of a recording that long, and forget the words before."""
        self._long = seconds >= 3600
        self._current = -1
        self._rebuild([])

    def set_words(self, words: Sequence[Word]) -> None:
        """Show `words`; only what differs from before is laid out again."""
        known = len(self._words)
        if len(words) == known and (not known or words[-1] == self._words[-1]):
            return
        if list(words[:known]) != self._words:
            self._rebuild(list(words))
            return
        self._append(list(words[known:]))

    def set_time(self, time: int) -> None:
        """Mark the word that is spoken at `time`, or the last one before it."""
        current = bisect_right(self._starts, time) - 1
        if current != self._current:
            self._current = current
            if self._following:
                self._scroll_to_current()
            self._repaint()

    def neighbour(self, time: int, step: int) -> int | None:
        """Start of the next word after `time` (1), or of the one before (-1)."""
        if step > 0:
            index = bisect_right(self._starts, time)
            return self._starts[index] if index < len(self._starts) else None
        index = bisect_right(self._starts, time - SECOND // 4) - 1
        return self._starts[index] if index >= 0 else None

    def word_at(self, point: QPointF) -> int | None:
        """Index of the word at a point of the viewport."""
        layout = self._document().documentLayout()
        bar = self.verticalScrollBar()
        assert layout is not None
        assert bar is not None
        place = layout.hitTest(point + QPointF(0, bar.value()), Qt.HitTestAccuracy.ExactHit)
        index = bisect_right(self._spans, (place, 1 << 60)) - 1
        if place < 0 or index < 0 or place > self._spans[index][1]:
            return None
        return index

    def word_rect(self, index: int) -> QRectF:
        """Where a word is, in pixels of the viewport."""
        cursor = QTextCursor(self._document())
        begin, end = self._spans[index]
        cursor.setPosition(begin)
        left = self.cursorRect(cursor)
        cursor.setPosition(end)
        right = self.cursorRect(cursor)
        if right.top() != left.top():  # a word longer than the line
            right.setRight(self.width() - GRID)
        return QRectF(left.left(), left.top(), right.left() - left.left(), left.height())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        if 0 <= self._current < len(self._spans):
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            rect = self.word_rect(self._current).adjusted(-4, 0, 4, 1)
            color = QColor(self._theme.accent)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 2), 1, 1)
            color.setAlphaF(0.18)
            painter.setBrush(color)
            painter.drawRoundedRect(rect, 4, 4)
            painter.end()
        super().paintEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        index = self.word_at(event.position())
        if event.button() is Qt.MouseButton.LeftButton and index is not None:
            self.follow()
            self.word_clicked.emit(self._words[index].start)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        port = self.viewport()
        assert port is not None
        over = self.word_at(event.position()) is not None
        shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
        if port.cursor().shape() != shape:
            port.setCursor(shape)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        self.follow(False)
        super().wheelEvent(event)

    def viewportEvent(self, event: QEvent | None) -> bool:  # noqa: N802
        if isinstance(event, QHelpEvent):
            index = self.word_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if index is None else self._about(index), self)
            return True
        return super().viewportEvent(event)

    def _about(self, index: int) -> str:
        word = self._words[index]
        sure = "" if word.probability >= UNSURE else " (doubtful)"
        at = clock_text(to_seconds(word.start))
        return f"{at}, heard with {percent_text(word.probability)}{sure}"

    def _rebuild(self, words: list[Word]) -> None:
        self.clear()
        self._words, self._spans, self._starts = [], [], []
        self._append(words)

    def _append(self, words: list[Word]) -> None:
        cursor = QTextCursor(self._document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for word in words:
            before = self._words[-1] if self._words else None
            if starts_paragraph(word, before):
                self._open_paragraph(cursor, word, first=before is None)
                text = word.text.strip()
            else:
                text = text_with_space(word)
            written = text.lstrip()
            cursor.insertText(text[: len(text) - len(written)], self._plain())
            begin = cursor.position()
            cursor.insertText(written, self._plain(word.probability < UNSURE))
            self._words.append(word)
            self._spans.append((begin, cursor.position()))
            self._starts.append(word.start)
        cursor.endEditBlock()
        self._repaint()

    def _open_paragraph(self, cursor: QTextCursor, word: Word, first: bool) -> None:
        shape = QTextBlockFormat()
        gutter = self._gutter()
        shape.setLeftMargin(gutter)
        shape.setTextIndent(-gutter)
        shape.setTabPositions([QTextOption.Tab(gutter, QTextOption.TabType.LeftTab)])
        shape.setTopMargin(0 if first else GRID)
        shape.setLineHeight(140.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)  # type: ignore[arg-type]  # its stub lacks the number
        if first:
            cursor.setBlockFormat(shape)
        else:
            cursor.insertBlock(shape)
        stamp = QTextCharFormat()
        stamp.setFont(figures(self.font(), 0.85))
        stamp.setForeground(QColor(self._theme.muted))
        cursor.insertText(f"{clock_text(to_seconds(word.start), tenths=False)}\t", stamp)

    def _gutter(self) -> float:
        stamp = "0:00:00" if self._long else "00:00"
        return QFontMetricsF(figures(self.font(), 0.85)).horizontalAdvance(stamp) + 1.5 * GRID

    def _plain(self, doubtful: bool = False) -> QTextCharFormat:
        plain = QTextCharFormat()
        plain.setFont(QFont(self.font()))
        plain.setForeground(QColor(self._theme.muted if doubtful else self._theme.text))
        if doubtful:
            plain.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            plain.setUnderlineColor(QColor(self._theme.muted))
        return plain

    def _scroll_to_current(self) -> None:
        bar = self.verticalScrollBar()
        port = self.viewport()
        assert bar is not None
        assert port is not None
        if not 0 <= self._current < len(self._spans):
            bar.setValue(0)
            return
        rect = self.word_rect(self._current)
        if rect.top() < 0 or rect.bottom() > port.height() - 2 * GRID:
            bar.setValue(round(bar.value() + rect.top() - port.height() / 3))

    def _repaint(self) -> None:
        port = self.viewport()
        assert port is not None
        port.update()

    def _document(self) -> QTextDocument:
        document = self.document()
        assert document is not None
        return document
