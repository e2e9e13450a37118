"""WebSocket (RFC 6455) on the loopback: JSON to every program that knows the token."""

import hmac
import json
import secrets
import threading
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from assets.errors import BadInput
from extractors.features import EMOTIONS
from extractors.outlets.outlet import PRESENT, OutletRow
from extractors.recording.observations import Marker
from extractors.stream import Channel, ChannelClosed, Overflow, Sample, to_seconds

__all__ = ["WebSocketOutlet"]

LOOPBACK = "127.0.0.1"
HELD = 100
"""Messages kept for a receiver that is slow; then the oldest are dropped."""
CLOSING = 1.0
"""Seconds that a receiver is given to say goodbye."""


class WebSocketOutlet:
    """A server that other machines cannot reach, and no web page without the token.

    Every receiver first gets {"type": "hello"}, then {"type": "prediction"} and
    {"type": "marker"}. One that does not read loses messages and holds nobody up.
    """

    def __init__(self, port: int = 0, token: str | None = None) -> None:
        """With port 0 any free one is taken; without a token one is made up.

        Raises BadInput if the port is taken or websockets is not installed.
        """
        try:
            from websockets.sync.server import serve
        except ImportError as error:
            raise BadInput("WebSocket needs `pip install affectscope[outlets]`") from error
        self.token = token or secrets.token_urlsafe(16)
        self._guard = threading.Condition()
        self._receivers: set[Channel[str]] = set()
        try:
            self._server = serve(
                self._serve, LOOPBACK, port, process_request=self._check, close_timeout=CLOSING
            )
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise BadInput(f"cannot listen on port {port}: {why}; choose another one") from error
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="affectscope websocket", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """What a receiver connects to, token included."""
        return f"ws://{LOOPBACK}:{self.port}/?token={self.token}"

    @property
    def receivers(self) -> int:
        """How many are connected."""
        return len(self._receivers)

    def wait_for_receivers(self, seconds: float) -> bool:
        """Wait at most so long until there is one."""
        with self._guard:
            return self._guard.wait_for(lambda: bool(self._receivers), seconds)

    def send(self, row: OutletRow) -> None:
        self._tell(
            {
                "type": "prediction",
                "time": to_seconds(row.time),
                "emotions": dict(zip(EMOTIONS, row.emotions, strict=True)),
                "sentiment": row.sentiment,
                "uncertainty": row.uncertainty,
                "present": dict(zip(PRESENT, row.present, strict=True)),
            }
        )

    def mark(self, time: int, marker: Marker) -> None:
        self._tell(
            {
                "type": "marker", "time": to_seconds(time),
                "label": marker.label, "note": marker.note,
            }
        )  # fmt: skip

    def close(self) -> None:
        with self._guard:
            receivers = tuple(self._receivers)
        for channel in receivers:
            channel.close()
        with self._guard:  # what waits is still sent
            self._guard.wait_for(lambda: not self._receivers, CLOSING)
        self._server.shutdown()
        self._thread.join()

    def _tell(self, message: dict[str, Any]) -> None:
        sample = Sample("websocket", 0, 0, 0, json.dumps(message))
        with self._guard:
            for channel in self._receivers:
                if not channel.closed:
                    channel.put(sample)

    def _check(self, _: Any, request: Any) -> Any:
        """Refuses who does not know the token, before the connection is made."""
        given = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
        if hmac.compare_digest(given.encode(), self.token.encode()):
            return None
        from websockets.datastructures import Headers
        from websockets.http11 import Response

        status = HTTPStatus.UNAUTHORIZED
        return Response(status.value, status.phrase, Headers([("Content-Length", "0")]), b"")

    def _serve(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        channel = Channel[str]("websocket receiver", HELD, Overflow.DROP_OLDEST)
        hello = {"type": "hello", "version": 1, "emotions": EMOTIONS, "present": PRESENT}
        try:
            with self._guard:  # before the greeting: who has had it misses nothing
                self._receivers.add(channel)
                self._guard.notify_all()
            connection.send(json.dumps(hello))
            for sample in channel:
                connection.send(sample.data)
        except (ConnectionClosed, ChannelClosed, OSError):
            pass  # it went away
        finally:
            with self._guard:
                self._receivers.discard(channel)
                self._guard.notify_all()
            channel.abandon()
