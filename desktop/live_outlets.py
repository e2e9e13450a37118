"""The outlets of a window: switched on and off while sessions come and go, and fed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from desktop.background import Background
from extractors.outlets import (
    LslChoice,
    OscChoice,
    Outlet,
    OutletChoice,
    WebSocketChoice,
    open_outlet,
    outlet_worker,
)
from extractors.stream import Channel, Clock, Failure, Worker
from inference.live import Live
from inference.live.outlet_feed import LiveClock, OutletFeed

__all__ = ["KINDS", "LiveOutlets", "OutletStatus", "kind_of"]

KINDS = ("lsl", "osc", "websocket")
NAMES = {"lsl": "LSL", "osc": "OSC", "websocket": "WebSocket"}
CLOSING = 2.0
"""Seconds that an outlet is given to send what it still holds, before it is opened again."""

Open = Callable[[OutletChoice, Clock], Outlet]


@dataclass(frozen=True, slots=True)
class OutletStatus:
    """How it is with one outlet."""

    state: Literal["off", "opening", "on", "failed"]
    text: str = ""
    """Where it can be reached or, if it has failed, why, in one line."""


def kind_of(choice: OutletChoice) -> str:
    """One of `KINDS`."""
    match choice:
        case LslChoice():
            return "lsl"
        case OscChoice():
            return "osc"
        case WebSocketChoice():
            return "websocket"


class _CurrentClock:
    """The time of the session that runs now; 0 without one."""

    def __init__(self) -> None:
        self.live: Live | None = None

    def now(self) -> int:
        return 0 if self.live is None else LiveClock(self.live).now()


@dataclass
class _Switched:
    """An outlet that is switched on, from then until it has closed."""

    choice: OutletChoice
    opening: Background[Outlet] | None = None
    outlet: Outlet | None = None
    channel: Channel[Any] | None = None
    worker: Worker | None = None
    failures: list[str] = field(default_factory=list)


class LiveOutlets:
    """Everything here returns at once: outlets open, send and close in threads of their own.

    One that fails says so in its status and holds up nothing else.
    """

    def __init__(self, open_one: Open = open_outlet) -> None:
        self._open_one = open_one
        self._clock = _CurrentClock()
        self._on: dict[str, _Switched] = {}
        self._closing: list[_Switched] = []
        self._feed: OutletFeed | None = None
        self._tokens: dict[int, str] = {}
        """By port, so that receivers find the server again that was switched off and on."""

    def switch(self, kind: str, choice: OutletChoice | None) -> None:
        """Switch an outlet on, or over to another choice, or off."""
        before = self._on.pop(kind, None)
        if before is not None:
            self._close(before)
        if choice is None:
            return
        if isinstance(choice, WebSocketChoice) and choice.token is None:
            choice = replace(choice, token=self._tokens.get(choice.port))
        waited = [switched.worker for switched in self._closing if switched.worker is not None]
        wanted = choice

        def work() -> Outlet:
            for worker in waited:  # it may hold the port
                worker.join(CLOSING)
            return self._open_one(wanted, self._clock)

        self._on[kind] = _Switched(choice, Background(f"outlet {kind}", work))

    def is_on(self, kind: str) -> bool:
        """Whether it is switched on, open or not."""
        return kind in self._on

    def tick(self, live: Live | None) -> None:
        """Take over what has opened and send on what is new in `live`; many times a second."""
        if live is not self._clock.live:
            self._clock.live = live
            channels = [s.channel for s in self._on.values() if s.channel is not None]
            self._feed = None if live is None else OutletFeed(live, channels)
        for kind, switched in self._on.items():
            self._take(kind, switched)
        for switched in list(self._closing):
            if self._has_closed(switched):
                self._closing.remove(switched)
        if self._feed is not None:
            self._feed.poll()

    def statuses(self) -> Mapping[str, OutletStatus]:
        """By kind."""
        return {kind: self._status(kind) for kind in KINDS}

    @property
    def sending(self) -> tuple[str, ...]:
        """Names of the outlets that are on."""
        return tuple(NAMES[kind] for kind in KINDS if self._status(kind).state == "on")

    def leave(self, seconds: float) -> bool:
        """Close all. Whether their threads have ended after at most so long."""
        for kind in list(self._on):
            self.switch(kind, None)
        self._feed, self._clock.live = None, None
        ended = True
        for switched in self._closing:
            if switched.opening is not None and not switched.opening.join(seconds):
                ended = False
                continue
            self._has_closed(switched)
            if switched.worker is not None:
                switched.worker.join(seconds)
                ended = not switched.worker.alive and ended
        self._closing = []
        return ended

    def _take(self, kind: str, switched: _Switched) -> None:
        """Let an outlet work that has been opened."""
        opening = switched.opening
        if opening is None or not opening.done:
            return
        switched.opening = None
        if opening.result is None:
            switched.failures.append(opening.failure or "it could not be opened")
            return
        self._begin(kind, switched, opening.result)
        assert switched.channel is not None
        if self._feed is not None:
            self._feed.add(switched.channel)
        if isinstance(switched.choice, WebSocketChoice):
            token = getattr(switched.outlet, "token", None)
            if token is not None:
                self._tokens[switched.choice.port] = token

    def _begin(self, kind: str, switched: _Switched, outlet: Outlet) -> None:
        def failed(failure: Failure) -> None:
            error = failure.error
            switched.failures.append(f"it has stopped: {str(error) or type(error).__name__}")

        switched.outlet = outlet
        switched.channel, switched.worker = outlet_worker(kind, outlet, failed)
        switched.worker.start()

    def _close(self, switched: _Switched) -> None:
        if switched.channel is not None:
            if self._feed is not None:
                self._feed.remove(switched.channel)
            switched.channel.close()
        if switched.channel is not None or switched.opening is not None:
            self._closing.append(switched)

    def _has_closed(self, switched: _Switched) -> bool:
        opening = switched.opening
        if opening is not None:
            if not opening.done:
                return False
            switched.opening = None
            if opening.result is None:
                return True
            self._begin("closing", switched, opening.result)  # closes it where nothing waits
            assert switched.channel is not None
            switched.channel.close()
        return switched.worker is None or not switched.worker.alive

    def _status(self, kind: str) -> OutletStatus:
        switched = self._on.get(kind)
        if switched is None:
            return OutletStatus("off")
        if switched.failures:
            why = switched.failures[-1]
            named = why.startswith(NAMES[kind])
            return OutletStatus("failed", why if named else f"{NAMES[kind]}: {why}")
        if switched.outlet is None:
            return OutletStatus("opening", "Opening\N{HORIZONTAL ELLIPSIS}")
        return OutletStatus("on", _where(switched.choice, switched.outlet))


def _where(choice: OutletChoice, outlet: Outlet) -> str:
    match choice:
        case LslChoice():
            return (
                f"Streams \u201c{choice.name} emotions\u201d and \u201c{choice.name} markers\u201d"
            )
        case OscChoice():
            return f"UDP to {choice.host}:{choice.port}, addresses /affectscope/\u2026"
        case WebSocketChoice():
            return str(getattr(outlet, "address", f"port {choice.port}"))
