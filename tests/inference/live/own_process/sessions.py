"""Sessions that another process, or another thread in its place, makes by their name."""

import io
import os
import threading
from typing import Any

from assets.errors import BadInput
from inference.live.own_process.host import Host
from inference.live.own_process.link import Link
from inference.live.own_process.messages import Made, Order
from inference.live.session import LiveSession
from tests.inference.live import stand_ins
from tests.inference.live.stand_ins import Stage

__all__ = ["InAThread", "broken", "endless", "of_the_test", "real_time", "refused"]

stages: list[Stage] = []
"""The session of the test that runs."""


def of_the_test(_order: Order, _plan: Any) -> LiveSession:
    return stages[-1].session


def real_time(order: Order, plan: Any) -> LiveSession:
    """Stand-ins for the models, and a real clock, source and recorder."""
    from extractors.recording import Recorder

    return LiveSession(
        order.video, order.audio, stand_ins.models, stages=stand_ins.stages(),
        recorder=lambda folder: Recorder(folder, plan()),
    )  # fmt: skip


def endless(order: Order, plan: Any) -> LiveSession:
    """A driver does not let go of it."""
    session = real_time(order, plan)
    session._close = threading.Event().wait  # type: ignore[assignment, method-assign]
    return session


def refused(_order: Order, _plan: Any) -> LiveSession:
    raise BadInput("x.safetensors is no checkpoint of the app; choose another")


def broken(_order: Order, _plan: Any) -> LiveSession:
    print("what a library prints goes nowhere near the messages")
    raise ZeroDivisionError("by zero")


class InAThread:
    """In place of a process: the same host and the same pipes, on the clock of the test."""

    def __init__(self) -> None:
        here, there = os.pipe(), os.pipe()
        self.stdout, self.stdin = io.FileIO(here[0], "r"), io.FileIO(there[1], "w")
        self._link = Link(io.FileIO(there[0], "r"), io.FileIO(here[1], "w"))
        self._thread = threading.Thread(target=self._run, name="affectscope host", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        order, _ = self._link.receive()
        host = Host(order, self._link)
        self._link.send(Made())
        host.run()
        self._link.close()

    def wait(self) -> int:
        self._thread.join()
        return 0
