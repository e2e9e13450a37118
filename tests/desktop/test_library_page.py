"""The library in the window: searching, opening, renaming, notes, trash."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop import library
from desktop.library import Entry, Hit, Peak, Query
from desktop.library_page import Found, LibraryPage
from desktop.main_window import MainWindow
from tests.desktop.fake_media import FakeMedia
from tests.desktop.fake_recording import FakeRecording

OpenWindow = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton


class Shelf:
    """Two sessions that are only an index; remembers what was asked."""

    def __init__(self, folder: Path) -> None:
        began = datetime(2026, 5, 4, 14, 2)
        first, second = folder / "first", folder / "second"
        self.entries = [
            Entry(first, "An interview", began, 1834.0, 3120, 4, "happy", "", None),
            Entry(second, "second", None, 8.0, 20, 0, None, "", "words.jsonl is missing"),
        ]
        self.asked: list[tuple[str, bool]] = []
        self.queries: list[Query] = []
        self.gate = threading.Event()
        self.gate.set()

    def find(self, _folder: Path, query: Query, refresh: bool) -> Found:
        words = query.words
        self.gate.wait(5.0)
        self.asked.append((words, refresh))
        self.queries.append(query)
        entries = [e for e in self.entries if words.lower() in e.title.lower()]
        peaks = {e.folder: (Peak("happy", 62.0, 0.93),) for e in entries}
        return Found(tuple(entries), peaks)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def window(qtbot: QtBot, open_window: OpenWindow, shelf: Shelf, tmp_path: Path) -> MainWindow:
    made = open_window(FakeMedia(12.0), opener=lambda path: FakeRecording(title=path.name))
    made.library.page._find = shelf.find
    made.library.open(tmp_path)
    rest(qtbot, made.library.page)
    return made


def rest(qtbot: QtBot, page: LibraryPage) -> None:
    qtbot.waitUntil(lambda: not page.busy and not page._typing.isActive())


def test_it_lists_what_there_is(window: MainWindow, shelf: Shelf) -> None:
    page = window.library.page
    shown = [page.table.item(0, column) for column in range(page.table.columnCount())]
    assert [item.text() for item in shown if item is not None] == [
        "An interview", "2026-05-04 14:02", "30 min 34 s", "Happy", "3120", "4",
    ]  # fmt: skip
    assert page.count.text() == "2 sessions"
    assert page.title.whole == "An interview"
    assert page.details.text().startswith("1:02  Happy 93")
    assert shelf.asked == [("", True)]
    page.table.setCurrentCell(1, 0)
    assert page.facts.text() == "words.jsonl is missing"


def test_typing_searches_and_single_keys_stay_text(
    qtbot: QtBot, window: MainWindow, shelf: Shelf
) -> None:
    page = window.library.page
    page.field.setFocus()
    dark = window.appearance.theme.dark
    qtbot.keyClicks(page.field, "an interview d")
    assert page.field.text() == "an interview d"
    assert window.appearance.theme.dark is dark, "D was a letter, not the key of the theme"
    for _ in range(2):
        qtbot.keyClick(page.field, Qt.Key.Key_Backspace)
    rest(qtbot, page)
    assert shelf.asked[-1] == ("an interview", False)
    assert page.table.rowCount() == 1
    shelf.entries[0] = Entry(
        shelf.entries[0].folder, "An interview", None, 5.0, 2, 0, None, "", None,
        (Hit(3.0, "what was said"),),
    )  # fmt: skip
    page.look()
    rest(qtbot, page)
    assert page.details.text() == "0:03  what was said"
    page.field.setText("nowhere")
    page.look()
    rest(qtbot, page)
    assert page.count.text() == "Nothing found"
    assert not page.open.isEnabled()


def test_it_is_narrowed_by_date_marker_and_emotion(
    qtbot: QtBot, window: MainWindow, shelf: Shelf
) -> None:
    page = window.library.page
    filters = page.filters
    assert not filters.active
    assert not filters.least.isVisible()
    filters.since.setFocus()
    qtbot.keyClicks(filters.since, "2026-05-0")
    rest(qtbot, page)
    assert page.count.text() == "2026-05-0 is no day; give it as 2026-05-04"
    assert len(shelf.queries) == 1, "half a day is not looked for"
    qtbot.keyClicks(filters.since, "4")
    filters.until.setText("2026-05-31")
    filters.marker.setText("begin")
    filters.emotion.setCurrentIndex(filters.emotion.findText("Happy"))
    filters.emotion.activated.emit(filters.emotion.currentIndex())
    filters.least.setCurrentIndex(3)
    filters.least.activated.emit(3)
    assert filters.least.isVisible()
    rest(qtbot, page)
    assert shelf.queries[-1] == Query(
        "", date(2026, 5, 4), date(2026, 5, 31), "begin", "happy", 0.8
    )
    shelf.entries.clear()
    page.look()
    rest(qtbot, page)
    assert page.count.text() == "Nothing found"
    for field in (filters.since, filters.until, filters.marker):
        field.clear()
    filters.emotion.setCurrentIndex(0)
    filters.emotion.activated.emit(0)
    rest(qtbot, page)
    assert shelf.queries[-1] == Query()
    assert page.count.text().startswith("No sessions in")


def test_a_recording_that_was_cut_off_says_what_is_lost(
    qtbot: QtBot, window: MainWindow, shelf: Shelf
) -> None:
    page = window.library.page
    why = "Cut off at 0:42: the program ended before the recording did; lost: what came after"
    shelf.entries[0] = replace(shelf.entries[0], interruption=why)
    page.look()
    rest(qtbot, page)
    page.table.setCurrentCell(0, 0)
    assert page.facts.text() == why


def test_a_search_waits_for_the_one_before(qtbot: QtBot, window: MainWindow, shelf: Shelf) -> None:
    page = window.library.page
    shelf.gate.clear()
    page.field.setText("one")
    page.look()
    page.field.setText("inter")
    page.look()
    page.look()
    shelf.gate.set()
    rest(qtbot, page)
    assert [words for words, _ in shelf.asked] == ["", "one", "inter"]


def test_it_is_opened_from_the_list(window: MainWindow) -> None:
    page = window.library.page
    page.open.click()
    assert window.page.isVisible()
    assert window.head.title.whole == "first"
    assert not page._looks.isActive()


def test_notes_are_kept_when_somebody_looks_elsewhere(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, shelf: Shelf
) -> None:
    written: list[tuple[Path, str]] = []
    monkeypatch.setattr(library, "write_notes", lambda folder, text: written.append((folder, text)))
    page = window.library.page
    page.notes.insertPlainText("loud room")
    page.table.setCurrentCell(1, 0)
    assert written == [(shelf.entries[0].folder, "loud room")]
    page.table.setCurrentCell(0, 0)
    assert len(written) == 1, "what was not changed is not written"
    page.notes.insertPlainText("again")
    window.show_start()
    assert written[-1] == (shelf.entries[0].folder, "again")


def test_rename_and_trash_act_and_look_again(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, shelf: Shelf
) -> None:
    done: list[tuple[object, ...]] = []
    monkeypatch.setattr(library, "rename", lambda folder, title: done.append((folder.name, title)))
    monkeypatch.setattr(library, "move_to_trash", lambda folder: done.append((folder.name,)))
    page = window.library.page
    page.ask_title = lambda old: f"{old} 2"
    page.rename.click()
    rest(qtbot, page)
    page.trash.click()
    rest(qtbot, page)
    assert done == [("first", "An interview 2"), ("first",)]
    assert shelf.asked[1:] == [("", True), ("", True)]


def test_what_cannot_be_done_is_said(qtbot: QtBot, window: MainWindow) -> None:
    page = window.library.page
    page.ask_title = lambda _: "another"
    page.rename.click()
    rest(qtbot, page)
    assert "is not a session" in window.message.text


def test_closing_while_it_searches(window: MainWindow, shelf: Shelf) -> None:
    shelf.gate.clear()
    window.library.page.look()
    assert window.library.page.busy
    assert window.close()
    assert not window.isVisible()
    shelf.gate.set()
