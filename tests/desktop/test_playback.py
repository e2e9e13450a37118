"""Pictures, sound and position together, on a clock that is moved by hand."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from desktop.media import open_file
from desktop.pictures import PictureTrack
from desktop.playback import SPEEDS, Playback
from desktop.sound import SoundTrack, Volume
from desktop.sound_device import RATE
from extractors.features import ON_THE_WAY, VideoFrame
from extractors.stream.clock import VirtualClock
from extractors.stream.sample import SECOND, Sample
from extractors.video_file import VideoFile
from tests.desktop.fake_media import PICTURE, FakeDevice, FakeMedia, no_device
from tests.extractors.clips import Pictures, write_clip

MS = SECOND // 1000


def shown(playback: Playback) -> int | None:
    """Number of the picture on the screen."""
    playback.tick()
    assert playback._pictures is not None
    playback._pictures.worker.join(3.0)
    picture = playback.picture()
    return None if picture is None else int(picture.data.image[0, 0, 0])


def test_the_newest_due_picture_is_shown_and_late_ones_are_passed_over() -> None:
    track = PictureTrack(lambda: FakeMedia(0.8), 0)
    track.worker.join(3.0)
    first = track.at(0)
    assert first is not None
    assert first.start == 0
    assert track.late == 0
    later = track.at(5 * PICTURE + 1)
    assert later is not None
    assert later.start == 5 * PICTURE
    assert track.late == 4
    assert track.next_start() == 6 * PICTURE
    track.stop()


def test_a_track_begins_with_the_picture_that_is_due() -> None:
    track = PictureTrack(lambda: FakeMedia(0.8), 2 * PICTURE + 50 * MS)
    track.worker.join(3.0)
    picture = track.at(2 * PICTURE + 50 * MS)
    assert picture is not None
    assert picture.start == 2 * PICTURE
    track.stop()


def test_on_the_way_to_a_picture_others_are_seen(clock: VirtualClock) -> None:
    class Far(FakeMedia):
        def frames(
            self, start: int = 0, max_side: int | None = None, showing: bool = False
        ) -> Iterator[Sample[VideoFrame]]:
            if start:
                for passed in (11, 22):
                    time, image = passed * PICTURE, np.full((48, 64, 3), passed, np.uint8)
                    yield Sample(ON_THE_WAY, time, time, time, VideoFrame(image))
                    reached.release()
                    assert gate.acquire(timeout=3.0)
            yield from super().frames(start, max_side, showing)

    reached, gate = threading.Semaphore(0), threading.Semaphore(0)
    playback = Playback(lambda: Far(5.0), 5 * SECOND, no_device, clock)
    settle(playback)
    playback.seek(4 * SECOND)
    playback.tick()
    assert shown_or_none(playback) in (None, 11)
    for passed in (11, 22):
        assert reached.acquire(timeout=3.0)
        while shown_or_none(playback) != passed:
            pass
        assert playback.waiting, "it is not the one that was asked for"
        playback.step(1)
        assert playback.position == 4 * SECOND, "a step is one from there"
        gate.release()
    settle(playback)
    assert shown_or_none(playback) == 42
    assert playback.late == 0
    assert playback.close()


def test_without_a_loudspeaker_the_clock_leads(clock: VirtualClock) -> None:
    media = FakeMedia(0.8, sound=True)
    playback = Playback(lambda: media, 8 * PICTURE, no_device, clock)
    assert shown(playback) == 0
    playback.play()
    assert playback._sound is not None
    playback._sound.worker.join(3.0)
    playback.tick()
    assert playback.notice == "no sound device"
    clock.advance(350 * MS)
    assert shown(playback) == 3
    clock.advance(SECOND)
    assert shown(playback) == 7
    assert not playback.playing
    assert playback.position == 8 * PICTURE
    assert playback.close()


def test_the_sound_that_was_heard_leads(clock: VirtualClock) -> None:
    media, device = FakeMedia(2.0, sound=True), FakeDevice()
    playback = Playback(lambda: media, 2 * SECOND, device.open, clock)
    playback.tick()
    playback.play()
    assert device.opened.wait(3.0)
    assert media.sound_read.wait(3.0)
    clock.advance(SECOND)
    assert playback.position == 0, "nothing was heard yet"
    device.ask(RATE // 2, delay=100 * MS)
    clock.advance(90 * MS)
    assert playback.position == 0, "the device holds the sound back for 100 ms"
    clock.advance(60 * MS)
    assert playback.position == 50 * MS
    clock.advance(10 * SECOND)
    assert playback.position == SECOND // 2, "no more was given to the device"
    playback.pause()
    assert device.closed.wait(3.0)
    assert playback.position == SECOND // 2
    assert playback.close()


def test_sound_starts_where_it_should_with_the_volume_that_is_set(clock: VirtualClock) -> None:
    media, device, volume = FakeMedia(2.0, sound=True), FakeDevice(), Volume(0.5)
    track = SoundTrack(lambda: media, SECOND // 4, device.open, volume, clock)
    assert media.sound_read.wait(3.0)
    assert device.opened.wait(3.0)
    out = device.ask(RATE)
    assert (out[: RATE // 4] == 0).all(), "the file's sound begins at the block at 0.5 s"
    assert out[RATE // 4 + 1, 0] == pytest.approx(0.25 * 0.005, abs=1e-6)
    volume.muted = True
    assert (device.ask(RATE // 4) == 0).all()
    volume.muted = False
    clock.advance(SECOND)
    track.stop()
    assert track.worker.join(3.0)
    assert device.closed.is_set()
    assert (device.ask(64) == 0).all()


def test_after_the_sound_has_ended_time_runs_on_in_silence(clock: VirtualClock) -> None:
    media, device = FakeMedia(0.5, sound=True), FakeDevice()
    track = SoundTrack(lambda: media, 0, device.open, Volume(), clock)
    assert device.opened.wait(3.0)
    assert media.sound_read.wait(3.0)
    while not track._complete:
        device.ask(480)
    given = track._given
    assert (device.ask(RATE) == 0).all()
    assert track._given == given + RATE
    track.stop()
    assert track.worker.join(3.0)


def test_a_device_that_stays_mute_is_given_up(clock: VirtualClock) -> None:
    media, device = FakeMedia(2.0, sound=True), FakeDevice()
    playback = Playback(lambda: media, 2 * SECOND, device.open, clock)
    playback.tick()
    playback.play()
    assert device.opened.wait(3.0)
    clock.advance(3 * SECOND)
    playback.tick()
    assert playback.notice == "the sound device does not answer"
    clock.advance(SECOND)
    assert playback.position == SECOND
    assert playback.close()


def test_seeking_decodes_from_there_and_steps_by_pictures(clock: VirtualClock) -> None:
    media = FakeMedia(5.0)
    playback = Playback(lambda: media, 5 * SECOND, no_device, clock)
    playback.tick()
    playback.seek(4 * SECOND + 250 * MS)
    settle(playback)
    assert shown_or_none(playback) == 42
    for wanted in (43, 44):
        playback.step(1)
        settle(playback)
        assert shown_or_none(playback) == wanted
    for wanted in (43, 42):
        playback.step(-1)
        settle(playback)
        assert playback.position == wanted * PICTURE
        assert shown_or_none(playback) == wanted
    playback.step(-3)
    settle(playback)
    assert playback.position == 39 * PICTURE
    playback.step(-1)
    playback.seek(SECOND)
    settle(playback)
    assert playback.position == SECOND, "a seek forgets the steps that still wait"
    assert playback.close()


def settle(playback: Playback) -> None:
    """Wait for the decoder until nothing is due."""
    playback.tick()
    while not playback.settled:
        if playback._pictures is not None:
            playback._pictures.worker.join(0.001)
        playback.tick()


def test_steps_land_on_the_times_in_the_file(tmp_path: Path, clock: VirtualClock) -> None:
    times = [0, 40, 80, 120, 700, 740, 1500, 1533, 1566]
    clip = write_clip(tmp_path / "uneven.mp4", Pictures(times, gop=4))
    playback = Playback(open_file(clip), 2 * SECOND, no_device, clock)
    found = [int(sample.start) for sample in VideoFile(clip).frames()]
    assert [round(time / MS) for time in found] == times
    settle(playback)
    for step, expected in ((1, found[1:]), (-1, found[-2::-1])):
        for time in expected:
            playback.step(step)
            settle(playback)
            assert playback.position == time
            picture = playback.picture()
            assert picture is not None
            assert picture.start == time
    playback.step(-1)
    settle(playback)
    assert playback.position == 0, "before the first picture there is none"
    playback.seek(found[6] - 1)
    settle(playback)
    picture = playback.picture()
    assert picture is not None
    assert picture.start == found[5], "a picture stays for as long as no other comes"
    playback.step(-1)
    settle(playback)
    assert playback.position == found[4]
    assert playback.close()


def test_a_range_repeats_while_playing(clock: VirtualClock) -> None:
    playback = Playback(lambda: FakeMedia(0.8), 8 * PICTURE, no_device, clock)
    playback.tick()
    playback.loop = (2 * PICTURE, 5 * PICTURE)
    playback.seek(7 * PICTURE)
    assert playback.position == 7 * PICTURE, "at rest one may look anywhere"
    playback.play()
    assert playback.position == 2 * PICTURE
    for _ in range(3):
        playback.tick()
        clock.advance(3 * PICTURE)
        playback.tick()
        assert playback.playing
        assert playback.position == 2 * PICTURE
    playback.loop = (6 * PICTURE, 8 * PICTURE)
    clock.advance(SECOND)
    playback.tick()
    assert playback.playing, "the end of the recording may be the end of the range"
    assert playback.position == 6 * PICTURE
    assert playback.close()


@pytest.mark.parametrize("speed", SPEEDS)
def test_sound_and_position_keep_step_at_every_speed(speed: float, clock: VirtualClock) -> None:
    media, device = FakeMedia(4.0, sound=True), FakeDevice()
    playback = Playback(lambda: media, 4 * SECOND, device.open, clock)
    playback.set_speed(speed)
    playback.tick()
    playback.play()
    assert device.opened.wait(3.0)
    sound = playback._sound
    assert sound is not None
    while not sound.started:
        device.ask(RATE // 10)
    heard = speed * sound._given / RATE
    assert 0 < heard <= speed / 10
    clock.advance(SECOND)
    assert playback.position == pytest.approx(heard * SECOND, abs=10)
    playback.set_speed(1.0)
    assert playback.position == pytest.approx(heard * SECOND, abs=10)
    assert playback.playing
    assert playback.close()


def test_the_other_speed_begins_where_the_first_one_was(clock: VirtualClock) -> None:
    playback = Playback(None, 10 * SECOND, no_device, clock)
    playback.play()
    clock.advance(SECOND)
    playback.set_speed(4.0)
    clock.advance(SECOND)
    assert playback.position == 5 * SECOND
    playback.set_speed(0.25)
    clock.advance(SECOND)
    assert playback.position == 5 * SECOND + SECOND // 4
    assert playback.close()


def test_a_decoder_that_is_too_slow_starts_anew_where_it_should_be(clock: VirtualClock) -> None:
    class Slow(FakeMedia):
        def frames(
            self, start: int = 0, max_side: int | None = None, showing: bool = False
        ) -> Iterator[Sample[VideoFrame]]:
            for count, frame in enumerate(super().frames(start, max_side, showing)):
                if count == 1 and self.passes == 1:
                    gate.wait(3.0)
                yield frame

    gate = threading.Event()
    media = Slow(20.0)
    playback = Playback(lambda: media, 20 * SECOND, no_device, clock)
    while shown_or_none(playback) != 0:
        pass
    playback.play()
    while playback._sound is not None:  # until it is known that there is none
        playback.tick()
    clock.advance(10 * SECOND)
    while shown_or_none(playback) != 100:
        pass
    assert media.passes == 2
    gate.set()
    assert playback.close()


def shown_or_none(playback: Playback) -> int | None:
    """As `shown`, for files too long to be read ahead as a whole."""
    playback.tick()
    picture = playback.picture()
    return None if picture is None else int(picture.data.image[0, 0, 0])


def test_many_seeks_start_few_decoders(clock: VirtualClock) -> None:
    media = FakeMedia(0.8)
    playback = Playback(lambda: media, 8 * PICTURE, no_device, clock)
    for step in range(100):
        playback.seek(step * 8 * MS)
    assert shown(playback) == 7
    assert media.passes == 1
    assert playback.close()


def test_a_broken_file_is_a_notice_and_not_the_end(clock: VirtualClock) -> None:
    class Broken(FakeMedia):
        def frames(self, *_: object, **__: object):  # type: ignore[no-untyped-def,override]
            raise OSError("disk gone")

    playback = Playback(lambda: Broken(1.0), SECOND, no_device, clock)
    assert shown(playback) is None
    playback.tick()
    assert playback.notice is not None
    assert "disk gone" in playback.notice
    assert playback.close()


def test_closing_ends_a_decoder_in_the_middle_of_its_work(clock: VirtualClock) -> None:
    playback = Playback(lambda: FakeMedia(3600.0, sound=True), 3600 * SECOND, no_device, clock)
    playback.tick()
    playback.play()
    playback.seek(SECOND)
    assert playback.close()
    assert playback.position == SECOND
