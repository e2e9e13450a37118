"""The camera, behind the interface that OpenCV has."""

import time
from typing import Any

import pytest

from extractors.sources import Feed, PictureWish, SourceChoice, SourceLost, SourceStatus, camera
from extractors.sources.camera import Camera, best_format
from extractors.sources.devices import Device
from extractors.stream import SECOND, SimulatedClock, VirtualClock
from tests.extractors.sources.fake_camera import FakeCamera

DESK = Device("0", "Desk camera", True)


class Machine:
    """Which cameras the system lists, and whether their nodes are there."""

    def __init__(self) -> None:
        self.cameras = (DESK,)
        self.present = True


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(camera, "cameras", lambda: found.cameras)
    monkeypatch.setattr(camera, "_present", lambda _number: found.present)
    monkeypatch.setattr(camera.os, "access", lambda *_: True)
    return found


def opened(fake: FakeCamera, choice: SourceChoice = DESK.choice) -> Camera:
    return Camera(choice, VirtualClock(10 * SECOND), lambda _number: fake)


def taken(source: Camera) -> tuple[list[Any], SourceLost]:
    samples = []
    try:
        for sample in source.samples():
            samples.append(sample)  # noqa: PERF402 what came before the loss counts
    except SourceLost as lost:
        return samples, lost
    raise AssertionError("the source was not lost")


def test_pictures_are_rgb_at_rising_times_and_the_camera_is_freed() -> None:
    fake = FakeCamera(4)
    source = opened(fake)
    samples, lost = taken(source)
    assert [s.start for s in samples] == [10 * SECOND + i for i in range(4)]
    assert samples[0].data.image.shape == (480, 640, 3)
    assert samples[0].data.image[0, 0].tolist() == [0, 0, 200]
    assert source.info is not None
    assert (source.info.name, source.info.size, source.info.rate) == (
        "Desk camera", (640, 480), 30.0,
    )  # fmt: skip
    assert fake.released
    assert lost.reason == "silent"


def test_a_grey_camera_gives_rgb() -> None:
    samples, _ = taken(opened(FakeCamera(1, grey=True)))
    assert samples[0].data.image.shape == (480, 640, 3)


def test_the_drivers_time_stamp_counts_where_it_is_of_the_monotonic_clock() -> None:
    fake = FakeCamera(2)
    fake.times = [time.monotonic() * 1e3 - 40, 12.0]
    samples, _ = taken(opened(fake))
    assert 0.04 * SECOND <= 10 * SECOND - samples[0].start < SECOND
    assert samples[1].start == 10 * SECOND, "12 ms after boot is of another clock"


def test_a_picture_that_cannot_be_decoded_is_left_out() -> None:
    samples, _ = taken(opened(FakeCamera(4, broken=(2,))))
    assert len(samples) == 3


def test_close_from_another_thread_ends_it() -> None:
    fake = FakeCamera(1000)
    source = opened(fake)
    for i, _ in enumerate(source.samples()):
        if i == 5:
            source.close()
    assert i == 5
    assert fake.released


@pytest.mark.parametrize(
    ("pictures", "present", "reason", "says"),
    [
        (3, False, "unplugged", "when it is back"),
        (3, True, "silent", "opened again"),
        (0, True, "taken", "another program"),
    ],
)
def test_a_camera_that_gives_no_more_says_why(
    machine: Machine, pictures: int, present: bool, reason: str, says: str
) -> None:
    machine.present = present
    _, lost = taken(opened(FakeCamera(pictures)))
    assert lost.reason == reason
    assert "Desk camera" in str(lost)
    assert says in str(lost)


@pytest.mark.parametrize(("present", "reason"), [(True, "taken"), (False, "missing")])
def test_a_camera_that_does_not_open(machine: Machine, present: bool, reason: str) -> None:
    machine.present = present
    fake = FakeCamera(opened=False)
    _, lost = taken(opened(fake))
    assert lost.reason == reason
    assert fake.released


def test_a_camera_that_may_not_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera.os, "access", lambda *_: False)
    _, lost = taken(opened(FakeCamera(opened=False)))
    assert lost.reason == "denied"
    assert "group video" in str(lost)


