"""The row at the foot of the live page: start, pause, record, choose devices, mark."""

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktop.controls import IconButton, TextButton
from desktop.icons import icon, pixmap
from desktop.level_meter import LevelMeter
from desktop.source_chooser import SourceChooser
from desktop.theme import GRID, LIGHT, Theme, figures
from desktop.time_format import clock_text

__all__ = ["LiveBar"]


class LiveBar(QWidget):
    """Knows nothing of a session: it shows what it is told and says what is wanted."""

    start_pressed = pyqtSignal()
    stop_pressed = pyqtSignal()
    pause_pressed = pyqtSignal()
    mark_pressed = pyqtSignal()
    record_toggled = pyqtSignal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._running = False
        self._sending = False
        self._theme = LIGHT
        self.main = IconButton("play", "Start", "Start (Space)", flat=False)
        self.main.setObjectName("primary")
        self.pause = IconButton("pause", "Pause", "Pause (Space)")
        self.time = QLabel(clock_text(0))
        self.time.setFont(figures(self.font()))
        self.time.setAccessibleName("Time since the start")
        self.time.setMinimumWidth(self.time.fontMetrics().horizontalAdvance("0:00:00.0"))
        self.record = TextButton("Record", "Keep pictures, sound and curves of the next session")
        self.record.setCheckable(True)
        self.options = IconButton(
            "options",
            "Camera picture, recording and outlets",
            "What the camera gives, what is kept, and where it is sent",
        )
        self.signs = (QLabel(), QLabel())
        self.video = SourceChooser("Camera")
        self.audio = SourceChooser("Microphone")
        self.level = LevelMeter()
        self.mark = TextButton("Mark", "Put a marker here (M, or Ctrl and a figure)")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for widget in (self.main, self.pause, self.time, self.record, self.options, self.mark):
            row.addWidget(widget)
        row.addStretch(1)
        for sign, chooser in zip(self.signs, (self.video, self.audio), strict=True):
            row.addWidget(sign)
            row.addWidget(chooser, 2)
        row.addWidget(self.level)
        self.main.clicked.connect(self._press_main)
        self.pause.clicked.connect(self.pause_pressed)
        self.mark.clicked.connect(self.mark_pressed)
        self.record.toggled.connect(self.record_toggled)
        self.set_state(running=False, paused=False, busy=False)

    def apply_theme(self, theme: Theme) -> None:
        self.main.set_color(theme.on_accent)
        self.pause.set_color(theme.text)
        self._theme = theme
        self._paint_options()
        self.record.setIcon(icon("record", theme.alert_text))
        self.mark.setIcon(icon("mark", theme.text))
        for part in (self.level, self.video, self.audio):
            part.apply_theme(theme)
        for sign, shape in zip(self.signs, ("camera", "microphone"), strict=True):
            sign.setPixmap(pixmap(shape, theme.muted, 20, self.devicePixelRatioF()))

    def set_state(self, *, running: bool, paused: bool, busy: bool) -> None:
        """Running (or paused), or not; busy: it starts or stops, and there is nothing to press."""
        self._running = running
        if running:
            self.main.set_shape("stop", "Stop", "Stop (Shift+Space)")
        else:
            self.main.set_shape("play", "Start", "Start (Space)")
        if paused:
            self.pause.set_shape("play", "Go on", "Go on (Space)")
        else:
            self.pause.set_shape("pause", "Pause", "Pause (Space)")
        self.main.setEnabled(not busy)
        self.pause.setEnabled(running)
        self.mark.setEnabled(running)
        self.record.setEnabled(not running and not busy)

    def set_sending(self, sending: bool) -> None:
        """Whether anything is sent to other programs."""
        if sending != self._sending:
            self._sending = sending
            self._paint_options()

    def _paint_options(self) -> None:
        self.options.set_color(self._theme.accent if self._sending else self._theme.text)

    def set_time(self, seconds: float) -> None:
        text = clock_text(seconds)
        if text != self.time.text():
            self.time.setText(text)

    def set_recording(self, on: bool, where: str) -> None:
        """Whether the session is, or will be, recorded, and where."""
        if self.record.isChecked() != on:
            self.record.blockSignals(True)
            self.record.setChecked(on)
            self.record.blockSignals(False)
        self.record.setToolTip(
            f"The session goes into {where}"
            if on
            else f"Nothing is kept; with Record it goes into {where}"
        )

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(super().sizeHint().width(), 5 * GRID)

    def _press_main(self) -> None:
        if self._running:
            self.stop_pressed.emit()
        else:
            self.start_pressed.emit()
