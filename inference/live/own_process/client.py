"""The other end of a live session that runs in a process of its own."""

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.sources import SourceChoice
from extractors.stream import time_since_boot, to_seconds
from inference.baseline_file import baseline_sha256
from inference.calibration import RestingPerson
from inference.live.interface import LiveState
from inference.live.own_process.link import Link
from inference.live.own_process.messages import (
    Call,
    Made,
    Order,
    Refused,
    Standing,
)
from inference.live.own_process.showing import Showing

if TYPE_CHECKING:
    from extractors.recording import RecordingPlan

__all__ = ["LiveProcess"]

log = logging.getLogger(__name__)

PROGRAM = "from inference.live.own_process.host import main; main()"


class LiveProcess(Showing):
    """Implements `inference.live.Live`: what it shows is as new as the last message.

    The session, its threads and its libraries are in another process, so none of them ever holds
    the interpreter of this one. If that process dies, this object says so as an event and is
    stopped; if this one dies, that one ends the session in order and completes its recording.
    """

    def __init__(
        self,
        order: Order,
        plan: "Callable[[], RecordingPlan]",
        begin: "Callable[[], subprocess.Popen[bytes]] | None" = None,
    ) -> None:
        """Waits until the session is made, which takes seconds: call it in a thread.

        `plan` is asked when a recording begins; `begin` starts the process. Raises BadInput for
        what the session refuses.
        """
        super().__init__(order)
        self._plan = plan
        self._state, self._asked = LiveState.PREVIEW, 0
        self._origin: int | None = None
        self._gone = threading.Event()
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._folder: Path | None = None
        self._process = (begin or _begin)()
        pipes = self._process.stdout, self._process.stdin
        self._link = Link(*(cast(io.RawIOBase, pipe) for pipe in pipes))
        self._greet(order)
        self._writer = threading.Thread(
            target=self._write, name="affectscope session calls", daemon=True
        )
        self._reader = threading.Thread(
            target=self._read, name="affectscope session news", daemon=True
        )
        self._writer.start()
        self._reader.start()

    def _greet(self, order: Order) -> None:
        answer: Any = None
        try:
            self._link.send(order)
            answer, _ = self._link.receive()
        except (EOFError, OSError):
            pass
        if isinstance(answer, Made):
            return
        self._link.close()
        code = self._process.wait()
        if isinstance(answer, Refused):
            raise BadInput(answer.text)
        raise BadInput(f"the process of the live session ended {_how(code)} before it began")

    # -- in its two threads

    def _write(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                self._link.send(call)
            except (OSError, ValueError):  # it is gone; the reader says so
                return

    def _read(self) -> None:
        try:
            while True:
                self._take(*self._link.receive())
        except (EOFError, OSError):
            pass
        except Exception:  # whoever waits for the end must not wait for ever
            log.exception("what a live session told could not be taken")
            self._process.kill()
        code = self._process.wait()
        self._calls.put(None)
        self._writer.join()
        self._link.close()
        if self._state is not LiveState.STOPPING:
            self._mourn(code)
        self._picture = None
        self._state = LiveState.STOPPED
        self._gone.set()

    def _mourn(self, code: int) -> None:
        """Say that the process is gone though nobody stopped it."""
        kept = (
            "" if self._folder is None else f"; what was recorded until then is in {self._folder}"
        )
        text = f"The live session's process ended {_how(code)}{kept}. Start again to go on"
        self._fail(text, self._now())

    def _take(self, message: Any, image: npt.NDArray[np.uint8] | None) -> None:
        super()._take(message, image)
        if isinstance(message, Standing):
            self._origin = message.origin
            # what was asked for since is not undone by news that are older
            if message.calls >= self._asked and self._state is not LiveState.STOPPING:
                self._state = message.state

    # -- its life

    @property
    def state(self) -> LiveState:
        return self._state

    @property
    def now(self) -> float:
        return to_seconds(self._now())

    def _now(self) -> int:
        return 0 if self._origin is None else time_since_boot() - self._origin

    def _ask(self, name: str, *arguments: Any) -> None:
        self._asked += name != "displayed"
        self._calls.put(Call(name, arguments))

    def preview(self) -> None:
        self._ask("preview")

    def start(self, folder: Path | None = None) -> None:
        if self._state is LiveState.PREVIEW:
            self._state, self._folder = LiveState.STARTING, folder
            self._ask("start", folder, self._plan())

    def pause(self) -> None:
        if self._state is LiveState.RUNNING:
            self._state = LiveState.PAUSED
            self._ask("pause")

    def resume(self) -> None:
        if self._state is LiveState.PAUSED:
            self._state = LiveState.RUNNING
            self._ask("resume")

    def stop(self) -> None:
        self._end("stop")

    def abort(self) -> None:
        """As `Live.abort`. Asked again, or after `stop`, it ends the process where nothing is
        recorded: then nothing is lost, and what a driver holds is free."""
        again = self._state is LiveState.STOPPING
        self._end("abort")
        if again and self._folder is None:
            self._process.kill()

    def _end(self, name: str) -> None:
        if self._state not in (LiveState.STOPPING, LiveState.STOPPED):
            self._state = LiveState.STOPPING
            self._ask(name)

    def wait(self, seconds: float) -> bool:
        """As `Live.wait`; when all has ended, so has the process."""
        if not self._gone.wait(seconds):
            return False
        self._reader.join()
        return True

    # -- what the window changes

    def choose_video(self, choice: SourceChoice | None) -> None:
        self._ask("choose_video", choice)

    def choose_audio(self, choice: SourceChoice | None) -> None:
        self._ask("choose_audio", choice)

    def mark(self, label: str, note: str = "") -> None:
        self._ask("mark", label, note, self._now())

    def take_baseline(self) -> None:
        self._ask("take_baseline")

    def cancel_baseline(self) -> None:
        self._ask("cancel_baseline")

    def use_baseline(self, person: RestingPerson | None) -> None:
        if person is not None:
            self._people[baseline_sha256(person)] = person
        self._ask("use_baseline", person)

    def displayed(self, time: float) -> None:
        self._ask("displayed", time)


def _begin() -> "subprocess.Popen[bytes]":
    """Start the process. It outlives this one for as long as it has something to complete."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.setdefault("OMP_NUM_THREADS", "1")  # NumPy's threads would get in the way of ours
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the window, which then ends the session in order
    )


def _how(code: int) -> str:
    """How a process ended that should not have."""
    return f"with code {code}" if code >= 0 else f"by signal {-code}"