def test_a_camera_that_comes_back_under_another_number_is_found_by_name(machine: Machine) -> None:
    machine.cameras = (Device("1", "Other"), Device("4", "Desk camera"))
    numbers = []

    def opener(number: int) -> FakeCamera:
        numbers.append(number)
        return FakeCamera(1)

    taken(Camera(DESK.choice, VirtualClock(), opener))
    assert numbers == [4]


def test_no_camera_at_all(machine: Machine) -> None:
    machine.cameras = ()
    _, lost = taken(opened(FakeCamera(), SourceChoice("device")))
    assert lost.reason == "missing"


def test_raw_pictures_where_they_are_fast_and_large_enough() -> None:
    fake = FakeCamera(modes={"YUYV": [(640, 480, 30.0)], "MJPG": [(640, 480, 60.0)]})
    assert best_format(fake, (640, 480), 30.0).fourcc == "YUYV"


def test_mjpg_where_only_that_is_fast() -> None:
    fake = FakeCamera(modes={"YUYV": [(1280, 720, 10.0)], "MJPG": [(1280, 720, 30.0)]})
    assert best_format(fake, (1280, 720), 30.0) == ("MJPG", 1280, 720, 30.0)


def test_mjpg_where_only_that_is_large() -> None:
    fake = FakeCamera(modes={"YUYV": [(640, 480, 30.0)], "MJPG": [(1280, 720, 30.0)]})
    assert best_format(fake, (1280, 720), 30.0) == ("MJPG", 1280, 720, 30.0)


def test_back_to_raw_where_mjpg_is_no_better() -> None:
    fake = FakeCamera(modes={"YUYV": [(640, 480, 15.0)], "MJPG": [(640, 480, 15.0)]})
    assert best_format(fake, (640, 480), 30.0).fourcc == "YUYV"
    assert fake.mode == (640, 480, 15.0)


@pytest.mark.parametrize(
    ("wish", "mode", "said"),
    [
        (PictureWish(), (640, 480, 30.0), "gives 640 x 480 at 30/s (YUYV)"),
        (PictureWish((1280, 720)), (1280, 720, 30.0), "gives 1280 x 720 at 30/s (MJPG)"),
        (PictureWish((1280, 720), 29.97), (1280, 720, 29.97),
         "gives 1280 x 720 at 29.97/s (MJPG)"),
        (PictureWish(None, 15.0), (640, 480, 15.0), "gives 640 x 480 at 15/s (YUYV)"),
        (PictureWish((1920, 1080), 60.0), (1280, 720, 30.0),
         "gives 1280 x 720 at 30/s (MJPG), not 1920 x 1080 at 60/s"),
        (PictureWish(None, 60.0), (640, 480, 30.0),
         "gives 640 x 480 at 30/s (YUYV), not 60/s"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_set_and_what_is_given_is_said(
    wish: PictureWish, mode: tuple[int, int, float], said: str
) -> None:
    modes = {"YUYV": [(640, 480, 30.0)], "MJPG": [(640, 480, 30.0), (1280, 720, 30.0)]}
    fake = FakeCamera(1, modes=modes)
    told: list[SourceStatus] = []
    clock = SimulatedClock()
    feed = Feed(
        DESK.choice.asking(wish), lambda c: Camera(c, clock, lambda _: fake), clock, told.append
    )
    samples = feed.samples()
    picture = next(samples)
    samples.close()  # type: ignore[attr-defined]
    assert picture.data.image.shape == (mode[1], mode[0], 3)
    assert fake.mode == mode
    (status,) = [status for status in told if status.state == "open"]
    assert status.gives == said
    assert status.unlike == (", not " in said)


def test_only_a_camera_is_asked_for_pictures() -> None:
    wish = PictureWish((1280, 720), 60.0)
    for choice in (SourceChoice("file", "a.mp4"), SourceChoice("synthetic")):
        assert choice.asking(wish) == choice
    assert DESK.choice.asking(wish) == SourceChoice("device", "0", "Desk camera", (1280, 720), 60.0)
    assert DESK.choice.asking(wish).asking(PictureWish()) == DESK.choice
