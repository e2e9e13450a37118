"""The library page and the export dialog, as the window uses them."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QSettings

from desktop.export_dialog import ExportDialog
from desktop.library_page import LibraryPage

if TYPE_CHECKING:
    from desktop.main_window import MainWindow

__all__ = ["LibraryControl"]

log = logging.getLogger(__name__)


class LibraryControl(QObject):
    """Shows the library in place of the other pages, and the export over any of them."""

    def __init__(self, window: "MainWindow", settings: QSettings) -> None:
        super().__init__(window)
        self._window, self._settings = window, settings
        self.page = LibraryPage()
        self.dialog: ExportDialog | None = None
        self.page.opened.connect(window.open_path)
        self.page.export_pressed.connect(self.export)
        self.page.problem.connect(window.show_problem)

    @property
    def active(self) -> bool:
        """Whether the library is shown."""
        return self._window.shown is self.page

    def open(self, folder: Path | None = None) -> None:
        """Show the sessions of a folder, by default of the one where recordings go."""
        if not self._window.live.close():
            return
        self._window.show_part(self.page, "Library")
        self.page.enter(folder or self._window.live.page.memory.folder)

    def export_shown(self) -> None:
        """Export the recording that is open."""
        recording = self._window.recording
        if recording is None or recording.session is None:
            self._window.show_problem("Open a session, or wait until it is analysed, to export it.")
            return
        self.export(recording.session, recording.title)

    def export(self, session: Path, title: str) -> None:
        """Ask what to export, in a dialog that leaves the window usable."""
        self.close_dialog()
        self.dialog = ExportDialog(self._window, self._settings, session, title)
        self.dialog.show()

    def close_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
            self.dialog = None

    def end(self) -> None:
        """End what runs."""
        self.close_dialog()
        if not self.page.leave():
            log.warning("a search did not end in time")
