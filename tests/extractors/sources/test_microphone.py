"""The microphone, with a sound device that the test plays."""

import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from extractors.sources import SourceChoice, SourceLost, microphone
from extractors.sources.microphone import HELD, Microphone, RawBlock, credible_age
from extractors.stream import SECOND, Clock, VirtualClock

CHOICE = SourceChoice("device", "0", "Desk microphone")


class Device:
    """Plays `seconds` of silence at once, then falls silent or ends."""

    name = "Desk microphone"

    def __init__(
        self,
        seconds: float,
        rate: float = 48_000,
        true_rate: float | None = None,
        channels: int = 2,
    ) -> None:
        self.rate, self.channels = rate, channels
        self.active = False
        self.closed = False
        self._seconds = seconds
        self._true_rate = true_rate or rate

    def open(
        self, _choice: SourceChoice, _clock: Clock, take: Callable[[RawBlock, bool], None]
    ) -> "Device":
        size = round(self.rate / 25)
        for index in range(0, round(self._seconds * self._true_rate), size):
            sound = np.full((size, self.channels), 0.25, np.float32)
            sound[:, 1] = 0.75
            take(RawBlock(sound, round(index / self._true_rate * SECOND)), False)
        return self

    def close(self) -> None:
        self.closed = True


def heard(device: Device) -> tuple[Microphone, list[Any], SourceLost]:
    source = Microphone(CHOICE, VirtualClock(), device.open)
    found = []
    try:
        for sample in source.samples():
            found.append(sample)  # noqa: PERF402 what came before the loss counts
    except SourceLost as lost:
        assert device.closed
        return source, found, lost
    raise AssertionError("it was not lost")


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_any_rate_becomes_16_khz_mono(rate: float) -> None:
    source, found, _ = heard(Device(4, rate))
    assert source.info is not None
    assert source.info.rate == rate
    samples = np.concatenate([s.data.samples for s in found])
    assert len(samples) == pytest.approx(4 * SAMPLE_RATE, abs=1600)
    np.testing.assert_allclose(samples[2000:], 0.5, atol=0.01)


def test_a_device_that_ends_is_lost() -> None:
    _, _, lost = heard(Device(1))
    assert lost.reason == "unplugged"
    assert "Desk microphone" in str(lost)


def test_a_rate_that_is_not_what_was_said_is_noticed() -> None:
    _, _, lost = heard(Device(8, 48_000, true_rate=44_100))
    assert "sample rate" in str(lost)


def test_sound_that_nobody_fetches_is_counted() -> None:
    source = Microphone(CHOICE, VirtualClock(), Device(12, 16_000).open)
    assert next(iter(source.samples())).stream == "audio"
    assert source.overflows == 12 * 25 - HELD


def test_close_ends_it_while_nothing_comes() -> None:
    device = Device(0.0)
    device.active = True
    source = Microphone(CHOICE, VirtualClock(), device.open)
    threading.Timer(0.05, source.close).start()
    assert list(source.samples()) == []
    assert device.closed


def test_without_a_device_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "microphones", lambda **_: ())
    with pytest.raises(SourceLost) as lost:
        list(Microphone(CHOICE, VirtualClock()).samples())
    assert lost.value.reason == "missing"
    assert "Desk microphone" in str(lost.value)


class FakePortAudio:
    """The part of sounddevice that is used; a device that was pulled out stays in the old list."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        self.listed = ["Desk microphone", "Other"]
        self.plugged = ["Other"]
        self.opened: list[int] = []
        self.default = SimpleNamespace(device=(0, 0))

    def query_devices(self, device: int | None = None, _kind: str = "") -> Any:
        found = [
            {"name": name, "max_input_channels": 1, "default_samplerate": 16_000.0}
            for name in self.listed
        ]
        return found if device is None else found[device]

    def InputStream(self, device: int, **_: Any) -> Any:  # noqa: N802
        self.opened.append(device)
        if self.listed != self.plugged:
            raise self.PortAudioError("Illegal combination of I/O devices")
        nothing = SimpleNamespace(start=lambda: None, abort=lambda **_: None, latency=0.02)
        nothing.close = lambda **_: None
        nothing.active = False
        return nothing

    def _terminate(self) -> None:
        self.listed = []

    def _initialize(self) -> None:
        self.listed = list(self.plugged)


def test_a_microphone_that_was_pulled_out_is_looked_for_in_a_new_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audio = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", audio)
    reasons = []
    for plugged in (["Other"], ["Other"], ["Other", "Desk microphone"]):
        audio.plugged = plugged
        with pytest.raises(SourceLost) as lost:
            list(Microphone(CHOICE, VirtualClock()).samples())
        reasons.append(lost.value.reason)
    assert reasons == ["taken", "missing", "unplugged"], "at last it was open, and gave nothing"
    assert audio.opened == [0, 1], "it came back under another number"


@pytest.mark.parametrize(
    ("adc", "now", "latency", "age"),
    [
        (10.0, 10.03, 0.04, 0.03),
        (0.0, 10.0, 0.04, 0.04),
        (9.5, 10.0, 0.04, 0.04),
        (10.1, 10.0, 0.04, 0.04),
    ],
)
def test_an_age_is_believed_as_far_as_it_can_be(
    adc: float, now: float, latency: float, age: float
) -> None:
    assert credible_age(adc, now, latency) == pytest.approx(age)
