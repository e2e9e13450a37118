"""Files that grow while a session is recorded, written and made durable by threads of their own."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from extractors.recording.standby import Standby

__all__ = ["SYNC_SECONDS", "Disk", "GrowingFile", "OperatingSystem"]

SYNC_SECONDS = 1.0
"""Between two rounds of fsync; what was written before a round outlives a power cut after it."""

BEHIND = 0.25
"""Seconds for which a write may wait before it is kept where it outlives the process."""


class OperatingSystem:
    """The calls that reach the disk. Tests put another one in its place."""

    def open(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def write(self, file: int, data: bytes, offset: int) -> int:
        return os.pwrite(file, data, offset)

    def sync(self, file: int) -> None:
        os.fdatasync(file)

    def close(self, file: int) -> None:
        os.close(file)


class _Sink(Protocol):
    def __call__(self, file: "GrowingFile", offset: int, data: bytes) -> None: ...


class GrowingFile:
    """A file for one writer, as PyAV and pyarrow want one. Writing never waits for the disk."""

    def __init__(self, path: Path, descriptor: int, sink: _Sink) -> None:
        self.name = str(path)
        self.path = path
        self.descriptor = descriptor
        self.closed = False
        self.dirty = False
        """Whether something was written since the last fsync."""
        self._sink = sink
        self._position = 0
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        copy = bytes(data)
        self._sink(self, self._position, copy)
        self._position += len(copy)
        self._size = max(self._size, self._position)
        return len(copy)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is held here."""

    def close(self) -> None:
        """Nothing more will be written. `Disk` closes the descriptor."""
        self.closed = True


@dataclass(slots=True)
class _Write:
    file: GrowingFile
    offset: int
    data: bytes
    since: float
    kept: int | None = None
    """The segment of the standby that has it."""


class Disk:
    """Two threads: one writes what is handed over, at once; one makes it durable every second.

    So a process that is killed loses what it has not handed over, a power cut what was written in
    the last second or two, and a disk that stands still delays nobody: the data wait in memory,
    and `waiting` tells how many bytes. With `standby` this is memory that outlives the process.
    After the first error nothing more is written.
    """

    def __init__(
        self,
        system: OperatingSystem | None = None,
        *,
        sync_seconds: float = SYNC_SECONDS,
        before_sync: Callable[[], None] | None = None,
        standby: Standby | None = None,
    ) -> None:
        """`before_sync` is called every second in the thread that makes data durable; an OSError
        that it raises counts as one of the disk."""
        self.error: OSError | None = None
        """Why nothing is written any more."""
        self._system = system or OperatingSystem()
        self._before_sync = before_sync
        self._seconds = sync_seconds
        self._files: list[GrowingFile] = []
        self._queue: deque[_Write] = deque()
        self._standby = standby
        self._unkept: deque[_Write] = deque()
        """What waits and is not in the standby."""
        self._kept = 0
        """How many of those that wait are in it."""
        self._changed = threading.Condition()
        self._waiting = 0
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=f"affectscope {name}", daemon=True)
            for target, name in ((self._write, "disk"), (self._sync, "fsync"))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Bytes that are not yet written."""
        return self._waiting

    def open(self, path: Path) -> GrowingFile:
        """A new, empty file. Raises OSError."""
        file = GrowingFile(path, self._system.open(path), self._put)
        with self._changed:
            self._files.append(file)
        return file

    def close(self, deadline: float) -> bool:
        """Write what waits, make it durable, close the files; at most `deadline` seconds.

        Returns whether all is on the disk. If not, the threads are left to end by themselves, and
        `error` may tell why.
        """
        with self._changed:
            self._ending.set()
            self._changed.notify_all()
        writing, syncing = self._threads
        writing.join(deadline)
        syncing.join(deadline)
        if writing.is_alive() or syncing.is_alive():
            return False
        for file in self._files:
            self._system.close(file.descriptor)
        self._files = []
        self._drop_standby()
        return self.error is None

    def discard(self, deadline: float) -> None:
        """End without writing what waits."""
        with self._changed:
            self._queue.clear()
            self._unkept.clear()
            self._waiting = 0
            self._drop_standby()
        self.close(deadline)

    def _put(self, file: GrowingFile, offset: int, data: bytes) -> None:
        with self._changed:
            if self.error is None:
                now = time.monotonic()
                write = _Write(file, offset, data, now)
                self._unkept.append(write)
                if self._kept or now - self._unkept[0].since > BEHIND:
                    self._keep_waiting()
                self._queue.append(write)
                self._waiting += len(data)
                self._changed.notify_all()

    def _keep_waiting(self) -> None:
        """The disk is behind: what waits must not be lost with the process."""
        while self._unkept and self._standby is not None:
            write = self._unkept.popleft()
            try:
                write.kept = self._standby.keep(write.file.path, write.offset, write.data)
                self._kept += 1
            except OSError:  # no room: better nothing than a part without what came later
                self._drop_standby()

    def _drop_standby(self) -> None:
        standby, self._standby = self._standby, None
        self._kept = 0
        if standby is not None:
            with suppress(OSError):
                standby.remove()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._ending.is_set())
                if not self._queue:
                    return
                write = self._queue.popleft()
            try:
                self._write_whole(write.file, write.offset, write.data)
            except OSError as error:
                self._fail(error)
            with self._changed:
                self._waiting = max(0, self._waiting - len(write.data))
                if write.kept is None:
                    if self._unkept and self._unkept[0] is write:
                        self._unkept.popleft()
                elif self._standby is not None:
                    self._kept -= 1
                    self._standby.release(write.kept)

    def _write_whole(self, file: GrowingFile, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = self._system.write(file.descriptor, bytes(view), offset)
            file.dirty = True
            offset, view = offset + written, view[written:]

    def _fail(self, error: OSError) -> None:
        with self._changed:
            self.error = self.error or error
            self._queue.clear()
            self._unkept.clear()
            self._waiting = 0
            self._drop_standby()

    def _sync(self) -> None:
        writing = self._threads[0]
        while True:
            ended = self._ending.wait(self._seconds)
            try:
                if ended:
                    writing.join()
                elif self._before_sync is not None:
                    self._before_sync()
                for file in list(self._files):
                    if file.dirty:
                        file.dirty = False
                        self._system.sync(file.descriptor)
            except OSError as error:
                self._fail(error)
            except Exception as error:  # nothing would be made durable any more: say so
                self._fail(OSError(f"{type(error).__name__}: {error}"))
            if ended:
                return
