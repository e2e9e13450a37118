"""A camera with the interface of cv2.VideoCapture."""

from typing import Any

import numpy as np

from extractors.sources.camera import FOURCC, FPS, HEIGHT, POS_MSEC, WIDTH

__all__ = ["FakeCamera", "code"]

Modes = dict[str, list[tuple[int, int, float]]]


def code(fourcc: str) -> int:
    return sum(ord(letter) << 8 * i for i, letter in enumerate(fourcc))


class FakeCamera:
    """Gives `pictures` pictures, then fails; `modes`: widths, heights and rates by format."""

    def __init__(
        self,
        pictures: int = 5,
        modes: Modes | None = None,
        opened: bool = True,
        broken: tuple[int, ...] = (),
        grey: bool = False,
    ) -> None:
        self.modes = modes or {"YUYV": [(640, 480, 30.0)]}
        self.released = False
        self.times: list[float] = []
        """What POS_MSEC says; 0 where it is empty."""
        self._opened = opened
        self._pictures = pictures
        self._broken = broken
        self._grey = grey
        self._given = 0
        self._fourcc = next(iter(self.modes))
        self._size = (640, 480)
        self._rate = 30.0

    def isOpened(self) -> bool:  # noqa: N802
        return self._opened

    def set(self, prop: int, value: float) -> bool:
        if prop == FOURCC:
            wanted = [name for name in self.modes if code(name) == int(value)]
            self._fourcc = wanted[0] if wanted else self._fourcc
            return bool(wanted)
        if prop == WIDTH:
            self._size = (int(value), self._size[1])
        elif prop == HEIGHT:
            self._size = (self._size[0], int(value))
        elif prop == FPS:
            self._rate = value
        return True

    @property
    def mode(self) -> tuple[int, int, float]:
        """The nearest that the format has."""
        wanted = self._size[0] * self._size[1]
        width, height, fastest = min(
            self.modes[self._fourcc], key=lambda mode: abs(mode[0] * mode[1] - wanted)
        )
        return width, height, min(fastest, self._rate)

    def get(self, prop: int) -> float:
        width, height, rate = self.mode
        values = {FOURCC: code(self._fourcc), WIDTH: width, HEIGHT: height, FPS: rate}
        if prop == POS_MSEC:
            return self.times[min(self._given, len(self.times)) - 1] if self.times else 0.0
        return float(values[prop])

    def grab(self) -> bool:
        assert not self.released
        if self._given >= self._pictures:
            return False
        self._given += 1
        return True

    def retrieve(self) -> tuple[bool, Any]:
        if self._given in self._broken:
            return False, None
        width, height, _ = self.mode
        shape = (height, width) if self._grey else (height, width, 3)
        image = np.zeros(shape, np.uint8)
        image[..., 0] = 200  # blue, as OpenCV orders it
        return True, image

    def release(self) -> None:
        self.released = True
