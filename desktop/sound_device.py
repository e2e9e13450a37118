"""The loudspeaker, through PortAudio."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from assets.errors import AffectscopeError

__all__ = [
    "CHANNELS",
    "RATE",
    "Device",
    "FillBlock",
    "OpenDevice",
    "SoundUnavailable",
    "open_loudspeaker",
]

RATE = 48_000
"""Frames a second that are sent to the loudspeaker."""

CHANNELS = 2

LATENCY = 0.1
"""Seconds of sound that wait in the device: below it PulseAudio runs dry on a busy machine."""

FillBlock = Callable[[npt.NDArray[np.float32], int], None]
"""Fills float32 [n, 2], of which the first frame is heard after so many nanoseconds."""


class SoundUnavailable(AffectscopeError):
    """There is no loudspeaker, or no library to reach one."""


class Device(Protocol):
    """An open loudspeaker that asks for blocks until it is closed."""

    def close(self) -> None: ...


OpenDevice = Callable[[FillBlock], Device]


def open_loudspeaker(fill: FillBlock) -> Device:
    """Open the default output and start it. Raises SoundUnavailable."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the PortAudio library is not installed
        raise SoundUnavailable("no sound: the PortAudio library is missing") from error

    def callback(out: npt.NDArray[np.float32], _frames: int, times: Any, _status: Any) -> None:
        ahead = times.outputBufferDacTime - times.currentTime
        # Some hosts (ALSA over PulseAudio) leave the times at zero: then the stream's figure.
        fill(out, round((ahead if 0.0 < ahead < 2.0 else stream.latency) * 1e9))

    try:
        stream = sounddevice.OutputStream(
            samplerate=RATE, channels=CHANNELS, dtype="float32", latency=LATENCY, callback=callback
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        raise SoundUnavailable("no sound device") from error
    return _Loudspeaker(stream)


class _Loudspeaker:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()
