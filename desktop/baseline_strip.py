"""The strip in which people calibrate a live session to themselves, and the links that open it."""

import math
from dataclasses import dataclass, field

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent, QShowEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.controls import IconButton, TextButton
from desktop.theme import GRID, LIGHT, Theme, figures, heading, scaled
from desktop.time_format import clock_text
from inference.live import BaselineStatus

__all__ = ["BaselineLinks", "BaselineStrip", "Shown"]

ROOMY = 700
"""Height of the window from which on there is room for more than a line."""
NAME = "Calibrate to me"
DOTS = "\N{HORIZONTAL ELLIPSIS}"
WHAT = (
    "Sit as usual, keep a neutral face and read aloud for 30 seconds. From then on this session "
    "takes your face and your voice at rest for zero: narrow eyes, low brows or a low voice are "
    "then less likely to be read as expression. Measured on voices it gained little; on faces it "
    "could not be measured."
)
ALOUD = (
    "\N{LEFT DOUBLE QUOTATION MARK}The library stands at the end of the street, between a bakery "
    "and a small park. It opens at nine and closes at six. On the first floor there are maps and "
    "newspapers, on the second floor there are books about plants, bridges and weather. Whoever "
    "wants to borrow a book shows a card at the desk. The stairs are on the left, the lift is on "
    "the right, and the cloakroom is in the basement.\N{RIGHT DOUBLE QUOTATION MARK}"
)
IN_SHORT = "30 s of a neutral face that reads aloud. On voices it gained little."
NOT_RUNNING = "Start the session first: it is measured while one runs."


@dataclass(frozen=True, slots=True)
class Shown:
    """What the strip and the links are to show."""

    status: BaselineStatus = field(default_factory=BaselineStatus)
    running: bool = False
    paused: bool = False
    file: str = ""
    """Name of the file that holds who is, or will be, in force; empty without one."""
    remembered: bool = False
    """Whether that file is used in later sessions too."""
    waiting: bool = False
    """Whether that file is only waiting for a session to start."""


class BaselineLinks(QWidget):
    """At the head of a card: opens the strip and, while a person is in force, takes them off."""

    opened = pyqtSignal()
    off_pressed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.open = TextButton("", role="link")
        self.off = TextButton("Off", "Predict as for anybody again", "link")
        self.off.setAccessibleName("Calibration off")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.open)
        row.addWidget(self.off)
        self.open.clicked.connect(self.opened)
        self.off.clicked.connect(self.off_pressed)
        self._shown: Shown | None = None
        self.show_state(Shown())

    def show_state(self, shown: Shown) -> None:
        if shown == self._shown:
            return
        self._shown = shown
        status = shown.status
        text = f"{NAME}{DOTS}"
        tip = "Take your face and your voice at rest for zero"
        if status.left is not None:
            text = f"Calibrating: {math.ceil(status.left)} s"
        elif status.person is not None:
            text, tip = "Calibrated", _since(status)
        self.open.setText(text)
        self.open.setToolTip(tip)
        self.off.setVisible(status.person is not None and status.left is None)


