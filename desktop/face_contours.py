"""The lines of the face mesh that are worth seeing: oval, brows, eyes, irises, nose, lips."""

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainterPath

__all__ = ["CONTOURS", "contour_path"]

CONTOURS: tuple[tuple[int, ...], ...] = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
     148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    (46, 53, 52, 65, 55), (70, 63, 105, 66, 107),
    (276, 283, 282, 295, 285), (300, 293, 334, 296, 336),
    (33, 7, 163, 144, 145, 153, 154, 155, 133), (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (263, 249, 390, 373, 374, 380, 381, 382, 362), (263, 466, 388, 387, 386, 385, 384, 398, 362),
    (469, 470, 471, 472, 469), (474, 475, 476, 477, 474),
    (168, 6, 197, 195, 5, 4), (98, 97, 2, 326, 327),
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)  # fmt: skip
"""Polylines through points of MediaPipe's face mesh (face_landmarks_connections of its API)."""

_POINTS = np.array([point for line in CONTOURS for point in line])
_JOINED = np.array([i < len(line) - 1 for line in CONTOURS for i in range(len(line))], np.int32)


def contour_path(landmarks: npt.NDArray[np.float32], picture: QRectF) -> QPainterPath:
    """The contours of `landmarks` [478, 3] (fractions of the picture) inside `picture`."""
    points = landmarks[_POINTS].astype(np.float64)
    x = picture.left() + points[:, 0] * picture.width()
    y = picture.top() + points[:, 1] * picture.height()
    path: QPainterPath = pg.arrayToQPath(x, y, connect=_JOINED)
    return path
