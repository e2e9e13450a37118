import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from assets.errors import SessionError
from extractors import Session
from extractors.recording import Event, Health, Marker, Recorder, RecordingPlan, TimelineRows
from extractors.recording.observations import Baseline
from extractors.session_layout import baseline_path
from extractors.stream import SECOND, Sample
from tests.extractors import sessions


def at(time: int, data: object) -> Sample[object]:
    return Sample("any", time, time, time, data)


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take", RecordingPlan(title="Grüße", details={"model": "m"}))
    for number in range(60):
        recorder.add(sessions.face(number * SECOND // 30, number if number % 2 else None))
        recorder.add(sessions.voice((number + 1) * SECOND // 30, spoken=number > 9))
    recorder.add(sessions.text(("Grüße,", 0, SECOND // 3)))
    recorder.add(sessions.text(("Grüße,", 0, SECOND // 3), ("you", SECOND // 3, SECOND)))
    recorder.add(at(SECOND, TimelineRows(sessions.timeline(3), sessions.activations(3))))
    recorder.add(at(SECOND, Marker("stimulus 3", "the red one")))
    recorder.add(at(SECOND, Event("camera lost", "the camera was unplugged", {"device": 2})))
    recorder.add(at(SECOND, Health({"pictures_per_second": 29.9})))
    recorder.add(at(3 * SECOND, None))
    session = Session(recorder.finish({"words": 2}))
    np.testing.assert_array_equal(session.timeline.emotions, sessions.timeline(3).emotions)
    np.testing.assert_array_equal(session.timeline.uncertainty, sessions.timeline(3).uncertainty)
    assert [word.text for word in session.words] == ["Grüße,", "you"]
    landmarks = session.landmarks_at(1 / 30)
    expected = sessions.face(0, 1).data.landmarks
    assert landmarks is not None
    assert expected is not None
    np.testing.assert_allclose(landmarks, expected, atol=0.00025)
    assert session.landmarks_at(0.0) is None
    assert len(session.table("face")) == len(session.table("voice")) == 60
    assert session.markers == ({"time": 1.0, "label": "stimulus 3", "note": "the red one"},)
    assert session.events == (
        {"time": 1.0, "kind": "camera lost", "text": "the camera was unplugged",
         "details": {"device": 2}},
    )  # fmt: skip
    assert session.health == ({"time": 1.0, "pictures_per_second": 29.9},)
    assert (session.title, session.duration, session.media) == ("Grüße", 3.0, None)
    assert {k: session.manifest[k] for k in ("state", "model", "words")} == {
        "state": "complete", "model": "m", "words": 2,
    }  # fmt: skip


def test_the_manifest_is_there_from_the_start(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take", RecordingPlan(details={"model": "m"}))
    manifest = json.loads((tmp_path / "take" / "manifest.json").read_text())
    recorder.abort()
    assert (manifest["state"], manifest["model"]) == ("recording", "m")
    assert not (tmp_path / "take").exists()


def test_what_becomes_known_later_stands_in_the_manifest_while_it_is_recorded(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path / "take", RecordingPlan(title="mine"))
    recorder.describe({"model": "m", "title": "another"})
    recorder.add(at(5 * SECOND, Marker("begin")))
    manifest = json.loads((tmp_path / "take" / "manifest.json").read_text())
    recorder.abort()
    assert {k: manifest[k] for k in ("state", "model", "title")} == {
        "state": "recording", "model": "m", "title": "mine",
    }  # fmt: skip
    assert manifest["recorded"] == recorder._manifest["recorded"], "the time of the first sample"


def test_only_predictions_that_were_never_settled_are_kept_as_they_were_first(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path / "take")
    for first, rows, settled in ((0.2, 3, False), (0.2, 2, True), (0.8, 2, False)):
        timeline = sessions.timeline(rows, known=settled, first=first)
        recorder.add(at(SECOND, TimelineRows(timeline, sessions.activations(rows), settled)))
    session = Session(recorder.finish())
    np.testing.assert_allclose(session.timeline.time, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert np.isfinite(session.timeline.sentiment).tolist() == [True, True, False, False, False]
    assert session.manifest["streams"]["timeline"]["tentative_from"] == pytest.approx(0.6)
    assert not list(session.folder.glob("*.arrows"))


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SessionError, match="holds something already"):
        Recorder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_a_recording_cannot_hold_is_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take")
    with pytest.raises(TypeError, match="holds no str"):
        recorder.add(at(0, "words"))
    recorder.abort()


def test_any_value_and_any_text_is_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take")
    values = {"load": np.float32(0.5), "times": np.arange(2), "at": Path("x")}
    recorder.add(at(SECOND, Health(values)))
    name = "clip \udcff"
    recorder.add(at(SECOND, Event("camera lost", name, {"frames": np.int64(3)})))
    session = Session(recorder.finish({"loss": np.float64(0.25)}))
    assert session.health == ({"time": 1.0, "load": 0.5, "times": [0, 1], "at": "x"},)
    assert session.events[0]["text"] == name
    assert session.events[0]["details"] == {"frames": 3}
    assert session.manifest["loss"] == 0.25
    assert session.problems == ()


def test_a_baseline_becomes_a_file_that_is_named_by_its_hash(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take")
    for second in (1, 2):
        recorder.add(at(second * SECOND, Baseline("ab" * 32, b"content")))
    session = Session(recorder.finish())
    assert baseline_path(session.folder, "ab" * 32).read_bytes() == b"content"
    assert session.problems == ()


def test_session_time_zero_is_told_in_wall_time(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    recorder = Recorder(tmp_path / "take")
    recorder.add(at(5 * SECOND, Marker("begin")))
    began = Session(recorder.finish()).began
    assert began is not None
    assert before - timedelta(seconds=5.1) <= began <= datetime.now(UTC) - timedelta(seconds=4.9)
