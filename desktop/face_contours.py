"""The lines of a face as a path to paint."""

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainterPath

from extractors.face_mesh import CONTOURS

__all__ = ["contour_path"]

_POINTS = np.array([point for line in CONTOURS for point in line])
_JOINED = np.array([i < len(line) - 1 for line in CONTOURS for i in range(len(line))], np.int32)


def contour_path(landmarks: npt.NDArray[np.float32], picture: QRectF) -> QPainterPath:
    """The contours of `landmarks` [478, 3] (fractions of the picture) inside `picture`."""
    points = landmarks[_POINTS].astype(np.float64)
    x = picture.left() + points[:, 0] * picture.width()
    y = picture.top() + points[:, 1] * picture.height()
    path: QPainterPath = pg.arrayToQPath(x, y, connect=_JOINED)
    return path
