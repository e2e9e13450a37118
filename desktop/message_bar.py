"""One line about what went wrong, above the content; nothing is blocked by it."""

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from desktop.controls import IconButton
from desktop.icons import pixmap
from desktop.theme import GRID, Theme

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
        self._close = IconButton("close", "Close the message", "Close the message")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._close)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def apply_theme(self, theme: Theme) -> None:
        self._sign.setPixmap(pixmap("alert", theme.alert_text, 20, self.devicePixelRatioF()))
        self._close.set_color(theme.alert_text)

    def show_message(self, text: str) -> None:
        """Show one line, in place of the one before."""
        self._text.setText(text)
        self.setAccessibleDescription(text)
        self.show()
