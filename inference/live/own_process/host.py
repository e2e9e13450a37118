"""The process of a live session: it makes the session, does what it is told, tells what is new."""

import io
import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from assets.errors import AffectscopeError, one_line
from extractors.features import VideoFrame
from extractors.native_log import native_log_apart
from extractors.stream import SECOND, Sample
from extractors.timeline import Timeline
from inference.live.interface import BaselineStatus, LiveState
from inference.live.own_process.link import Link
from inference.live.own_process.messages import (
    Call,
    Ended,
    Made,
    Order,
    Picture,
    Refused,
    Rows,
    Said,
    Seen,
    Standing,
    Told,
    Vitals,
)

if TYPE_CHECKING:
    from extractors.recording import RecordingPlan
    from inference.live.session import LiveSession

__all__ = ["CALLS", "Host", "fit_for_a_window", "live_session", "main"]

log = logging.getLogger(__name__)

T = TypeVar("T")

CALLS = frozenset({
    "preview", "start", "pause", "resume", "stop", "abort", "choose_video", "choose_audio",
    "mark", "take_baseline", "cancel_baseline", "use_baseline", "displayed",
})  # fmt: skip
"""What may be called from the other process."""
LOOK = 0.012
"""Seconds between looks at what is new; predictions are told at once."""
VITALS = SECOND
"""Nanoseconds between looks at the health, whose quantiles take some milliseconds."""
PICTURES = SECOND // 40
"""Nanoseconds between pictures at least: a window shows no more than thirty a second."""
WIDEST = 960
"""Pixels of a picture that is shown."""
ALONE = 60.0
"""Seconds in which a session ends, its recording included, once nobody shows it any more."""


def live_session(order: Order, plan: "Callable[[], RecordingPlan]") -> "LiveSession":
    """The session of the app. Raises ModelFileError or BadInput for a checkpoint that is damaged
    or not for it."""
    from extractors.large_libraries import load_large_libraries
    from inference.backends.opening import runs_in_torch

    # now, while no other thread loads anything
    load_large_libraries(torch=runs_in_torch(order.checkpoint))
    from extractors.recording import Recorder
    from inference.checkpoint import load_checkpoint
    from inference.live.session import LiveSession
    from inference.models import Models

    if order.checkpoint != "live":
        load_checkpoint(order.checkpoint).live_windows()
    return LiveSession(
        order.video,
        order.audio,
        lambda: Models(order.checkpoint),
        recorder=lambda folder: Recorder(folder, plan()),
    )


