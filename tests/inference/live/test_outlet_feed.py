"""What a live session gives, outlets get: once, in order, and without waiting for anybody."""

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import connect

from assets.errors import BadInput
from extractors.outlets import OscChoice, OutletRow, WebSocketChoice
from extractors.outlets.websocket import WebSocketOutlet
from extractors.recording import Marker, TimelineRows
from extractors.stream import SECOND, Channel, Failure, Overflow, Sample
from extractors.timeline import Timeline
from inference.live import outlet_feed
from inference.live.outlet_feed import LiveClock, OutletFeed, outlets_of
from tests.extractors import sessions
from tests.inference.live.stand_ins import Stage


class FakeLive:
    """The parts of a live session that outlets look at."""

    def __init__(self) -> None:
        self.now = 12.5
        self.shown = Timeline.empty()
        self.marked: list[Sample[Marker]] = []

    def timeline(self) -> Timeline:
        return self.shown

    def markers(self) -> list[Sample[Marker]]:
        return self.marked

    def mark(self, seconds: float, label: str) -> None:
        at = round(seconds * SECOND)
        self.marked.append(Sample("marker", at, at, at, Marker(label)))


@pytest.fixture
def live() -> Any:
    return FakeLive()


def channel() -> Channel[Any]:
    return Channel[Any]("test", 4, Overflow.DROP_OLDEST)


def given(channel: Channel[Any]) -> list[object]:
    found: list[object] = []
    for sample in channel.take_all():
        if isinstance(sample.data, TimelineRows):
            found += [round(float(time), 1) for time in sample.data.timeline.time]
        else:
            found.append(sample.data.label)
    return found


def test_every_row_and_marker_is_sent_once(live: Any) -> None:
    out = channel()
    feed = OutletFeed(live, [out])
    feed.poll()
    assert given(out) == []
    live.shown = sessions.timeline(2)
    live.mark(0.1, "first")
    feed.poll()
    assert given(out) == ["first", 0.2, 0.4]
    feed.poll()
    assert given(out) == []
    live.shown = sessions.timeline(4)
    live.mark(0.9, "second")
    feed.poll()
    assert given(out) == [0.6, 0.8, "second"]


def test_rows_that_change_later_are_not_sent_again(live: Any) -> None:
    out = channel()
    feed = OutletFeed(live, [out])
    live.shown = sessions.timeline(3)
    feed.poll()
    (sample,) = out.take_all()
    live.shown.emotions[:] = 1 / 7  # words came late
    feed.poll()
    assert given(out) == []
    assert sample.data.timeline.emotions[0, 0] == 0.5  # and what was sent stays as it was


def test_after_an_hour_only_the_newest_rows_are_sent(live: Any) -> None:
    out = channel()
    feed = OutletFeed(live, [out])
    live.shown = sessions.timeline(10)
    feed.poll()
    out.take_all()
    live.shown = sessions.timeline(10, first=1.0)  # the first rows are forgotten
    feed.poll()
    assert given(out) == [2.2, 2.4, 2.6, 2.8]


def test_an_outlet_that_failed_is_left_out(live: Any) -> None:
    dead, alive = channel(), channel()
    feed = OutletFeed(live, [dead, alive])
    dead.abandon()
    live.shown = sessions.timeline(1)
    feed.poll()
    assert given(alive) == [0.2]


def test_the_clock_is_session_time(live: Any) -> None:
    assert LiveClock(live).now() == 12_500_000_000


def test_outlets_get_what_is_left_at_the_end(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet_feed, "PERIOD", 60.0)  # only the last look is taken

    class Noting:
        def __init__(self) -> None:
            self.rows: list[OutletRow] = []
            self.closed = False

        def send(self, row: OutletRow) -> None:
            self.rows.append(row)

        def mark(self, time: int, marker: Marker) -> None: ...

        def close(self) -> None:
            self.closed = True

    noting = Noting()
    monkeypatch.setattr(outlet_feed, "open_outlet", lambda *_: noting)
    with outlets_of(live, [OscChoice()]):
        live.shown = sessions.timeline(2)
    assert np.allclose([row.time / SECOND for row in noting.rows], [0.2, 0.4])
    assert noting.closed


def test_if_one_cannot_be_opened_none_stays_open(live: Any) -> None:
    with outlets_of(live, [WebSocketChoice(0)]) as (taken,):
        assert isinstance(taken, WebSocketOutlet)
        both = outlets_of(live, [WebSocketChoice(0), WebSocketChoice(taken.port)])
        with pytest.raises(BadInput, match="choose another one"):
            both.__enter__()
    left = [t.name for t in threading.enumerate() if t.name.startswith("affectscope")]
    assert left == []


def test_a_failure_is_told(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Failure] = []
    failed = threading.Event()

    class Broken:
        def send(self, _: OutletRow) -> None:
            raise OSError("no more")

        def close(self) -> None:
            failed.set()

    monkeypatch.setattr(outlet_feed, "open_outlet", lambda *_: Broken())
    monkeypatch.setattr(outlet_feed, "PERIOD", 0.001)
    with outlets_of(live, [OscChoice()], told.append):
        live.shown = sessions.timeline(1)
        assert failed.wait(30)
    assert [str(failure) for failure in told] == ["outlet Broken: OSError: no more"]


def test_without_outlets_there_is_no_thread(live: Any) -> None:
    before = threading.active_count()
    with outlets_of(live, []) as none:
        assert none == ()
        assert threading.active_count() == before


def test_a_live_session_is_received_by_another_program(stage: Callable[..., Stage]) -> None:
    one = stage()
    one.running()
    with outlets_of(one.session, [WebSocketChoice(0)]) as (outlet,):
        assert isinstance(outlet, WebSocketOutlet)
        with connect(outlet.address) as client:
            assert json.loads(client.recv(30))["type"] == "hello"
            assert outlet.wait_for_receivers(30)
            one.run(1.1)
            one.session.mark("smile")
            one.run(1.0)
            messages = [json.loads(client.recv(30)) for _ in range(10)]
    times = [message["time"] for message in messages if message["type"] == "prediction"]
    assert np.allclose(np.diff(times), 0.2)
    (marker,) = (message for message in messages if message["type"] == "marker")
    assert (marker["label"], round(marker["time"], 1)) == ("smile", 1.1)
