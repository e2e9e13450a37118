"""Plays a recording: pictures, sound, and one position that both keep to."""

from collections import deque

from desktop.media import OpenMedia
from desktop.pictures import PictureTrack
from desktop.playhead import Playhead
from desktop.sound import SoundTrack, Volume
from desktop.sound_device import OpenDevice, SoundUnavailable, open_loudspeaker
from extractors.features import VideoFrame
from extractors.stream import Clock, Failure, MonotonicClock, Sample, Worker
from extractors.stream.sample import SECOND

__all__ = ["Playback"]

FRAME = SECOND // 25
"""Length of a picture until two have been seen."""

PATIENCE = 2 * SECOND
"""How long an open device may stay mute before the monotonic clock takes over."""


class Playback:
    """All methods are called by one thread and return at once; decoding happens in others.

    While sound plays, the sound that was heard is the clock, and pictures follow it. Where there is
    no sound (none in the file, none in the machine) the monotonic clock is. A seek starts both
    decoders anew; while many come in (scrubbing), the next start waits for the first picture of the
    last one. `tick` does the due work and is called before each look at `picture`.
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
        self._starts: deque[int] = deque(maxlen=512)
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
    def late(self) -> int:
        """Pictures passed over since the last seek because a newer one was due."""
        return 0 if self._pictures is None else self._pictures.late

    def play(self) -> None:
        if self.playing:
            return
        before = self.position
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

    def seek(self, position: int) -> None:
        """Go to a position in nanoseconds; brought into the recording."""
        self._playhead.seek(position)
        near = self._pictures is not None and self._pictures.reaches(self.position)
        if self._open_media is not None and (self.playing or not near):
            self._restart = True

    def step(self, pictures: int) -> None:
        """One picture on (1) or back (-1); pauses."""
        self.pause()
        if pictures > 0:
            following = None if self._pictures is None else self._pictures.next_start()
            self.seek(self.position + FRAME if following is None else following)
            return
        now = self._starts[-1] if self._starts else self.position
        earlier = [start for start in self._starts if now - SECOND // 5 < start < now]
        self.seek(max(earlier, default=now - FRAME))

    def tick(self) -> None:
        """Start what is wanted, notice what has failed, stop at the end."""
        self._ending = [worker for worker in self._ending if worker.alive]
        if self._restart and (self._pictures is None or not self._pictures.waiting):
            self._restart = False
            self._start_pictures()
            if self.playing:
                self._start_sound()
        self._watch_sound()
        if self._pictures is not None and self._pictures.failure is not None:
            self.notice = f"no picture: {_reason(self._pictures.failure)}"
        if self.playing and self._playhead.at_end:
            self.pause()

    def picture(self) -> Sample[VideoFrame] | None:
        """What belongs on the screen at the present position."""
        if self._pictures is None:
            return None
        picture = self._pictures.at(self.position)
        if picture is not None and (not self._starts or self._starts[-1] != picture.start):
            self._starts.append(picture.start)
        return picture

    @property
    def settled(self) -> bool:
        """Whether nothing will change until someone acts: the window may rest."""
        waiting = self._pictures is not None and self._pictures.waiting
        return not (self.playing or self._restart or waiting or self._ending)

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
            self._open_media, self.position, self._open_device, self.volume, self._clock
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