class Host:
    """Tells whoever is at the other end of `link` what is new in a session, until it has ended."""

    def __init__(self, order: Order, link: Link) -> None:
        """Raises what the making of the session raises."""
        self._link = link
        self._plan: RecordingPlan | None = None
        self._wake = threading.Event()
        self._predicted: deque[Rows] = deque()
        self._session = order.make(order, self._planned)
        self._session.on_predicted(self._on_predicted)
        self._calls = 0
        self._alone_since: float | None = None
        self._standing: Standing | None = None
        self._said: Said | None = None
        self._event: Any = None
        self._marker: Any = None
        self._face: Any = None
        self._picture: Any = None
        self._pictured = self._vital = 0
        self._baseline = BaselineStatus()

    def run(self) -> None:
        """Returns when the session has ended, or had `ALONE` seconds to and nobody is there."""
        threading.Thread(target=self._obey, name="affectscope calls", daemon=True).start()
        while self._session.state is not LiveState.STOPPED:
            self._wake.wait(LOOK)
            self._wake.clear()
            since = self._alone_since
            if since is not None and time.monotonic() - since > ALONE:
                return
            self._tell()
        self._tell()
        self._send(Ended())

    def _planned(self) -> "RecordingPlan":
        from extractors.recording import RecordingPlan

        return RecordingPlan() if self._plan is None else self._plan

    def _obey(self) -> None:
        """Do what is called until nobody calls any more; then end the session."""
        try:
            while True:
                call, _ = self._link.receive()
                self._do(call)
        except (EOFError, OSError):
            self._alone_since = time.monotonic()
            self._session.stop()

    def _do(self, call: Call) -> None:
        if call.name not in CALLS:
            raise ValueError(f"a session is not asked to {call.name}")
        arguments = call.arguments
        if call.name == "start":
            folder, self._plan = arguments
            arguments = (folder,)
        try:
            getattr(self._session, call.name)(*arguments)
        except Exception:
            log.exception("a live session could not %s", call.name)
        if call.name != "displayed":
            self._calls += 1
            self._wake.set()

    def _on_predicted(self, timeline: Timeline, settled: bool) -> None:
        """In the engine's thread."""
        self._predicted.append(Rows(timeline, settled))
        self._wake.set()

    def _send(self, message: Any, image: npt.NDArray[np.uint8] | None = None) -> None:
        if self._alone_since is None:
            try:
                self._link.send(message, image)
            except OSError:  # nobody is there; whoever reads the calls notices too
                return

    def _tell(self) -> None:
        """Everything that is new."""
        session, calls = self._session, self._calls
        while self._predicted:
            self._send(self._predicted.popleft())
        standing = Standing(
            session.state, session.origin, calls, session.grace, session.level(),
            session.video_status(), session.audio_status(), session.modalities(),
        )  # fmt: skip
        if standing != self._standing:
            self._standing = standing
            self._send(standing)
        self._tell_words()
        self._tell_events()
        self._tell_picture()
        now = time.monotonic_ns()
        baseline = session.baseline()
        changed = baseline is not self._baseline
        due = now - self._vital >= VITALS
        if due or changed:
            self._baseline, self._vital = baseline, now if due else self._vital
            health = session.health() if due else None
            self._send(Vitals(health, baseline if changed else None))

    def _tell_words(self) -> None:
        words, tentative = tuple(self._session.words()), tuple(self._session.tentative())
        before = self._said
        if before is None or words is not before.words or tentative is not before.tentative:
            new = words if before is None else _since(words, before.words)
            self._said = Said(words, tentative)
            self._send(Said(new, tentative))

    def _tell_events(self) -> None:
        events, markers = self._session.events(), self._session.markers()
        new_events, new_markers = _after(events, self._event), _after(markers, self._marker)
        if new_events or new_markers:
            self._event = events[-1] if events else None
            self._marker = markers[-1] if markers else None
            self._send(Told(new_events, new_markers))

    def _tell_picture(self) -> None:
        face = self._session.newest_face()
        if face is not None and face is not self._face:
            self._face = face
            self._send(Seen(face.end, face.data.landmarks))
        picture, now = self._session.newest_picture(), time.monotonic_ns()
        if picture is None or picture is self._picture or now - self._pictured < PICTURES:
            return
        self._picture, self._pictured = picture, now
        self._send(_times(picture), fit_for_a_window(picture.data.image))


def _times(picture: Sample[VideoFrame]) -> Picture:
    return Picture(picture.start, picture.end, picture.published)


def _since(items: tuple[T, ...], before: tuple[T, ...]) -> tuple[T, ...]:
    """What came behind the last of `before`; old ones may have gone."""
    return _after(items, before[-1] if before else None)


def _after(items: Sequence[T], last: T | None) -> tuple[T, ...]:
    """What is behind `last` itself; all of it without one."""
    new: list[T] = []
    for item in reversed(items):
        if item is last:
            break
        new.append(item)
    return tuple(reversed(new))


def fit_for_a_window(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """[height, width, 3], at most `WIDEST` wide: what is shown need not be all that is analysed."""
    height, width = image.shape[:2]
    if width <= WIDEST:
        return image
    import cv2

    size = (WIDEST, max(1, round(height * WIDEST / width)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> NoReturn:
    """The whole life of the process: an order comes first, and `Ended` goes last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the window, which then ends us
    link = _own_pipes()
    native_log_apart()
    code = 1
    try:
        order, _ = link.receive()
        code = _serve(order, link)
    except (EOFError, OSError):  # whoever wanted a session is gone
        code = 0
    except Exception:
        log.exception("the process of a live session failed")
    logging.shutdown()
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(code)  # a driver may hold a thread of ours; the system frees its device


def _serve(order: Order, link: Link) -> int:
    try:
        host = Host(order, link)
    except AffectscopeError as error:
        link.send(Refused(str(error)))
        return 0
    except Exception as error:
        log.exception("a live session could not be made")
        link.send(Refused(one_line(error)))
        return 1
    link.send(Made())
    host.run()
    return 0


def _own_pipes() -> Link:
    """Standard input and output, kept for messages alone: what libraries print goes to stderr."""
    inbound = io.FileIO(os.dup(0), "r")
    outbound = io.FileIO(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # a program without a terminal has no stderr
        os.dup2(nothing, 1)
    os.close(nothing)
    return Link(inbound, outbound)
