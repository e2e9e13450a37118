"""Buttons and sliders that leave the keys of the player alone, except those they need."""

from collections.abc import Mapping

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QActionGroup, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QMenu, QPushButton, QSlider, QStyle, QToolButton, QWidget

from desktop.icons import icon

__all__ = ["ChoiceButton", "IconButton", "SeekSlider", "TextButton", "VolumeSlider"]


def _claims(event: QEvent | None, *keys: Qt.Key) -> bool:
    """Keep a key that would otherwise be a shortcut of the window for the focused control."""
    if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.ShortcutOverride:
        return False
    mine = event.key() in keys and event.modifiers() == Qt.KeyboardModifier.NoModifier
    if mine:
        event.accept()
    return mine


class IconButton(QToolButton):
    """A square button; reached by Tab, not focused by a click, so that Space stays play."""

    def __init__(self, shape: str, name: str, tip: str, flat: bool = True) -> None:
        super().__init__()
        self._shape = shape
        self._color = "#000000"
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setProperty("flat", flat)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(20, 20))

    def set_shape(self, shape: str, name: str, tip: str) -> None:
        """Another icon with its meaning."""
        if shape != self._shape:
            self._shape = shape
            self.setAccessibleName(name)
            self.setToolTip(tip)
            self.set_color(self._color)

    def set_color(self, color: str) -> None:
        self._color = color
        self.setIcon(icon(self._shape, color))

    def event(self, event: QEvent | None) -> bool:
        return _claims(event, Qt.Key.Key_Space) or super().event(event)


class TextButton(QPushButton):
    """A button with words."""

    def __init__(self, text: str, tip: str = "", role: str = "") -> None:
        super().__init__(text)
        self.setObjectName(role)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def event(self, event: QEvent | None) -> bool:
        return _claims(event, Qt.Key.Key_Space) or super().event(event)


class ChoiceButton(QToolButton):
    """Shows what is chosen; a press offers the others."""

    chosen = pyqtSignal(float)

    def __init__(self, name: str, tip: str, choices: Mapping[float, str]) -> None:
        super().__init__()
        self._choices = choices
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setProperty("flat", True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self._group = QActionGroup(menu)
        for value, text in choices.items():
            action = menu.addAction(text)
            assert action is not None
            action.setCheckable(True)
            action.setData(value)
            action.triggered.connect(lambda _on, value=value: self.chosen.emit(value))
            self._group.addAction(action)
        self.setMenu(menu)

    def set_value(self, value: float) -> None:
        """Show a value; nothing is emitted."""
        self.setText(self._choices[value])
        for action in self._group.actions():
            action.setChecked(action.data() == value)

    def event(self, event: QEvent | None) -> bool:
        return _claims(event, Qt.Key.Key_Space) or super().event(event)


class _JumpSlider(QSlider):
    """A slider whose handle comes to the place that is pressed."""

    moved = pyqtSignal(int)
    """A new value, by mouse or key."""
    dragging = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _value_at(self, x: float) -> int:
        handle = 14
        span = self.width() - handle
        return QStyle.sliderValueFromPosition(
            self.minimum(), self.maximum(), round(x - handle / 2), max(1, span)
        )

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        if event.button() is Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.dragging.emit(True)
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        if self.isSliderDown():
            self._go(event.position().x())

    def mouseReleaseEvent(self, _event: QMouseEvent | None) -> None:  # noqa: N802
        if self.isSliderDown():
            self.setSliderDown(False)
            self.dragging.emit(False)

    def _go(self, x: float) -> None:
        self.setSliderPosition(self._value_at(x))
        self.moved.emit(self.sliderPosition())


class SeekSlider(_JumpSlider):
    """Position in milliseconds; its keys are the window's own."""


class VolumeSlider(_JumpSlider):
    """Loudness in percent; with the focus, arrows change it."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 100)
        self.setPageStep(10)
        self.setSingleStep(5)
        self.setFixedWidth(88)
        self.actionTriggered.connect(lambda _action: self.moved.emit(self.sliderPosition()))

    def event(self, event: QEvent | None) -> bool:
        key = Qt.Key
        mine = (key.Key_Left, key.Key_Right, key.Key_Up, key.Key_Down, key.Key_Home, key.Key_End)
        return _claims(event, *mine) or super().event(event)
