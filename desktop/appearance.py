"""Which theme is on: the system's, or the one that was chosen and is remembered."""

from enum import Enum

from PyQt6.QtCore import QObject, QSettings, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication

from desktop.theme import DARK, LIGHT, Theme

__all__ = ["Appearance", "Choice"]


class Choice(Enum):
    """What the person asked for."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Appearance(QObject):
    """Follows the system's colour scheme unless told otherwise."""

    changed = pyqtSignal()

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        stored = str(settings.value("theme", Choice.SYSTEM.value))
        known = {choice.value: choice for choice in Choice}
        self._choice = known.get(stored, Choice.SYSTEM)
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self.changed)

    @property
    def choice(self) -> Choice:
        return self._choice

    @property
    def theme(self) -> Theme:
        if self._choice is not Choice.SYSTEM:
            return DARK if self._choice is Choice.DARK else LIGHT
        hints = QGuiApplication.styleHints()
        dark = hints is not None and hints.colorScheme() is Qt.ColorScheme.Dark
        return DARK if dark else LIGHT

    def choose(self, choice: Choice) -> None:
        """Take a theme and remember it."""
        self._choice = choice
        self._settings.setValue("theme", choice.value)
        self.changed.emit()

    def toggle(self) -> None:
        """From light to dark or back, whatever the system says."""
        self.choose(Choice.LIGHT if self.theme.dark else Choice.DARK)
