"""What a live session asks of its camera, what of it is kept, and where it is sent meanwhile."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from assets.errors import BadInput
from desktop.camera_picture import CameraPicture
from desktop.choice_box import ChoiceBox
from desktop.controls import TextButton
from desktop.live_memory import Keeping
from desktop.live_outlets import KINDS, OutletStatus
from desktop.theme import GRID, Theme, heading
from extractors.outlets import LslChoice, OscChoice, OutletChoice, WebSocketChoice, parse_outlet
from extractors.recording.plan import RecordingPlan

__all__ = ["LiveOptions", "typed"]

WIDTH = 60 * GRID
DAYS = 30
"""What is offered first."""
LONGEST = 3650
KEEPS = (("Keep until you remove it", None), ("Move to the trash after", "trash"),
         ("Delete for good after", "delete"))  # fmt: skip
OUTLETS = {
    "lsl": ("LSL", "Name of the streams", "Affectscope",
            "Lab Streaming Layer: can be received in the whole local network"),
    "osc": ("OSC", "Host and port", "127.0.0.1:9000",
            "Open Sound Control: goes unencrypted to this host and port"),
    "websocket": ("WebSocket", "Port", "8765",
                  "JSON for programs on this computer that know the token"),
}  # fmt: skip


class LiveOptions(QFrame):
    """A panel above its button; knows nothing of a session and says what is wanted."""

    features_only_chosen = pyqtSignal(bool)
    keeping_chosen = pyqtSignal(object)
    """A `Keeping`."""
    outlet_switched = pyqtSignal(str, object)
    """A kind, and an `OutletChoice` or None for off."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("panel")
        self.setAccessibleName("Camera picture, recording and outlets")
        self.setFixedWidth(WIDTH)
        self.copy_text: Callable[[str], None] = _copy
        self.camera = CameraPicture()
        self.features_only = QCheckBox("Features only: no picture and no sound is written")
        self.keep = ChoiceBox()
        for text, then in KEEPS:
            self.keep.addItem(text, then)
        self.keep.setAccessibleName("How long recordings are kept")
        self.days = QSpinBox()
        self.days.setRange(1, LONGEST)
        self.days.setValue(DAYS)
        self.days.setSuffix(" days")
        self.days.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.days.setAccessibleName("Days")
        self.switches = {kind: QCheckBox(OUTLETS[kind][0]) for kind in KINDS}
        self.fields = {kind: QLineEdit() for kind in KINDS}
        self.lines = {kind: QLabel() for kind in KINDS}
        self.copy = TextButton("Copy", "Copy the address with its token", "link")
        self._theme: Theme | None = None
        self._states: Mapping[str, OutletStatus] = {}
        self._lay_out()
        self.features_only.toggled.connect(self.features_only_chosen)
        self.keep.activated.connect(lambda _: self._choose_keeping())
        self.days.valueChanged.connect(lambda _: self._choose_keeping())
        self.copy.clicked.connect(lambda: self.copy_text(self.lines["websocket"].text()))
        for kind in KINDS:
            self.switches[kind].clicked.connect(lambda _on, kind=kind: self.switch(kind))
            self.fields[kind].editingFinished.connect(lambda kind=kind: self._retype(kind))
        self.set_keeping(Keeping())
        self.set_outlets({})

    def open_above(self, button: QWidget) -> None:
        """Show the panel with its lower left corner at the button's upper one."""
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(0, -self.height() - GRID // 2))
        self.move(corner)
        self.show()
        first = (*self.camera.boxes, self.features_only, *self.switches.values())
        next(part for part in first if part.isEnabled()).setFocus()

    def set_recordable(self, on: bool) -> None:
        """Whether what is recorded can still be chosen: not while a session runs."""
        for part in (self.features_only, self.keep, self.days):
            part.setEnabled(on)

    def set_features_only(self, on: bool) -> None:
        """Show it; nothing is emitted."""
        self.features_only.blockSignals(True)
        self.features_only.setChecked(on)
        self.features_only.blockSignals(False)

    def set_keeping(self, keeping: Keeping) -> None:
        """Show it; nothing is emitted."""
        then = None if keeping.days is None else keeping.then
        self.keep.setCurrentIndex([entry for _, entry in KEEPS].index(then))
        self.days.blockSignals(True)
        if keeping.days is not None:
            self.days.setValue(keeping.days)
        self.days.blockSignals(False)
        self.days.setVisible(keeping.days is not None)

    @property
    def plan(self) -> RecordingPlan:
        """What a recording that begins now is to hold."""
        then = self.keep.currentData()
        days = None if then is None else self.days.value()
        return RecordingPlan(
            features_only=self.features_only.isChecked(), keep_days=days, then=then or "trash"
        )

    def set_outlet(self, kind: str, on: bool, to: str) -> None:
        """Show a switch and what is typed beside it; nothing is emitted."""
        self.switches[kind].setChecked(on)
        self.fields[kind].setText(to or OUTLETS[kind][2])

    def choice(self, kind: str) -> OutletChoice:
        """What is typed beside a switch. Raises BadInput."""
        typed = self.fields[kind].text().strip() or OUTLETS[kind][2]
        return parse_outlet(f"{kind}:{typed}")

    def set_outlets(self, statuses: Mapping[str, OutletStatus]) -> None:
        """Where each can be reached, or why not."""
        if statuses == self._states and statuses:
            return
        self._states = dict(statuses)
        for kind in KINDS:
            status = statuses.get(kind, OutletStatus("off"))
            text = OUTLETS[kind][3] if status.state == "off" else status.text
            self._say(kind, text, failed=status.state == "failed")
        on = statuses.get("websocket", OutletStatus("off")).state == "on"
        self.copy.setVisible(on)
        if self.isVisible():
            self.adjustSize()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.camera.apply_theme(theme)
        self.keep.apply_theme(theme)
        self._states, before = {}, self._states
        self.set_outlets(before)

    def _say(self, kind: str, text: str, *, failed: bool) -> None:
        line = self.lines[kind]
        line.setText(text)
        ink = "" if self._theme is None else self._theme.alert_text if failed else self._theme.muted
        line.setStyleSheet(f"color: {ink};" if ink else "")

    def switch(self, kind: str) -> None:
        """Say that an outlet is wanted as its switch and its field stand."""
        if not self.switches[kind].isChecked():
            self.outlet_switched.emit(kind, None)
            return
        try:
            choice = self.choice(kind)
        except BadInput as error:
            self.switches[kind].setChecked(False)
            self._say(kind, str(error), failed=True)
            return
        self.outlet_switched.emit(kind, choice)

    def _retype(self, kind: str) -> None:
        """Something else was typed: an outlet that is on goes there instead."""
        if self.fields[kind].isModified():
            self.fields[kind].setModified(False)
            self.switch(kind)

    def _choose_keeping(self) -> None:
        then = self.keep.currentData()
        days = None if then is None else self.days.value()
        self.days.setVisible(days is not None)
        self.keeping_chosen.emit(Keeping(days, "delete" if then == "delete" else "trash"))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID + 4, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(_heading("Camera picture", self))
        column.addWidget(self.camera)
        column.addSpacing(GRID)
        column.addWidget(_heading("Recordings", self))
        column.addWidget(self.features_only)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.keep)
        row.addWidget(self.days)
        row.addStretch()
        column.addLayout(row)
        column.addSpacing(GRID)
        column.addWidget(_heading("Send estimates and markers to other programs", self))
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(2, 1)
        for number, kind in enumerate(KINDS):
            name, what, _, explained = OUTLETS[kind]
            self.switches[kind].setToolTip(explained)
            field = self.fields[kind]
            field.setFixedWidth(20 * GRID)
            field.setAccessibleName(f"{name}: {what.lower()}")
            field.setToolTip(what)
            line = self.lines[kind]
            line.setTextFormat(Qt.TextFormat.PlainText)
            line.setWordWrap(True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            line.setContentsMargins(0, 0, 0, GRID // 2)
            grid.addWidget(self.switches[kind], 2 * number, 0)
            grid.addWidget(field, 2 * number, 1)
            if kind == "websocket":
                grid.addWidget(self.copy, 2 * number, 2, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(line, 2 * number + 1, 0, 1, 3)
        column.addLayout(grid)


def typed(choice: OutletChoice) -> str:
    """What stands beside the switch of an outlet."""
    match choice:
        case LslChoice():
            return choice.name
        case OscChoice():
            return f"{choice.host}:{choice.port}"
        case WebSocketChoice():
            return str(choice.port)


def _heading(text: str, of: QWidget) -> QLabel:
    label = QLabel(text)
    label.setFont(heading(of.font()))
    return label


def _copy(text: str) -> None:
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
