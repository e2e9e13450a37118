"""Sends a session to outlets as if it happened now, to try receivers without a camera.

python examples/send_session.py SESSION lsl osc:127.0.0.1:9000 websocket:8765
"""

import sys
import time
from dataclasses import fields, replace

from extractors import Session
from extractors.outlets import open_outlet, outlet_worker, parse_outlet
from extractors.outlets.lsl import LslOutlet
from extractors.outlets.websocket import WebSocketOutlet
from extractors.recording import Marker, TimelineRows
from extractors.stream import MonotonicClock, Sample, from_seconds, to_seconds
from extractors.timeline import Timeline

COLUMNS = fields(Timeline)


def main() -> None:
    session = Session(sys.argv[1])
    clock = MonotonicClock()
    outlets = []
    for text in sys.argv[2:]:
        outlet = open_outlet(parse_outlet(text), clock)
        if isinstance(outlet, WebSocketOutlet):
            print(outlet.address, flush=True)
        if isinstance(outlet, WebSocketOutlet | LslOutlet):
            outlet.wait_for_receivers(60)
        outlets.append(outlet_worker(text, outlet))
    for _, worker in outlets:
        worker.start()
    for sample in samples(session, first=clock.now()):
        time.sleep(max(0.0, to_seconds(sample.end - clock.now())))
        for channel, _ in outlets:
            channel.put(sample)
    for channel, worker in outlets:
        channel.close()
        worker.join()


def samples(session: Session, first: int) -> list[Sample[TimelineRows | Marker]]:
    """Predictions and markers in the order of time, the session beginning at `first`."""
    found: list[Sample[TimelineRows | Marker]] = []
    timeline = session.timeline
    for i, seconds in enumerate(timeline.time):
        at = first + from_seconds(seconds)
        row = replace(timeline, **{f.name: getattr(timeline, f.name)[i : i + 1] for f in COLUMNS})
        row = replace(row, time=row.time + to_seconds(first))
        found.append(Sample("timeline", at, at, at, TimelineRows(row, {})))
    for mark in session.markers:
        at = first + from_seconds(mark["time"])
        found.append(Sample("marker", at, at, at, Marker(mark["label"], mark["note"])))
    return sorted(found, key=lambda sample: sample.end)


if __name__ == "__main__":
    main()
