"""A path becomes a recording: analysed once, read from the cache afterwards."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assets import ASSETS
from assets.errors import BadInput, SessionError
from desktop.loaded_recording import LoadedRecording
from desktop.marks import Mark
from desktop.open_recording import open_recording
from desktop.session_cache import forget_old, place_for
from extractors.recording import Event, Marker, Recorder, RecordingPlan
from extractors.stream import SECOND, Sample
from tests.extractors import sessions

SAMPLE = ASSETS / "sample" / "sample.mp4"
DEADLINE = 120.0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cached"
    monkeypatch.setattr("desktop.session_cache.cache_folder", lambda: folder)
    monkeypatch.setattr("desktop.loaded_recording.cache_folder", lambda: folder)
    return folder


@pytest.fixture
def ready(models: Callable[[str], Path]) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)


@pytest.fixture
def opened() -> Iterator[list[LoadedRecording]]:
    """Recordings to close at the end."""
    recordings: list[LoadedRecording] = []
    yield recordings
    for recording in recordings:
        recording.close()


@pytest.mark.usefixtures("ready")
def test_a_video_is_analysed_and_comes_from_the_cache_the_second_time(
    cache: Path, opened: list[LoadedRecording], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = LoadedRecording(SAMPLE)
    opened.append(first)
    first._thread.join(DEADLINE)
    assert first.failure is None
    assert first.complete
    assert first.analysed_until == first.duration == pytest.approx(12.0, abs=0.1)
    assert len(first.timeline()) == 60
    assert first.landmarks_at(6.0) is not None
    assert len(list(cache.iterdir())) == 1

    def forbidden(*_: object) -> None:
        raise AssertionError("analysed again")

    monkeypatch.setattr("inference.analysis.Analysis", forbidden)
    second = LoadedRecording(SAMPLE)
    opened.append(second)
    second._thread.join(DEADLINE)
    assert second.failure is None
    assert (second.timeline().emotions == first.timeline().emotions).all()
    assert second.words() == first.words()

    session = LoadedRecording(next(cache.iterdir()))
    opened.append(session)
    session._thread.join(DEADLINE)
    assert session.media == SAMPLE
    assert session.words() == first.words()


@pytest.mark.usefixtures("ready")
def test_closing_during_the_analysis_leaves_nothing(cache: Path) -> None:
    recording = LoadedRecording(SAMPLE)
    recording.close()
    recording._thread.join(DEADLINE)
    assert not recording._thread.is_alive()
    assert recording.failure is None
    assert not cache.exists() or not list(cache.iterdir())


def test_what_is_left_of_a_damaged_session_is_shown_and_the_rest_is_named(
    tmp_path: Path, opened: list[LoadedRecording]
) -> None:
    recorder = Recorder(tmp_path / "take", RecordingPlan(features_only=True))
    recorder.add(sessions.text(("hello", 0, SECOND)))
    recorder.finish()
    (tmp_path / "take" / "timeline.parquet").unlink()
    recording = LoadedRecording(tmp_path / "take")
    opened.append(recording)
    recording._thread.join(DEADLINE)
    assert recording.complete
    assert recording.failure == "Not all of take can be read: timeline.parquet is missing"
    assert [word.text for word in recording.words()] == ["hello"]


def test_markers_and_events_of_a_session_are_marks(
    tmp_path: Path, opened: list[LoadedRecording]
) -> None:
    recorder = Recorder(tmp_path / "take", RecordingPlan(features_only=True))
    recorder.add(sessions.text(("hello", 0, SECOND)))
    at = 3 * SECOND
    for data in (
        Event("camera lost", "it was unplugged"),
        Event("gap", "nothing for 1 s", {"from": 1.5, "until": 3.0}),
        Marker("Question"),
        Event("camera opening", "it is being opened"),
    ):
        recorder.add(Sample("event" if isinstance(data, Event) else "marker", at, at, at, data))
    recorder.finish()
    with (tmp_path / "take" / "events.jsonl").open("a") as file:
        file.write('{"time": 4.0, "kind": "quality", "details": 3}\n{"time": 5.0}\n')
    recording = LoadedRecording(tmp_path / "take")
    opened.append(recording)
    recording._thread.join(DEADLINE)
    assert recording.failure is None
    assert recording.marks() == [
        Mark(1.5, "Gap of 2 s", "nothing for 1 s"),
        Mark(3.0, "Question"),
        Mark(3.0, "Camera lost", "it was unplugged"),
        Mark(4.0, "Quality changed", "quality"),
    ]


def test_what_is_no_recording_is_said_at_once(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    for bad, error in (
        (tmp_path / "missing.mp4", BadInput),
        (text, BadInput),
        (tmp_path, SessionError),
    ):
        with pytest.raises(error, match=bad.name):
            open_recording(bad)


def test_another_file_or_checkpoint_has_another_place(tmp_path: Path) -> None:
    video, checkpoint = tmp_path / "a.mp4", tmp_path / "c.safetensors"
    video.write_bytes(b"1")
    checkpoint.write_bytes(b"2")
    place = place_for(video, checkpoint)
    assert place == place_for(video, checkpoint)
    copy = Path(shutil.copy(video, tmp_path / "b.mp4"))
    assert place_for(copy, checkpoint) != place
    checkpoint.write_bytes(b"22")
    assert place_for(video, checkpoint) != place


def test_the_longest_unused_sessions_go(tmp_path: Path) -> None:
    import os

    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "manifest.json").touch()
        os.utime(folder / "manifest.json", (number, number))
    forget_old(list(tmp_path.iterdir()), kept=2)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["2", "3"]
