"""The video source on clips whose pictures and sounds are known to the millisecond."""

import gc
import os
import threading
import wave
from collections.abc import Callable, Generator
from pathlib import Path

import av
import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from extractors.media_reader import read_video
from extractors.picture import PictureConverter
from extractors.stream.sample import SECOND, from_seconds
from extractors.video_file import VideoFile
from tests.extractors.clips import (
    Pictures,
    Sound,
    bursts,
    every,
    lag_seconds,
    write_clip,
)
from tests.extractors.playing import B_FRAMES, MS, flash_time, lateness, times, whole_sound


@pytest.mark.parametrize("options", [{"preset": "ultrafast"}, B_FRAMES], ids=["plain", "b-frames"])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov"])
def test_pictures_come_at_their_times(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    meant = [0, 33, 70, 400, 441, 1500, 1540, 1800]  # as uneven as a phone in the dark
    file = VideoFile(write_clip(tmp_path / name, Pictures(meant, flash=1500, options=options)))
    samples = list(file.frames())
    assert [sample.start for sample in samples] == [time * MS for time in meant]
    assert all(s.end == s.published == s.start and s.stream == "frame" for s in samples)
    assert flash_time(file) == 1500 * MS
    ending = file.ending("video")
    assert ending is not None
    assert (ending.end, ending.truncated, ending.skipped, ending.error) == (
        1800 * MS,
        False,
        0,
        None,
    )


def test_time_never_comes_from_a_frame_count(tmp_path: Path) -> None:
    steady = VideoFile(write_clip(tmp_path / "a.mp4", Pictures(every(40, 2000))))
    assert times(steady) == [time * MS for time in every(40, 2000)]
    assert steady.info.frame_rate == pytest.approx(25)
    assert steady.info.duration == pytest.approx(2 * SECOND, abs=MS)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_upright(tmp_path: Path, rotation: int, flipped: bool) -> None:
    clip = Pictures([0, 40], rotation=rotation, flipped=flipped)
    file = VideoFile(write_clip(tmp_path / "clip.mp4", clip))
    image = next(file.frames()).data.image
    stored = np.zeros((120, 160), bool)
    stored[:40, :53] = True  # where the picture is red
    upright = np.rot90(stored, rotation // 90)
    if flipped:
        upright = np.fliplr(upright)
    assert image.shape == (*upright.shape, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    red = (image[..., 0] > 128) & (image[..., 2] < 90)
    assert (red != upright).mean() < 0.02
    assert (file.info.height, file.info.width) == upright.shape
    assert file.info.rotation == rotation


def test_a_converter_turns_each_picture_as_it_says(tmp_path: Path) -> None:
    converter = PictureConverter()
    shapes = []
    for rotation in (0, 90, 180, 90):
        file = write_clip(tmp_path / f"{rotation}.mp4", Pictures([0], rotation=rotation))
        with av.open(str(file)) as container:
            (frame,) = container.decode(video=0)
            image = converter.convert(frame)
        red = (image[..., 0] > 128) & (image[..., 2] < 90)
        corner = np.argwhere(red).mean(axis=0) > np.asarray(red.shape) / 2
        shapes.append((image.shape[:2], tuple(corner.tolist())))
    lying, standing = (120, 160), (160, 120)
    assert shapes == [
        (lying, (False, False)), (standing, (True, False)), (lying, (True, True)),
        (standing, (True, False)),
    ]  # fmt: skip


def test_pictures_that_were_converted_are_freed_at_once(tmp_path: Path) -> None:
    """And not when Python looks for circles, with hundreds of them in memory meanwhile."""
    file = VideoFile(write_clip(tmp_path / "clip.mp4", Pictures(every(40, 4000))))
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in file.frames():
            assert alive() - before < 30  # what decoder and queue may hold
    finally:
        gc.enable()


def alive() -> int:
    return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "size"),
    [
        ("full range.mp4", "libx264", "yuvj420p", (160, 120)),
        ("ten bits.mp4", "libx264", "yuv420p10le", (160, 120)),
        ("full chroma.mp4", "libx264", "yuv444p", (161, 121)),
        ("odd.mkv", "ffv1", "yuv420p", (161, 121)),
        ("rgb.mkv", "ffv1", "bgr0", (160, 120)),
        ("palette.mov", "qtrle", "rgb24", (160, 120)),
        ("motion jpeg.avi", "mjpeg", "yuvj420p", (160, 120)),
        ("vp9.webm", "libvpx-vp9", "yuv420p", (160, 120)),
        ("high.mp4", "libx264", "yuv420p", (1280, 720)),
    ],
)
def test_colours_survive_every_pixel_format(
    tmp_path: Path, name: str, codec: str, pixels: str, size: tuple[int, int]
) -> None:
    width, height = size
    options = {"preset": "ultrafast", "crf": "4"} if codec == "libx264" else {}
    clip = Pictures(
        [0, 40], width=width, height=height, codec=codec, pixels=pixels, options=options
    )
    image = next(VideoFile(write_clip(tmp_path / name, clip)).frames()).data.image
    assert image.shape == (height, width, 3)
    tolerance = 30 if height >= 720 else 12  # the encoder was not told to use BT.709
    assert image[5, 5].tolist() == pytest.approx([220, 20, 20], abs=tolerance)
    assert image[-5, -5].tolist() == pytest.approx([16, 16, 16], abs=12)


def test_grey_pictures_become_rgb(tmp_path: Path) -> None:
    clip = Pictures([0, 40], flash=0, pixels="gray")
    image = next(VideoFile(write_clip(tmp_path / "grey.mp4", clip)).frames()).data.image
    assert image.shape == (120, 160, 3)
    assert image[-5, -5].tolist() == pytest.approx([235] * 3, abs=24)  # either range of luma
    assert len(set(image[5, 5].tolist())) == 1


def test_large_pictures_can_be_scaled_down(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Pictures([0, 40], width=640, height=360, rotation=90))
    small = next(VideoFile(clip).frames(max_side=100)).data.image
    assert small.shape == (100, 56, 3)
    assert small[-5, 5].tolist() == pytest.approx([220, 20, 20], abs=15)
    assert next(VideoFile(clip).frames(max_side=4000)).data.image.shape == (640, 360, 3)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0, 1.5, 3.9, 9.0])
