"""A microphone through PortAudio."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from extractors.features import AudioBlock, FloatArray
from extractors.sources.choice import SourceChoice
from extractors.sources.devices import microphones
from extractors.sources.live_sound import LiveSound
from extractors.sources.source import SourceInfo, SourceLost
from extractors.stream import SECOND, Clock, Sample

__all__ = ["InputStream", "Microphone", "OpenInput", "RawBlock", "credible_age", "open_input"]

BLOCK_SECONDS = 0.02
PATIENCE = 2.0
"""Seconds without a block before the microphone counts as gone."""
LOOK = 0.1
"""Seconds between looks whether the device still runs."""
HELD = 250
"""Blocks that wait at most between the callback and the thread: 5 s."""
WRONG_RATE = 3
"""Shifts of the time in successive seconds that show that the rate is not what was said."""


class RawBlock(NamedTuple):
    """What the callback copies."""

    samples: FloatArray
    """[n, channels]"""
    time: int
    """Session nanoseconds at which the first sample was taken."""


class InputStream(Protocol):
    """An open microphone."""

    name: str
    rate: float
    channels: int

    @property
    def active(self) -> bool:
        """False once the device has ended it."""
        ...

    def close(self) -> None: ...


OpenInput = Callable[[SourceChoice, Clock, Callable[[RawBlock, bool], None]], InputStream]
"""Opens and starts; the function gets each block, and whether the device lost some before it."""


class Microphone:
    """One opening of a microphone; a `Source[AudioBlock]`.

    Any rate and one or two channels come in; what comes out is mono at 16 kHz of session time.
    The callback of the device only copies.
    """

    def __init__(self, choice: SourceChoice, clock: Clock, opener: OpenInput | None = None) -> None:
        self.info: SourceInfo | None = None
        self.sound: LiveSound | None = None
        """Knows the drift; None until the first block."""
        self.overflows = 0
        """How often the device lost sound, or we were too slow for 5 s."""
        self._choice = choice
        self._clock = clock
        self._opener = opener or open_input
        self._closing = threading.Event()
        self._arrived = threading.Event()
        self._blocks: deque[RawBlock] = deque(maxlen=HELD)

    @property
    def drift_ppm(self) -> float | None:
        return None if self.sound is None else self.sound.clock.drift_ppm

    def close(self) -> None:
        self._closing.set()
        self._arrived.set()

    def samples(self) -> Iterator[Sample[AudioBlock]]:
        stream = self._opener(self._choice, self._clock, self._take)
        try:
            self.sound = sound = LiveSound(stream.rate)
            wrong, gaps, next_look = 0, 0, stream.rate
            for block in self._raw_blocks(stream):
                if self.info is None:
                    detail = "mono" if stream.channels == 1 else f"{stream.channels} channels"
                    self.info = SourceInfo(stream.name, None, stream.rate, detail)
                mono = block.samples.mean(axis=1, dtype=np.float32)
                yield from sound.push(mono, block.time, self._clock.now())
                next_look -= len(mono)
                if next_look <= 0:
                    next_look = stream.rate
                    wrong = wrong + 1 if sound.gaps > gaps else 0
                    gaps = sound.gaps
                    if wrong >= WRONG_RATE:
                        raise SourceLost(
                            "failed", f"{stream.name} changed its sample rate; it is opened again"
                        )
        finally:
            stream.close()

    def _take(self, block: RawBlock, lost: bool) -> None:
        if lost or len(self._blocks) == HELD:
            self.overflows += 1
        self._blocks.append(block)
        self._arrived.set()

    def _raw_blocks(self, stream: InputStream) -> Iterator[RawBlock]:
        waited = 0.0
        while not self._closing.is_set():
            if self._arrived.wait(LOOK):
                waited = 0.0
                self._arrived.clear()
                while self._blocks and not self._closing.is_set():
                    yield self._blocks.popleft()
                continue
            waited += LOOK
            if waited >= PATIENCE or not stream.active:
                raise SourceLost(
                    "unplugged",
                    f"{stream.name} gives no more sound; check its plug and its switch. "
                    "It goes on when it is back",
                )


def credible_age(adc_time: float, current_time: float, latency: float) -> float:
    """Seconds since the first sample of a block was taken; all times in seconds.

    That is what PortAudio says, unless it cannot be: some hosts leave the times at zero, and over
    PulseAudio they are off by up to half a second in one opening of two. Then it is the latency
    of the stream. A block that really is so old comes late, and late blocks do not count.
    """
    age = current_time - adc_time
    return age if adc_time > 0 and 0 <= age <= 2 * latency + BLOCK_SECONDS else latency


def open_input(
    choice: SourceChoice, clock: Clock, take: Callable[[RawBlock, bool], None]
) -> InputStream:
    """Open a PortAudio input at the rate it has now. Raises SourceLost."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise SourceLost(
            "missing",
            "no sound: the PortAudio library is missing; install libportaudio2",
            hopeless=True,
        ) from error
    device = _find(choice)
    try:
        description = sounddevice.query_devices(device, "input")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise _missing(choice) from error
    name, rate = str(description["name"]), float(description["default_samplerate"])
    channels = min(2, int(description["max_input_channels"]))
    stream: Any = None

    def callback(indata: npt.NDArray[np.float32], _frames: int, times: Any, status: Any) -> None:
        latency = BLOCK_SECONDS if stream is None else stream.latency
        age = credible_age(times.inputBufferAdcTime, times.currentTime, latency)
        take(
            RawBlock(indata.copy(), clock.now() - round(age * SECOND)), bool(status.input_overflow)
        )

    try:
        stream = sounddevice.InputStream(
            samplerate=rate,
            blocksize=round(rate * BLOCK_SECONDS),
            device=device,
            channels=channels,
            dtype="float32",
            latency="low",
            callback=callback,
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        if stream is not None:
            stream.close()
        microphones(refresh=True)  # it may have been unplugged: the next try sees a new list
        raise SourceLost(
            "taken", f"{name} cannot be opened: another program may use it; close that"
        ) from error
    return _PortAudioInput(stream, name, rate, channels)


class _PortAudioInput:
    def __init__(self, stream: Any, name: str, rate: float, channels: int) -> None:
        self.name, self.rate, self.channels = name, rate, channels
        self._stream = stream

    @property
    def active(self) -> bool:
        return bool(self._stream.active)

    def close(self) -> None:
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)


def _find(choice: SourceChoice) -> int | None:
    """The device's number now; None for the default. Raises SourceLost if it is not there."""
    found = microphones()
    named = [device for device in found if choice.name and device.name == choice.name]
    if choice.name and not named:
        found = microphones(refresh=True)
        named = [device for device in found if device.name == choice.name]
    if named:
        same = [device for device in named if device.where == choice.where]
        return int((same or named)[0].where)
    if choice.name or not found:
        raise _missing(choice)
    return int(choice.where) if choice.where else None


def _missing(choice: SourceChoice) -> SourceLost:
    name = choice.name or (f"microphone {choice.where}" if choice.where else "a microphone")
    return SourceLost("missing", f"{name} is not there; plug it in or choose another source")
