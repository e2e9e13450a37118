"""Plays a recording: pictures, sound, and one position that both keep to."""

from desktop.media import OpenMedia
from desktop.pictures import PictureTrack
from desktop.playhead import Playhead
from desktop.sound import SoundTrack, Volume
from desktop.sound_device import OpenDevice, SoundUnavailable, open_loudspeaker
from extractors.features import VideoFrame
from extractors.stream import Clock, Failure, MonotonicClock, Sample, Worker
from extractors.stream.sample import SECOND

__all__ = ["SPEEDS", "Playback"]

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
"""The speeds that a person can choose. Sound keeps its pitch and stays in step at all of them."""

FRAME = SECOND // 25
"""A step where there are no pictures."""

MOST_OWED = 8
"""Steps that may wait: a key that is held down does not go on long after it was let go."""

PATIENCE = 2 * SECOND
"""How long an open device may stay mute before the monotonic clock takes over."""


class Playback:
    """All methods are called by one thread and return at once; decoding happens in others.

    While sound plays, the sound that was heard is the clock, and pictures follow it. Where there is
    no sound (none in the file, none in the machine) the monotonic clock is. A seek starts both
    decoders anew; while many come in (scrubbing), the next start waits for the first picture of the
    last one. `tick` does the due work and is called before each look at `picture`. Steps go from
    picture to picture by the times in the file; where the next one is not decoded yet they wait.
    """

    def __init__(
        self,
        open_media: OpenMedia | None,
        duration: int,
        open_device: OpenDevice = open_loudspeaker,
        clock: Clock | None = None,
    ) -> None:
        self.volume = Volume()
        self.notice: str | None = None
        """Why there is no sound, or no picture: one quiet line."""
        self._clock = MonotonicClock() if clock is None else clock
        self._playhead = Playhead(self._clock, duration)
        self._open_media = open_media
        self._open_device = open_device
        self._pictures: PictureTrack | None = None
        self._sound: SoundTrack | None = None
        self._sound_since = 0
        self._sound_wanted = open_media is not None
        self._restart = open_media is not None
        self._owed = 0  # steps that wait for the decoder; negative ones lead back
        self._landing = False  # the position goes to the start of the picture that comes
        self.loop: tuple[int, int] | None = None
        """While playing, the end of this range (nanoseconds) leads back to its start."""
        self._ending: list[Worker] = []

    @property
    def position(self) -> int:
        return self._playhead.position

    @property
    def duration(self) -> int:
        return self._playhead.duration

    @property
    def playing(self) -> bool:
        return self._playhead.playing

    @property
    def speed(self) -> float:
        return self._playhead.speed

    @property
    def late(self) -> int:
        """Pictures passed over since the last seek because a newer one was due."""
        return 0 if self._pictures is None else self._pictures.late

    def play(self) -> None:
        if self.playing:
            return
        if self.loop is not None and self.position >= self.loop[1]:
            self.seek(self.loop[0])
        before = self.position
        self._owed, self._landing = 0, False
        self._playhead.play()
        if self.position < before:
            self._restart = self._open_media is not None
        if not self._restart:
            self._start_sound()

    def pause(self) -> None:
        self._playhead.pause()
        self._stop_sound()

    def toggle(self) -> None:
        if self.playing:
            self.pause()
        else:
            self.play()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast from here on."""
        if speed != self.speed:
            self._playhead.set_speed(speed)
            if self.playing and not self._restart:
                self._start_sound()

    def seek(self, position: int) -> None:
        """Go to a position in nanoseconds; brought into the recording."""
        self._owed, self._landing = 0, False
        self._go(position)

    def _go(self, position: int) -> None:
        self._playhead.seek(position)
        near = self._pictures is not None and self._pictures.reaches(self.position)
        if self._open_media is not None and (self.playing or not near):
            self._restart = True

    def step(self, pictures: int) -> None:
        """So many pictures on, or back where negative; pauses."""
        self.pause()
        if self._open_media is None:
            self.seek(self.position + pictures * FRAME)
            return
        self._owed = max(-MOST_OWED, min(self._owed + pictures, MOST_OWED))
        self._take_steps()

    def _take_steps(self) -> None:
        """As many of the steps that are owed as the decoder has pictures for."""
        while (self._owed or self._landing) and not self._restart:
            if self._pictures is None or self._pictures.waiting:
                return
            current = self._pictures.at(self.position)
            if current is None:  # there is sound alone
                self.seek(self.position + self._owed * FRAME)
                return
            if self._landing:
                self._landing = False
                self._playhead.seek(current.start)
            elif self._owed < 0:
                self._owed += 1
                self._landing = self._restart = True
                self._playhead.seek(current.start - 1)
            else:
                following = self._pictures.next_start()
                if following is None and not self._pictures.ended:
                    return
                self._owed -= 1
                self._playhead.seek(current.start if following is None else following)

    def tick(self) -> None:
        """Start what is wanted, notice what has failed, stop at the end."""
        self._ending = [worker for worker in self._ending if worker.alive]
        if self._restart and (self._pictures is None or not self._pictures.waiting):
            self._restart = False
            self._start_pictures()
            if self.playing:
                self._start_sound()
        self._take_steps()
        self._watch_sound()
        if self._pictures is not None and self._pictures.failure is not None:
            self.notice = f"no picture: {_reason(self._pictures.failure)}"
        if self.playing and self.loop is not None and self.position >= self.loop[1]:
            self.seek(self.loop[0])
        elif self.playing and self._playhead.at_end:
            self.pause()
        elif self.playing and self._pictures is not None and self._pictures.lags(self.position):
            self._start_pictures()

    def picture(self) -> Sample[VideoFrame] | None:
        """What belongs on the screen at the present position."""
        return None if self._pictures is None else self._pictures.at(self.position)

    @property
    def waiting(self) -> bool:
        """Whether the picture for the present position has yet to come."""
        decoding = self._pictures is not None and self._pictures.waiting
        return bool(self._restart or self._owed or self._landing or decoding)

    @property
    def settled(self) -> bool:
        """Whether nothing will change until someone acts: the window may rest."""
        return not (self.playing or self.waiting or self._ending)

    def close(self, deadline: float = 3.0) -> bool:
        """Stop all threads. Returns whether they ended within `deadline` seconds."""
        self.pause()
        self._restart = False
        if self._pictures is not None:
            self._ending.append(self._pictures.stop())
            self._pictures = None
        share = deadline / max(1, len(self._ending))
        ended = [worker.join(share) for worker in self._ending]
        self._ending = []
        return all(ended)

    def _start_pictures(self) -> None:
        if self._pictures is not None:
            self._ending.append(self._pictures.stop())
        assert self._open_media is not None
        self._pictures = PictureTrack(self._open_media, self.position)

    def _start_sound(self) -> None:
        self._stop_sound()
        if not self._sound_wanted or self._playhead.at_end:
            return
        assert self._open_media is not None
        self._sound = SoundTrack(
            self._open_media,
            self.position,
            self._open_device,
            self.volume,
            self._clock,
            self.speed,
        )
        self._sound_since = self._clock.now()
        self._playhead.follow(self._sound)

    def _stop_sound(self) -> None:
        self._playhead.follow(self._clock)
        if self._sound is not None:
            self._ending.append(self._sound.stop())
            self._sound = None

    def _watch_sound(self) -> None:
        """Go on by the monotonic clock where the sound does not come."""
        sound = self._sound
        if sound is None:
            return
        if sound.failure is not None:
            self.notice = _reason(sound.failure)
            self._sound_wanted = False
            self._stop_sound()
        elif sound.silent:
            self._stop_sound()
        elif not sound.started and self._clock.now() - self._sound_since > PATIENCE:
            self.notice = "the sound device does not answer"
            self._sound_wanted = False
            self._stop_sound()


def _reason(failure: Failure) -> str:
    if isinstance(failure.error, SoundUnavailable):
        return str(failure.error)
    return str(failure)