def test_pictures_from_the_middle_are_those_of_the_whole(
    tmp_path: Path, name: str, seconds: float
) -> None:
    clip = Pictures(every(40, 4000), flash=2000, options=B_FRAMES, gop=25)
    file = VideoFile(write_clip(tmp_path / name, clip))
    start = from_seconds(seconds)
    assert times(file, start) == [time for time in times(file) if time >= start]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_what_nobody_needs_is_not_decoded_on_the_way(tmp_path: Path, name: str) -> None:
    # one key frame, pictures at uneven times, a long one among them, and B-frames between
    meant = sorted({*every(40, 4000), *every(70, 4000)} - set(range(2030, 2070)))
    clip = Pictures(meant, white=frozenset(meant[::3]), options=B_FRAMES, gop=1000)
    file = write_clip(tmp_path / name, clip)
    whole = {s.start: s.data.image for s in VideoFile(file).frames()}
    for at in (*range(1900 * MS, 2100 * MS, 20 * MS), 3999 * MS):
        shown = max(time for time in whole if time <= at)
        first = next(VideoFile(file).frames(at, showing=True))
        assert first.start == shown
        np.testing.assert_array_equal(first.data.image, whole[shown])
        decoded = [time for time, _ in read_video(file, at).frames() if time is not None]
        before = sum(time < shown for time in decoded)
        assert 0 < before < 0.8 * sum(time < shown for time in whole)
        assert decoded[before:] == [time for time in whole if time >= shown]


# --- sound ---------------------------------------------------------------------------------------

