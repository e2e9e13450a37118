"""Where in the recording we are: pure arithmetic on an injected clock."""

from extractors.stream.clock import Clock

__all__ = ["Playhead"]


class Playhead:
    """A position that runs with a clock while playing. All times are nanoseconds.

    The clock is whatever masters playback: the sound that has left the loudspeaker, or the
    machine's monotonic clock where there is none. `follow` changes it without a jump, `set_speed`
    how far the position moves meanwhile.
    """

    def __init__(self, clock: Clock, duration: int) -> None:
        self.duration = max(0, duration)
        self._clock = clock
        self._anchor = 0
        self._since = 0
        self._playing = False
        self._speed = 1.0

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def position(self) -> int:
        """0 to `duration`."""
        if not self._playing:
            return self._anchor
        passed = max(0, self._clock.now() - self._since)
        return min(self.duration, self._anchor + round(passed * self._speed))

    @property
    def speed(self) -> float:
        """Seconds of the recording in a second of the clock."""
        return self._speed

    @property
    def at_end(self) -> bool:
        return self.position >= self.duration

    def play(self) -> None:
        """Run on; from the start again if the end was reached."""
        if self._playing:
            return
        if self.at_end:
            self._anchor = 0
        self._since = self._clock.now()
        self._playing = True

    def pause(self) -> None:
        self._anchor = self.position
        self._playing = False

    def seek(self, position: int) -> None:
        """Go to `position`, brought into the recording; goes on playing if it was."""
        self._anchor = min(max(0, position), self.duration)
        self._since = self._clock.now()

    def set_speed(self, speed: float) -> None:
        """Move at another speed from here on."""
        self._anchor = self.position
        self._since = self._clock.now()
        self._speed = speed

    def follow(self, clock: Clock) -> None:
        """Let another clock master the position from here on."""
        self._anchor = self.position
        self._clock = clock
        self._since = clock.now()
