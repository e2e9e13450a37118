"""Play, time, scrubber, what repeats, speed, volume."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktop.controls import ChoiceButton, IconButton, SeekSlider, TextButton, VolumeSlider
from desktop.icons import icon
from desktop.playback import SPEEDS
from desktop.theme import GRID, Theme, figures
from desktop.time_format import clock_text

__all__ = ["TransportBar"]


SPEED_NAMES = {speed: f"{speed:g}\N{MULTIPLICATION SIGN}" for speed in SPEEDS}


class TransportBar(QWidget):
    """The row at the foot of the window."""

    play_pressed = pyqtSignal()
    sought = pyqtSignal(float)
    """Seconds."""
    scrubbing = pyqtSignal(bool)
    loop_pressed = pyqtSignal()
    """The range shall no longer repeat."""
    speed_chosen = pyqtSignal(float)
    volume_changed = pyqtSignal(float)
    """0 to 1."""
    mute_pressed = pyqtSignal()
    fullscreen_pressed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.play = IconButton("play", "Play", "Play (Space)", flat=False)
        self.play.setObjectName("primary")
        self.time = QLabel()
        self.time.setFont(figures(self.font()))
        self.time.setAccessibleName("Position and duration")
        self.slider = SeekSlider()
        self.slider.setAccessibleName("Position")
        self.slider.setToolTip("Seek (Left, Right: 1 s; Shift: 5 s; Comma, Period: one picture)")
        self.notice = QLabel()
        self.notice.setProperty("quiet", True)
        self.loop = TextButton("", "Stop repeating (C)")
        self.loop.setAccessibleName("Stop repeating")
        self.loop.setFont(figures(self.font(), 0.9))
        self.speed = ChoiceButton(
            "Speed", "Speed (Minus, Plus; Backspace: 1\N{MULTIPLICATION SIGN})", SPEED_NAMES
        )
        self.speed.setObjectName("speed")
        self.mute = IconButton("sound", "Mute", "Mute (M)")
        self.volume = VolumeSlider()
        self.volume.setAccessibleName("Volume")
        self.volume.setToolTip("Volume (Up, Down)")
        self.volume.setValue(100)
        self.fullscreen = IconButton("fullscreen", "Full screen", "Full screen (F)")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.play)
        row.addSpacing(GRID)
        row.addWidget(self.time)
        row.addWidget(self.slider, 1)
        row.addWidget(self.notice)
        for widget in (self.loop, self.speed, self.mute, self.volume, self.fullscreen):
            row.addWidget(widget)
        self.play.clicked.connect(self.play_pressed)
        self.slider.moved.connect(lambda value: self.sought.emit(value / 1000))
        self.slider.dragging.connect(self.scrubbing)
        self.loop.clicked.connect(self.loop_pressed)
        self.speed.chosen.connect(self.speed_chosen)
        self.mute.clicked.connect(self.mute_pressed)
        self.volume.moved.connect(lambda value: self.volume_changed.emit(value / 100))
        self.fullscreen.clicked.connect(self.fullscreen_pressed)
        self.set_duration(0.0)
        self.set_loop(None)
        self.set_speed(1.0)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.play.set_color(theme.on_accent)
        self.mute.set_color(theme.text)
        self.loop.setIcon(icon("repeat", theme.text))
        self.fullscreen.set_color(theme.text)

    def set_duration(self, seconds: float) -> None:
        self._duration = seconds
        self.slider.setRange(0, max(1, round(seconds * 1000)))
        self.time.setText("")
        self.set_position(0.0)
        self.time.setFixedWidth(self.time.fontMetrics().horizontalAdvance(self._text(seconds)) + 4)

    def set_position(self, seconds: float) -> None:
        text = self._text(seconds)
        if text != self.time.text():
            self.time.setText(text)
        if not self.slider.isSliderDown():
            self.slider.setValue(round(seconds * 1000))

    def set_playing(self, playing: bool) -> None:
        if playing:
            self.play.set_shape("pause", "Pause", "Pause (Space)")
        else:
            self.play.set_shape("play", "Play", "Play (Space)")

    def set_loop(self, span: tuple[float, float] | None) -> None:
        """Name the seconds that repeat; None hides it."""
        self.loop.setVisible(span is not None)
        if span is not None:
            text = f"{clock_text(span[0])} \N{EN DASH} {clock_text(span[1])}"
            self.loop.setText(text)
            self.loop.setAccessibleName(f"Stop repeating {text}")

    def set_speed(self, speed: float) -> None:
        self.speed.set_value(speed)

    def set_volume(self, level: float, muted: bool) -> None:
        self.volume.setValue(round(level * 100))
        if muted or level == 0:
            self.mute.set_shape("mute", "Sound on", "Sound on (M)")
        else:
            self.mute.set_shape("sound", "Mute", "Mute (M)")

    def set_notice(self, text: str) -> None:
        """A quiet word beside the volume; without sound the volume has no use."""
        if text != self.notice.text():
            self.notice.setText(text)
            self.notice.setToolTip(text)

    def set_fullscreen(self, full: bool) -> None:
        if full:
            self.fullscreen.set_shape(
                "restore", "Leave full screen", "Leave full screen (F, Escape)"
            )
        else:
            self.fullscreen.set_shape("fullscreen", "Full screen", "Full screen (F)")

    def _text(self, seconds: float) -> str:
        return f"{clock_text(seconds)} / {clock_text(self._duration)}"
