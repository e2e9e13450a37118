"""How a page with a picture, words, curves and figures is laid out, live or recorded."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QSplitter, QVBoxLayout, QWidget

from desktop.card import Card, beside
from desktop.controls import TextButton
from desktop.picture_view import PictureView
from desktop.status_chips import StatusChips
from desktop.theme import GRID
from desktop.transcript_view import TranscriptView

__all__ = ["TrajectoryPage", "follow_button"]

SIDE, NARROW_SIDE = 36 * GRID, 30 * GRID
"""Width of the column with the graph and the figures, and in a narrow window."""
NARROW = 1040


class TrajectoryPage(QWidget):
    """Picture and transcript above, curves below, each with a narrow card at its right."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = PictureView()
        self.chips = StatusChips()
        self._side: tuple[QWidget, ...] = ()

    def lay_out(
        self, transcript: Card, curves: Card, upper_side: QWidget, lower_side: Card, foot: QWidget
    ) -> None:
        """Put the cards in their places, around the picture; `foot` stands below them all."""
        viewer = QFrame()
        viewer.setObjectName("card")
        column = QVBoxLayout(viewer)
        column.setContentsMargins(GRID, GRID, GRID, GRID + 4)
        column.setSpacing(GRID)
        column.addWidget(self.picture, 1)
        column.addWidget(self.chips)
        upper = QSplitter(Qt.Orientation.Horizontal)
        upper.addWidget(viewer)
        upper.addWidget(transcript)
        self._side = (upper_side, lower_side)
        rows = QSplitter(Qt.Orientation.Vertical)
        rows.addWidget(beside(upper, upper_side))
        lower = beside(curves, lower_side)
        lower.setMinimumHeight(26 * GRID)
        rows.addWidget(lower)
        for splitter, sizes in ((upper, (11, 10)), (rows, (10, 11))):
            splitter.setHandleWidth(GRID)
            splitter.setChildrenCollapsible(False)
            for index, stretch in enumerate(sizes):
                splitter.setStretchFactor(index, stretch)
            splitter.setSizes([part * 40 for part in sizes])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(GRID + 4)
        page.addWidget(rows, 1)
        page.addWidget(foot)

    def toggle_landmarks(self, shown: bool) -> None:
        self.picture.show_landmarks = shown
        self.picture.redraw()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        for card in self._side:
            card.setFixedWidth(NARROW_SIDE if self.width() < NARROW else SIDE)
        super().resizeEvent(event)


def follow_button(transcript: TranscriptView) -> TextButton:
    """Scrolls along with the words again; hidden while it does."""
    button = TextButton("Follow", "Scroll along with the spoken words", "link")
    button.hide()
    transcript.following_changed.connect(lambda on: button.setVisible(not on))
    button.clicked.connect(lambda: transcript.follow())
    return button
