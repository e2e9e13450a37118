"""A framed part of the window with a name."""

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.theme import GRID, heading

__all__ = ["Card", "beside"]


class Card(QFrame):
    """`content` under a heading; `aside` stands at the right end of the heading."""

    def __init__(self, title: str, content: QWidget, aside: QWidget | None = None) -> None:
        super().__init__()
        self.setObjectName("card")
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 4)
        column.setSpacing(GRID // 2)
        label = QLabel(title)
        label.setFont(heading(self.font()))
        label.setFixedHeight(3 * GRID)
        head = QHBoxLayout()
        head.addWidget(label)
        head.addStretch()
        if aside is not None:
            head.addWidget(aside)
        column.addLayout(head)
        column.addWidget(content, 1)


def beside(left: QWidget, right: QWidget) -> QWidget:
    """Two widgets in a row, of which the left one takes what room there is."""
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    row.addWidget(left, 1)
    row.addWidget(right)
    return both
