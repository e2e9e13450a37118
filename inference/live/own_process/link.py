"""Messages between two processes of this program, through a pipe in each direction."""

import io
import pickle
import struct
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Link"]

HEAD = struct.Struct("<IQ")
"""Bytes of the message, and of the picture behind it."""
ROOM = 1 << 20
"""Bytes that a pipe holds, where the system lets us choose: a picture passes at once."""


class Link:
    """Sends from any thread, receives in one. A picture travels beside its message, uncopied."""

    def __init__(self, inbound: io.RawIOBase, outbound: io.RawIOBase) -> None:
        self._inbound, self._outbound = inbound, outbound
        self._lock = threading.Lock()
        _widen(outbound)

    def send(self, message: Any, image: npt.NDArray[np.uint8] | None = None) -> None:
        """Send a message, with `image` uint8 of any shape; waits while the pipe is full.

        Raises OSError when nobody reads any more.
        """
        shape = None if image is None else image.shape
        body = pickle.dumps((message, shape), pickle.HIGHEST_PROTOCOL)
        payload = b"" if image is None else np.ascontiguousarray(image).reshape(-1).data
        with self._lock:
            self._write(HEAD.pack(len(body), len(payload)) + body)
            self._write(payload)

    def receive(self) -> tuple[Any, npt.NDArray[np.uint8] | None]:
        """The next message and its picture. Raises EOFError when the other side is gone."""
        length, size = HEAD.unpack(self._read(HEAD.size))
        message, shape = pickle.loads(self._read(length))
        if shape is None:
            return message, None
        image = np.empty(size, np.uint8)
        self._fill(image.data)
        return message, image.reshape(shape)

    def close(self) -> None:
        """Close both pipes; the other side sees the end of what it reads."""
        for pipe in (self._outbound, self._inbound):
            try:
                pipe.close()
            except OSError:
                continue  # it was broken

    def _write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._outbound.write(rest) or 0 :]

    def _read(self, count: int) -> bytes:
        data = bytearray(count)
        self._fill(memoryview(data))
        return bytes(data)

    def _fill(self, rest: memoryview) -> None:
        while rest:
            count = self._inbound.readinto(rest)
            if not count:
                raise EOFError("the other process is gone")
            rest = rest[count:]


def _widen(pipe: io.RawIOBase) -> None:
    try:
        import fcntl

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, ROOM)
    except (ImportError, AttributeError, OSError):
        return  # it is as wide as the system makes it
