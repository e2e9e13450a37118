"""What is there before anything is open: where to drop a video, and what was open lately."""

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.controls import TextButton
from desktop.icons import pixmap
from desktop.theme import GRID, LIGHT, Theme, scaled

__all__ = ["EmptyPage"]

RECENT = 5


class EmptyPage(QWidget):
    """Live, a video, the sample, or what was open before."""

    live_pressed = pyqtSignal()
    open_pressed = pyqtSignal()
    sample_pressed = pyqtSignal()
    library_pressed = pyqtSignal()
    recent_pressed = pyqtSignal(Path)

    def __init__(self, has_sample: bool) -> None:
        super().__init__()
        self._theme = LIGHT
        self._dropping = False
        self._picture = QLabel()
        title = QLabel("Start live, or drop a video here")
        title.setFont(scaled(self.font(), 1.7))
        hint = QLabel(
            "Emotion trajectories from face, voice and words, worked out on this computer."
        )
        hint.setProperty("quiet", True)
        hint.setWordWrap(True)
        for label in (self._picture, title, hint):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.live = TextButton("Start live", "With camera and microphone (Ctrl+L)", "primary")
        self.open = TextButton("Open\N{HORIZONTAL ELLIPSIS}", "Open a video or session (O)")
        self.sample = TextButton("Open the sample", "A short clip that comes with the program")
        self.sample.setVisible(has_sample)
        self.library = TextButton("Library", "Recorded sessions (Ctrl+B)")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch()
        buttons.addWidget(self.live)
        buttons.addWidget(self.open)
        buttons.addWidget(self.library)
        buttons.addWidget(self.sample)
        buttons.addStretch()
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        column.setSpacing(2 * GRID)
        column.addStretch()
        for label in (self._picture, title, hint):
            column.addWidget(label)
        column.addLayout(buttons)
        column.addSpacing(GRID)
        column.addLayout(self._recent)
        column.addStretch()
        self.live.clicked.connect(self.live_pressed)
        self.open.clicked.connect(self.open_pressed)
        self.library.clicked.connect(self.library_pressed)
        self.sample.clicked.connect(self.sample_pressed)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._picture.setPixmap(pixmap("film", theme.muted, 72, self.devicePixelRatioF()))
        self.update()

    def set_recent(self, paths: Sequence[Path]) -> None:
        """The newest first."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for path in paths[:RECENT]:
            name = self.fontMetrics().elidedText(path.name, Qt.TextElideMode.ElideMiddle, 400)
            link = TextButton(name, str(path), "link")
            link.setAccessibleName(f"Open {path.name} again")
            link.clicked.connect(lambda _checked, path=path: self.recent_pressed.emit(path))
            self._recent.addWidget(link, 0, Qt.AlignmentFlag.AlignHCenter)

    def set_dropping(self, dropping: bool) -> None:
        """Whether something that can be opened hovers over the window."""
        self._dropping = dropping
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(self._theme.accent if self._dropping else self._theme.border)
        painter.setPen(QPen(color, 2, Qt.PenStyle.DashLine))
        painter.setBrush(QColor(self._theme.surface))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 2 * GRID, 2 * GRID)