SOUNDS = {
    "clip.mp4": ("aac", "mono", 48000, None),
    "stereo.mp4": ("aac", "stereo", 44100, None),
    "surround.mp4": ("aac", "5.1", 48000, None),
    "mp3.mp4": ("libmp3lame", "mono", 44100, None),
    "opus.mkv": ("libopus", "stereo", 48000, None),
    "flac.mkv": ("flac", "mono", 44100, "s16"),
    "pcm.mov": ("pcm_s16le", "mono", 22050, None),
    "telephone.mov": ("pcm_s16le", "stereo", 8000, None),
    "ready.mov": ("pcm_s16le", "mono", 16000, None),
    "eight bits.mkv": ("pcm_u8", "stereo", 11025, None),
    "wide.mkv": ("pcm_s32le", "5.1", 48000, None),
    "transport.ts": ("aac", "mono", 48000, None),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_and_pictures_are_at_their_times(tmp_path: Path, name: str) -> None:
    codec, layout, rate, kind = SOUNDS[name]
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    samples = np.stack([bursts([0.5, 1.0], 2.0, rate)] * channels)
    clip = write_clip(
        tmp_path / name,
        Pictures(every(40, 2000), flash=1000, options=B_FRAMES),
        Sound(samples, rate, codec, layout, kind),
    )
    file = VideoFile(clip)
    assert (file.info.audio_rate, file.info.audio_channels) == (rate, channels)
    late = lateness(file, [0.5, 1.0], 2.0)
    if name.endswith(".ts"):  # MPEG-TS cannot say that the encoder's run-up is not to be heard
        assert file.info.start > 0
        assert 0 < late < 0.03
    else:
        assert late == pytest.approx(0, abs=0.001)
    assert late == pytest.approx(flash_time(file) / SECOND - 1.0, abs=0.002)
    _, heard = whole_sound(file)
    assert len(heard) == pytest.approx(2 * SAMPLE_RATE, abs=0.03 * SAMPLE_RATE)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.06), "mixing keeps the level"
    ending = file.ending("audio")
    assert ending is not None
    assert (ending.truncated, ending.skipped, ending.error) == (False, 0, None)
    assert ending.end == pytest.approx(2 * SECOND, abs=30 * MS)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("aac.mp4", ("aac", 44100, None)),
        ("flac.mkv", ("flac", 44100, "s16")),
        ("pcm.mov", ("pcm_s16le", 22050, None)),
    ],
)
def test_sound_that_starts_later_starts_later(
    tmp_path: Path, name: str, sound: tuple[str, int, str | None]
) -> None:
    codec, rate, kind = sound
    clip = write_clip(
        tmp_path / name,
        Pictures(every(40, 2000), flash=1200),
        Sound(bursts([0.5], 1.5, rate), rate, codec, format=kind, offset=700),
    )
    file = VideoFile(clip)
    origin, _ = whole_sound(file)
    assert origin == file.info.audio_start == pytest.approx(700 * MS, abs=25 * MS)
    assert file.info.video_start == 0
    assert lateness(file, [1.2], 2.2) == pytest.approx(0, abs=0.002)
    assert flash_time(file) == 1200 * MS


def test_pictures_that_start_later_start_later(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mkv",
        Pictures(every(40, 2000, start=720), flash=1200),
        Sound(bursts([1.2], 2.0, 48000), 48000, "flac", format="s16"),
    )
    file = VideoFile(clip)
    assert file.info.video_start == times(file)[0] == 720 * MS
    assert file.info.audio_start == whole_sound(file)[0] == 0
    assert lateness(file, [1.2], 2.0) == pytest.approx(0, abs=0.001)
    assert flash_time(file) == 1200 * MS


def test_a_gap_in_the_sound_is_silent_and_shifts_nothing(tmp_path: Path) -> None:
    at = [0.5, 1.2, 2.0]
    sound = Sound(bursts(at, 3.0, 44100), 44100, "flac", format="s16", gap=(1000, 1700))
    file = VideoFile(write_clip(tmp_path / "clip.mkv", sound=sound))
    origin, heard = whole_sound(file)
    assert origin == 0
    assert len(heard) == pytest.approx(3 * SAMPLE_RATE, abs=20)
    late = lag_seconds(heard[:20000], bursts([0.5], 1.25, SAMPLE_RATE), SAMPLE_RATE)
    assert late == pytest.approx(0, abs=0.001), "before the gap"
    assert not heard[round(1.15 * SAMPLE_RATE) : round(1.6 * SAMPLE_RATE)].any()
    late = lag_seconds(heard[24000:], bursts([0.5], 1.5, SAMPLE_RATE), SAMPLE_RATE)
    assert late == pytest.approx(0, abs=0.001), "after the gap"


