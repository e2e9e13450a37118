"""Chooses how large and how many a camera's pictures are, and says what it gives."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.choice_box import ChoiceBox
from desktop.theme import GRID, Theme
from extractors.sources import PictureWish, SourceChoice, SourceStatus, pictures_text
from extractors.sources.camera import DEFAULT_RATE, DEFAULT_SIZE

__all__ = ["CameraPicture"]

SIZES = ((640, 480), (1280, 720), (1920, 1080))
RATES = (15.0, 30.0, 60.0)
AUTOMATIC = f"Automatic is {pictures_text(DEFAULT_SIZE, DEFAULT_RATE)}."
NO_CAMERA = "The source of pictures is not a camera."


class CameraPicture(QWidget):
    """Knows nothing of a session: it shows what it is told and says what is wanted."""

    chosen = pyqtSignal(object)
    """A `PictureWish`."""

    def __init__(self) -> None:
        super().__init__()
        self.size_box, self.rate_box = ChoiceBox(), ChoiceBox()
        self.size_box.setAccessibleName("Size of the camera's pictures")
        self.rate_box.setAccessibleName("Pictures of the camera a second")
        for box in self.boxes:
            box.setToolTip(f"{box.accessibleName()}: the nearest that it has is taken")
            box.activated.connect(lambda _: self._choose())
        self.line = QLabel(AUTOMATIC)
        self.line.setProperty("quiet", True)
        self.line.setWordWrap(True)
        self._wish = PictureWish()
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.size_box)
        row.addWidget(self.rate_box)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self.line)
        self.set_wish(PictureWish())

    @property
    def boxes(self) -> tuple[ChoiceBox, ChoiceBox]:
        """Of the size and of the rate."""
        return self.size_box, self.rate_box

    @property
    def wish(self) -> PictureWish:
        return self._wish

    def set_wish(self, wish: PictureWish) -> None:
        """Show it; nothing is emitted. What is not offered is added to what is."""
        self._wish = wish
        sizes = SIZES if wish.size in (None, *SIZES) else (*SIZES, wish.size)
        rates = RATES if wish.rate in (None, *RATES) else (*RATES, wish.rate)
        self.size_box.clear()
        self.size_box.addItem("Automatic size", None)
        for size in sizes:
            self.size_box.addItem("{} x {}".format(*size), size)
        self.rate_box.clear()
        self.rate_box.addItem("Automatic rate", None)
        for rate in rates:
            self.rate_box.addItem(f"{rate:.4g} a second", rate)
        self.size_box.setCurrentIndex([None, *sizes].index(wish.size))
        self.rate_box.setCurrentIndex([None, *rates].index(wish.rate))

    def set_source(self, choice: SourceChoice | None, status: SourceStatus | None) -> None:
        """What is chosen as the source of pictures, and how it is doing in a session."""
        camera = choice is not None and choice.kind == "device"
        for box in self.boxes:
            box.setEnabled(camera)
        gives = "" if status is None else status.gives
        text = (f"The camera {gives}." if gives else AUTOMATIC) if camera else NO_CAMERA
        if text != self.line.text():
            self.line.setText(text)

    def apply_theme(self, theme: Theme) -> None:
        for box in self.boxes:
            box.apply_theme(theme)

    def _choose(self) -> None:
        wish = PictureWish(self.size_box.currentData(), self.rate_box.currentData())
        if wish != self._wish:
            self._wish = wish
            self.chosen.emit(wish)
