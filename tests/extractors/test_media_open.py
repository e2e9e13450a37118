"""Each kind of bad input gets one clear line."""

from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from extractors.video_file import VideoFile
from tests.extractors.clips import Pictures, Sound, bursts, every, top_boxes, write_clip
from tests.extractors.playing import faststart_clip, times


@pytest.fixture
def faststart(tmp_path: Path) -> bytes:
    return faststart_clip(tmp_path / "whole.mp4")


def complaint(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        VideoFile(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_what_is_not_a_recording_gets_one_clear_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "does not exist" in complaint(tmp_path / "missing.mp4")
    assert "folder" in complaint(tmp_path)
    (tmp_path / "empty.mp4").touch()
    assert "empty" in complaint(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("Dear diary,\n" * 50)
    assert "not a media file" in complaint(tmp_path / "text.mp4")
    (tmp_path / "text.txt").write_text("Dear diary,\n" * 50)
    assert "text" in complaint(tmp_path / "text.txt")
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n\n")
    assert "neither pictures nor sound" in complaint(tmp_path / "words.srt")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:4,\nclip.mp4\n")
    assert "give a recording" in complaint(tmp_path / "list.m3u8")
    assert "cannot be read" in complaint(tmp_path / ("x" * 300))
    assert capfd.readouterr() == ("", "")


def test_a_file_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Pictures([0, 40]))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "permissions" in complaint(path)


def test_a_recording_without_its_index_says_so(tmp_path: Path, faststart: bytes) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Pictures(every(40, 2000)))
    data = clip.read_bytes()
    assert top_boxes(data)[-1][0] == "moov"
    clip.write_bytes(data[: len(data) // 2])
    assert "cut off before its index" in complaint(clip)
    (tmp_path / "early.mp4").write_bytes(faststart[:400])
    assert "cut off before its index" in complaint(tmp_path / "early.mp4")
    _, start, _ = next(box for box in top_boxes(faststart) if box[0] == "mdat")
    (tmp_path / "index only.mp4").write_bytes(faststart[: start + 8])
    assert "nothing in it can be decoded" in complaint(tmp_path / "index only.mp4")


@pytest.mark.parametrize(("tag", "word"), [(b"avc1", "pictures"), (b"sowt", "sound")])
def test_an_unknown_codec_says_so(tmp_path: Path, tag: bytes, word: str) -> None:
    sound = Sound(bursts([0.5], 1.0, 48000), 48000, "pcm_s16le")
    pictures = Pictures(every(40, 1000))
    path = write_clip(
        tmp_path / "strange.mov",
        pictures if word == "pictures" else None,
        sound if word == "sound" else None,
    )
    data = path.read_bytes()
    assert tag in data
    path.write_bytes(data.replace(tag, b"zzzz"))
    text = complaint(path)
    assert word in text
    assert "codec" in text


def test_encrypted_content_says_so(tmp_path: Path, faststart: bytes) -> None:
    _, start, end = next(box for box in top_boxes(faststart) if box[0] == "mdat")
    noise = np.random.default_rng(1).integers(0, 256, end - start - 8, dtype=np.uint8).tobytes()
    path = tmp_path / "locked.mp4"
    path.write_bytes(faststart[: start + 8] + noise + faststart[end:])
    assert "encrypted" in complaint(path)


def test_names_with_colons_and_other_letters_are_only_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Pictures([0, 40]))
    path.rename(tmp_path / "pipe:100 % ünïcode #1?.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(times(VideoFile(Path("pipe:100 % ünïcode #1?.mp4")))) == 2