def test_jitter_of_the_times_moves_no_sample(tmp_path: Path) -> None:
    tone = np.sin(np.arange(44100) * 2 * np.pi * 440 / 44100) / 2
    heard = []
    for jitter in (0, 400):  # samples, 9 ms
        sound = Sound(tone, 44100, "pcm_s16le", jitter=jitter)
        heard.append(whole_sound(VideoFile(write_clip(tmp_path / f"{jitter}.mkv", sound=sound)))[1])
    np.testing.assert_array_equal(heard[0], heard[1])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_resampling_keeps_a_tone_and_its_phase(tmp_path: Path, rate: int) -> None:
    seconds = 1.3
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    clip = write_clip(tmp_path / "tone.mkv", sound=Sound(tone, rate, "pcm_s16le"))
    _, heard = whole_sound(VideoFile(clip))
    meant = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / SAMPLE_RATE)
    assert len(heard) == pytest.approx(seconds * SAMPLE_RATE, abs=1)
    np.testing.assert_allclose(heard[100:-100], meant[100:-100], atol=2e-3)


@pytest.mark.parametrize("name", ["aac.mp4", "opus.mkv", "pcm.mov", "flac.mkv"])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 1.23456, 2.9])
def test_sound_from_the_middle_is_that_of_the_whole(
    tmp_path: Path, name: str, seconds: float
) -> None:
    codec = {"aac.mp4": "aac", "opus.mkv": "libopus", "pcm.mov": "pcm_s16le"}.get(name, "flac")
    rate = 48000 if codec == "libopus" else 44100
    kind = "s16" if codec in ("flac", "libopus") else None
    at = [0.25, 0.5, 0.99, 1.1, 1.3, 1.7, 2.2, 2.93]
    sound = Sound(bursts(at, 3.0, rate), rate, codec, format=kind)
    file = VideoFile(write_clip(tmp_path / name, Pictures(every(40, 3000)), sound))
    _, whole = whole_sound(file)
    origin, part = whole_sound(file, from_seconds(seconds))
    first = -(-from_seconds(seconds) * SAMPLE_RATE // SECOND)
    assert origin == pytest.approx(first * SECOND / SAMPLE_RATE, abs=1)
    expected = whole[first:]
    if name.endswith("mkv"):  # Matroska rounds times to milliseconds
        assert lag_seconds(part, expected, SAMPLE_RATE) == pytest.approx(0, abs=0.001)
        assert len(part) == pytest.approx(len(expected), abs=SAMPLE_RATE // 500)
    else:
        np.testing.assert_allclose(part, expected, atol=1e-4)


def test_two_channels_stay_apart_for_playback(tmp_path: Path) -> None:
    left, right = bursts([0.2], 1.0, 48000), bursts([0.6], 1.0, 48000)
    sound = Sound(np.stack([left, right]), 48000, "pcm_s16le", "stereo")
    file = VideoFile(write_clip(tmp_path / "clip.mkv", sound=sound))
    _, heard = whole_sound(file, rate=48000, channels=2)
    np.testing.assert_allclose(heard, np.stack([left, right], 1), atol=1e-3)


@pytest.mark.parametrize("channels", [6, 9])
def test_channels_without_names_are_mixed(tmp_path: Path, channels: int) -> None:
    meant = bursts([0.5], 1.0, SAMPLE_RATE)
    with wave.open(str(tmp_path / "clip.wav"), "wb") as file:
        file.setparams((channels, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.stack([meant] * channels, 1) * 32767).astype("<i2").tobytes())
    _, heard = whole_sound(VideoFile(tmp_path / "clip.wav"))
    np.testing.assert_allclose(heard, meant, atol=1e-3)


def test_samples_that_are_not_numbers_become_silence(tmp_path: Path) -> None:
    meant = bursts([0.1, 0.5], 1.0, 48000)
    broken = meant.copy()
    broken[[30000, 30001, 40000]] = [np.nan, np.inf, -np.inf]
    sound = Sound(broken, 48000, "pcm_f32le")
    file = VideoFile(write_clip(tmp_path / "clip.mkv", sound=sound))
    _, heard = whole_sound(file)
    assert np.isfinite(heard).all()
    assert lag_seconds(heard, bursts([0.1, 0.5], 1.0, SAMPLE_RATE), SAMPLE_RATE) == 0
    ending = file.ending("audio")
    assert ending is not None
    assert ending.replaced == 3


def test_no_sound_and_no_pictures_are_empty_streams(tmp_path: Path) -> None:
    mute = VideoFile(write_clip(tmp_path / "mute.mp4", Pictures([0, 40])))
    assert (mute.info.has_video, mute.info.has_audio) == (True, False)
    assert list(mute.audio()) == []
    blind = VideoFile(write_clip(tmp_path / "b.m4a", sound=Sound(bursts([0.1], 1, 48000), 48000)))
    assert (blind.info.has_video, blind.info.has_audio) == (False, True)
    assert list(blind.frames()) == []


def test_cover_art_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("libmp3lame", rate=44100)
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 200, np.uint8), format="rgb24")
        container.start_encoding()
        container.mux([*cover.encode(picture), *cover.encode(None)])
        frame = av.AudioFrame.from_ndarray(
            bursts([0.3], 1, 44100)[None].astype(np.float32), "fltp", "mono"
        )
        frame.sample_rate = 44100
        container.mux([*sound.encode(frame), *sound.encode(None)])
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1, "the clip has a cover"
    file = VideoFile(path)
    assert not file.info.has_video
    assert list(file.frames()) == []
    assert lateness(file, [0.3], 1.0) == pytest.approx(0, abs=0.002)


