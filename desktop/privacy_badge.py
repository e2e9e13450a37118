"""Says in the head of the window that a camera or a microphone is open."""

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from desktop.theme import GRID, LIGHT, Theme, scaled

__all__ = ["PrivacyBadge"]


class PrivacyBadge(QWidget):
    """A filled dot and words; hidden while nothing is open."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT
        self.text = ""
        self.setFont(scaled(self.font(), 0.92))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Camera and microphone")
        self.hide()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(self.fontMetrics().horizontalAdvance(self.text) + 38, 3 * GRID + 4)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_open(self, camera: bool, microphone: bool, recording: bool, sending: str = "") -> None:
        """What is open, whether it is being recorded, and which outlets are on."""
        names = [n for n, on in (("camera", camera), ("microphone", microphone)) if on]
        text = f"{' and '.join(names).capitalize()} on" if names else ""
        if recording:
            text = f"{text}, recording" if text else "Recording"
        if sending:
            text = f"{text}, sending" if text else "Sending"
        stays = "What it takes stays on this computer."
        if sending:
            stays = f"Estimates and markers go to {sending}; pictures and sound stay here."
        self.setToolTip(stays)
        if text != self.text:
            self.text = text
            self.setAccessibleDescription(text or "off")
            self.setVisible(bool(text))
            self.updateGeometry()
            self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.alert))
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        ink = QColor(self._theme.alert_text)
        painter.setBrush(ink)
        painter.drawEllipse(QRectF(12, frame.center().y() - 4.5, 9, 9))
        painter.setPen(ink)
        painter.drawText(frame.adjusted(28, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text)
