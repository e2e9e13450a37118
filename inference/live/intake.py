"""From the devices into the session: session time, and whether there is a session to go to."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from extractors.features import AudioBlock, VideoFrame
from extractors.stream import ChannelClosed, Clock, Output, Sample
from inference.live.branches import Channels
from inference.live.latency import Meters
from inference.live.reception import Reception

__all__ = ["Intake"]


class Intake:
    """Takes what the devices give, in their threads. All of it is shown, and while the session
    runs it is analysed and recorded too."""

    def __init__(
        self,
        clock: Clock,
        running: Callable[[], bool],
        channels: Channels,
        meters: Meters,
        seen: Reception,
        record: Callable[[Sample[Any]], None],
    ) -> None:
        self.zero: int | None = None
        """Where on the clock the session began; None before."""
        self._clock, self._running = clock, running
        self._channels, self._meters = channels, meters
        self._seen, self._record = seen, record

    def now(self) -> int:
        """Session time in nanoseconds; 0 before it begins."""
        return 0 if self.zero is None else self._clock.now() - self.zero

    def picture(self, sample: Sample[VideoFrame]) -> None:
        taken = self._session_time(sample)
        self._seen.picture = sample if taken is None else taken
        self._meters.event("camera", self._clock.now())
        if taken is not None:
            self._pass("picture", taken, self._channels.frames)

    def sound(self, sample: Sample[AudioBlock]) -> None:
        self._seen.hear(sample.data)
        taken = self._session_time(sample)
        if taken is not None:
            self._pass("sound", taken, self._channels.sound)

    def _session_time(self, sample: Sample[Any]) -> Sample[Any] | None:
        """The sample in session time; None if it is not to be analysed."""
        zero = self.zero
        if zero is None or not self._running() or sample.start < zero:
            return None  # the session has not begun, or the sample was taken before it
        return Sample(
            sample.stream, sample.start - zero, sample.end - zero,
            max(sample.published - zero, sample.end - zero), sample.data,
        )  # fmt: skip

    def _pass(self, stage: str, taken: Sample[Any], channel: Output) -> None:
        self._meters.delay(stage, self.now() - taken.end)
        with suppress(ChannelClosed):  # that branch has failed; it was told
            channel.put(taken)
        self._record(taken)
