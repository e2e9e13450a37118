"""Sound without a gap from a microphone: where somebody speaks in it, and what is listened to."""

from collections.abc import Callable

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray, Word
from extractors.live_voice import LiveVoice
from extractors.live_words import Heard, LiveWords
from extractors.quick_decoding import QuickDecoder
from extractors.stream import SECOND
from extractors.utterances import PADDING_MS
from extractors.voice import STEP
from extractors.voice_activity import FRAME, SpeechDetector, VoiceActivity
from extractors.voice_model import CHUNK

__all__ = ["Run"]

SETTLE = 4 * SAMPLE_RATE // 10
"""A pause of so many samples commits all words."""
RESET = 2 * SAMPLE_RATE
"""After a pause of so many samples the next speech is read on its own."""
LEAST_SPEECH = 3 * FRAME
"""Samples of probable speech before anything is decoded: a click is no word."""
KEPT = 3 * SAMPLE_RATE // 2
"""Samples kept while nobody speaks, for what begins before it is noticed."""
PADDING = PADDING_MS * SAMPLE_RATE // 1000


class Run:
    """Sound without a gap, and what is spoken in it. Positions are samples from its first one."""

    def __init__(self, start: int, in_words: VoiceActivity, in_voice: VoiceActivity) -> None:
        """Take two networks that judge frames, which are made to forget what they heard before.

        That of the words begins anew after each pause, for the memory of loud speech makes it miss
        the beginning of quiet speech, or all of it. That of the voice goes on, as in a file.
        """
        self.start = start
        self.now = 0
        self.next_pass = start
        self.settled = False
        self.words = LiveWords()
        self.voice = LiveVoice()
        for activity in (in_words, in_voice):
            activity.reset()
        self._in_words, self._in_voice = in_words, in_voice
        self._detector, self._voice_detector = SpeechDetector(), SpeechDetector()
        self._held = np.zeros(0, np.float32)
        self._first = 0
        self._speech_end = 0
        self._voice_end = 0

    @property
    def end(self) -> int:
        """Session time up to which sound was heard."""
        return self.time(self.now)

    @property
    def listening(self) -> bool:
        return self.words.begin is not None or self.voice.begin is not None

    @property
    def worth_decoding(self) -> bool:
        return self._detector.probable >= LEAST_SPEECH

    @property
    def must_settle(self) -> bool:
        """Whether a pause has begun whose words are not yet committed."""
        if self.words.begin is None or self.settled or not self.worth_decoding:
            return False
        return self._detector.start is None or self._detector.quiet >= SETTLE

    @property
    def _silence(self) -> int:
        """Where the present pause began, or else now."""
        if self._detector.start is None:
            return self._speech_end
        quiet_since = self._detector.quiet_since
        return self.now if quiet_since is None else quiet_since

    @property
    def silent_until(self) -> int:
        """No further word ends before."""
        if self.words.begin is None:
            return self.time(max(0, self.now - PADDING - FRAME))
        return self.start if not self.settled else self.time(max(0, self._speech_end))

    def time(self, position: int) -> int:
        return self.start + position * SECOND // SAMPLE_RATE

    def word(self, heard: Heard) -> Word:
        end = min(heard.end, self.now)
        return Word(heard.text, self.time(min(heard.start, end)), self.time(end), heard.probability)

    def move(self, start: int) -> None:
        """Sound that follows begins at session time `start`: clocks jitter. Only while quiet."""
        self.start += start - self.end

    def sound(self, begin: int, end: int) -> FloatArray:
        return self._held[max(0, begin - self._first) : end - self._first]

    def add(self, samples: FloatArray) -> None:
        self._held = np.concatenate([self._held, samples])
        self.now += len(samples)
        heard = self._detector.now
        frames = self.sound(heard, heard + (self.now - heard) // FRAME * FRAME).reshape(-1, FRAME)
        for frame in frames[:, None]:
            self._follow_words(float(self._in_words(frame)[0]))
        for probability in self._in_voice(frames):
            self._follow_voice(float(probability))

    def _follow_words(self, probability: float) -> None:
        detector = self._detector
        spoke, paused = detector.start is not None, detector.quiet_since
        detector.add(probability)
        if detector.start is not None and not spoke:
            at = self._beginning(detector.start, self._speech_end)
            if self.words.begin is None:
                self.words.open(at)
            else:
                self.words.resume(at)
        elif spoke and detector.start is None:
            assert paused is not None
            self._speech_end = paused
            self._in_words.reset()
        if detector.start is not None and detector.quiet_since is None:
            self.settled = False
        if (
            detector.start is None
            and detector.now - self._speech_end >= RESET
            and (self.settled or not self.worth_decoding)
        ):
            self.words.close()

    def _follow_voice(self, probability: float) -> None:
        detector = self._voice_detector
        spoke, paused = detector.start is not None, detector.quiet_since
        detector.add(probability)
        if detector.start is not None and not spoke:
            self.voice.open(self._beginning(detector.start, self._voice_end))
        elif spoke and detector.start is None:
            assert paused is not None
            self._voice_end = paused
            self.voice.close(paused + PADDING)

    def _beginning(self, at: int, end: int) -> int:
        """Where to listen from if speech begins at `at` and the last ended at `end`: a little
        before, and where a tenth of a second begins."""
        at = max(0, self._first, at - PADDING, end)
        whole = self.time(at) // STEP * STEP - self.start
        return max(0, whole * SAMPLE_RATE // SECOND)

    def hear(
        self, encode: Callable[[FloatArray], FloatArray], decode: QuickDecoder, *, final: bool
    ) -> tuple[list[Heard], tuple[Heard, ...]]:
        """One pass: the words that are committed by it and those that remain tentative."""
        heard = self.words.hear(
            lambda begin: encode(self.sound(begin, self.now)),
            decode, self.now, self._silence, self._detector.probable, final=final,
        )  # fmt: skip
        if final:
            self.settled = True
            self._speech_end = self._detector.quiet_since or self._speech_end
        self.words.cut(self.now)
        return heard

    def forget(self) -> None:
        """Let go of sound that nobody asks for any more."""
        keep = self.now - KEPT
        if self.words.begin is not None:
            keep = min(keep, self.words.begin)
        if self.voice.begin is not None:
            keep = min(keep, self.now - 2 * CHUNK)
        if keep > self._first:
            self._held = self._held[keep - self._first :].copy()
            self._first = keep
