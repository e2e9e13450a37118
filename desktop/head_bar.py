"""The row at the head of the window: what is open, how far its analysis is, what can be done."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from desktop.controls import IconButton, TextButton
from desktop.elided_label import ElidedLabel
from desktop.privacy_badge import PrivacyBadge
from desktop.theme import GRID, Theme, figures, scaled

__all__ = ["HeadBar"]


class HeadBar(QWidget):
    """Title on the left, progress in the middle while there is any, buttons on the right."""

    open_pressed = pyqtSignal()
    theme_pressed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.title = ElidedLabel()
        self.title.setFont(scaled(self.font(), 1.25))
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.progress_text = QLabel()
        self.progress_text.setFont(figures(self.font(), 0.9))
        self.progress_text.setProperty("quiet", True)
        self.progress_bar = QProgressBar()
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setRange(0, 1000)
        self.progress_bar.setAccessibleName("Progress of the analysis")
        self._progress = QWidget()
        self._progress.setFixedWidth(30 * GRID)
        column = QVBoxLayout(self._progress)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addStretch()
        column.addWidget(self.progress_text)
        column.addWidget(self.progress_bar)
        column.addStretch()
        self.open = TextButton("Open\N{HORIZONTAL ELLIPSIS}", "Open a video or session (O)")
        self.theme = IconButton("dark", "Dark theme", "Dark theme (D)")
        self.menu = IconButton("menu", "Menu", "Menu")
        self.menu.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        self.privacy = PrivacyBadge()
        row.addWidget(self.title, 1)
        row.addWidget(self.privacy)
        row.addWidget(self._progress)
        row.addSpacing(GRID)
        for widget in (self.open, self.theme, self.menu):
            row.addWidget(widget)
        self.open.clicked.connect(self.open_pressed)
        self.theme.clicked.connect(self.theme_pressed)
        self.set_title("Affectscope")
        self.set_progress(None, "")

    def apply_theme(self, theme: Theme) -> None:
        shape = "light" if theme.dark else "dark"
        name = f"{shape.capitalize()} theme"
        self.theme.set_shape(shape, name, f"{name} (D)")
        self.theme.set_color(theme.text)
        self.menu.set_color(theme.text)
        self.privacy.apply_theme(theme)

    def set_title(self, title: str) -> None:
        self.title.set_whole(title)

    def set_progress(self, fraction: float | None, text: str) -> None:
        """None hides it."""
        self._progress.setVisible(fraction is not None)
        if fraction is not None:
            self.progress_bar.setValue(round(1000 * fraction))
            self.progress_text.setText(text)
