"""The bundled clip in the place of camera and microphone, with the real models: whoever is seen and
heard in it is measured, the rest of the session is fitted to them, and the recording tells so."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assets import ASSETS
from extractors.session import Session
from extractors.session_layout import baseline_path
from extractors.sources import SourceChoice
from extractors.stream import SECOND, Overflow, SimulatedClock
from extractors.timeline import Timeline
from inference.baseline_file import load_baseline
from inference.live.interface import LiveState
from inference.live.session import LiveSession
from inference.models import SETS, Models
from inference.rerun import predict_again
from tests.inference.live.test_sample_clip import unhurried

CLIP = ASSETS / "sample" / "sample.mp4"
PATIENCE = 120.0
WANTED = 7


@pytest.fixture(scope="module")
def recorded(models: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A recording in which somebody was measured from its start on."""
    for name in SETS:
        models(name)
    folder = tmp_path_factory.mktemp("baseline") / "session"
    clock = SimulatedClock()
    clock.join()
    choice = SourceChoice("file", str(CLIP))
    session = LiveSession(
        choice, choice, lambda: Models("live", backend="eager"), clock=clock, stages=unhurried,
        overflow=Overflow.BLOCK, baseline=WANTED * SECOND,
    )  # fmt: skip
    session.start(folder)
    until = time.monotonic() + PATIENCE
    while session.state is not LiveState.RUNNING:
        assert time.monotonic() < until, "the models are not loaded"
        time.sleep(0.01)
    session.take_baseline()
    for _ in range(30):
        clock.wait_until(clock.now() + SECOND, threading.Event())
        if session.baseline().person is not None:
            break
    clock.wait_until(clock.now() + 3 * SECOND, threading.Event())
    session.stop()
    clock.leave()
    assert session.wait(PATIENCE)
    return Session(folder)


def test_who_is_in_the_clip_was_measured(recorded: Session) -> None:
    (entry,) = recorded.manifest["live"]["baselines"]
    assert entry["of"] == ["face", "voice"]
    assert entry["from"] > WANTED
    (event,) = [event for event in recorded.events if event["kind"] == "baseline"]
    assert event["details"] == {n: entry[n] for n in ("from", "sha256", "of")}
    person = load_baseline(baseline_path(recorded.folder, entry["sha256"]))
    # measured in the same features as a whole recording is
    from inference.checkpoint import load_checkpoint
    from inference.resting_person import resting_person

    checkpoint = load_checkpoint("live")
    whole = resting_person(recorded, checkpoint)
    for name, mean in person.mean.items():
        deviation = checkpoint.normaliser.deviation[name]
        assert np.abs((mean - whole.mean[name]) / deviation).mean() < 0.15


def test_its_rows_are_those_of_the_person_from_then_on(recorded: Session) -> None:
    was = recorded.timeline
    np.testing.assert_allclose(np.diff(was.time), 0.2, atol=1e-6)
    since = recorded.manifest["live"]["baselines"][0]["from"]
    again = Timeline.joined(list(predict_again(recorded, Models("live", backend="eager"))))
    rows = min(len(again), len(was))
    apart = np.abs(again.emotions[:rows] - was.emotions[:rows]).max(axis=1)
    assert np.median(apart[was.time[:rows] > since]) < 0.02
    (recorded.folder / "events.jsonl").write_text("")
    general = Timeline.joined(
        list(predict_again(Session(recorded.folder), Models("live", backend="eager")))
    )
    apart = np.abs(general.emotions[:rows] - was.emotions[:rows]).max(axis=1)
    assert np.median(apart[was.time[:rows] <= since]) < 0.02
    assert np.median(apart[was.time[:rows] > since]) > 0.05
