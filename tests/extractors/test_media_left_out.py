"""What a file holds beside the pictures and the sound that are read is told."""

from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from extractors.features import SAMPLE_RATE
from extractors.media_left_out import in_words
from extractors.stream.sample import SECOND
from extractors.video_file import VideoFile
from tests.extractors.clips import Pictures, Sound, bursts, every, write_clip
from tests.extractors.playing import MS, times, whole_sound


def write_many(path: Path) -> Path:
    """Two streams of pictures, three of sound, a cover and a font in one file."""
    with av.open(str(path), "w") as container:
        streams: list[tuple[Any, Any]] = []
        for size in (128, 64):
            pictures = container.add_stream("libx264", rate=25)
            pictures.width, pictures.height, pictures.pix_fmt = size, size, "yuv420p"
            streams += [(pictures, _picture(size, number)) for number in range(25)]
        for _ in range(3):
            sound = container.add_stream("flac", rate=SAMPLE_RATE)
            sound.layout, sound.format = "mono", "s16"
            streams.append((sound, _tone()))
        cover = BytesIO()
        Image.new("RGB", (32, 32)).save(cover, "jpeg")
        container.add_attachment("cover.jpg", "image/jpeg", cover.getvalue())
        container.add_attachment("letters.ttf", "application/x-truetype-font", b"letters")
        for stream, frame in streams:
            container.mux(stream.encode(frame))
        for stream in {id(stream): stream for stream, _ in streams}.values():
            container.mux(stream.encode(None))
    return path


def _picture(size: int, number: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((size, size, 3), 8 * number, np.uint8), "rgb24")
    frame.pts = number
    return frame


def _tone() -> av.AudioFrame:
    samples = (np.sin(np.arange(SAMPLE_RATE) / 5) * 9000).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    return frame


def test_further_streams_and_covers_are_told(tmp_path: Path) -> None:
    info = VideoFile(write_many(tmp_path / "many.mkv")).info
    assert (info.width, info.video_index, info.audio_index) == (128, 0, 2)
    assert {(one.stream, one.what) for one in info.left_out} == {
        (1, "further video stream"),
        (3, "further audio stream"),
        (4, "further audio stream"),
        (5, "attached picture"),
        (6, "attached file"),
    }
    assert in_words(one.what for one in info.left_out) == (
        "1 further video stream, 2 further audio streams, 1 attached picture, 1 attached file"
    )


def test_of_an_ordinary_file_nothing_is_left_out(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mp4", Pictures([0, 40]), Sound(bursts([0.0], 0.5, 16_000), 16_000)
    )
    assert VideoFile(clip).info.left_out == ()
    assert in_words(()) == ""


@pytest.mark.parametrize(
    ("tag", "what", "there"),
    [(b"avc1", "video stream of an unknown codec", "audio"),
     (b"sowt", "audio stream of an unknown codec", "video")],
)  # fmt: skip
def test_a_stream_that_cannot_be_decoded_does_not_keep_the_other_from_being_read(
    tmp_path: Path, tag: bytes, what: str, there: str
) -> None:
    sound = Sound(bursts([0.5], 1.0, 48_000), 48_000, "pcm_s16le")
    path = write_clip(tmp_path / "strange.mov", Pictures(every(40, 1000)), sound)
    path.write_bytes(path.read_bytes().replace(tag, b"zzzz"))
    file = VideoFile(path)
    assert [one.what for one in file.info.left_out] == [what]
    assert (file.info.has_video, file.info.has_audio) == (there == "video", there == "audio")
    assert len(times(file)) == (25 if there == "video" else 0)
    assert len(list(file.audio())) == (2 if there == "audio" else 0)


def test_sound_whose_clock_goes_back_is_placed_and_the_overlap_is_told(tmp_path: Path) -> None:
    """Two recordings behind each other in one transport stream; the second begins a second before
    the first ends."""
    first = write_clip(
        tmp_path / "a.ts", Pictures(every(40, 2000)), Sound(bursts([0.5], 2.0, 48_000), 48_000)
    )
    second = write_clip(
        tmp_path / "b.ts",
        Pictures(every(40, 4000, 1000)),
        Sound(bursts([0.5, 2.5], 3.0, 48_000), 48_000, offset=1000),
    )
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    file = VideoFile(both)
    origin, heard = whole_sound(file)
    loud = np.flatnonzero(np.abs(heard) > 0.1) / SAMPLE_RATE + origin / SECOND
    assert loud[0] == pytest.approx(0.5, abs=0.05)
    assert not ((loud > 0.6) & (loud < 3.4)).any(), "what is heard at 1.5 s in the second is cut"
    assert loud[-1] == pytest.approx(3.55, abs=0.05)
    ending = file.ending("audio")
    assert ending is not None
    assert ending.overlap == pytest.approx(1.0, abs=0.1)
    assert ending.end == pytest.approx(4 * SECOND, abs=SECOND / 20)
    seen = times(file)
    assert seen == sorted(set(seen))
    assert seen[-1] == pytest.approx(3960 * MS, abs=30 * MS)