def test_an_ending_is_known_only_after_the_end(tmp_path: Path) -> None:
    file = VideoFile(write_clip(tmp_path / "clip.mp4", Pictures(every(40, 400))))
    frames = file.frames()
    next(frames)
    assert isinstance(frames, Generator)
    frames.close()
    assert file.ending("video") is None
    times(file)
    assert file.ending("video") is not None
    assert file.ending("audio") is None


def test_passes_run_side_by_side_in_threads(tmp_path: Path) -> None:
    sound = Sound(bursts([0.5], 2.0, 48000), 48000)
    file = VideoFile(write_clip(tmp_path / "clip.mp4", Pictures(every(40, 2000)), sound))
    alone = (times(file), len(whole_sound(file)[1]))
    results: dict[str, object] = {}
    work: dict[str, Callable[[], object]] = {
        "frames": lambda: times(file),
        "sound": lambda: len(whole_sound(file)[1]),
    }
    threads = [
        threading.Thread(target=lambda name=name, call=call: results.update({name: call()}))
        for name, call in work.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results["frames"], results["sound"]) == alone


@pytest.fixture
def media() -> Path:
    checkout = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared") / "media"
    if not folder.is_dir():
        pytest.skip(f"no clips at {folder}: set AFFECTSCOPE_SHARED to where they are")
    return folder


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "pictures", "seconds"),
    [
        ("talking_head_speech_8s.mp4", 200, 8.0),
        ("face_mostly_absent_5s.mp4", 125, 5.0),
        ("single_face_silent.mp4", 72, 2.4),
        ("jfk.flac", 0, 11.0),
    ],
)
def test_real_clips(media: Path, name: str, pictures: int, seconds: float) -> None:
    file = VideoFile(media / name)
    seen = times(file)
    assert len(seen) == pictures
    assert seen == sorted(set(seen))
    _, heard = whole_sound(file)
    assert len(heard) / SAMPLE_RATE == pytest.approx(seconds, abs=0.1)
    for stream in ("video", "audio"):
        ending = file.ending(stream)
        assert ending is None or not (ending.truncated or ending.skipped)
