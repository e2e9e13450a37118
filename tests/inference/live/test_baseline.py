"""A live session that is fitted to a person while it runs; the network alone is real."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from extractors.features import FACE_FEATURES, VOICE_STATES
from extractors.recording import Recorder
from extractors.session import Session
from extractors.session_layout import baseline_path
from extractors.stream import SECOND, Sample
from inference.baseline_file import baseline_sha256, load_baseline
from inference.calibration import RestingPerson
from inference.checkpoint import Checkpoint
from inference.predictor import Predictor
from inference.rerun import predict_again
from tests.inference.live.stand_ins import Face, Stage, stages
from tests.inference.small_network import small_live

Make = Callable[..., Stage]
VOICE = VOICE_STATES + 6
WANTED = 6 * SECOND


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    rest = {"voice": np.zeros(VOICE, np.float32), "face": np.full(FACE_FEATURES, 0.25, np.float32)}
    return replace(small_live(), rest=rest)


@pytest.fixture(scope="module")
def engine(checkpoint: Checkpoint) -> Any:
    return Predictor(checkpoint).engine


def models_of(checkpoint: Checkpoint, engine: Any) -> Any:
    return SimpleNamespace(
        checkpoint=lambda: checkpoint,
        live_predictor=lambda _on_change: (Predictor(checkpoint, engine), None),
        predictor=lambda: Predictor(checkpoint, engine),
        engine_name=lambda: "stand-in on CPU",
        devices=dict,
        gave_way=dict,
        describe=lambda: {"checkpoint": "stand-in"},
    )


def fitting(stage: Make, checkpoint: Checkpoint, engine: Any, **options: Any) -> Stage:
    options.setdefault("models", lambda: models_of(checkpoint, engine))
    return stage(baseline=WANTED, **options)


def somebody() -> RestingPerson:
    return RestingPerson({"face": np.full(FACE_FEATURES, 3.0, np.float32)})


def rows(one: Stage) -> Any:
    times = np.concatenate([s.data.timeline.time for s in one.sink.of("timeline")])
    emotions = np.concatenate([s.data.timeline.emotions for s in one.sink.of("timeline")])
    return times, emotions


def test_who_is_at_rest_is_measured_and_then_in_force(
    stage: Make, checkpoint: Checkpoint, engine: Any, tmp_path: Path
) -> None:
    one = fitting(stage, checkpoint, engine)
    one.running(tmp_path)
    one.run(4.0)
    one.session.take_baseline()
    one.run(3.0)
    status = one.session.baseline()
    assert status.left is not None
    assert 2.0 < status.left < 5.0
    assert status.person is None
    one.run(4.5)
    one.until(lambda: one.session.baseline().left is None)
    status = one.session.baseline()
    assert status.person is not None
    assert status.since is not None
    assert 9.5 < status.since < 11.0
    vector = next(iter(Face().process(Sample("frame", 0, 0, 0, None)))).data.vector
    np.testing.assert_allclose(status.person.mean["face"], vector, atol=1e-6)
    np.testing.assert_allclose(status.person.mean["voice"][:VOICE_STATES], 1.0)
    one.run(5.0)
    one.session.use_baseline(None)
    one.run(5.0)
    assert one.session.baseline().person is None
    one.close()
    # no gap, and what was recorded says from when until when
    times, emotions = rows(one)
    np.testing.assert_allclose(times, np.arange(1, len(times) + 1) / 5)
    (entry,) = one.sink.manifest["live"]["baselines"]
    digest = baseline_sha256(status.person)
    assert (entry["from"], entry["sha256"]) == (status.since, digest)
    assert entry["of"] == ["face", "voice"]
    assert 15.5 < entry["until"] < 17.5
    (kept,) = one.sink.of("baseline")
    assert kept.data.sha256 == digest
    on, off = [s.data for s in one.sink.of("event") if s.data.kind == "baseline"]
    assert on.details["from"] == entry["from"]
    assert (off.details["from"], off.details["sha256"]) == (entry["until"], None)
    json.dumps([dict(on.details), entry])
    # and it is just these rows that differ: the stand-ins always give the same
    fitted = ((times > entry["from"]) & (times <= entry["until"]))[times > 8.5]
    full = emotions[times > 8.5]
    personal, general = full[fitted].mean(axis=0), full[~fitted].mean(axis=0)
    assert np.abs(personal - general).max() > 1e-3
    nearer = np.abs(full - personal).sum(axis=1) < np.abs(full - general).sum(axis=1)
    np.testing.assert_array_equal(nearer, fitted)


def test_it_can_be_given_up(stage: Make, checkpoint: Checkpoint, engine: Any) -> None:
    one = fitting(stage, checkpoint, engine)
    one.running()
    one.session.take_baseline()
    one.run(2.0)
    one.session.cancel_baseline()
    one.run(8.0)
    status = one.session.baseline()
    assert (status.left, status.person, status.problem) == (None, None, "")


def test_it_waits_for_who_is_not_there(stage: Make, checkpoint: Checkpoint, engine: Any) -> None:
    class Nobody(Face):
        def process(self, sample: Any) -> Any:
            for found in super().process(sample):
                yield replace(found, data=type(found.data)(0))

    one = fitting(stage, checkpoint, engine, stages=stages(face=Nobody))
    one.running()
    one.session.take_baseline()
    one.run(9.0)
    status = one.session.baseline()
    assert status.left == WANTED / SECOND
    assert status.waits_for == "one face, yours, is to be seen"
    one.session.choose_video(None)  # then it is the voice alone
    one.until(lambda: one.session.video_status().state == "off")
    one.run(9.0)
    person = one.session.baseline().person
    assert person is not None
    assert list(person.mean) == ["voice"]


def test_a_pause_stops_the_count(stage: Make, checkpoint: Checkpoint, engine: Any) -> None:
    one = fitting(stage, checkpoint, engine)
    one.running()
    one.session.take_baseline()
    one.run(3.0)
    one.session.pause()
    one.run(20.0)
    left = one.session.baseline().left
    assert left is not None
    assert left > 2.0
    one.session.resume()
    one.run(7.0)
    assert one.session.baseline().person is not None


def test_a_baseline_that_was_chosen_before_the_start_counts_from_the_first_row(
    stage: Make, checkpoint: Checkpoint, engine: Any, tmp_path: Path
) -> None:
    one = fitting(stage, checkpoint, engine)
    one.session.use_baseline(somebody())
    one.running(tmp_path)
    one.run(3.0)
    status = one.session.baseline()
    assert status.since == 0
    one.close()
    assert one.sink.manifest["live"]["baselines"][0]["until"] is None
    assert [s.data.sha256 for s in one.sink.of("baseline")] == [baseline_sha256(somebody())]
    assert [s.data.kind for s in one.sink.of("event")].count("baseline") == 1


def test_what_does_not_fit_is_said_and_changes_nothing(
    stage: Make, checkpoint: Checkpoint, engine: Any
) -> None:
    one = fitting(stage, checkpoint, engine)
    one.running()
    one.run(0.5)
    one.session.use_baseline(RestingPerson({"face": np.zeros(3, np.float32)}))
    one.run(0.5)
    assert "3 features of the face" in one.session.baseline().problem
    one.session.use_baseline(RestingPerson({"text": np.zeros(3, np.float32)}))
    one.run(0.5)
    assert "knows nothing" in one.session.baseline().problem
    assert one.session.baseline().person is None
    one.session.use_baseline(somebody())
    one.run(0.5)
    assert one.session.baseline().problem == ""


def test_a_checkpoint_without_a_rest_says_so(stage: Make, engine: Any) -> None:
    one = fitting(stage, small_live(), engine)
    one.running()
    one.session.take_baseline()
    one.run(1.0)
    status = one.session.baseline()
    assert "does not know the rest" in status.impossible
    assert status.left is None


def test_a_recorded_session_holds_its_baseline_and_is_predicted_again_with_it(
    stage: Make, checkpoint: Checkpoint, engine: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    one = fitting(stage, checkpoint, engine, audio=None)
    one.sink = Recorder(folder)  # type: ignore[assignment]
    one.running(folder)
    one.run(4.0)
    one.session.use_baseline(somebody())
    one.run(4.0)
    one.close()
    session = Session(folder)
    assert session.problems == ()
    digest = baseline_sha256(somebody())
    assert baseline_sha256(load_baseline(baseline_path(folder, digest))) == digest
    models = models_of(checkpoint, engine)
    again = np.concatenate([part.emotions for part in predict_again(session, models)])
    was = session.timeline.emotions
    assert np.abs(again[: len(was)] - was).max() < 1e-3
    events = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text("".join(f"{e}\n" for e in events if "baseline" not in e))
    without = np.concatenate([p.emotions for p in predict_again(Session(folder), models)])
    assert np.abs(without[: len(was)] - was).max() > 0.01
