from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors import Session
from extractors.features import SAMPLE_RATE, AudioBlock, VideoFrame
from extractors.recording import Recorder, RecordingPlan
from extractors.stream import SECOND, Sample
from extractors.video_file import VideoFile
from tests.extractors import clips
from tests.extractors.recording import captured

WITHIN = 0.020
"""Seconds between picture and sound that nobody sees (ITU-R BT.1359: 45 ms before, 125 after)."""


def record(folder: Path, samples: Any, plan: RecordingPlan | None = None) -> Session:
    recorder = Recorder(folder, plan)
    for sample in samples:
        recorder.add(sample)
    return Session(recorder.finish())


def flashes(media: Path) -> list[float]:
    """Seconds at which the picture becomes white."""
    found, bright = [], False
    for sample in VideoFile(media).frames():
        was, bright = bright, bool(sample.data.image[-1, -1].mean() > 128)
        if bright and not was:
            found.append(sample.end / SECOND)
    return found


def heard(media: Path) -> Any:
    return np.concatenate([block.data.samples for block in VideoFile(media).audio()])


def claps(media: Path) -> list[float]:
    """Seconds at which a burst begins after silence."""
    loud = np.flatnonzero(np.abs(heard(media)) > 0.1)
    first = np.concatenate([[True], np.diff(loud) > SAMPLE_RATE // 4])
    return [float(index) / SAMPLE_RATE for index in loud[first]]


def test_clap_and_flash_stay_together_from_a_file_to_a_session(tmp_path: Path) -> None:
    times = [t + (7 * i) % 11 for i, t in enumerate(clips.every(33, 6000))]  # uneven, as cameras
    flash = next(time for time in times if time >= 1000)
    at = [flash / 1000, 3.0, 5.5]
    clip = clips.write_clip(
        tmp_path / "clip.mkv",
        clips.Pictures(times, flash=flash),
        clips.Sound(clips.bursts(at, 6.0, 48_000), 48_000, codec="flac", format="s16"),
    )
    source = VideoFile(clip)
    session = record(tmp_path / "take", captured.together(source.frames(), source.audio()))
    media = session.media
    assert media is not None
    assert flashes(media) == pytest.approx(flashes(clip), abs=0.0006)
    assert claps(media) == pytest.approx(claps(clip), abs=0.002)
    assert abs(flashes(media)[0] - claps(media)[0]) < WITHIN
    certificate = session.manifest["synchrony"]
    assert abs(certificate["offset_ms"]) < 1
    assert certificate["worst_ms"] < 2
    assert (certificate["dropped_frames"], certificate["missing_frames"]) == (0, 0)


@pytest.mark.parametrize("since", [(0.0, 0.0), (0.4, 0.0), (0.0, 0.3), (1.7, 0.2), (0.2, 0.9)])
def test_times_of_the_file_are_session_times(tmp_path: Path, since: tuple[float, float]) -> None:
    """Whichever device comes first, and however late."""
    at = (2.0, 3.1)
    pictures = captured.pictures(4.0, at, since=since[0], rate=100)
    session = record(
        tmp_path / "take", captured.together(pictures, captured.sound(4.0, at, since=since[1]))
    )
    media = session.media
    assert media is not None
    assert flashes(media) == pytest.approx(at, abs=0.014)  # a picture's time later at most
    assert claps(media) == pytest.approx(at, abs=0.002)
    assert session.problems == ()


def test_a_card_that_runs_fast_and_stamps_that_jitter_do_not_part_them(tmp_path: Path) -> None:
    """300 parts in a million: ten times what a good card has; in 64 s it makes 19 ms."""
    at = (1.0, 32.0, 63.0)
    session = record(
        tmp_path / "take",
        captured.together(
            captured.pictures(64.0, at, rate=10),
            captured.sound(64.0, at, card=1.0003, jitter=0.008),
        ),
    )
    certificate = session.manifest["synchrony"]
    assert abs(certificate["drift_ms_per_hour"]) < 30
    assert certificate["sound_clock_ms_per_hour"] == pytest.approx(-0.0003 * 3.6e6, rel=0.05)
    assert abs(certificate["offset_ms"]) < 2
    assert certificate["missing_sound_ms"] == certificate["cut_sound_ms"] == 0
    sound = session.table("sound")
    true = np.arange(len(sound)) * captured.BLOCK / (SAMPLE_RATE * 1.0003)
    assert np.abs(sound["written"].to_numpy() - true).max() < 0.008


def test_sound_is_kept_to_the_last_bit_of_sixteen(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    samples = random.integers(-32768, 32768, 3 * SAMPLE_RATE).astype(np.float32) / 32768
    blocks = [
        Sample("sound", i * SECOND, (i + 1) * SECOND, (i + 1) * SECOND, AudioBlock(part))
        for i, part in enumerate(np.split(samples, 3))
    ]
    session = record(tmp_path / "take", blocks, RecordingPlan(pictures=False))
    assert session.media is not None
    np.testing.assert_array_equal(heard(session.media), samples)


def test_lost_sound_becomes_silence_and_overlapping_sound_is_cut(tmp_path: Path) -> None:
    one = np.full(SAMPLE_RATE, 0.25, np.float32)
    starts = (0.0, 1.0, 2.5, 3.2)
    blocks = [
        Sample("sound", round(s * SECOND), round((s + 1) * SECOND), 0, AudioBlock(one))
        for s in starts
    ]
    session = record(tmp_path / "take", blocks, RecordingPlan(pictures=False))
    certificate = session.manifest["synchrony"]
    assert certificate["missing_sound_ms"] == pytest.approx(500, abs=1)
    assert certificate["cut_sound_ms"] == pytest.approx(300, abs=1)
    assert session.media is not None
    sound = heard(session.media)
    assert len(sound) == pytest.approx(4.2 * SAMPLE_RATE, abs=32)
    assert np.count_nonzero(sound == 0) == pytest.approx(0.5 * SAMPLE_RATE, abs=32)


@pytest.mark.parametrize("size", [(160, 120), (1280, 720)])
def test_colours_come_back(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    samples = [
        Sample("video", t, t, t, VideoFrame(captured.picture(False, width, height)))
        for t in range(0, SECOND, SECOND // 5)
    ]
    session = record(tmp_path / "take", samples, RecordingPlan(sound=False))
    assert session.media is not None
    for frame in VideoFile(session.media).frames():
        image = frame.data.image.astype(int)
        assert image.shape == (height, width, 3)
        np.testing.assert_allclose(image[5, 5], (220, 20, 20), atol=8)
        np.testing.assert_allclose(image[-5, -5], (16, 16, 16), atol=4)


def test_pictures_of_another_shape_are_fitted_in(tmp_path: Path) -> None:
    shapes = [(160, 120), (161, 119), (120, 160), (640, 480)]
    samples = [
        Sample("video", i * SECOND, i * SECOND, i * SECOND, VideoFrame(captured.picture(True, *s)))
        for i, s in enumerate(shapes)
    ]
    session = record(tmp_path / "take", samples, RecordingPlan(sound=False))
    assert session.media is not None
    images = [frame.data.image for frame in VideoFile(session.media).frames()]
    assert {image.shape for image in images} == {(120, 160, 3)}
    upright = images[2]
    assert upright[60, 2].max() < 30
    assert upright[100, 80].min() > 200
    assert (session.manifest["media"]["width"], session.manifest["media"]["height"]) == (160, 120)


def test_a_picture_whose_time_does_not_rise_is_dropped_and_counted(tmp_path: Path) -> None:
    times = [0, 40, 80, 60, 80, 120]
    samples = [
        Sample("video", t * 10**6, t * 10**6, t * 10**6, VideoFrame(captured.picture()))
        for t in times
    ]
    session = record(tmp_path / "take", samples, RecordingPlan(sound=False))
    assert session.media is not None
    found = [round(frame.end / 10**6) for frame in VideoFile(session.media).frames()]
    assert found == [0, 40, 80, 120]
    assert session.manifest["synchrony"]["dropped_frames"] == 2
    assert session.problems == (
        "capture/pictures.parquet has times that go backwards; its rows are sorted",
    )


def test_features_only_writes_neither_picture_nor_sound(tmp_path: Path) -> None:
    samples = captured.together(captured.pictures(2.0, (1.0,)), captured.sound(2.0, (1.0,)))
    session = record(tmp_path / "take", samples, RecordingPlan(features_only=True))
    assert (session.media, session.problems) == (None, ())
    assert len(session.table("pictures")) > 50
    assert len(session.table("sound")) == 40
    assert session.manifest["features_only"] is True
    kinds = {path.suffix for path in session.folder.rglob("*") if path.is_file()}
    assert kinds == {".json", ".jsonl", ".npy", ".parquet"}
    assert sum(path.stat().st_size for path in session.folder.rglob("*")) < 30_000
