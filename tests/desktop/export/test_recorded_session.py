"""Sessions that were recorded live, not analysed from a file."""

from pathlib import Path

import numpy as np
import pytest

from desktop.export import FORMATS, export
from desktop.export.trajectory_video import NARROWEST
from extractors.recording import Marker, Recorder, RecordingPlan, TimelineRows
from extractors.session import Session
from extractors.stream import SECOND, Sample
from extractors.video_file import VideoFile
from tests.extractors import sessions
from tests.extractors.recording import captured

FLASH = 2.0
NAMES = [entry.name for entry in FORMATS]


def recorded(folder: Path, plan: RecordingPlan | None = None) -> Session:
    """Four seconds whose pictures begin 0.4 s late; flash and clap at 2 s, a marker at 2 s."""
    recorder = Recorder(folder, plan)
    pictures = captured.pictures(4.0, (FLASH,), since=0.4)
    for sample in captured.together(pictures, captured.sound(4.0, (FLASH,))):
        recorder.add(sample)
    at = 4 * SECOND
    rows = TimelineRows(sessions.timeline(20), sessions.activations(20))
    recorder.add(Sample("timeline", at, at, at, rows))
    recorder.add(Sample("marker", 2 * SECOND, 2 * SECOND, at, Marker("clap", "now")))
    return Session(recorder.finish())


def test_flash_clap_and_marker_stay_together(tmp_path: Path) -> None:
    session = recorded(tmp_path / "take")
    ((_, exported),) = export(session, ["mp4"], tmp_path / "out")
    video = VideoFile(exported.files[0])
    bright = [s.start for s in video.frames() if s.data.image[60, NARROWEST // 2].min() > 180]
    blocks = list(video.audio())
    sound = np.concatenate([block.data.samples for block in blocks])
    clap = blocks[0].start / SECOND + int(np.argmax(np.abs(sound) > 0.1)) / 16_000
    assert bright[0] / SECOND == pytest.approx(FLASH, abs=0.04)
    assert clap == pytest.approx(FLASH, abs=0.005)
    before = [s.start for s in VideoFile(tmp_path / "take" / "media.mkv").frames()]
    after = [s.start for s in video.frames()]
    np.testing.assert_allclose(after, before, atol=12_000)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_exported_whole(name: str, tmp_path: Path) -> None:
    session = recorded(tmp_path / "take", RecordingPlan(title="Take 1"))
    ((_, exported),) = export(session, [name], tmp_path / "out")
    assert exported.missing == ("no words", "no face", "no voice")
    assert exported.files[0].is_file()


@pytest.mark.parametrize("name", ["mp4", "html"])
def test_a_recording_of_features_only(name: str, tmp_path: Path) -> None:
    session = recorded(tmp_path / "take", RecordingPlan(features_only=True))
    ((_, exported),) = export(session, [name], tmp_path / "out")
    assert "no recording, features only" in exported.missing
