"""Pictures of which nobody can be recognised: a mosaic over the face, or its lines alone.

What is not certain is covered: only the followed face has landmarks, so the mosaic covers the face
alone only where exactly one face was seen all the time around, and else the whole picture.
"""

import bisect

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from assets.errors import SessionError
from desktop.palette import DARK
from extractors.face_mesh import CONTOURS
from extractors.features import FloatArray
from extractors.session import Session

__all__ = ["FaceCover", "draw_landmarks", "mosaic"]

Picture = npt.NDArray[np.uint8]

CELLS = 8
"""Squares along the longer side of what is covered; nothing finer of it is left."""
AROUND = 0.5
"""Seconds before and after a picture in which there must be one face and no more."""
REACH = 0.2
"""Seconds before and after whose places of the face are covered as well."""
MARGIN = 0.35
"""Added to each side of the landmarks, in parts of their size: hair, ears, chin."""


def mosaic(image: Picture, left: int, top: int, right: int, bottom: int) -> None:
    """Replace a part of `image` uint8 [height, width, 3], in place, by averages of squares."""
    part = image[top:bottom, left:right]
    height, width = part.shape[:2]
    if not height or not width:
        return
    cell = max(height, width) / CELLS
    small = (max(1, round(width / cell)), max(1, round(height / cell)))
    averages = Image.fromarray(part).resize(small, Image.Resampling.BOX)
    part[:] = np.asarray(averages.resize((width, height), Image.Resampling.BICUBIC))


class FaceCover:
    """Where the face is in each picture, by the session's features."""

    def __init__(self, session: Session) -> None:
        self._session = session
        try:
            table = session.table("face", ["time", "faces"])
            self._times: list[float] = table["time"].to_pylist()
            self._faces: list[int] = table["faces"].to_pylist()
            session.landmarks_at(0.0)
        except SessionError:
            self._times, self._faces = [], []

    def cover(self, image: Picture, time: float) -> Picture:
        """A copy of the picture uint8 [height, width, 3] at `time` seconds, with the mosaic."""
        covered = image.copy()
        height, width = image.shape[:2]
        left, top, right, bottom = self._box(time) or (0.0, 0.0, 1.0, 1.0)
        mosaic(
            covered,
            max(0, int(left * width)),
            max(0, int(top * height)),
            min(width, int(np.ceil(right * width))),
            min(height, int(np.ceil(bottom * height))),
        )
        return covered

    def _box(self, time: float) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom as fractions; None where it is not certain."""
        first = bisect.bisect_left(self._times, time - AROUND)
        last = bisect.bisect_right(self._times, time + AROUND)
        # features every tenth of a second at least, from before the picture until after it
        times = [max(0.0, time - AROUND), *self._times[first:last]]
        if last - first < 2 or max(np.diff(times)) > REACH:
            return None
        if any(count != 1 for count in self._faces[first:last]):
            return None
        corners = []
        for at in self._times[first:last]:
            landmarks = self._session.landmarks_at(at)
            if landmarks is None:
                return None
            if abs(at - time) <= REACH:
                corners.append((*landmarks[:, :2].min(axis=0), *landmarks[:, :2].max(axis=0)))
        if not corners:
            return None
        low, high = np.min(corners, axis=0)[:2], np.max(corners, axis=0)[2:]
        left, top = low - MARGIN * (high - low)
        right, bottom = high + MARGIN * (high - low)
        return float(left), float(top), float(right), float(bottom)


def draw_landmarks(landmarks: FloatArray | None, width: int, height: int) -> Picture:
    """The lines of `landmarks` [478, 3] on an empty picture uint8 [height, width, 3]."""
    image = Image.new("RGB", (2 * width, 2 * height), DARK.background)
    if landmarks is not None:
        draw = ImageDraw.Draw(image)
        points = landmarks[:, :2].astype(float) * (2 * width, 2 * height)
        line = max(2, round(min(width, height) / 120))
        for contour in CONTOURS:
            draw.line([tuple(points[i]) for i in contour], DARK.text, line, joint="curve")
    return np.asarray(image.reduce(2))
