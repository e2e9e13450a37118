"""From a decoded frame to an upright RGB array."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

__all__ = ["Orientation", "PictureConverter", "orientation_of"]

COLOUR_MATRICES = {0, 1, 4, 5, 6, 7, 9}
"""Values of AVColorSpace (ITU-T H.273, matrix coefficients) that libswscale converts by itself."""

HD_HEIGHT = 720
"""From this height on, pictures that do not name their colour matrix use BT.709, below BT.601."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture becomes upright: first transposed, then mirrored."""

    transposed: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def rotation(self) -> int:
        """Degrees anticlockwise; a mirrored picture is then mirrored left to right."""
        if self.transposed:
            return 90 if self.mirror_y else 270
        return 180 if self.mirror_y else 0

    def upright(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The picture [height, width, 3] upright, contiguous in memory."""
        if self.transposed:
            image = image.transpose(1, 0, 2)
        if self.mirror_y:
            image = image[::-1]
        if self.mirror_x:
            image = image[:, ::-1]
        return np.ascontiguousarray(image)


def orientation_of(frame: VideoFrame) -> Orientation:
    """The nearest multiple of 90 degrees of the frame's display matrix (ISO 14496-12, 6.2.2)."""
    side_data: Any = frame.side_data
    try:
        matrix = side_data[Type.DISPLAYMATRIX]
    except KeyError:
        return Orientation()
    a, b, _, c, d = np.frombuffer(matrix, np.int32, 5).tolist()  # x' = ax + cy, y' = bx + dy
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


class PictureConverter:
    """Converts frames of any pixel format and size. Used by one thread only.

    `max_side` limits the longer side in pixels; larger pictures are scaled down in the same step.
    """

    def __init__(self, max_side: int | None = None) -> None:
        if max_side is not None and max_side < 1:
            raise ValueError(f"max_side must be at least 1, not {max_side}")
        self._max_side = max_side
        self._reformatter = VideoReformatter()
        self._turned: tuple[int, Orientation] | None = None

    def convert(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """Upright uint8 [height, width, 3] RGB, contiguous. Raises av.error.FFmpegError."""
        width, height = self._size(frame.width, frame.height)
        matrix = None
        if frame.colorspace not in COLOUR_MATRICES:
            hd = frame.height >= HD_HEIGHT
            matrix = Colorspace.ITU709 if hd else Colorspace.ITU601
        shrunk = width < frame.width or height < frame.height
        rgb = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=matrix,
            interpolation="AREA" if shrunk else "BILINEAR",
            threads=1,
        )
        return self._orientation(frame).upright(rgb.to_ndarray().astype(np.uint8, copy=False))

    def _orientation(self, frame: VideoFrame) -> Orientation:
        """That of the frame, worked out anew only where its rotation changes.

        PyAV ties a frame whose side data were looked at to itself, so that it stays in memory
        until Python looks for such circles: hundreds of pictures.
        """
        if self._turned is None or self._turned[0] != frame.rotation:
            self._turned = frame.rotation, orientation_of(frame)
        return self._turned[1]

    def _size(self, width: int, height: int) -> tuple[int, int]:
        longest = max(width, height)
        if self._max_side is None or longest <= self._max_side:
            return width, height
        scale = self._max_side / longest
        return max(1, math.floor(width * scale + 0.5)), max(1, math.floor(height * scale + 0.5))
