"""Words and voice from a microphone, while they are spoken.

Nothing is decoded where nobody speaks. Where someone does, the sound since the last pause is read
several times a second, and the words on which two successive readings agree are committed.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from extractors.features import SAMPLE_RATE, AudioBlock, FloatArray, VoiceFeatures, Word
from extractors.live_run import Run
from extractors.live_words import Heard
from extractors.quick_decoding import QuickDecoder
from extractors.speech import SpeechModel
from extractors.stream import SECOND, Sample
from extractors.voice import STEP
from extractors.voice_activity import VoiceActivity
from extractors.voice_model import VoiceModel

__all__ = ["PACES", "LiveSpeechStage", "Pace", "SpeechCost", "open_live_speech_stage"]

SpeechData = Word | tuple[Word, ...] | VoiceFeatures | tuple[Sample[VoiceFeatures], ...] | None

GAP = SECOND // 20
"""Sound that begins so much later than expected does not join on; less is jitter."""
SILENCE = SAMPLE_RATE // 2
"""Samples of silence that the encoder hears behind the sound: where sound breaks off at once, words
are made up that nobody said (benchmarks/broken_off.py)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the sound is read: every `interval` nanoseconds, using at most `share` of a core.

    After a pass that cost c nanoseconds the next one comes c / share later at the earliest, so that
    a slow machine makes fewer passes and never falls behind.
    """

    interval: int
    share: float


PACES = (
    Pace(2 * SECOND // 10, 0.9),
    Pace(4 * SECOND // 10, 0.4),
    Pace(6 * SECOND // 10, 0.3),
    Pace(SECOND, 0.25),
)
"""The steps of the ladder, the quickest first."""


@dataclass(frozen=True, slots=True)
class SpeechCost:
    """What live speech has cost so far; durations in nanoseconds of the injected cost clock."""

    heard: int = 0
    """Sound taken."""
    passes: int = 0
    busy: int = 0
    last: int = 0
    longest: int = 0


class LiveSpeechStage:
    """Blocks of sound as they are captured to four streams, each in time order by itself.

    - "word": a committed `Word`, or None: no further word ends before
    - "tentative": tuple of the `Word`s that are heard but not committed; replaces the last one
    - "voice": `VoiceFeatures` of a tenth of a second, as a file gives them; up to 4 s late
    - "tentative voice": tuple of samples of `VoiceFeatures`, the tenths after the last of "voice";
      replaces the last one

    A sample without data in the inbox says that there is no sound until then. Times may jump: what
    was spoken before is then complete. Sound of a time already heard is left out. `clock` stamps
    what is published, `cost` measures passes; both in nanoseconds. `step` (0 to 3) is the step of
    the ladder and `spent` what was spent; both may be used from other threads.
    """

    def __init__(
        self,
        model: SpeechModel,
        voice_model: VoiceModel,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        cost: Callable[[], int] = time.perf_counter_ns,
        decoder: QuickDecoder | None = None,
    ) -> None:
        self.step = 0
        self.spent = SpeechCost()
        self._model, self._voice_model = model, voice_model
        self._decoder = decoder or QuickDecoder(model)
        self._clock = clock
        self._cost = cost
        self._activities = VoiceActivity(), VoiceActivity()
        self._run: Run | None = None
        self._voice_step = 0
        self._words_until = 0
        self._tentative = False

    def process(self, sample: Sample[AudioBlock | None]) -> Iterator[Sample[SpeechData]]:
        if sample.data is None:
            yield from self._silence(sample.end)
            return
        samples, start = sample.data.samples, sample.start
        run = self._run
        if run is not None and start < run.end - GAP:  # of a time already heard
            late = (run.end - start) * SAMPLE_RATE // SECOND
            samples, start = samples[late:], run.end
        if run is not None and start > run.end + GAP:
            yield from self._complete()
            run = None
        if run is None:
            run = self._run = Run(start, *self._activities)
        elif not run.listening:
            run.move(start)
        if len(samples) == 0:
            return
        run.add(samples)
        spent = self.spent
        self.spent = SpeechCost(
            spent.heard + len(samples) * SECOND // SAMPLE_RATE,
            spent.passes, spent.busy, spent.last, spent.longest,
        )  # fmt: skip
        if run.must_settle or run.end >= run.next_pass:
            yield from self._pass(run, final=run.must_settle)

    def finish(self) -> Iterator[Sample[SpeechData]]:
        yield from self._complete()

    def _silence(self, until: int) -> Iterator[Sample[SpeechData]]:
        if self._run is not None and until <= self._run.end + GAP:
            return
        yield from self._complete()
        yield from self._passed(until)

    def _complete(self) -> Iterator[Sample[SpeechData]]:
        """Everything that the present run of sound still holds."""
        run, self._run = self._run, None
        if run is not None:
            yield from self._pass(run, final=True, ended=True)
            yield from self._passed(run.end)

    def _pass(self, run: Run, *, final: bool, ended: bool = False) -> Iterator[Sample[SpeechData]]:
        """The words of one reading are given before the voice is computed: they wait for nothing
        that they do not need."""
        pace = PACES[self.step]
        began = self._cost()
        committed: list[Heard] = []
        tentative: tuple[Heard, ...] = ()
        decoded = run.words.begin is not None and run.worth_decoding and not run.settled
        if decoded:
            committed, tentative = run.hear(self._encode, self._decoder, final=final)
        took = self._cost() - began
        published = self._clock()
        yield from self._words(run, committed, published)
        if decoded and (tentative or self._tentative):
            self._tentative = bool(tentative)
            words = tuple(run.word(heard) for heard in tentative)
            start = max(self._words_until, min((word.start for word in words), default=run.end))
            yield Sample("tentative", min(start, run.end), run.end, published, words)
        yield from self._passed(run.silent_until, published)
        began = self._cost()
        voice = list(self._voice(run, _VoiceEncoder(self._voice_model, run), ended=ended))
        took += self._cost() - began
        spent = self.spent
        self.spent = SpeechCost(
            spent.heard, spent.passes + decoded, spent.busy + took, took,
            max(spent.longest, took),
        )  # fmt: skip
        run.next_pass = run.end + max(pace.interval, math.ceil(took / pace.share))
        run.forget()
        yield from voice

    def _encode(self, sound: FloatArray) -> FloatArray:
        return self._model.encode(sound, silence=SILENCE)

    def _words(
        self, run: Run, committed: list[Heard], published: int
    ) -> Iterator[Sample[SpeechData]]:
        for heard in committed:
            word = run.word(heard)
            until = max(word.end, self._words_until)
            since = min(word.start, until)
            self._words_until = until
            data = Word(word.text, since, until, word.probability)
            yield Sample("word", since, until, published, data)

    def _passed(self, until: int, published: int | None = None) -> Iterator[Sample[SpeechData]]:
        if until > self._words_until:
            self._words_until = until
            at = self._clock() if published is None else published
            yield Sample("word", until, until, at, None)

    def _voice(
        self, run: Run, encode: "_VoiceEncoder", *, ended: bool
    ) -> Iterator[Sample[SpeechData]]:
        first = max(self._voice_step, run.start // STEP)
        steps = run.voice.steps(first, run.start, run.now, run.sound, encode, ended=ended)
        self._voice_step = first + len(steps.settled)
        published = self._clock()
        samples: list[Sample[VoiceFeatures]] = [
            Sample("voice", (first + i) * STEP, (first + i + 1) * STEP, published, features)
            for i, features in enumerate(chain(steps.settled, steps.tentative))
        ]
        count = len(steps.settled)
        for sample in samples[:count]:
            yield Sample("voice", sample.start, sample.end, published, sample.data)
        tentative = tuple(samples[count:])
        if tentative:
            start, end = tentative[0].start, tentative[-1].end
            yield Sample("tentative voice", start, end, published, tentative)


class _VoiceEncoder:
    """States of the voice in a piece of a run; the same piece is encoded once."""

    def __init__(self, model: VoiceModel, run: Run) -> None:
        self._model = model
        self._run = run
        self._known: dict[tuple[int, int], FloatArray] = {}

    def __call__(self, begin: int, end: int) -> FloatArray:
        key = (begin, end)
        if key not in self._known:
            self._known[key] = self._model.encode(self._run.sound(begin, end))
        return self._known[key]


@contextmanager
def open_live_speech_stage(
    model: Callable[[], SpeechModel],
    voice_model: Callable[[], VoiceModel],
    clock: Callable[[], int] = time.monotonic_ns,
) -> Iterator[LiveSpeechStage]:
    """The stage; the models are shared and stay with whoever gives them."""
    yield LiveSpeechStage(model(), voice_model(), clock=clock)
