"""The export dialog: what is ticked is what is exported, and it can be ended at any time."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from assets.errors import SessionError
from desktop.export import Exported, ExportOptions, Face, format_named
from desktop.export_dialog import Done, ExportDialog


class Exporter:
    """Takes note of what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[str], Path, ExportOptions]] = []
        self.error: Exception | None = None
        self.gate: threading.Event | None = None
        self.cancelled = threading.Event()

    def __call__(
        self,
        _session: object,
        formats: Sequence[str],
        out: Path,
        options: ExportOptions,
        progress: Callable[[float], None],
    ) -> Done:
        self.asked.append((formats, out, options))
        progress(0.5)
        if self.gate is not None:
            self.gate.wait(5.0)
        try:
            progress(0.75)
        except Exception:
            self.cancelled.set()
            raise
        if self.error is not None:
            raise self.error
        return [
            (format_named(name), Exported((out / f"talk.{name}",), ("no markers",)))
            for name in formats
        ]


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def dialog(
    qtbot: QtBot,
    settings: QSettings,
    tmp_path: Path,
    exporter: Exporter,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ExportDialog]:
    monkeypatch.setattr("extractors.session.Session", lambda folder: folder)
    dialog = ExportDialog(None, settings, tmp_path / "talk", "A talk", exporter)
    qtbot.addWidget(dialog)
    dialog.show()
    yield dialog
    dialog.close()


def finish(qtbot: QtBot, dialog: ExportDialog) -> None:
    qtbot.waitUntil(lambda: not dialog.running)


def test_what_is_ticked_is_exported_and_remembered(
    qtbot: QtBot, dialog: ExportDialog, exporter: Exporter, settings: QSettings, tmp_path: Path
) -> None:
    for name, box in dialog.formats.items():
        box.setChecked(name in ("elan", "mp4"))
    dialog.faces[Face.BLURRED].setChecked(True)
    dialog.words.setChecked(True)
    assert "still be heard" in dialog.status.text()
    dialog.voice.setChecked(True)
    assert dialog.status.text() == ""
    dialog.start.click()
    finish(qtbot, dialog)
    options = ExportOptions(Face.BLURRED, voice=False, words=False)
    assert exporter.asked == [(["elan", "mp4"], tmp_path, options)]
    assert dialog.status.text() == f"2 files in {tmp_path}. Not in the session: no markers"
    again = ExportDialog(None, settings, tmp_path / "talk", "A talk", exporter)
    assert again.chosen == ["elan", "mp4"]
    assert not again.options.private, "what is left out is asked anew each time"
    again.deleteLater()


def test_only_what_makes_sense_can_be_ticked(dialog: ExportDialog) -> None:
    for box in dialog.formats.values():
        box.setChecked(False)
    assert not dialog.start.isEnabled()
    dialog.formats["csv"].setChecked(True)
    assert dialog.start.isEnabled()
    assert not dialog.voice.isEnabled(), "tables hold neither picture nor sound"
    assert dialog.words.isEnabled()
    dialog.formats["html"].setChecked(True)
    assert dialog.voice.isEnabled()


def test_what_goes_wrong_is_one_line_and_can_be_tried_again(
    qtbot: QtBot, dialog: ExportDialog, exporter: Exporter
) -> None:
    exporter.error = SessionError("talk.csv is there; use another folder, or replace it")
    dialog.start.click()
    finish(qtbot, dialog)
    assert dialog.status.text() == str(exporter.error)
    exporter.error = None
    dialog.start.click()
    finish(qtbot, dialog)
    assert "files in" in dialog.status.text()


def test_progress_is_shown_and_closing_cancels(
    qtbot: QtBot, dialog: ExportDialog, exporter: Exporter
) -> None:
    exporter.gate = threading.Event()
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.progress.value() == 500)
    assert dialog.progress.isVisible()
    assert not dialog.start.isEnabled()
    assert dialog.stop.text() == "Cancel"
    threading.Timer(0.05, exporter.gate.set).start()
    dialog.close()
    assert exporter.cancelled.wait(3.0)
    assert not dialog.running
