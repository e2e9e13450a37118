"""The keys, laid over the window until somebody presses a key or clicks."""

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from desktop.shortcuts import COLUMNS
from desktop.theme import GRID, LIGHT, Theme, heading, scaled

__all__ = ["HelpOverlay"]


class HelpOverlay(QWidget):
    """Covers its parent and dims it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self.setAccessibleName("Keys")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._card = QFrame()
        self._card.setObjectName("card")
        columns = QHBoxLayout()
        columns.setSpacing(2 * GRID)
        for groups in COLUMNS:
            one = QVBoxLayout()
            one.setSpacing(2 * GRID)
            for name, rows in groups:
                one.addWidget(_group(name, rows))
            one.addStretch()
            columns.addLayout(one)
        title = QLabel("Keys")
        title.setFont(scaled(self.font(), 1.4))
        hint = QLabel("Any key or a click closes this.")
        hint.setProperty("quiet", True)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch()
        head.addWidget(hint)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.addLayout(head)
        column.addSpacing(GRID)
        column.addLayout(columns)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        outer.addWidget(self._card, 0, Qt.AlignmentFlag.AlignCenter)
        parent.installEventFilter(self)
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def toggle(self) -> None:
        if self.isVisible():
            self.hide()
            return
        self._cover()
        self.show()
        self.raise_()
        self.setFocus()

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if event is not None and event.type() is QEvent.Type.Resize and self.isVisible():
            self._cover()
        return False

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride:
            event.accept()  # the key closes this and does nothing else
            return True
        return super().event(event)

    def keyPressEvent(self, _event: QKeyEvent | None) -> None:  # noqa: N802
        self.hide()

    def mousePressEvent(self, _event: QMouseEvent | None) -> None:  # noqa: N802
        self.hide()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        veil = QColor(self._theme.text if not self._theme.dark else "#000000")
        veil.setAlphaF(0.45)
        painter.fillRect(self.rect(), veil)

    def _cover(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        self.setGeometry(parent.rect())


def _group(title: str, rows: tuple[tuple[str, str], ...]) -> QWidget:
    group = QWidget()
    grid = QGridLayout(group)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(2 * GRID)
    grid.setVerticalSpacing(GRID // 2)
    name = QLabel(title)
    name.setFont(heading(group.font()))
    grid.addWidget(name, 0, 0, 1, 2)
    for row, (keys, text) in enumerate(rows, 1):
        key = QLabel(keys)
        key.setProperty("key", True)
        what = QLabel(text)
        for label in (key, what):
            label.setFont(scaled(group.font(), 0.9))
        grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(what, row, 1)
    grid.setColumnStretch(1, 1)
    return group
