"""Narrows the list of sessions: by date, marker and emotion."""

from datetime import date

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from assets.errors import BadInput
from desktop.choice_box import ChoiceBox
from desktop.library import Query
from desktop.theme import GRID, Theme
from desktop.time_format import percent_text
from extractors.features import EMOTIONS

__all__ = ["LibraryFilters"]

LEAST = (0.5, 0.6, 0.7, 0.8, 0.9)
"""How high an emotion is to peak; lower peaks are not in the index."""


class LibraryFilters(QWidget):
    """A row of fields; what is empty narrows nothing."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.since = _field("From", "The first day, as 2026-05-04", 13 * GRID)
        self.until = _field("Until", "The last day, as 2026-05-04", 13 * GRID)
        self.marker = _field("Marker", "Part of the name of a marker")
        self.emotion = ChoiceBox()
        self.emotion.setAccessibleName("An emotion that peaks")
        self.emotion.addItem("Any emotion", None)
        for name in EMOTIONS:
            self.emotion.addItem(name.capitalize(), name)
        self.least = ChoiceBox()
        self.least.setAccessibleName("How high it peaks")
        for value in LEAST:
            self.least.addItem(f"above {percent_text(value)}", value)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for field in (self.since, self.until):
            row.addWidget(field)
        row.addWidget(self.marker, 1)
        row.addWidget(self.emotion)
        row.addWidget(self.least)
        for field in (self.since, self.until, self.marker):
            field.textChanged.connect(lambda _: self.changed.emit())
        self.emotion.activated.connect(lambda _: self._choose_emotion())
        self.least.activated.connect(lambda _: self.changed.emit())
        self.least.setMinimumWidth(16 * GRID)
        self.least.hide()

    @property
    def active(self) -> bool:
        """Whether anything is narrowed."""
        texts = (self.since.text(), self.until.text(), self.marker.text())
        return any(text.strip() for text in texts) or self.emotion.currentData() is not None

    def query(self, words: str) -> Query:
        """All conditions with the words that were spoken. Raises BadInput for what is no date."""
        emotion = self.emotion.currentData()
        return Query(
            words,
            _day(self.since.text()),
            _day(self.until.text()),
            self.marker.text().strip(),
            emotion,
            LEAST[0] if emotion is None else float(self.least.currentData()),
        )

    def apply_theme(self, theme: Theme) -> None:
        for box in (self.emotion, self.least):
            box.apply_theme(theme)

    def _choose_emotion(self) -> None:
        self.least.setVisible(self.emotion.currentData() is not None)
        self.changed.emit()


def _field(name: str, tip: str, width: int | None = None) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(name)
    field.setToolTip(tip)
    field.setAccessibleName(name)
    if width is not None:
        field.setFixedWidth(width)
    return field


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{text.strip()} is no day; give it as 2026-05-04") from None
