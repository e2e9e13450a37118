"""Calibration of the live session to a person: the strip, its files, and what is remembered."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QWidget

from desktop.background import Background
from desktop.baseline_strip import BaselineLinks, BaselineStrip, Shown
from desktop.live_memory import LiveMemory
from desktop.theme import Theme
from extractors.session_layout import BASELINE_SUFFIX
from inference.baseline_file import load_baseline, save_baseline
from inference.calibration import RestingPerson
from inference.live import BaselineStatus, Live, LiveState

__all__ = ["BaselineControl"]

FILES = f"Baselines (*{BASELINE_SUFFIX});;All files (*)"
BEGUN = (LiveState.STARTING, LiveState.RUNNING, LiveState.PAUSED)
JOIN = 0.2
"""Seconds that a file gets when the page is left."""


class BaselineControl(QObject):
    """Pulls from the session that is shown; files are read and written in threads.

    A person is kept beyond a session only in a file, and used in the next one only if that was
    said.
    """

    problem = pyqtSignal(str)
    """One line about what went wrong and what to do."""

    def __init__(self, memory: LiveMemory, parent: QWidget) -> None:
        super().__init__(parent)
        self.strip, self.links = BaselineStrip(), BaselineLinks()
        self.ask_open: Callable[[QWidget], str] = _ask_open
        self.ask_save: Callable[[QWidget], str] = _ask_save
        self._memory = memory
        self._live: Live | None = None
        self._said = ""
        self._next: tuple[Path, RestingPerson] | None = None
        """Who is put in force when a session starts."""
        self._files: list[tuple[RestingPerson, Path]] = []
        """The file of whoever is in force, if they were read from one or saved."""
        self._reading: tuple[Path, Background[RestingPerson]] | None = None
        self._writing: tuple[Path, RestingPerson, Background[bool]] | None = None
        self.links.opened.connect(self._toggle)
        self.links.off_pressed.connect(self.switch_off)
        self.strip.take_pressed.connect(self._take)
        self.strip.cancel_pressed.connect(self._cancel)
        self.strip.off_pressed.connect(self.switch_off)
        self.strip.save_pressed.connect(self._save)
        self.strip.choose_pressed.connect(self._choose)
        self.strip.remember_toggled.connect(self._remember)

    def enter(self) -> None:
        """Read the file that is remembered, if one is."""
        path = self._memory.baseline
        if path is not None and self._reading is None and self._next is None:
            self.use_file(path)

    def use_file(self, path: Path) -> None:
        """Fit the session that runs, or else the next one, to the person in a file."""
        if self._reading is None:
            work = Background("baseline", lambda: load_baseline(path))
            self._reading = (path, work)

    def begin(self, live: Live) -> None:
        """A session starts."""
        if self._next is not None:
            live.use_baseline(self._next[1])
            if self._next[0] != self._memory.baseline:
                self._next = None

    def switch_off(self) -> None:
        """Predict as for anybody from now on; what is remembered for later stays."""
        if self._live is not None and self._live.baseline().person is not None:
            self._live.use_baseline(None)
        elif self._next is not None and self._next[0] != self._memory.baseline:
            self._next = None
        else:
            self._remember(False)

    def tick(self, live: Live | None, state: LiveState) -> None:
        """Bring everything to the present; many times a second."""
        self._live = live
        self._take_read(state)
        self._take_written()
        status = BaselineStatus() if live is None else live.baseline()
        running, paused = state in BEGUN, state is LiveState.PAUSED
        waiting = status.person is None and not running and self._next is not None
        path = self._file_of(status.person) if status.person else self._memory.baseline
        if waiting and self._next is not None:
            path = self._next[0]
        shown = Shown(
            status,
            running and state is not LiveState.STARTING,
            paused,
            "" if path is None else path.name,
            path is not None and path == self._memory.baseline,
            waiting,
        )
        if status.problem != self._said:
            self._said = status.problem
            if status.problem and not self.strip.isVisible():
                self.problem.emit(f"Calibration: {status.problem}.")
        self.links.show_state(shown)
        self.strip.show_state(shown)

    def leave(self) -> bool:
        """Whether no file is being read or written any more."""
        works = [self._reading and self._reading[1], self._writing and self._writing[2]]
        ended = [work.join(JOIN) for work in works if work is not None]
        self._reading = self._writing = None
        self._next, self._live, self._files = None, None, []
        self.strip.hide()
        return all(ended)

    def apply_theme(self, theme: Theme) -> None:
        self.strip.apply_theme(theme)

    def _file_of(self, person: RestingPerson | None) -> Path | None:
        return next((path for known, path in self._files if known is person), None)

    def _take(self) -> None:
        if self._live is not None:
            self._live.take_baseline()

    def _cancel(self) -> None:
        if self._live is not None:
            self._live.cancel_baseline()

    def _toggle(self) -> None:
        self.strip.setVisible(not self.strip.isVisible())

    def _choose(self) -> None:
        name = self.ask_open(self.strip)
        if name:
            self.use_file(Path(name))

    def _save(self) -> None:
        person = None if self._live is None else self._live.baseline().person
        name = self.ask_save(self.strip) if person is not None else ""
        if person is None or not name or self._writing is not None:
            return
        path = Path(name)
        path = path if path.suffix else path.with_suffix(BASELINE_SUFFIX)

        def work() -> bool:
            save_baseline(path, person)
            return True

        self._writing = (path, person, Background("baseline", work))

    def _remember(self, on: bool) -> None:
        person = None if self._live is None else self._live.baseline().person
        path = self._file_of(person)
        if on and path is not None and person is not None:
            self._memory.baseline, self._next = path, (path, person)
        elif on and self._next is not None:
            self._memory.baseline = self._next[0]
        else:
            self._memory.baseline = self._next = None

    def _take_read(self, state: LiveState) -> None:
        """Take over a file that was read."""
        if self._reading is None or not self._reading[1].done:
            return
        (path, work), self._reading = self._reading, None
        if work.result is None:
            self.problem.emit(f"{work.failure}. Choose another file, or calibrate again.")
            if path == self._memory.baseline:
                self._memory.baseline = None
            return
        self._files.append((work.result, path))
        begun = self._live is not None and state in BEGUN
        if self._live is not None and begun:
            self._live.use_baseline(work.result)
        if not begun or path == self._memory.baseline:
            self._next = (path, work.result)

    def _take_written(self) -> None:
        if self._writing is None or not self._writing[2].done:
            return
        (path, person, work), self._writing = self._writing, None
        if work.result is None:
            self.problem.emit(f"{work.failure}. Choose another place.")
        else:
            self._files.append((person, path))


def _ask_open(parent: QWidget) -> str:
    name, _ = QFileDialog.getOpenFileName(parent, "A baseline", str(Path.home()), FILES)
    return name


def _ask_save(parent: QWidget) -> str:
    place = str(Path.home() / f"me{BASELINE_SUFFIX}")
    name, _ = QFileDialog.getSaveFileName(parent, "Where the baseline goes", place, FILES)
    return name
