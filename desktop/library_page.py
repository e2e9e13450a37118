"""The library: sessions in a list with a search field, and what can be done with one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QResizeEvent, QTextDocument
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from assets.errors import AffectscopeError, BadInput
from desktop import library
from desktop.background import Background
from desktop.card import Card, beside
from desktop.controls import TextButton
from desktop.elided_label import ElidedLabel
from desktop.library import Entry, Peak, Query
from desktop.library_filters import LibraryFilters
from desktop.theme import GRID, Theme, scaled
from desktop.time_format import clock_text, percent_text, span_text

__all__ = ["LibraryPage"]

TYPING = 250
"""Milliseconds without a key before it is searched."""
LOOK = 50
"""Milliseconds between looks at a running search."""
SIDE, NARROW_SIDE = 44 * GRID, 36 * GRID
NARROW = 1040
MOST_PEAKS = 6

COLUMNS = ("Session", "Date", "Length", "Mostly", "Words", "Markers")


@dataclass(frozen=True, slots=True)
class Found:
    """What one search gives."""

    entries: tuple[Entry, ...]
    peaks: dict[Path, tuple[Peak, ...]]


def search(folder: Path, query: Query, refresh: bool) -> Found:
    """Look into the folder, if `refresh` for what is new too; used in a thread."""
    with library.Library(folder) as index:
        if refresh:
            index.refresh()
        entries = tuple(index.find(query))
        return Found(entries, {entry.folder: index.peaks_of(entry.folder) for entry in entries})


class LibraryPage(QWidget):
    """Asks in a thread; what is done with a session is done at once."""

    opened = pyqtSignal(Path)
    export_pressed = pyqtSignal(Path, str)
    """Folder and title of a session."""
    problem = pyqtSignal(str)

    def __init__(self, find: Callable[[Path, Query, bool], Found] = search) -> None:
        super().__init__()
        self._find = find
        self._folder = Path()
        self._work: Background[Found] | None = None
        self._again: bool | None = None  # search once more, with or without a refresh
        self._found = Found((), {})
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search what was said, or a title")
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Search")
        self.filters = LibraryFilters()
        self.table = QTableWidget(0, len(COLUMNS))
        self.count = QLabel()
        self.count.setProperty("quiet", True)
        self.title = ElidedLabel()
        self.title.setFont(scaled(self.font(), 1.2))
        self.facts = QLabel()
        self.facts.setProperty("quiet", True)
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.details = QLabel()
        self.details.setWordWrap(True)
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        self.notes = QPlainTextEdit()
        self.notes.setPlaceholderText("Notes")
        self.notes.setAccessibleName("Notes")
        self.notes.installEventFilter(self)
        self.open = TextButton("Open", "Play it (Enter)", "primary")
        self.rename = TextButton("Rename\N{HORIZONTAL ELLIPSIS}", "Give it another title")
        self.export = TextButton("Export\N{HORIZONTAL ELLIPSIS}", "In the formats of other tools")
        self.trash = TextButton("Move to trash", "It can be taken back from there")
        self.ask_title: Callable[[str], str] = self._ask_title
        self._noted: Path | None = None
        self._lay_out()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING)
        self._typing.timeout.connect(lambda: self.look())
        self._looks = QTimer(self)
        self._looks.setInterval(LOOK)
        self._looks.timeout.connect(self._take)
        self._connect()
        self._show_chosen()

    @property
    def busy(self) -> bool:
        """Whether a search runs."""
        return self._work is not None

    @property
    def chosen(self) -> Entry | None:
        """The session that is marked."""
        row = self.table.currentRow()
        entries = self._found.entries
        return entries[row] if 0 <= row < len(entries) else None

    def enter(self, folder: Path) -> None:
        """Show the sessions of a folder."""
        self._folder = folder
        self.look(refresh=True)
        self.field.setFocus()

    def leave(self) -> bool:
        """Keep the notes and end what runs. Returns whether it ended in time."""
        self._keep_notes()
        self._typing.stop()
        self._looks.stop()
        work, self._work, self._again = self._work, None, None
        return work is None or work.join(1.0)

    def look(self, refresh: bool = False) -> None:
        """Search; while a search runs the next one waits for it."""
        if self._work is not None:
            self._again = refresh or bool(self._again)
            return
        folder, find = self._folder, self._find
        try:
            query = self.filters.query(self.field.text().strip())
        except BadInput as error:  # a day is being typed, or is none
            self.count.setText(str(error))
            return
        self._work = Background("library", lambda: find(folder, query, refresh))
        self._looks.start()

    def apply_theme(self, theme: Theme) -> None:
        self.filters.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        narrow = self.width() < NARROW
        self._card.setFixedWidth(NARROW_SIDE if narrow else SIDE)
        for column in (4, 5):
            self.table.setColumnHidden(column, narrow)
        super().resizeEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if watched is self.notes and event is not None and event.type() is QEvent.Type.FocusOut:
            self._keep_notes()
        return super().eventFilter(watched, event)

    def _take(self) -> None:
        work = self._work
        if work is None or not work.done:
            return
        self._work = None
        if self._again is not None:
            again, self._again = self._again, None
            self.look(refresh=again)
            return
        self._looks.stop()
        if work.failure is not None:
            self.problem.emit(work.failure)
        self._show(work.result or Found((), {}))

    def _show(self, found: Found) -> None:
        before = self.chosen
        self._keep_notes()
        self._found = found
        self.table.setRowCount(0)
        self.table.setRowCount(len(found.entries))
        for row, entry in enumerate(found.entries):
            when = f"{entry.began:%Y-%m-%d %H:%M}" if entry.began else ""
            mostly = "" if entry.strongest is None else entry.strongest.capitalize()
            texts = (
                entry.title, when, span_text(entry.duration), mostly, str(entry.words),
                str(entry.markers or ""),
            )  # fmt: skip
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(entry.interruption or entry.problem or text)
                if column in (2, 4, 5):
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(row, column, item)
        folders = [entry.folder for entry in found.entries]
        row = folders.index(before.folder) if before and before.folder in folders else 0
        if folders:
            self.table.setCurrentCell(row, 0)
        searching = bool(self.field.text().strip()) or self.filters.active
        number = len(folders)
        self.count.setText(
            f"{number} session{'' if number == 1 else 's'}"
            if number
            else ("Nothing found" if searching else f"No sessions in {self._folder} yet")
        )
        self._show_chosen()

    def _show_chosen(self) -> None:
        entry = self.chosen
        self._keep_notes()
        for part in (self.open, self.rename, self.export, self.trash, self.notes):
            part.setEnabled(entry is not None)
        self._noted = None if entry is None else entry.folder
        if entry is None:
            self.title.set_whole("Nothing chosen")
            self.facts.setText("")
            self.details.setText("")
            self.notes.setPlainText("")
            return
        self.title.set_whole(entry.title)
        said = (entry.interruption, entry.problem)
        self.facts.setText("\n".join(filter(None, said)) or str(entry.folder))
        self.details.setText(_details(entry, self._found.peaks.get(entry.folder, ())))
        self.notes.setPlainText(library.notes_of(entry.folder))
        self._document().setModified(False)

    def _document(self) -> QTextDocument:
        document = self.notes.document()
        assert document is not None
        return document

    def _keep_notes(self) -> None:
        """Write the notes down if they were changed."""
        if self._noted is None or not self._document().isModified():
            return
        self._document().setModified(False)
        self._try(lambda folder: library.write_notes(folder, self.notes.toPlainText()), self._noted)

    def _open(self) -> None:
        if self.chosen is not None:
            self.opened.emit(self.chosen.folder)

    def _rename(self) -> None:
        entry = self.chosen
        if entry is not None and (title := self.ask_title(entry.title)):
            self._try(lambda folder: library.rename(folder, title), entry.folder)
            self.look(refresh=True)

    def _trash(self) -> None:
        entry = self.chosen
        if entry is not None:
            self._keep_notes()
            self._noted = None
            self._try(library.move_to_trash, entry.folder)
            self.look(refresh=True)

    def _export(self) -> None:
        if self.chosen is not None:
            self.export_pressed.emit(self.chosen.folder, self.chosen.title)

    def _try(self, act: Callable[[Path], object], folder: Path) -> None:
        try:
            act(folder)
        except AffectscopeError as error:
            self.problem.emit(str(error))

    def _ask_title(self, title: str) -> str:
        text, ok = QInputDialog.getText(self.window(), "Rename", "Title", text=title)
        return text if ok else ""

    def _lay_out(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(COLUMNS)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setFrameShape(QTableWidget.Shape.NoFrame)
        table.setAccessibleName("Sessions")
        down, across = table.verticalHeader(), table.horizontalHeader()
        assert down is not None
        assert across is not None
        down.hide()
        down.setDefaultSectionSize(4 * GRID)
        across.setHighlightSections(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        across.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.field)
        column.addWidget(self.filters)
        column.addWidget(table, 1)
        right = QWidget()
        details = QVBoxLayout(right)
        details.setContentsMargins(0, 0, 0, 0)
        details.setSpacing(GRID)
        details.addWidget(self.title)
        details.addWidget(self.facts)
        details.addSpacing(GRID)
        details.addWidget(self.details)
        details.addSpacing(GRID)
        details.addWidget(self.notes, 1)
        for pair in ((self.open, self.export), (self.rename, self.trash)):
            row = QHBoxLayout()
            row.setSpacing(GRID)
            for button in pair:
                row.addWidget(button, 1)
            details.addLayout(row)
        self._card = Card("Session", right)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(beside(Card("Sessions", left, self.count), self._card))

    def _connect(self) -> None:
        self.field.textEdited.connect(lambda _text: self._typing.start())
        self.field.textChanged.connect(lambda text: text or self._typing.start())
        self.filters.changed.connect(lambda: self._typing.start())
        self.table.currentCellChanged.connect(lambda *_: self._show_chosen())
        self.table.itemActivated.connect(lambda _item: self._open())
        self.open.clicked.connect(self._open)
        self.rename.clicked.connect(self._rename)
        self.export.clicked.connect(self._export)
        self.trash.clicked.connect(self._trash)


def _details(entry: Entry, peaks: tuple[Peak, ...]) -> str:
    """Where the search was met, else the highest peaks, one a line."""
    if entry.hits:
        return "\n".join(
            f"{clock_text(hit.time, tenths=False)}  {hit.text}" for hit in entry.hits[:MOST_PEAKS]
        )
    highest = sorted(peaks, key=lambda peak: -peak.probability)[:MOST_PEAKS]
    return "\n".join(
        f"{clock_text(peak.time, tenths=False)}  {peak.emotion.capitalize()} "
        f"{percent_text(peak.probability)}"
        for peak in sorted(highest, key=lambda peak: peak.time)
    )
