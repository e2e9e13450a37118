"""A recording that was cut off says so where it is found and where it is played."""

from pathlib import Path

import pytest

from desktop.library import Library
from desktop.loaded_recording import LoadedRecording
from extractors.manifest_file import write_manifest
from extractors.recording import Recorder, TimelineRows
from extractors.recording.repair import repair
from extractors.session import Session
from extractors.stream import SECOND, Sample
from tests.desktop.conftest import OpenWindow
from tests.desktop.fake_media import FakeMedia
from tests.extractors import sessions

LINE = "Cut off at 0:03: the program ended before the recording did; lost: what came after"


@pytest.fixture
def repaired(tmp_path: Path) -> Path:
    """A session whose process has died after three seconds, made whole."""
    recorder = Recorder(tmp_path / "take")
    rows = TimelineRows(sessions.timeline(15), sessions.activations(15))
    recorder.add(Sample("timeline", 3 * SECOND, 3 * SECOND, 3 * SECOND, rows))
    recorder.add(Sample("frame", 5 * SECOND, 5 * SECOND, 5 * SECOND, None))
    recorder._disk.close(10.0)
    recorder._unlock()
    repair(tmp_path / "take")
    return tmp_path / "take"


def test_the_library_says_when_and_what(repaired: Path, tmp_path: Path) -> None:
    with Library(repaired.parent, tmp_path / "index.sqlite") as library:
        library.refresh()
        (entry,) = library.find()
    assert entry.interruption == LINE
    assert entry.problem is None


def test_the_replay_says_it_in_a_quiet_line(repaired: Path, open_window: OpenWindow) -> None:
    window = open_window(FakeMedia(3.0))
    window.open_path(repaired)
    recording = window.page.recording
    assert isinstance(recording, LoadedRecording)
    recording._thread.join(10.0)
    window._refresh()
    assert window.page.interruption.isVisible()
    assert window.page.interruption.whole == LINE
    assert not window.message.isVisible()


def test_a_whole_session_says_nothing(repaired: Path, open_window: OpenWindow) -> None:
    manifest = dict(Session(repaired).manifest)
    del manifest["interruption"]
    write_manifest(repaired, manifest)
    window = open_window(FakeMedia(3.0))
    window.open_path(repaired)
    assert not window.page.interruption.isVisible()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"reason": "no room", "until": 65.2, "lost": ["2 pictures", "a line"]},
         ("no room", 65.2, ("2 pictures", "a line"))),
        ({}, ("the recording did not come to its end", None, ())),
        ({"until": "x", "lost": 3}, ("the recording did not come to its end", None, ())),
    ],
)  # fmt: skip
def test_whatever_the_manifest_says(repaired: Path, entry: object, expected: object) -> None:
    write_manifest(repaired, {**Session(repaired).manifest, "interruption": entry})
    found = Session(repaired).interruption
    assert found is not None
    assert (found.reason, found.until, found.lost) == expected
