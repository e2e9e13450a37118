"""Whether face, voice and words are there right now, in words and shape, not by colour alone."""

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.theme import GRID, LIGHT, Theme, scaled
from desktop.timeline_lookup import Moment

__all__ = ["StatusChips"]

STATES = {
    "face": ("Face", "present", "no face"),
    "voice": ("Voice", "speaking", "silent"),
    "text": ("Words", "heard", "none"),
}


class Chip(QWidget):
    """A dot, full where the modality is there, and what that means."""

    def __init__(self, modality: str) -> None:
        super().__init__()
        self._name, self._yes, self._no = STATES[modality]
        self._here: bool | None = None
        self._state = ""
        self._theme = LIGHT
        self.setAccessibleName(self._name)
        self.setFont(scaled(self.font(), 0.92))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        state = {None: "\N{EN DASH}", True: self._yes, False: self._no}[self._here]
        return f"{self._name}: {self._state or state}"

    def sizeHint(self) -> QSize:  # noqa: N802
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(f"{self._name}: {s}") for s in (self._yes, self._no))
        return QSize(widest + 34, 3 * GRID)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_here(self, here: bool | None) -> None:
        if here is not self._here:
            self._here = here
            self.setAccessibleDescription(self.text)
            self.update()

    def set_status(self, here: bool | None, state: str, why: str) -> None:
        """A state that has other names: waiting, off, failed. `why` is shown at the pointer."""
        if (here, state) != (self._here, self._state):
            self._here, self._state = here, state
            self.setAccessibleDescription(self.text)
            self.update()
        if why != self.toolTip():
            self.setToolTip(why)

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(self._theme.border), 1))
        painter.setBrush(QColor(self._theme.faint if self._here else self._theme.surface))
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        ink = QColor(self._theme.text if self._here else self._theme.muted)
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(ink if self._here else Qt.GlobalColor.transparent)
        painter.drawEllipse(QRectF(10, self.height() / 2 - 3.5, 7, 7))
        painter.setPen(ink)
        painter.drawText(
            QRectF(24, 0, self.width() - 24, self.height()),
            Qt.AlignmentFlag.AlignVCenter,
            self.text,
        )


class StatusChips(QWidget):
    """Three chips in a row."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        self.chips = {modality: Chip(modality) for modality in STATES}
        row.addStretch()
        for chip in self.chips.values():
            row.addWidget(chip)
        row.addStretch()

    def apply_theme(self, theme: Theme) -> None:
        for chip in self.chips.values():
            chip.apply_theme(theme)

    def set_moment(self, moment: Moment) -> None:
        """Show what is there at a moment."""
        text, voice, face = moment.present or (None, None, None)
        for modality, here in (("text", text), ("voice", voice), ("face", face)):
            self.chips[modality].set_here(here)
