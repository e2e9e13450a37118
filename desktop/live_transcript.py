"""The words while they are spoken: what is certain, and below it what may have been said."""

from bisect import bisect_right
from collections.abc import Sequence

from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop.theme import GRID, Theme
from desktop.transcript_view import TranscriptView
from extractors.features import Word

__all__ = ["LiveTranscript"]


class LiveTranscript(QWidget):
    """Keeps the words that it was given, also those that the session has forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self._words: list[Word] = []
        self._ends: list[int] = []
        self.view = TranscriptView()
        self.view.setPlaceholderText("Words appear here as they are recognised.")
        self.tentative = QLabel()
        self.tentative.setProperty("quiet", True)
        self.tentative.setWordWrap(True)
        self.tentative.setAccessibleName("Not certain yet")
        font = self.tentative.font()
        font.setItalic(True)
        self.tentative.setFont(font)
        self.tentative.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.view, 1)
        column.addWidget(self.tentative)

    def apply_theme(self, theme: Theme) -> None:
        self.view.apply_theme(theme)

    def clear_words(self) -> None:
        """Forget the session before."""
        self._words, self._ends = [], []
        self.view.set_duration(0.0)
        self.view.follow()
        self.tentative.hide()

    def set_words(self, words: Sequence[Word], tentative: Sequence[Word]) -> None:
        """The committed words of the last hour, and what may follow them."""
        if words and (not self._ends or words[-1].end > self._ends[-1]):
            last = self._ends[-1] if self._ends else -1
            first = bisect_right(words, last, key=lambda word: word.end)
            self._words += words[first:]
            self._ends += [word.end for word in words[first:]]
            self.view.set_words(self._words)
            self.view.set_time(self._words[-1].end)
        text = " ".join(word.text.strip() for word in tentative)
        if text != self.tentative.text():
            self.tentative.setText(text)
            self.tentative.setVisible(bool(text))
