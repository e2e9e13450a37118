"""One line about what went wrong, above the content; nothing is blocked by it."""

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from desktop.controls import IconButton, TextButton
from desktop.icons import pixmap
from desktop.theme import GRID, LIGHT, Theme

__all__ = ["MessageBar"]


class MessageBar(QFrame):
    """Hidden until `show_message`; stays until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setAccessibleName("Message")
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.action = TextButton("")
        self.action.hide()
        self.action.clicked.connect(self._act)
        self._do: Callable[[], object] | None = None
        self._theme = LIGHT
        self._shape = "alert"
        self._close = IconButton("close", "Close the message", "Close the message")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self.action)
        row.addWidget(self._close)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._set_kind(self._shape)

    def show_message(
        self, text: str, action: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        """Show one line, in place of the one before; `action` is a button at its end."""
        self._set_kind("film" if action is not None else "alert")
        self._do = None if action is None else action[1]
        self.action.setVisible(action is not None)
        if action is not None:
            self.action.setText(action[0])
        self._text.setText(text)
        self.setAccessibleDescription(text)
        self.show()

    def _act(self) -> None:
        do, self._do = self._do, None
        self.hide()
        if do is not None:
            do()

    def _set_kind(self, shape: str) -> None:
        """A fault, or news: they look different."""
        fault = shape == "alert"
        color = self._theme.alert_text if fault else self._theme.text
        self._shape = shape
        self._sign.setPixmap(pixmap(shape, color, 20, self.devicePixelRatioF()))
        self._close.set_color(color)
        if self.property("news") is not (not fault):
            self.setProperty("news", not fault)
            style = self.style()
            assert style is not None
            for widget in (self, self._text):
                style.unpolish(widget)
                style.polish(widget)
