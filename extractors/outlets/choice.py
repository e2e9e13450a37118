"""Which outlet is wanted, as data and as text."""

import re
from dataclasses import dataclass

from assets.errors import BadInput
from extractors.outlets.outlet import Outlet
from extractors.stream import Clock

__all__ = [
    "LslChoice",
    "OscChoice",
    "OutletChoice",
    "WebSocketChoice",
    "open_outlet",
    "parse_outlet",
]


@dataclass(frozen=True, slots=True)
class LslChoice:
    """Lab Streaming Layer."""

    name: str = "Affectscope"
    """The streams are "NAME emotions" and "NAME markers"."""


@dataclass(frozen=True, slots=True)
class OscChoice:
    """Open Sound Control to one receiver."""

    host: str = "127.0.0.1"
    port: int = 9000


@dataclass(frozen=True, slots=True)
class WebSocketChoice:
    """A WebSocket server on the loopback."""

    port: int = 8765
    """0: any free one."""
    token: str | None = None
    """None: a new one, which the outlet's `address` tells."""


OutletChoice = LslChoice | OscChoice | WebSocketChoice


def parse_outlet(text: str) -> OutletChoice:
    """A choice from "lsl", "lsl:NAME", "osc", "osc:HOST:PORT", "websocket" or "websocket:PORT".

    Raises BadInput.
    """
    kind, _, rest = text.partition(":")
    if kind == "lsl":
        return LslChoice(rest) if rest else LslChoice()
    if kind == "osc" and not rest:
        return OscChoice()
    if kind == "osc" and (match := re.fullmatch(r"(.+):(\d+)", rest)):
        return OscChoice(match[1], _port(match[2], text))
    if kind == "websocket":
        return WebSocketChoice(_port(rest, text)) if rest else WebSocketChoice()
    raise BadInput(f"{text!r} is no outlet: give lsl, osc:HOST:PORT or websocket:PORT")


def _port(digits: str, text: str) -> int:
    if not digits.isdecimal() or int(digits) > 65535:
        raise BadInput(f"{text!r} needs a port from 0 to 65535")
    return int(digits)


def open_outlet(choice: OutletChoice, clock: Clock) -> Outlet:
    """Open an outlet; `clock` gives session time. The caller closes it. Raises BadInput."""
    match choice:
        case LslChoice():
            from extractors.outlets.lsl import LslOutlet

            return LslOutlet(choice.name, clock)
        case OscChoice():
            from extractors.outlets.osc import OscOutlet

            return OscOutlet(choice.host, choice.port)
        case WebSocketChoice():
            from extractors.outlets.websocket import WebSocketOutlet

            return WebSocketOutlet(choice.port, choice.token)
