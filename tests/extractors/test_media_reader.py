"""Of a damaged recording everything that is whole is read, at its time."""

from pathlib import Path

import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from extractors.stream.sample import SECOND
from extractors.video_file import VideoFile
from tests.extractors.clips import Pictures, Sound, bursts, every, top_boxes, write_clip
from tests.extractors.playing import MS, faststart_clip, lateness, times, whole_sound


@pytest.fixture
def faststart(tmp_path: Path) -> bytes:
    return faststart_clip(tmp_path / "whole.mp4")


def test_of_a_truncated_recording_the_rest_is_read(tmp_path: Path, faststart: bytes) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(faststart[: len(faststart) * 3 // 4])
    file = VideoFile(path)
    seen = times(file)
    assert seen[:-3] == [time * MS for time in every(40, 4000)][: len(seen) - 3]
    assert seen == sorted(seen), "the last ones may lack neighbours that were stored later"
    assert 500 * MS < seen[-1] < 3 * SECOND
    origin, heard = whole_sound(file)
    ends = (seen[-1], origin + len(heard) * SECOND // SAMPLE_RATE)
    endings = (file.ending("video"), file.ending("audio"))
    for ending, end in zip(endings, ends, strict=True):
        assert ending is not None
        assert ending.truncated
        assert ending.declared == pytest.approx(4 * SECOND, abs=MS)
        assert ending.end == pytest.approx(end, abs=MS)


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path: Path, faststart: bytes) -> None:
    _, start, end = next(box for box in top_boxes(faststart) if box[0] == "mdat")
    middle = (start + end) // 2
    noise = np.random.default_rng(5).integers(0, 256, 600, dtype=np.uint8).tobytes()
    path = tmp_path / "damaged.mp4"
    path.write_bytes(faststart[:middle] + noise + faststart[middle + 600 :])
    file = VideoFile(path)
    seen = times(file)
    assert seen[-1] == 3960 * MS
    assert set(seen) < {time * MS for time in every(40, 4000)}
    assert lateness(file, [0.5, 1.0], 4.0) == pytest.approx(0, abs=0.002)
    _, heard = whole_sound(file)
    assert len(heard) == pytest.approx(4 * SAMPLE_RATE, abs=0.03 * SAMPLE_RATE)
    for stream in ("video", "audio"):
        ending = file.ending(stream)
        assert ending is not None
        assert ending.skipped > 0
        assert not ending.truncated


@pytest.mark.parametrize("tagged", [True, False], ids=["stream's end", "only the file's end"])
def test_a_truncated_matroska_file_is_read_and_known_as_such(tmp_path: Path, tagged: bool) -> None:
    sound = Sound(bursts([0.5], 2.0, 48000), 48000, "flac", format="s16")
    clip = write_clip(tmp_path / "clip.mkv", Pictures(every(40, 4000)), sound)
    data = clip.read_bytes()
    if not tagged:
        data = data.replace(b"DURATION", b"DURATIOX")
    clip.write_bytes(data)
    whole = VideoFile(clip)
    assert len(times(whole)) == 100
    whole_sound(whole)
    clip.write_bytes(data[: len(data) // 3])
    cut = VideoFile(clip)
    assert 5 < len(times(cut)) < 90
    whole_sound(cut)
    for ending in (whole.ending("audio"), whole.ending("video")):
        assert ending is not None
        assert not ending.truncated, "sound may be shorter than the pictures"
    for ending in (cut.ending("audio"), cut.ending("video")):
        assert ending is not None
        assert ending.truncated
        assert ending.end < 3 * SECOND


def test_a_broken_file_is_quiet(
    tmp_path: Path, faststart: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(faststart[: len(faststart) // 2])
    file = VideoFile(path)
    times(file)
    list(file.audio())
    assert capfd.readouterr() == ("", "")
