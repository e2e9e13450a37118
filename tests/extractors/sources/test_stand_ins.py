"""What stands in for devices: a file in real time, an address, and made-up pictures and sound."""

import http.server
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from extractors.sources import Source, SourceChoice, SourceLost
from extractors.sources.opening import open_pictures, open_sound
from extractors.sources.playhead import Playheads
from extractors.stream import SECOND, Sample, SimulatedClock
from tests.extractors.clips import Pictures, Sound, every, write_clip
from tests.extractors.sources import rtsp_server as rtsp
from tests.extractors.sources.rtsp_server import rtsp_server

LENGTH = 4
FLASH = 1000
"""Milliseconds after which the pictures of the clip are white."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of pictures, dark and then white, and sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    sound = Sound(np.zeros(LENGTH * 48_000, np.float32), 48_000)
    return write_clip(path, Pictures(every(40, LENGTH * 1000), flash=FLASH), sound)


@pytest.fixture
def file(clip: Path) -> SourceChoice:
    return SourceChoice("file", str(clip))


def white(sample: Sample[Any]) -> bool:
    return bool(np.median(sample.data.image) > 128)


class Player:
    """Opens sources on a simulated clock, on which this thread is the only one."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(5 * SECOND)
        self.clock.join()
        self.playheads = Playheads(self.clock)

    def pictures(self, choice: SourceChoice) -> Any:
        return open_pictures(choice, self.clock, self.playheads)

    def sound(self, choice: SourceChoice) -> Any:
        return open_sound(choice, self.clock, self.playheads)

    def until(self, source: Source[Any], end: float) -> list[Sample[Any]]:
        """The samples that come before `end` seconds of the clock."""
        found = []
        samples = source.samples()
        for sample in samples:
            assert sample.end <= self.clock.now(), "it came before its time"
            if sample.end > end * SECOND:
                source.close()
                break
            found.append(sample)
        assert list(samples) == []
        return found


def test_pictures_of_a_file_come_at_their_times(file: SourceChoice) -> None:
    player = Player()
    found = player.until(player.pictures(file), 7.0)
    assert found[0].start == 5 * SECOND
    assert [white(s) for s in found] == [s.start >= 6 * SECOND for s in found]
    steps = [(b.start - a.start) / SECOND for a, b in pairwise(found)]
    assert steps == pytest.approx([0.04] * len(steps))


