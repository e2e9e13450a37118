"""A camera through OpenCV."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from extractors.features import VideoFrame
from extractors.sources.choice import SourceChoice
from extractors.sources.devices import cameras
from extractors.sources.source import SourceInfo, SourceLost
from extractors.stream import SECOND, Clock, Sample

__all__ = [
    "DEFAULT_RATE",
    "DEFAULT_SIZE",
    "Camera",
    "Capture",
    "Format",
    "best_format",
    "open_capture",
]

DEFAULT_SIZE = (640, 480)
DEFAULT_RATE = 30.0
SELECT_TIMEOUT = "2"
"""Seconds after which OpenCV gives up waiting for a picture; its own default is 10."""
OLDEST = SECOND
"""A driver's time stamp further back than this is of another clock."""
FAILURES = 3
"""Pictures in a row that do not come before the camera counts as gone."""

# properties of cv2.VideoCapture, whose numbers are fixed; cv2 itself takes long to import
POS_MSEC, WIDTH, HEIGHT, FPS, FOURCC = 0, 3, 4, 5, 6
V4L2 = 200
MJPG = "MJPG"


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...  # noqa: N802

    def set(self, prop: int, value: float) -> bool: ...

    def get(self, prop: int) -> float: ...

    def grab(self) -> bool: ...

    def retrieve(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


def open_capture(number: int) -> Capture:
    """Open camera `number`. May take seconds."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", SELECT_TIMEOUT)
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # what fails is told in our own words
    import cv2

    backend = V4L2 if sys.platform.startswith("linux") else 0
    capture: Capture = cv2.VideoCapture(number, backend)
    return capture


class Format(NamedTuple):
    """What a camera was asked for and what it then says it gives."""

    fourcc: str
    width: int
    height: int
    rate: float


def best_format(capture: Capture, size: tuple[int, int], rate: float) -> Format:
    """Set the wanted size and rate, compressed (MJPG) where only that is fast or large enough.

    Uncompressed pictures need no decoder and have no artefacts, so they are kept where the camera
    gives them at the wanted size and rate; over USB 2 that ends at about 640 x 480.
    """
    plain = _request(capture, size, rate)
    if (plain.width, plain.height) == size and plain.rate >= 0.95 * rate:
        return plain
    capture.set(FOURCC, _code(MJPG))
    packed = _request(capture, size, rate)
    if packed.fourcc == MJPG and _worth(packed, size) > _worth(plain, size):
        return packed
    capture.set(FOURCC, _code(plain.fourcc))
    return _request(capture, size, rate)


def _request(capture: Capture, size: tuple[int, int], rate: float) -> Format:
    capture.set(WIDTH, size[0])
    capture.set(HEIGHT, size[1])
    capture.set(FPS, rate)
    code = round(capture.get(FOURCC))
    fourcc = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    return Format(fourcc, round(capture.get(WIDTH)), round(capture.get(HEIGHT)), capture.get(FPS))


def _worth(found: Format, size: tuple[int, int]) -> tuple[int, float]:
    """Nearness to the wanted size, then speed."""
    return -abs(found.width * found.height - size[0] * size[1]), found.rate


def _code(fourcc: str) -> int:
    return sum(ord(letter) << 8 * i for i, letter in enumerate(fourcc))


class Camera:
    """One opening of a camera; a `Source[VideoFrame]`.

    A picture's time is the driver's own where that is of the monotonic clock (Video4Linux), else
    the moment at which it was there to be fetched.
    """

    def __init__(
        self,
        choice: SourceChoice,
        clock: Clock,
        opener: Callable[[int], Capture] = open_capture,
    ) -> None:
        self.info: SourceInfo | None = None
        self._choice = choice
        self._clock = clock
        self._opener = opener
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[VideoFrame]]:
        number, name = _find(self._choice)
        capture = self._opener(number)
        try:
            if not capture.isOpened():
                raise _cannot_open(number, name)
            found = best_format(
                capture, self._choice.size or DEFAULT_SIZE, self._choice.rate or DEFAULT_RATE
            )
            yield from self._read(capture, number, name, found)
        finally:
            capture.release()

    def _read(
        self, capture: Capture, number: int, name: str, found: Format
    ) -> Iterator[Sample[VideoFrame]]:
        last, failures = -1, 0
        while not self._closing.is_set():
            image = None
            if capture.grab():
                taken = max(self._taken(capture), last + 1)
                image = _rgb(capture.retrieve())
            if image is None:
                failures += 1
                if failures >= FAILURES or not _present(number):
                    raise _gone(number, name, begun=last >= 0)
                self._closing.wait(0.05)
                continue
            failures, last = 0, taken
            if self.info is None:
                size = (image.shape[1], image.shape[0])
                self.info = SourceInfo(name, size, found.rate or None, found.fourcc)
            yield Sample("frame", taken, taken, self._clock.now(), VideoFrame(image))

    def _taken(self, capture: Capture) -> int:
        now, monotonic = self._clock.now(), time.monotonic_ns()
        age = monotonic - round(capture.get(POS_MSEC) * 1e6)
        return now - age if 0 <= age < OLDEST else now


def _rgb(retrieved: tuple[bool, Any]) -> npt.NDArray[np.uint8] | None:
    """The picture as uint8 [height, width, 3] RGB; None if it could not be decoded."""
    good, image = retrieved
    if not good or image is None or image.size == 0:
        return None
    import cv2

    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB
    picture: npt.NDArray[np.uint8] = cv2.cvtColor(image, code)
    return picture


def _find(choice: SourceChoice) -> tuple[int, str]:
    """The camera's number now, and its name. Raises SourceLost if there is none."""
    found = cameras()
    wanted = choice.where.removeprefix("/dev/video")
    for camera in found:
        if choice.name and camera.name == choice.name and camera.where == wanted:
            return int(camera.where), camera.name
    for camera in found:
        if choice.name and camera.name == choice.name:
            return int(camera.where), camera.name
    if choice.name and found:
        raise SourceLost("missing", f"{choice.name} is not connected; plug it in or choose another")
    if wanted.isdigit():
        return int(wanted), next((c.name for c in found if c.where == wanted), f"Camera {wanted}")
    if found and not wanted:
        return int(found[0].where), found[0].name
    raise SourceLost("missing", "no camera is connected; plug one in or choose another source")


def _present(number: int) -> bool:
    return not sys.platform.startswith("linux") or Path(f"/dev/video{number}").exists()


def _cannot_open(number: int, name: str) -> SourceLost:
    if not _present(number):
        return SourceLost("missing", f"{name} is not connected; plug it in or choose another")
    if sys.platform.startswith("linux") and not os.access(f"/dev/video{number}", os.R_OK | os.W_OK):
        return SourceLost(
            "denied", f"{name} may not be opened; add yourself to the group video and log in again"
        )
    return SourceLost("taken", f"{name} is used by another program; close that, or choose another")


def _gone(number: int, name: str, *, begun: bool) -> SourceLost:
    if not _present(number):
        return SourceLost("unplugged", f"{name} was unplugged; it goes on when it is back")
    if not begun:
        return SourceLost(
            "taken", f"{name} gives no picture: another program may use it; close that"
        )
    return SourceLost("silent", f"{name} gives no more pictures; it is opened again")
