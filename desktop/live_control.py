"""The live page and the consent before it, as the window uses them."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QSettings
from PyQt6.QtWidgets import QFileDialog

from desktop.consent_page import ConsentPage
from desktop.live_opening import ListDevices, LiveRequest, MakeLive
from desktop.live_page import LivePage
from desktop.theme import Theme

if TYPE_CHECKING:
    from desktop.main_window import MainWindow

__all__ = ["LiveControl"]

log = logging.getLogger(__name__)

MARKS = 9


class LiveControl(QObject):
    """Shows the live page in place of the others, and takes it away again."""

    def __init__(
        self, window: "MainWindow", settings: QSettings, make: MakeLive, devices: ListDevices
    ) -> None:
        super().__init__(window)
        self._window = window
        self.consent = ConsentPage()
        self.page = LivePage(settings, make, devices)
        self._problem = ""
        self.consent.agreed.connect(self._agreed)
        self.consent.declined.connect(window.show_start)
        self.page.problem.connect(self._show_problem)
        self.page.recorded.connect(self._recorded)
        self.page.in_use.connect(window.head.privacy.set_open)

    @property
    def active(self) -> bool:
        """Whether the live page is shown."""
        return self._window.shown is self.page

    def open(self, request: LiveRequest | None = None) -> None:
        """Show the live page with what the devices see; the first time it asks for consent."""
        if self.active:
            return
        if request is not None:
            self.page.use(request)
        if not self.page.memory.agreed:
            self._window.show_part(self.consent, "Live")
            self.consent.agree.setFocus()
            return
        self._window.show_part(self.page, "Live")
        self.page.setFocus()
        self.page.enter()

    def close(self) -> bool:
        """Leave the page if nothing runs. Returns False, and says so, while something does."""
        if self.active and self.page.running:
            self._window.show_problem("A live session is running: stop it first (Shift+Space).")
            return False
        if self.active:
            self.end()
        return True

    def end(self) -> None:
        """Close devices and end the session, whatever it is doing."""
        if not self.page.leave():
            log.warning("a live session did not end in time")

    def mark(self, number: int | None = None) -> None:
        """Put a marker; with a number it has that name."""
        self.page.mark("" if number is None else str(number))

    def ask_for_folder(self) -> None:
        """Let the person choose where recordings go."""
        name = QFileDialog.getExistingDirectory(
            self._window, "Where recordings go", str(self.page.memory.folder)
        )
        if name:
            self.page.set_folder(Path(name))

    def apply_theme(self, theme: Theme) -> None:
        self.consent.apply_theme(theme)
        self.page.apply_theme(theme)

    def _agreed(self) -> None:
        self.page.memory.agree()
        self.open()

    def _show_problem(self, text: str) -> None:
        if text:
            self._window.show_problem(text)
        elif self._window.message.text == self._problem:
            self._window.message.hide()
        self._problem = text

    def _recorded(self, folder: Path) -> None:
        if folder.exists():
            self._window.message.show_message(
                f"Recorded into {folder}", ("Open", lambda: self._window.open_path(folder))
            )
