"""Open Sound Control 1.0 over UDP: one bundle per prediction."""

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from assets.errors import BadInput
from extractors.features import EMOTIONS
from extractors.outlets.outlet import PRESENT, OutletRow
from extractors.recording.observations import Marker
from extractors.stream import to_seconds

if TYPE_CHECKING:
    from pythonosc.osc_bundle import OscBundle
    from pythonosc.osc_message import OscMessage

__all__ = ["OscOutlet"]

ROOT = "/affectscope"


class OscOutlet:
    """Sends to `host` and `port`; UDP does not tell whether anybody is there.

    A bundle holds ROOT/time (seconds, double), ROOT/happy and so on (float), ROOT/sentiment (float,
    left out where unknown), ROOT/uncertainty (the same) and ROOT/present/face, voice, words (0 or
    1). A marker is ROOT/marker: time, label, note.
    """

    def __init__(self, host: str, port: int) -> None:
        """Raises BadInput if the host is unknown or OSC is not installed."""
        try:
            from pythonosc.udp_client import UDPClient
        except ImportError as error:
            raise BadInput("OSC needs python-osc: `pip install affectscope[outlets]`") from error
        try:
            address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0]
            self._client: UDPClient | None = UDPClient(str(address), port)
        except (OSError, OverflowError, UnicodeError) as error:
            raise BadInput(f"cannot send OSC to {host}:{port}: {error}") from error

    def send(self, row: OutletRow) -> None:
        from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder

        bundle = OscBundleBuilder(IMMEDIATELY)
        values: list[tuple[str, str, float | int]] = [("time", "d", to_seconds(row.time))]
        values += [(name, "f", v) for name, v in zip(EMOTIONS, row.emotions, strict=True)]
        for name, value in (("sentiment", row.sentiment), ("uncertainty", row.uncertainty)):
            if value is not None:
                values.append((name, "f", value))
        values += [(f"present/{n}", "i", int(v)) for n, v in zip(PRESENT, row.present, strict=True)]
        for name, kind, content in values:
            bundle.add_content(_message(name, (kind, content)))
        self._send(bundle.build())

    def mark(self, time: int, marker: Marker) -> None:
        arguments = (("d", to_seconds(time)), ("s", marker.label), ("s", marker.note))
        self._send(_message("marker", *arguments))

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _send(self, content: "OscBundle | OscMessage") -> None:
        if self._client is not None:
            with suppress(OSError):  # nobody listens there now; somebody may later
                self._client.send(content)


def _message(name: str, *arguments: tuple[str, object]) -> "OscMessage":
    from pythonosc.osc_message_builder import OscMessageBuilder

    message = OscMessageBuilder(f"{ROOT}/{name}")
    for kind, value in arguments:
        message.add_arg(value, kind)  # type: ignore[arg-type]
    return message.build()
