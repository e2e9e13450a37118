"""Outlets as receivers of somebody else see them."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from assets.errors import BadInput
from extractors.features import EMOTIONS
from extractors.outlets import (
    LslChoice,
    OscChoice,
    OutletRow,
    WebSocketChoice,
    open_outlet,
    outlet_worker,
    parse_outlet,
)
from extractors.outlets.lsl import lsl_time
from extractors.outlets.osc import OscOutlet
from extractors.outlets.outlet import outlet_rows
from extractors.outlets.websocket import HELD, WebSocketOutlet
from extractors.recording import Marker, TimelineRows
from extractors.stream import SECOND, Sample, VirtualClock
from tests.extractors import sessions

ROW = OutletRow(
    2 * SECOND, (0.5, 0.25, 0.125, 0.0625, 0.0625, 0.0, 0.0), -1.5, (True, False, True), 0.75
)
UNKNOWN = OutletRow(3 * SECOND, (1 / 7,) * 7, None, (False, False, False), None)
MARKER = Marker("begin", "Grüße")


class Recorded:
    """An outlet that notes what it is given, and may fail or stand still."""

    def __init__(self, broken: bool = False) -> None:
        self.given: list[Any] = []
        self.closed = 0
        self.broken = broken
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def send(self, row: OutletRow) -> None:
        self.entered.set()
        self.may_go_on.wait(30)
        if self.broken:
            raise OSError("no more")
        self.given.append(row)

    def mark(self, time: int, marker: Marker) -> None:
        self.given.append((time, marker))

    def close(self) -> None:
        self.closed += 1


def rows(first: float = 0.2, count: int = 1) -> Sample[TimelineRows]:
    timeline = sessions.timeline(count, first=first)
    time = round(first * SECOND)
    return Sample("timeline", time, time, time, TimelineRows(timeline, {}))


def test_rows_of_a_timeline() -> None:
    (row,) = outlet_rows(sessions.timeline(1, first=0.6))
    assert row.time == 600_000_000
    assert row.emotions == (0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.015625)
    assert row.sentiment == -1.5
    assert row.present == (True, False, True)
    assert row.uncertainty == sessions.timeline(1).uncertainty[0]
    (unknown,) = outlet_rows(sessions.timeline(1, known=False))
    assert (unknown.sentiment, unknown.present) == (None, (False, False, False))
    assert unknown.uncertainty == pytest.approx(1)
    old = replace(sessions.timeline(1), uncertainty=np.full(1, np.nan, np.float32))
    assert [row.uncertainty for row in outlet_rows(old)] == [None]


def test_a_worker_sends_predictions_and_markers_in_order_and_closes() -> None:
    outlet = Recorded()
    channel, worker = outlet_worker("test", outlet)
    worker.start()
    channel.put(rows(0.2, 2))
    channel.put(Sample("marker", SECOND, SECOND, SECOND, MARKER))
    channel.put(Sample("health", SECOND, SECOND, SECOND, {"load": 1}))
    channel.put(rows(1.2))
    channel.close()
    assert worker.join(30)
    assert [given.time if isinstance(given, OutletRow) else given for given in outlet.given] == [
        200_000_000, 400_000_000, (SECOND, MARKER), 1_200_000_000,
    ]  # fmt: skip
    assert outlet.closed == 1
    assert worker.failure is None


def test_an_outlet_that_stands_still_holds_nobody_up() -> None:
    outlet = Recorded()
    outlet.may_go_on.clear()
    channel, worker = outlet_worker("test", outlet)
    worker.start()
    channel.put(rows())
    assert outlet.entered.wait(30)
    for number in range(1000):  # would wait for ever if the channel blocked
        channel.put(rows(1.0 + number))
    assert channel.stats.dropped == 1000 - channel.capacity
    outlet.may_go_on.set()
    channel.close()
    assert worker.join(30)
    assert outlet.given[-1].time == 1000 * SECOND
    assert len(outlet.given) == 1 + channel.capacity


def test_an_outlet_that_fails_ends_alone_and_says_so() -> None:
    failures: list[str] = []
    outlet = Recorded(broken=True)
    channel, worker = outlet_worker("test", outlet, lambda failure: failures.append(str(failure)))
    worker.start()
    channel.put(rows())
    assert worker.join(30)
    assert failures == ["outlet test: OSError: no more"]
    assert outlet.closed == 1
    assert channel.closed


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("lsl", LslChoice()),
        ("lsl:My room", LslChoice("My room")),
        ("osc", OscChoice()),
        ("osc:studio:57120", OscChoice("studio", 57120)),
        ("osc:::1:57120", OscChoice("::1", 57120)),
        ("websocket", WebSocketChoice()),
        ("websocket:0", WebSocketChoice(0)),
    ],
)
def test_outlets_as_text(text: str, choice: object) -> None:
    assert parse_outlet(text) == choice


@pytest.mark.parametrize(
    "text", ["", "midi", "osc:9000", "osc:host:", "osc:host:70000", "websocket:x", "websocket:-1"]
)
def test_text_that_is_no_outlet_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"is no outlet|needs a port"):
        parse_outlet(text)


@contextmanager
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(30)
        yield listening


def test_osc_bundles_are_read_by_another_reader() -> None:
    with receiver() as listening:
        outlet = open_outlet(OscChoice("localhost", listening.getsockname()[1]), VirtualClock())
        outlet.send(ROW)
        outlet.send(UNKNOWN)
        outlet.mark(SECOND // 2, MARKER)
        outlet.close()
        outlet.close()
        first, second, third = (listening.recv(65536) for _ in range(3))
    found = {m.address: m.params for m in OscBundle(first)}  # type: ignore[union-attr]
    assert found == {
        "/affectscope/time": [2.0],
        **{f"/affectscope/{n}": [v] for n, v in zip(EMOTIONS, ROW.emotions, strict=True)},
        "/affectscope/sentiment": [-1.5],
        "/affectscope/uncertainty": [0.75],
        "/affectscope/present/face": [1],
        "/affectscope/present/voice": [0],
        "/affectscope/present/words": [1],
    }
    addresses = {m.address for m in OscBundle(second)}  # type: ignore[union-attr]
    assert not {"/affectscope/sentiment", "/affectscope/uncertainty"} & addresses
    marker = OscMessage(third)
    assert (marker.address, marker.params) == ("/affectscope/marker", [0.5, "begin", "Grüße"])


def test_osc_goes_on_without_a_receiver() -> None:
    with receiver() as listening:
        port = listening.getsockname()[1]
    outlet = OscOutlet("127.0.0.1", port)
    for _ in range(20):
        outlet.send(ROW)
    outlet.close()
    outlet.send(ROW)
    with pytest.raises(BadInput, match="cannot send OSC to no such host"):
        OscOutlet("no such host", 9000)


@pytest.fixture
def websocket() -> Iterator[WebSocketOutlet]:
    outlet = WebSocketOutlet()
    yield outlet
    outlet.close()


def test_websocket_messages(websocket: WebSocketOutlet) -> None:
    with connect(websocket.address) as client:
        hello = json.loads(client.recv(30))
        assert (hello["type"], tuple(hello["emotions"])) == ("hello", EMOTIONS)
        wait_until(websocket, 1)
        websocket.send(ROW)
        websocket.mark(SECOND // 2, MARKER)
        prediction, marker = (json.loads(client.recv(30)) for _ in range(2))
        assert prediction == {
            "type": "prediction",
            "time": 2.0,
            "emotions": dict(zip(EMOTIONS, ROW.emotions, strict=True)),
            "sentiment": -1.5,
            "uncertainty": 0.75,
            "present": {"face": True, "voice": False, "words": True},
        }
        assert marker == {"type": "marker", "time": 0.5, "label": "begin", "note": "Grüße"}
        websocket.send(UNKNOWN)
        websocket.close()
        waited = json.loads(client.recv(30))  # what waited was still sent
        assert (waited["sentiment"], waited["uncertainty"]) == (None, None)
        with pytest.raises(ConnectionClosed):
            client.recv(30)


def wait_until(outlet: WebSocketOutlet, receivers: int) -> None:
    """A receiver gets its greeting just before it counts."""
    with outlet._guard:
        assert outlet._guard.wait_for(lambda: outlet.receivers == receivers, 30)


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?other=1"])
def test_nobody_without_the_token_is_let_in(query: str, websocket: WebSocketOutlet) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{websocket.port}/{query}"),
    ):
        pass
    assert refused.value.response.status_code == 401
    assert websocket.receivers == 0


def test_the_server_is_on_the_loopback_alone_and_tokens_differ(websocket: WebSocketOutlet) -> None:
    assert websocket._server.socket.getsockname()[0] == "127.0.0.1"
    other = WebSocketOutlet()
    assert other.token != websocket.token
    assert len(other.token) >= 20
    other.close()
    other.close()
    with pytest.raises(BadInput, match="choose another one"):
        WebSocketOutlet(websocket.port)


def test_a_receiver_that_does_not_read_holds_nobody_up(websocket: WebSocketOutlet) -> None:
    with (
        connect(websocket.address, max_queue=1, close_timeout=0.1) as idle,
        connect(websocket.address) as client,
    ):
        for one in (idle, client):
            one.recv(30)
        wait_until(websocket, 2)
        for number in range(20 * HELD):
            websocket.send(OutletRow(number * SECOND, ROW.emotions, None, ROW.present, 0.5))
            if number % 10 == 9:  # the one that reads is given time to
                while json.loads(client.recv(30))["time"] < number:
                    pass
        assert websocket.receivers == 2


def test_receivers_come_and_go(websocket: WebSocketOutlet) -> None:
    for _ in range(3):
        with connect(websocket.address) as client:
            client.recv(30)
            wait_until(websocket, 1)
        websocket.send(ROW)
        websocket.send(ROW)
        wait_until(websocket, 0)
    assert websocket.receivers == 0


def test_lsl_time_is_that_of_the_capture() -> None:
    clock = VirtualClock(10 * SECOND)
    assert lsl_time(8 * SECOND, clock, lambda: 500.0) == 498.0
    clock.advance(3 * SECOND)
    assert lsl_time(8 * SECOND, clock, lambda: 503.0) == 498.0


def test_lsl_time_counts_the_quickest_comparison() -> None:
    # a thread stood in between the first time: the clock of LSL moved on by a second
    moments = iter([100.0, 101.0, 101.0, 101.0, 101.0, 101.0, 101.0, 101.0, 101.0, 101.0])
    assert lsl_time(0, VirtualClock(SECOND), lambda: next(moments)) == 100.0


@pytest.mark.parametrize(
    ("module", "choice"),
    [
        ("pylsl", LslChoice()),
        ("pythonosc.udp_client", OscChoice()),
        ("websockets.sync.server", WebSocketChoice(0)),
    ],
)
def test_a_package_that_is_missing_is_named(
    module: str, choice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BadInput, match=r"pip install affectscope\[outlets\]"):
        open_outlet(choice, VirtualClock())


def test_nothing_is_imported_before_it_is_wanted() -> None:
    code = (
        "import sys, extractors.outlets as o; o.parse_outlet('lsl')\n"
        "sys.exit(', '.join({'pylsl', 'pythonosc', 'websockets'} & set(sys.modules)) or 0)"
    )
    checkout = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=checkout)
    assert done.returncode == 0