def test_sound_of_a_file_is_without_gap_and_begins_with_the_pictures(file: SourceChoice) -> None:
    player = Player()
    player.pictures(file)
    found = player.until(player.sound(file), 8.0)
    assert found[0].start == pytest.approx(5 * SECOND, abs=SECOND // 20)
    assert all(a.end == b.start for a, b in pairwise(found))
    samples = sum(len(s.data.samples) for s in found)
    assert samples == pytest.approx((found[-1].end - found[0].start) / SECOND * SAMPLE_RATE, abs=2)


def test_whoever_opens_the_file_later_joins_it_where_it_is(file: SourceChoice) -> None:
    player = Player()
    player.until(player.pictures(file), 7.0)
    joined = player.until(player.sound(file), 8.0)
    assert 6.5 * SECOND < joined[0].start < 7.6 * SECOND


def test_a_file_begins_again_at_its_end(file: SourceChoice) -> None:
    player = Player()
    found = player.until(player.pictures(file), 5 + LENGTH + 2)
    assert all(b.start > a.start for a, b in pairwise(found))
    dark = [(s.start - 5 * SECOND) / SECOND for s in found if not white(s)]
    assert [t for t in dark if t > FLASH / 1000] == pytest.approx(
        np.arange(LENGTH, LENGTH + FLASH / 1000, 0.04), abs=0.03
    )


def test_without_a_loop_it_ends(clip: Path) -> None:
    player = Player()
    source = player.pictures(SourceChoice("file", str(clip), loop=False))
    assert len(list(source.samples())) == LENGTH * 25


def test_a_restart_begins_it_anew_under_who_reads_it(file: SourceChoice) -> None:
    player = Player()
    found = []
    source = player.pictures(file)
    for sample in source.samples():
        found.append(sample)
        if len(found) == 40:
            player.playheads.restart()
        if len(found) == 50:
            source.close()
    assert white(found[39])
    assert not white(found[40])
    assert all(b.start > a.start for a, b in pairwise(found))


@pytest.mark.parametrize("kind", ["pictures", "sound"])
def test_a_file_that_is_no_recording_is_hopeless(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing to see\n" * 100)
    player = Player()
    source = getattr(player, kind)(SourceChoice("file", str(path)))
    with pytest.raises(SourceLost) as lost:
        list(source.samples())
    assert lost.value.hopeless


def test_synthetic_pictures_and_sound_keep_their_rates() -> None:
    player = Player()
    pictures = player.until(player.pictures(SourceChoice("synthetic", rate=25.0)), 7.0)
    assert len(pictures) == 50
    assert pictures[0].data.image.shape == (240, 320, 3)
    assert (pictures[0].data.image != pictures[20].data.image).any()
    sound = player.until(player.sound(SourceChoice("synthetic")), 9.0)
    assert all(a.end == b.start for a, b in pairwise(sound))
    loud = [float(np.abs(s.data.samples).max()) > 0.05 for s in sound]
    assert 0.4 < np.mean(loud) < 0.6


@pytest.fixture
def server(clip: Path) -> Iterator[str]:
    """The address of a server on this machine that serves the folder of the clip."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(clip.parent))

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

        def copyfile(self, source: Any, outputfile: Any) -> None:
            try:
                super().copyfile(source, outputfile)
            except (BrokenPipeError, ConnectionResetError):
                return  # the player has what it wants

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy is no network that has gone."""
    monkeypatch.setattr("extractors.sources.url_source.OPEN_SECONDS", 60.0)
    monkeypatch.setattr("extractors.sources.url_source.READ_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
def test_an_address_gives_pictures_and_sound_in_real_time(server: str) -> None:
    player = Player()
    choice = SourceChoice.parse(f"{server}/clip.mp4")
    source = player.pictures(choice)
    pictures = player.until(source, 7.0)
    assert len(pictures) > 30
    assert all(b.start > a.start for a, b in pairwise(pictures))
    assert source.info.size == (160, 120)
    sound = player.until(player.sound(choice), 9.0)
    assert all(a.end == b.start for a, b in pairwise(sound))
    assert sum(len(s.data.samples) for s in sound) == pytest.approx(2 * SAMPLE_RATE, abs=4000)


@pytest.mark.usefixtures("patient")
def test_a_stream_that_had_a_pause_goes_on_from_now(server: str) -> None:
    player = Player()
    found = []
    for sample in player.sound(SourceChoice.parse(f"{server}/clip.mp4")).samples():
        found.append(sample)
        if len(found) == 20:
            player.clock.jump(3 * SECOND)
            paused = player.clock.now()
    gaps = [(a.end, b.start) for a, b in pairwise(found) if b.start != a.end]
    assert gaps == [(found[19].end, paused)]
    assert found[-1].end - found[0].start == pytest.approx((LENGTH + 3) * SECOND, abs=SECOND // 10)


@pytest.mark.usefixtures("patient")
def test_a_camera_on_the_network_gives_pictures_and_sound_in_real_time() -> None:
    with rtsp_server() as address:
        player = Player()
        source = player.pictures(SourceChoice.parse(f"{address}/pictures"))
        pictures = player.until(source, 8.0)
        assert source.info.size == (160, 120)
        steps = [(b.start - a.start) / SECOND for a, b in pairwise(pictures)]
        assert steps == pytest.approx([1 / rtsp.RATE] * 3 * rtsp.RATE, abs=0.001)
        light = [white(s) for s in pictures]
        assert light == sorted(light)
        assert {False, True} == set(light)
        now = player.clock.now() / SECOND
        sound = player.until(player.sound(SourceChoice.parse(f"{address}/sound")), now + 2)
        assert all(a.end == b.start for a, b in pairwise(sound))
        assert sum(len(s.data.samples) for s in sound) == pytest.approx(2 * SAMPLE_RATE, abs=1000)
        heard = np.concatenate([s.data.samples for s in sound])[1000:]
        assert np.abs(heard).min() > 0.9


def test_an_address_that_does_not_answer_says_so(server: str) -> None:
    player = Player()
    with pytest.raises(SourceLost) as lost:
        list(player.pictures(SourceChoice.parse(f"{server}/missing.mp4")).samples())
    assert "check address and network" in str(lost.value)
    assert not lost.value.hopeless
