"""The window: opens recordings, drives the ticks, shows what goes wrong."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt6.QtWidgets import QFileDialog, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from assets.errors import AffectscopeError
from desktop.appearance import Appearance
from desktop.empty_page import EmptyPage
from desktop.head_bar import HeadBar
from desktop.help_overlay import HelpOverlay
from desktop.library_control import LibraryControl
from desktop.live_control import LiveControl
from desktop.live_opening import ListDevices, MakeLive, list_devices, make_live
from desktop.main_menu import fill_menu
from desktop.media import open_file
from desktop.message_bar import MessageBar
from desktop.open_recording import open_recording, sample_clip
from desktop.playback import Playback
from desktop.progress import Progress
from desktop.recent_files import RecentFiles
from desktop.recording import Recording
from desktop.recording_page import RecordingPage
from desktop.shortcuts import bind_keys
from desktop.sound_device import OpenDevice, open_loudspeaker
from desktop.stylesheet import stylesheet
from desktop.theme import GRID, palette
from extractors.stream.sample import from_seconds

__all__ = ["MainWindow"]

log = logging.getLogger(__name__)

TICK = 33
"""Milliseconds between looks at the position while playing."""
SOON = 8
"""Milliseconds between looks while a picture is waited for: a seek is over when it is there."""
HEAD_START = 4.0
"""Seconds by which an analysis is ahead before a recording starts to play by itself."""
REFRESH = 200
"""Milliseconds between looks at a running analysis."""


class MainWindow(QMainWindow):
    """`opener` makes a recording of a path; `play` makes its playback."""

    def __init__(
        self,
        settings: QSettings,
        opener: Callable[[Path], Recording] = open_recording,
        play: Callable[[Recording], Playback] | None = None,
        open_device: OpenDevice = open_loudspeaker,
        make_live: MakeLive = make_live,
        list_devices: ListDevices = list_devices,
    ) -> None:
        super().__init__()
        self._settings = settings
        self.opener = opener
        self._open_device = open_device
        self._play = self._make_playback if play is None else play
        self._failure_shown: str | None = None
        self._play_when_ready = False
        self._progress = Progress()
        self.recent = RecentFiles(settings)
        self.appearance = Appearance(settings)
        self.head = HeadBar()
        self.message = MessageBar()
        self.empty = EmptyPage(has_sample=sample_clip() is not None)
        self.page = RecordingPage(settings)
        self.live = LiveControl(self, settings, make_live, list_devices)
        self.library = LibraryControl(self, settings)
        self._stack = QStackedWidget()
        self._lay_out()
        self._ticks = QTimer(self)
        self._ticks.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticks.setInterval(TICK)
        self._refreshes = QTimer(self)
        self._refreshes.setInterval(REFRESH)
        self._connect()
        self._apply_theme()
        self.resize(1280, 800)
        geometry = settings.value("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)

    @property
    def recording(self) -> Recording | None:
        return self.page.recording

    @property
    def shown(self) -> QWidget | None:
        """The page in sight."""
        return self._stack.currentWidget()

    def show_part(self, part: QWidget, title: str) -> None:
        """Show a page without a recording."""
        self._close_recording()
        if self.library.active:
            self.library.end()
        self.message.hide()
        self.head.set_title(title)
        self.head.set_progress(None, "")
        self.setWindowTitle(title if title == "Affectscope" else f"{title} \N{EN DASH} Affectscope")
        self._stack.setCurrentWidget(part)

    def show_start(self) -> None:
        """Show the ways to begin."""
        self.empty.set_recent(self.recent.paths())
        self.show_part(self.empty, "Affectscope")

    def close_part(self) -> None:
        """Close what is open; a live session that runs must be stopped first."""
        if self.live.close():
            self.show_start()

    def open_path(self, path: Path, *, play: bool = False) -> None:
        """Open a video or a session; what goes wrong is shown in the window.

        With `play` it starts as soon as the analysis is ahead of it.
        """
        if self.open_with(lambda: self.opener(path)):
            self.recent.add(path)
            self.empty.set_recent(self.recent.paths())
            self._play_when_ready = play
            self._refresh()

    def open_with(self, make: Callable[[], Recording]) -> bool:
        """Open what `make` gives. Returns whether it could be opened."""
        if self.live.active and self.live.page.running:
            return self.live.close()
        try:
            recording = make()
        except AffectscopeError as error:
            self.show_problem(str(error))
            return False
        self.live.close()
        if self.library.active:
            self.library.end()
        self._close_recording()
        self._play_when_ready = False
        self.message.hide()
        self._failure_shown = None
        self._progress = Progress()
        self.head.set_title(recording.title)
        self.setWindowTitle(f"{recording.title} \N{EN DASH} Affectscope")
        self.page.open(recording, self._play(recording))
        self._stack.setCurrentWidget(self.page)
        self.page.setFocus()
        self._refresh()
        self._wake()
        return True

    def show_problem(self, text: str) -> None:
        """One line in the message area; nothing is interrupted."""
        self.message.show_message(text)

    def ask_for_file(self) -> None:
        """Let the person choose a video, or a session by its manifest."""
        path = self.choose_recording("Open a video or a session")
        if path is not None:
            self.open_path(path)

    def choose_recording(self, title: str) -> Path | None:
        """A video or the folder of a session; None if nothing was chosen."""
        start = self.recent.paths()
        name, _ = QFileDialog.getOpenFileName(
            self,
            title,
            str(start[0].parent) if start else str(Path.home()),
            "Videos and sessions (*.mp4 *.mkv *.mov *.webm *.avi *.m4v *.wav *.mp3 *.flac *.m4a"
            " manifest.json);;All files (*)",
        )
        if not name:
            return None
        path = Path(name)
        return path.parent if path.name == "manifest.json" else path

    def watch_analysis(self) -> None:
        """Look again at what is analysed, until it is complete."""
        self._refresh()

    def toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        self.page.transport.set_fullscreen(self.isFullScreen())

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        self._settings.setValue("geometry", self.saveGeometry())
        self.live.end()
        self.library.end()
        self._close_recording()
        self._settings.sync()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        assert event is not None
        data = event.mimeData()
        if data is not None and any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()
            self.empty.set_dropping(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent | None) -> None:  # noqa: N802
        self.empty.set_dropping(False)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        assert event is not None
        self.empty.set_dropping(False)
        data = event.mimeData()
        files = [u.toLocalFile() for u in data.urls() if u.isLocalFile()] if data else []
        if files:
            event.acceptProposedAction()
            self.open_path(Path(files[0]))

    def _make_playback(self, recording: Recording) -> Playback:
        media = recording.media
        return Playback(
            None if media is None else open_file(media),
            from_seconds(recording.duration),
            self._open_device,
        )

    def _close_recording(self) -> None:
        self._ticks.stop()
        self._refreshes.stop()
        if not self.page.close_recording():
            log.warning("a decoder did not stop in time")

    def _wake(self) -> None:
        if self.recording is not None and not self._ticks.isActive():
            self._ticks.start(0)

    def _tick(self) -> None:
        self.page.tick()
        playback = self.page.playback
        if playback is not None and playback.settled:
            self._ticks.stop()
        else:
            soon = playback is not None and playback.waiting
            self._ticks.setInterval(SOON if soon else TICK)

    def _refresh(self) -> None:
        """Look at the analysis; a failed one is reported once and left alone."""
        recording = self.recording
        if recording is None:
            return
        # asked before it is shown: what comes in between is shown the next time
        ended = recording.complete or recording.failure is not None
        comparing = self.page.comparing
        self.page.refresh()
        if self._play_when_ready and (ended or recording.analysed_until >= HEAD_START):
            self._play_when_ready = False
            self.page.play()
            self._wake()
        if recording.failure is not None and recording.failure != self._failure_shown:
            self._failure_shown = recording.failure
            self.show_problem(recording.failure)
        other = self.page.other
        if other is not None and other.failure is not None:
            self.show_problem(other.failure)
            self.page.end_comparison()
        if comparing:
            self._refreshes.start()
        elif ended:
            self._refreshes.stop()
        if ended:
            self.head.set_progress(None, "")
            return
        analysed, duration = recording.analysed_until, recording.duration
        self._progress.look(time.monotonic(), analysed)
        fraction = analysed / duration if duration else 0.0
        self.head.set_progress(fraction, self._progress.text(analysed, duration))
        self._refreshes.start()

    def _awake(self, action: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            action()
            self._wake()

        return run

    def _apply_theme(self) -> None:
        theme = self.appearance.theme
        self.setPalette(palette(theme))
        self.setStyleSheet(stylesheet(theme))
        for part in (
            self.head, self.message, self.empty, self.page, self.live, self.library.page, self.help,
        ):  # fmt: skip
            part.apply_theme(theme)

    def _leave(self) -> None:
        if self.isFullScreen():
            self.toggle_fullscreen()
        else:
            self.message.hide()

    def _open_sample(self) -> None:
        clip = sample_clip()
        if clip is not None:
            self.open_path(clip)

    def _lay_out(self) -> None:
        self.setWindowTitle("Affectscope")
        self.setMinimumSize(840, 560)
        self.setAcceptDrops(True)
        self._stack.addWidget(self.empty)
        for part in (self.page, self.live.consent, self.live.page, self.library.page):
            self._stack.addWidget(part)
        self.empty.set_recent(self.recent.paths())
        whole = QWidget()
        whole.setObjectName("page")
        column = QVBoxLayout(whole)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 4)
        column.setSpacing(GRID)
        column.addWidget(self.head)
        column.addWidget(self.message)
        column.addWidget(self._stack, 1)
        self.setCentralWidget(whole)
        self.help = HelpOverlay(whole)
        whole.setFocus()

    def _connect(self) -> None:
        page = self.page
        self._ticks.timeout.connect(self._tick)
        self._refreshes.timeout.connect(self._refresh)
        self.appearance.changed.connect(self._apply_theme)
        self.head.open_pressed.connect(self.ask_for_file)
        self.head.theme_pressed.connect(self.appearance.toggle)
        self.empty.live_pressed.connect(self.live.open)
        self.empty.library_pressed.connect(self.library.open)
        self.empty.open_pressed.connect(self.ask_for_file)
        self.empty.sample_pressed.connect(self._open_sample)
        self.empty.recent_pressed.connect(self.open_path)
        page.transport.fullscreen_pressed.connect(self.toggle_fullscreen)
        for signal in (page.plot.sought, page.plot.scrubbing, page.transcript.word_clicked):
            signal.connect(self._wake)
        for signal in (
            page.transport.play_pressed,
            page.transport.sought,
            page.transport.scrubbing,
        ):
            signal.connect(self._wake)
        self.landmarks = fill_menu(self)
        live = self.live.page.now_panel
        awake = self._awake
        bind_keys(
            self,
            {
                "toggle": self._toggle,
                "live": self.live.open,
                "stop_live": self.live.page.stop,
                "health": self.live.page.toggle_health,
                "close": self.close_part,
                "library": self.library.open,
                "export": self.library.export_shown,
                "back": awake(lambda: page.seek_by(-1.0)),
                "on": awake(lambda: page.seek_by(1.0)),
                "far_back": awake(lambda: page.seek_by(-5.0)),
                "far_on": awake(lambda: page.seek_by(5.0)),
                "picture_back": awake(lambda: page.step(-1)),
                "picture_on": awake(lambda: page.step(1)),
                "word_back": awake(lambda: page.seek_word(-1)),
                "word_on": awake(lambda: page.seek_word(1)),
                "start": awake(lambda: page.seek(0.0)),
                "end": awake(lambda: page.seek(float("1e9"))),
                "slower": lambda: page.change_speed(-1),
                "faster": lambda: page.change_speed(1),
                "usual_speed": lambda: page.set_speed(1.0),
                "loop_start": lambda: page.loop_from_here(end=False),
                "loop_end": lambda: page.loop_from_here(end=True),
                "loop_stop": lambda: page.set_loop(None),
                "louder": lambda: page.change_volume(0.05),
                "quieter": lambda: page.change_volume(-0.05),
                "mute": lambda: self.live.mark() if self.live.active else page.toggle_mute(),
                "landmarks": self.landmarks.toggle,
                "theme": self.appearance.toggle,
                "fullscreen": self.toggle_fullscreen,
                "leave": self._leave,
                "help": self.help.toggle,
                "open": self.ask_for_file,
                "quit": self.close,
            },
            lambda index: (live if self.live.active else page.now).pin(index),
            self.live.mark,
        )

    def _toggle(self) -> None:
        if self.live.active:
            self.live.page.toggle()
        else:
            self._awake(self.page.toggle)()
