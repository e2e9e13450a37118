"""The picture of the recording with the face mesh drawn over it."""

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from desktop.face_contours import contour_path
from desktop.theme import LIGHT, Theme

__all__ = ["PictureView"]


class PictureView(QWidget):
    """Shows one picture as large as it fits. It is scaled once, however often it is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Picture")
        self.setMinimumSize(160, 100)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._theme = LIGHT
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._scaled: QPixmap | None = None
        self._landmarks: npt.NDArray[np.float32] | None = None
        self._note = ""
        self.show_landmarks = True
        self.draw_mesh = True
        """False where drawing it costs too much now."""
        self.mirrored = False
        """As in a mirror: what a person expects of a camera that looks at them."""

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(480, 360)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_picture(
        self,
        pixels: npt.NDArray[np.uint8] | None,
        landmarks: npt.NDArray[np.float32] | None,
        note: str = "",
    ) -> None:
        """Show `pixels` [height, width, 3] and the mesh; `note` is shown where there is none."""
        if pixels is self._pixels and landmarks is self._landmarks and note == self._note:
            return
        if pixels is not self._pixels:
            self._scaled = None
        self._pixels, self._landmarks, self._note = pixels, landmarks, note
        face = "with a face" if landmarks is not None else "without a face"
        self.setAccessibleDescription(note if pixels is None else f"Picture {face}")
        self.update()

    def redraw(self) -> None:
        """After `show_landmarks` changed."""
        self.update()

    def picture_rect(self) -> QRect:
        """Where the picture is, in pixels of the widget; empty without one."""
        if self._pixels is None:
            return QRect()
        height, width = self._pixels.shape[:2]
        size = QSize(width, height).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRect(
            (self.width() - size.width()) // 2,
            (self.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        self._scaled = None
        super().resizeEvent(event)

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        if self._pixels is None:
            painter.setPen(QColor(self._theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self._note)
            return
        rect = self.picture_rect()
        if self.mirrored:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        if self._scaled is None:
            self._scaled = self._fit(self._pixels, rect.size())
        painter.drawPixmap(rect.topLeft(), self._scaled)
        if self._landmarks is not None and self.show_landmarks and self.draw_mesh:
            painter.setClipRect(rect)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            path = contour_path(self._landmarks, QRectF(rect))
            painter.setPen(QPen(QColor(0, 0, 0, 70), 2.6))
            painter.drawPath(path)
            painter.setPen(QPen(QColor(255, 255, 255, 190), 1.1))
            painter.drawPath(path)

    def _fit(self, pixels: npt.NDArray[np.uint8], size: QSize) -> QPixmap:
        """Scale with the pixels of the screen; the array is read in place, not copied."""
        contiguous = np.ascontiguousarray(pixels)
        height, width = contiguous.shape[:2]
        image = QImage(
            contiguous.data,  # type: ignore[call-overload]  # a buffer will do
            width,
            height,
            contiguous.strides[0],
            QImage.Format.Format_RGB888,
        )
        ratio = self.devicePixelRatioF()
        target = QImage(size * ratio, QImage.Format.Format_RGB32)
        painter = QPainter(target)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, target.width(), target.height()), image)
        painter.end()
        scaled = QPixmap.fromImage(target)
        scaled.setDevicePixelRatio(ratio)
        return scaled
