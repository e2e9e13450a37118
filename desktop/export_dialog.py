"""Exports a session: which formats, what is left out, where to, and how far it is."""

import threading
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop.background import Background
from desktop.controls import TextButton
from desktop.elided_label import ElidedLabel
from desktop.export import FORMATS, Exported, ExportOptions, Face, Format
from desktop.export import export as export_session
from desktop.theme import GRID, heading

__all__ = ["ExportDialog"]

LOOK = 100
"""Milliseconds between looks at a running export."""
TITLES = {
    "csv": "CSV", "parquet": "Parquet", "vtt": "WebVTT", "srt": "SRT", "elan": "ELAN",
    "textgrid": "Praat TextGrid", "xdf": "XDF", "mp4": "MP4", "html": "HTML report",
}  # fmt: skip
FACES = (
    (Face.SHOWN, "As it is"),
    (Face.BLURRED, "Blurred"),
    (Face.LANDMARKS, "Its lines and no picture"),
)
SEEN_OR_HEARD = ("mp4", "html")

Done = list[tuple[Format, Exported]]
Export = Callable[..., Done]


class _Cancelled(Exception):
    """Raised inside an export by its progress, which ends it and leaves nothing of it."""


class ExportDialog(QDialog):
    """The export runs in a thread; the dialog can be closed at any time, which cancels it."""

    def __init__(
        self,
        parent: QWidget | None,
        settings: QSettings,
        session: Path,
        title: str,
        export: Export = export_session,
    ) -> None:
        super().__init__(parent)
        self._settings, self._session, self._export = settings, session, export
        self._work: Background[Done] | None = None
        self._cancel = threading.Event()
        self._share = 0.0
        self.setWindowTitle(f"Export {title}")
        self.setMinimumWidth(72 * GRID)
        chosen = str(settings.value("export/formats", "csv,html")).split(",")
        self.formats = {entry.name: QCheckBox(TITLES[entry.name]) for entry in FORMATS}
        for name, box in self.formats.items():
            box.setChecked(name in chosen)
            box.toggled.connect(self._show_what_is_possible)
        self.faces = {face: QRadioButton(text) for face, text in FACES}
        self.faces[Face.SHOWN].setChecked(True)
        self.voice = QCheckBox("Leave out the voice")
        self.words = QCheckBox("Blank the words")
        self.replace = QCheckBox("Replace files that are there")
        for box in (self.voice, self.words):
            box.toggled.connect(self._show_what_is_possible)
        self.out = Path(str(settings.value("export/folder", session.parent)))
        self._place = ElidedLabel(str(self.out))
        self.choose = TextButton("Change\N{HORIZONTAL ELLIPSIS}", "Where the files go")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status.setMinimumHeight(5 * GRID)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.start = TextButton("Export", "Write the chosen formats", "primary")
        self.start.setDefault(True)
        self.stop = TextButton("Close", "Close; an export that runs is cancelled")
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self.look)
        self.choose.clicked.connect(self._choose)
        self.start.clicked.connect(self.begin)
        self.stop.clicked.connect(self.close)
        self._show_what_is_possible()

    @property
    def running(self) -> bool:
        return self._work is not None

    @property
    def options(self) -> ExportOptions:
        """What is ticked."""
        face = next(face for face, button in self.faces.items() if button.isChecked())
        return ExportOptions(
            face, not self.voice.isChecked(), not self.words.isChecked(), self.replace.isChecked()
        )

    @property
    def chosen(self) -> list[str]:
        """Names of the formats that are ticked."""
        return [name for name, box in self.formats.items() if box.isChecked()]

    def begin(self) -> None:
        """Export what is ticked."""
        if self.running or not self.chosen:
            return
        self._settings.setValue("export/formats", ",".join(self.chosen))
        self._settings.setValue("export/folder", str(self.out))
        formats, out, options = self.chosen, self.out, self.options
        self._cancel.clear()
        self._share = 0.0

        def progress(share: float) -> None:
            if self._cancel.is_set():
                raise _Cancelled
            self._share = share

        def work() -> Done:
            from extractors.session import Session

            try:
                return self._export(Session(self._session), formats, out, options, progress)
            except _Cancelled:
                return []

        self.status.setText("")
        self._work = Background("export", work)
        self._timer.start()
        self.look()

    def look(self) -> None:
        """Show how far it is; ten times a second while it runs."""
        work = self._work
        self.progress.setVisible(work is not None)
        self.progress.setValue(round(1000 * self._share))
        if work is None or not work.done:
            self._show_what_is_possible()
            return
        self._work = None
        self._timer.stop()
        self.progress.hide()
        if work.failure is not None:
            self.status.setText(work.failure)
        elif work.result:
            self.status.setText(_summary(work.result, self.out))
        self._show_what_is_possible()

    def reject(self) -> None:
        """Close, by the button, by Escape or by the frame, and cancel what runs."""
        self._timer.stop()
        self._cancel.set()
        if self._work is not None:
            self._work.join(2.0)
            self._work = None
        super().reject()

    def _choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Where the files go", str(self.out))
        if name:
            self.out = Path(name)
            self._place.set_whole(name)

    def _show_what_is_possible(self) -> None:
        idle = not self.running
        pictures = any(name in SEEN_OR_HEARD for name in self.chosen)
        for box in (*self.formats.values(), self.words, self.replace):
            box.setEnabled(idle)
        for control in (*self.faces.values(), self.voice):
            control.setEnabled(idle and pictures)
        self.choose.setEnabled(idle)
        self.start.setEnabled(idle and bool(self.chosen))
        self.stop.setText("Close" if idle else "Cancel")
        heard = pictures and self.words.isChecked() and not self.voice.isChecked()
        hint = "The words can still be heard: leave out the voice as well."
        if heard:
            self.status.setText(hint)
        elif self.status.text() == hint:
            self.status.setText("")

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self._title("Formats"))
        formats = QGridLayout()
        formats.setHorizontalSpacing(2 * GRID)
        formats.setVerticalSpacing(4)
        for row, entry in enumerate(FORMATS):
            what = QLabel(entry.description)
            what.setProperty("quiet", True)
            formats.addWidget(self.formats[entry.name], row, 0)
            formats.addWidget(what, row, 1)
        formats.setColumnStretch(1, 1)
        column.addLayout(formats)
        column.addSpacing(GRID)
        column.addWidget(self._title("Leave out"))
        faces = QHBoxLayout()
        faces.addWidget(QLabel("The face"))
        group = QButtonGroup(self)
        for button in self.faces.values():
            group.addButton(button)
            faces.addWidget(button)
        faces.addStretch()
        column.addLayout(faces)
        more = QHBoxLayout()
        more.addWidget(self.voice)
        more.addSpacing(2 * GRID)
        more.addWidget(self.words)
        more.addStretch()
        column.addLayout(more)
        column.addSpacing(GRID)
        column.addWidget(self._title("Where to"))
        place = QHBoxLayout()
        place.addWidget(self._place, 1)
        place.addWidget(self.choose)
        column.addLayout(place)
        column.addWidget(self.replace)
        column.addWidget(self.status)
        column.addWidget(self.progress)
        self.progress.hide()
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.stop)
        buttons.addWidget(self.start)
        column.addLayout(buttons)

    def _title(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setFont(heading(self.font()))
        return label


def _summary(done: Done, out: Path) -> str:
    files = sum(len(exported.files) for _, exported in done)
    missing = dict.fromkeys(line for _, exported in done for line in exported.missing)
    said = f"{files} file{'' if files == 1 else 's'} in {out}"
    return f"{said}. Not in the session: {'; '.join(missing)}" if missing else said
