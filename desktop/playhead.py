"""Where in the recording we are: pure arithmetic on an injected clock."""

from extractors.stream.clock import Clock

__all__ = ["Playhead"]


class Playhead:
    """A position that runs with a clock while playing. All times are nanoseconds.

    The clock is whatever masters playback: the sound that has left the loudspeaker, or the
    machine's monotonic clock where there is none. `follow` changes it without a jump.
    """

    def __init__(self, clock: Clock, duration: int) -> None:
        self.duration = max(0, duration)
        self._clock = clock
        self._anchor = 0
        self._since = 0
        self._playing = False

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def position(self) -> int:
        """0 to `duration`."""
        if not self._playing:
            return self._anchor
        return min(self.duration, self._anchor + max(0, self._clock.now() - self._since))

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

    def follow(self, clock: Clock) -> None:
        """Let another clock master the position from here on."""
        self._anchor = self.position
        self._clock = clock
        self._since = clock.now()