class BaselineStrip(QFrame):
    """Knows nothing of a session: it shows what it is told and says what is wanted."""

    take_pressed = pyqtSignal()
    cancel_pressed = pyqtSignal()
    off_pressed = pyqtSignal()
    save_pressed = pyqtSignal()
    choose_pressed = pyqtSignal()
    remember_toggled = pyqtSignal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName("Calibration to a person")
        self._theme = LIGHT
        self._shown: Shown | None = None
        self.count = QLabel()
        self.count.setFont(figures(self.font(), 2.6))
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.count.setFixedWidth(9 * GRID)
        self.count.setAccessibleName("Seconds left")
        self.title = QLabel()
        self.title.setFont(heading(self.font()))
        self.text, self.aloud = _wrapped(), _wrapped()
        self.aloud.setText(ALOUD)
        self.aloud.setFont(scaled(self.font(), 1.15))
        self.take = TextButton("Begin", role="primary")
        self.cancel = TextButton("Cancel", "Measure nothing; all stays as it was")
        self.off = TextButton("Switch off", "Predict as for anybody again")
        self.save = TextButton(f"Save{DOTS}", "Keep this baseline in a file, to choose it again")
        self.choose = TextButton(f"Choose a file{DOTS}", "A baseline that was saved before")
        self.remember = QCheckBox()
        self.close_button = IconButton("close", "Close", "Close; what is in force stays")
        self._lay_out()
        self.take.clicked.connect(self.take_pressed)
        self.cancel.clicked.connect(self.cancel_pressed)
        self.off.clicked.connect(self.off_pressed)
        self.save.clicked.connect(self.save_pressed)
        self.choose.clicked.connect(self.choose_pressed)
        self.remember.clicked.connect(self.remember_toggled)
        self.close_button.clicked.connect(self.hide)
        self.show_state(Shown())
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.close_button.set_color(theme.text)
        shown, self._shown = self._shown, None
        if shown is not None:
            self.show_state(shown)

    def show_state(self, shown: Shown) -> None:
        """Show it; nothing is emitted."""
        if shown == self._shown:
            return
        self._shown = shown
        status = shown.status
        taking = status.left is not None
        there = status.person is not None
        self.count.setVisible(taking)
        if status.left is not None:
            self.count.setText(str(math.ceil(status.left)))
        waits = shown.paused or bool(status.waits_for)
        alert = bool(status.problem or status.impossible or (taking and waits))
        self.text.setStyleSheet(f"color: {self._theme.alert_text if alert else self._theme.text};")
        self.take.setVisible(not taking)
        self.take.setEnabled(shown.running and not status.impossible)
        self.take.setText("Measure again" if there else "Begin")
        self.take.setToolTip("" if shown.running else NOT_RUNNING)
        self.cancel.setVisible(taking)
        self.off.setVisible((there or shown.waiting) and not taking)
        self.save.setVisible(there and not taking and not shown.file)
        self.choose.setVisible(not taking and not status.impossible)
        self.remember.setVisible(bool(shown.file) and not taking)
        self.remember.setText(f"Use {shown.file} in later sessions too")
        self.remember.setChecked(shown.remembered)
        self.close_button.setVisible(not taking)
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        """In a low window one line is all there is room for; the rest is shown at the pointer."""
        shown = self._shown
        window = self.window()
        if shown is None or window is None:
            return
        low = window.height() < ROOMY
        title, text, short = _words(shown)
        self.title.setText(title)
        self.text.setText(short if low else text)
        self.text.setToolTip(text if low else "")
        asking = bool(shown.file) and shown.status.left is None
        self.title.setVisible(not low)
        self.text.setVisible(bool(self.text.text()) and not (low and asking))
        self.aloud.setVisible(shown.status.left is not None and not low)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(GRID // 2)
        words.addStretch()
        for label in (self.title, self.text, self.aloud):
            words.addWidget(label)
        words.addWidget(self.remember, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch()
        buttons = QVBoxLayout()
        buttons.setSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addStretch()
        for button in (self.choose, self.save, self.off, self.cancel, self.take):
            row.addWidget(button)
        row.addWidget(self.close_button)
        buttons.addLayout(row)
        buttons.addStretch()
        whole = QHBoxLayout(self)
        whole.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        whole.setSpacing(2 * GRID)
        whole.addWidget(self.count)
        whole.addLayout(words, 1)
        whole.addLayout(buttons)


def _words(shown: Shown) -> tuple[str, str, str]:
    """Title, text, and what is said instead of both where there is little room."""
    status = shown.status
    if status.left is not None:
        if shown.paused:
            return "It waits", "The session is paused.", "It waits: the session is paused."
        if status.waits_for:
            why = f"The count stands still: {status.waits_for}."
            return "It waits", why, f"It waits: {status.waits_for}."
        if not status.left:
            return "Enough", "It is being worked out.", "Enough: it is being worked out."
        ask = "Keep a neutral face and read something aloud"
        return ask, "", f"{ask}."
    if status.impossible:
        why = f"Not possible: {status.impossible}."
        return NAME, why, why
    if status.problem:
        why = f"It did not work: {status.problem}."
        return NAME, why, why
    if status.person is not None:
        since = _since(status)
        return (
            "Calibrated",
            f"{since} It holds until it is switched off or the session ends.",
            since,
        )
    if shown.waiting:
        why = f"{shown.file} is used as soon as a session starts."
        return NAME, why, why
    return NAME, WHAT if shown.running else f"{WHAT} {NOT_RUNNING}", IN_SHORT


def _since(status: BaselineStatus) -> str:
    assert status.person is not None
    of = " and ".join(sorted(status.person.mean))
    at = clock_text(status.since or 0.0, tenths=False)
    return f"Since {at} one person's {of} at rest count as zero."


def _wrapped() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
