"""What is said before camera and microphone are opened for the first time."""

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.controls import TextButton
from desktop.icons import pixmap
from desktop.theme import GRID, Theme, heading, scaled

__all__ = ["ConsentPage"]

WIDTH = 84 * GRID

POINTS = (
    (
        "chip",
        "What is worked out",
        "Pictures of the face, the voice and the words become numbers: points of the face, "
        "measures of the voice, and an estimate of the emotion that is expressed. It is not what "
        "someone feels, and it can be wrong.",
    ),
    (
        "home",
        "Where it stays",
        "Everything happens on this computer. Nothing is sent anywhere unless you switch on an "
        "outlet, which hands on estimates and markers, never pictures or sound. Nothing is kept "
        "unless you switch on recording; a recording lies in your folder until you delete it.",
    ),
    (
        "people",
        "Who has to know",
        "Everybody who can be seen or heard. While camera or microphone is open, the head of the "
        "window says so.",
    ),
    (
        "alert",
        "Where it is forbidden",
        "In the European Union, inferring emotions of people at work or in education is "
        "prohibited, except for medical or safety reasons: AI Act, Regulation (EU) 2024/1689, "
        "Article 5(1)(f). Do not use it there, and never to decide about a person.",
    ),
)


class ConsentPage(QWidget):
    """Shown once; agreeing is remembered."""

    agreed = pyqtSignal()
    declined = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        card = QFrame()
        card.setObjectName("card")
        card.setMaximumWidth(WIDTH)
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        title = QLabel("Before camera and microphone are opened")
        title.setFont(scaled(self.font(), 1.4))
        title.setWordWrap(True)
        column.addWidget(title)
        self._signs: list[tuple[QLabel, str]] = []
        for shape, name, text in POINTS:
            column.addLayout(self._point(shape, name, text))
        self.agree = TextButton("I agree, go on", "Remembered on this computer", "primary")
        self.decline = TextButton("Not now", "Nothing is opened")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch()
        buttons.addWidget(self.decline)
        buttons.addWidget(self.agree)
        column.addSpacing(GRID)
        column.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addStretch()
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(card, 100)
        row.addStretch()
        outer.addLayout(row)
        outer.addStretch()
        self.agree.clicked.connect(self.agreed)
        self.decline.clicked.connect(self.declined)

    def apply_theme(self, theme: Theme) -> None:
        for label, shape in self._signs:
            label.setPixmap(pixmap(shape, theme.accent, 28, self.devicePixelRatioF()))

    def _point(self, shape: str, name: str, text: str) -> QHBoxLayout:
        sign = QLabel()
        sign.setFixedWidth(5 * GRID)
        sign.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._signs.append((sign, shape))
        head = QLabel(name)
        head.setFont(heading(self.font()))
        body = QLabel(text)
        body.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(GRID // 2)
        words.addWidget(head)
        words.addWidget(body)
        row = QHBoxLayout()
        row.addWidget(sign)
        row.addLayout(words, 1)
        return row
