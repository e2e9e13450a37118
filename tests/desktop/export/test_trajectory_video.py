import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from desktop.export import ExportOptions, Face
from desktop.export.material import material
from desktop.export.trajectory_panel import LEGEND, TrajectoryPanel
from desktop.export.trajectory_video import HIGH, NARROWEST, export_mp4
from desktop.palette import DARK
from extractors.session import Session
from extractors.stream import SECOND
from extractors.video_file import VideoFile
from tests.desktop.export.made_sessions import MARKS, made_session
from tests.extractors.clips import (
    Pictures,
    Sound,
    bursts,
    every,
    lag_seconds,
    top_boxes,
    write_clip,
)

UNEVEN = [0, 33, 40, 95, 200, 233, 500, 700, 701, 1000, 1400, 1700, 1960]
"""Milliseconds: pictures that come as they like."""
RATE = 44_100


def heard(video: VideoFile, rate: int) -> np.ndarray:  # type: ignore[type-arg]
    """Sound [n] from session time zero on."""
    blocks = list(video.audio(rate=rate))
    lead = np.zeros(round(blocks[0].start * rate / SECOND), np.float32)
    return np.concatenate([lead, *(block.data.samples for block in blocks)])


def test_pictures_keep_their_times_and_sound_stays_in_step(tmp_path: Path) -> None:
    sound = bursts([0.3, 0.95, 1.4], 2.0, RATE)
    clip = write_clip(tmp_path / "clip.mp4", Pictures(UNEVEN, flash=1000), Sound(sound, RATE))
    made = made_session(tmp_path / "talk", media=clip, duration=2.0, marks=MARKS)
    exported = export_mp4(Session(made), tmp_path / "out.mp4")
    assert exported.missing == ()
    before, after = VideoFile(clip), VideoFile(tmp_path / "out.mp4")
    meant = [sample.start for sample in before.frames()]
    found = [(sample.start, sample.data.image) for sample in after.frames()]
    assert len(meant) == len(UNEVEN)
    np.testing.assert_allclose([time for time, _ in found], meant, atol=12_000)
    bright = [time for time, image in found if image[100, NARROWEST // 2].min() > 180]
    assert round(bright[0] / 1e6) == 1000
    assert abs(lag_seconds(heard(after, RATE), heard(before, RATE), RATE)) < 0.0005
    boxes = [name for name, _, _ in top_boxes((tmp_path / "out.mp4").read_bytes())]
    assert boxes.index("moov") < boxes.index("mdat")


@pytest.mark.parametrize(("pictures", "sound"), [(0, 400), (400, 0)])
def test_what_begins_later_stays_later(pictures: int, sound: int, tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mkv",
        Pictures(every(40, 2000, pictures), flash=1000),
        Sound(bursts([1.0 - sound / 1000], 1.6, 16_000), 16_000, offset=sound),
    )
    export_mp4(Session(made_session(tmp_path / "talk", media=clip)), tmp_path / "out.mp4")
    out = VideoFile(tmp_path / "out.mp4")
    click = int(np.argmax(np.abs(heard(out, 16_000)) > 0.1)) / 16_000
    flash = next(
        s.start / 1e9 for s in out.frames() if s.data.image[100, NARROWEST // 2].min() > 180
    )
    assert click == pytest.approx(1.0, abs=0.005)
    assert flash == pytest.approx(1.0, abs=0.001)


def test_the_panel_alone_where_there_are_no_pictures(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.wav", None, Sound(bursts([1.0], 4.0, 16_000), 16_000, "pcm_s16le")
    )
    exported = export_mp4(Session(made_session(tmp_path / "talk", media=clip)), tmp_path / "a.mp4")
    assert exported.missing == ("no pictures",)
    video = VideoFile(tmp_path / "a.mp4")
    assert video.info.audio_codec == "aac"
    times = [sample.start for sample in video.frames()]
    assert len(times) == 41
    assert {round((b - a) / 1e6) for a, b in pairwise(times)} == {100}
    gone = export_mp4(Session(made_session(tmp_path / "gone")), tmp_path / "b.mp4")
    assert gone.missing == ("the recording is not at gone.mp4 any more",)
    assert not VideoFile(tmp_path / "b.mp4").info.has_audio


def test_without_voice_there_is_no_sound(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mp4", Pictures(every(100, 500)), Sound(bursts([0.1], 0.5, 16_000), 16_000)
    )
    session = Session(made_session(tmp_path / "talk", media=clip))
    export_mp4(session, tmp_path / "out.mp4", ExportOptions(voice=False))
    video = VideoFile(tmp_path / "out.mp4")
    assert (video.info.has_video, video.info.has_audio) == (True, False)


def has(picture: np.ndarray, color: str) -> int:  # type: ignore[type-arg]
    """How many pixels are about of this colour."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(picture.astype(int) - rgb).max(axis=2) < 12).sum())


def test_the_panel_shows_the_row_that_holds(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk", marks=MARKS))
    panel = TrajectoryPanel(material(session, ExportOptions()), 960, 250)
    legend = slice(960 - round(0.23 * 960), 960)
    neutral, happy = DARK.emotions[:2]
    early, late, after = (panel.at(time)[:, legend] for time in (1.0, 2.5, 4.0))
    assert early.shape[0] == 250
    assert has(early, neutral) > 1.2 * has(late, neutral)
    assert has(late, happy) > 1.2 * has(early, happy)
    assert has(after, happy) == 0  # nothing is known in the last row
    curves = panel.at(3.0)[:, : legend.start]
    assert has(curves, happy) > 100
    assert np.abs(panel.at(3.0).astype(int) - panel.at(1.0)).max() > 100


@pytest.mark.parametrize("width", [960, 1280, 1920])
def test_words_stand_below_the_curves_and_nothing_crosses_them(tmp_path: Path, width: int) -> None:
    words = [("Ång|Éstg,", 0, SECOND), ("Ój", SECOND, 2 * SECOND), ("quay", 2 * SECOND, 3 * SECOND)]
    found = material(Session(made_session(tmp_path / "talk", words=words, marks=MARKS)),
                     ExportOptions())  # fmt: skip
    found.timeline.sentiment[:] = -3.0  # as low as a curve can be
    found.timeline.emotions[:] = 0.0
    height = round(width * HIGH) // 2 * 2
    spoken = TrajectoryPanel(found, width, height).at(2.0)
    silent = TrajectoryPanel(replace(found, words=()), width, height).at(2.0)
    strip = slice(0, width - round(LEGEND * width))
    surface = np.array([int(DARK.surface[i : i + 2], 16) for i in (1, 3, 5)])
    free = (silent[:, strip] == surface).all(axis=(1, 2))
    letters = (spoken != silent).any(axis=(1, 2))
    assert has(silent[:, strip], DARK.accent) > 50, "there is a curve"
    assert letters.sum() > 10
    assert free[letters].all()
    assert not letters[-1], "the words are whole"


def test_the_panel_scrolls_through_a_long_recording(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk", rows=600, duration=120.0, pictures=()))
    panel = TrajectoryPanel(material(session, ExportOptions()), 960, 250)
    playhead = [
        int(np.argmax((panel.at(t)[5] > 200).all(axis=1))) for t in (0.0, 60.0, 100.0, 120.0)
    ]
    assert playhead[0] == 0
    assert playhead[1] == playhead[2] == pytest.approx(8 * round(0.77 * 960 / 12), abs=2)
    assert playhead[3] > playhead[2]
    # the stretches that are drawn at once join without a seam: the curves are flat there
    np.testing.assert_array_equal(panel.at(47.9)[:, :400], panel.at(48.9)[:, :400])


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Pictures(every(40, 4000)))
    made = made_session(tmp_path / "talk", media=clip)
    code = (
        "import resource, sys\n"
        "from desktop.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "sys.exit(main(['export', sys.argv[1], '--format', 'mp4', '--out', sys.argv[2]]))\n"
    )
    words = [sys.executable, "-c", code, str(made), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"affectscope: cannot write {tmp_path / 'out' / 'talk.mp4'}: File too large; "
        "choose another --out\n"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_landmarks_need_no_recording(tmp_path: Path) -> None:
    made = made_session(tmp_path / "talk", pictures=[0, SECOND // 2, SECOND])
    export_mp4(Session(made), tmp_path / "out.mp4", ExportOptions(face=Face.LANDMARKS))
    found = list(VideoFile(tmp_path / "out.mp4").frames())
    assert [sample.start for sample in found] == [0, SECOND // 2, SECOND]
    assert (found[1].data.image[:400].max(axis=2) > 150).sum() > 500
