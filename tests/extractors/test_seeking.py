"""What a seek reads and decodes, counted: nothing here depends on a clock."""

import threading
from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from extractors import kept_containers, video_file
from extractors.features import ON_THE_WAY, AudioBlock, VideoFrame
from extractors.kept_containers import KeptContainers
from extractors.media_reader import read_video
from extractors.recording import Recorder
from extractors.stream.sample import SECOND, Sample
from extractors.video_file import VideoFile
from tests.extractors.clips import Pictures, every, write_clip
from tests.extractors.playing import B_FRAMES, MS

PIXELS = 160 * 120


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows with every opening of a container."""
    found: list[Path] = []
    original = kept_containers.open_media

    def opened(path: Path):  # type: ignore[no-untyped-def]
        found.append(path)
        return original(path)

    monkeypatch.setattr(kept_containers, "open_media", opened)
    return found


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_seeks_in_an_open_file_find_what_others_find(
    tmp_path: Path, name: str, openings: list[Path]
) -> None:
    clip = Pictures(every(40, 4000), flash=2000, options=B_FRAMES, gop=25)
    path = write_clip(tmp_path / name, clip)
    kept, anew = VideoFile(path, keep_open=True), VideoFile(path)
    # on, back, past the end, into the middle of a pass that is left at its first picture
    places = [3900 * MS, 1010 * MS, 9 * SECOND, 2000 * MS, 3999 * MS, 200 * MS, 2010 * MS]
    for at in places:
        for mine, other in zip(
            kept.frames(at, showing=True), anew.frames(at, showing=True), strict=True
        ):
            assert mine.start == other.start
            np.testing.assert_array_equal(mine.data.image, other.data.image)
        passing = kept.frames(at, showing=True)
        next(passing)
        passing.close()  # type: ignore[attr-defined]
    opened = []
    for file in (kept, anew):
        openings.clear()
        for at in places:
            list(file.frames(at, showing=True))
        opened.append(len(openings))
    assert opened[1] >= len(places)
    fallen_back = 2 if name == "clip.ts" else 0  # seeks in TS land behind what is needed
    assert opened[0] <= 1 + fallen_back * len(places), "only the start is read anew"


def test_only_so_many_stay_open_and_each_has_one_reader(
    tmp_path: Path, openings: list[Path]
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Pictures(every(40, 400)))
    kept = KeptContainers(path, room=1)
    with kept.use(anew=False) as first, kept.use(anew=False) as second:
        assert first is not second
    assert len(openings) == 2
    with kept.use(anew=True) as fresh:
        assert fresh is not first
        assert fresh is not second
    with pytest.raises(BadInput, match="gone"), kept.use(anew=False) as only:
        raise BadInput("gone")
    with kept.use(anew=False) as other:
        assert other is not only, "something went wrong with it"
    assert len(openings) == 4


def test_a_seek_in_a_recording_decodes_a_second_at_most(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take")
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 64, 3), np.uint8)
    for number in range(240):
        at = number * SECOND // 30
        recorder.add(Sample("frame", at, at, at, VideoFrame(images[number % 8])))
        if number % 3 == 0:
            end = at + SECOND // 10
            recorder.add(Sample("audio", at, end, end, AudioBlock(np.zeros(1600, np.float32))))
    media = recorder.finish() / "media.mkv"
    for at in range(0, 8 * SECOND, 370 * MS):
        decoded = [time for time, _ in zip(_times(media, at), range(80), strict=False)]
        assert sum(time <= at for time in decoded) <= 31


def _times(media: Path, at: int):  # type: ignore[no-untyped-def]
    return (time for time, _ in read_video(media, at).frames() if time is not None)


def test_on_a_long_way_some_of_what_is_passed_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_file, "WAY", 10 * PIXELS)
    path = write_clip(tmp_path / "clip.mp4", Pictures(every(40, 6000), gop=1000))
    at = 5200 * MS
    file = VideoFile(path)
    assert (file.info.width, file.info.height) == (160, 120)
    plain = list(file.frames(at))
    shown = list(file.frames(at, showing=True))
    way = [sample for sample in shown if sample.stream == ON_THE_WAY]
    assert [sample.start // (40 * MS) for sample in way] == [10, 31, 72]
    assert shown[: len(way)] == way
    assert [sample.start for sample in shown[len(way) :]] == [sample.start for sample in plain]
    whole = {sample.start: sample.data.image for sample in file.frames()}
    for sample in way:
        np.testing.assert_array_equal(sample.data.image, whole[sample.start])
    assert not any(sample.stream == ON_THE_WAY for sample in plain), "they are for the screen"


def test_containers_can_be_used_from_many_threads(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Pictures(every(40, 2000), gop=10))
    file = VideoFile(path, keep_open=True)
    found: dict[int, list[int]] = {}

    def read(number: int) -> None:
        at = number * 200 * MS
        found[number] = [sample.start for sample in file.frames(at, showing=True)]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert found[number] == list(range(number * 200 * MS, 2000 * MS, 40 * MS))
