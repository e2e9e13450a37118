"""Live transcription: delay from the end of a word to its commitment, word errors, growth.

    python benchmarks/live_transcription.py [PART...] [--clips 40] [--actors N...] [--minutes 10]
        [--step 0] [--lead 0] [--pass-seconds WORDS VOICE]

Parts (all but `real-time` unless named): `speech`, `silence`, `loop`, `real-time`. Blocks of 40 ms
arrive on a virtual clock: it stands at the end of the block or, if the stage is still busy, where
the stage has come to, and what the stage costs in processor time is added. So delays include the
computation, though not that of others on the machine; with --pass-seconds the words and then the
voice of each pass cost as much as is said, so that the result depends on no machine. In `real-time`
the clock is the real one.

Sound from ../shared (or $AFFECTSCOPE_SHARED): jfk.flac and RAVDESS, whose texts are known, and
talking_head_speech_8s.mp4, for which the text of `SpeechModel.words` stands in. Delays are taken
against the ends that the words have offline. Prints one JSON object.
"""

import argparse
import functools
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.pretrained import path_of
from benchmarks.unpadded_words import SENTENCES, errors
from extractors.features import SAMPLE_RATE, VOICE_SET, AudioBlock, FloatArray, Word
from extractors.live_speech import LiveSpeechStage
from extractors.quick_decoding import QuickDecoder
from extractors.speech import SpeechModel, SpokenWord
from extractors.stream import SECOND, Sample, to_seconds
from extractors.video_file import VideoFile
from extractors.voice_model import VoiceModel

BLOCK = SAMPLE_RATE // 25
JFK = (
    "and so my fellow americans ask not what your country can do for you "
    "ask what you can do for your country"
)


@dataclass(frozen=True)
class Heard:
    """A committed word and when it was published, in seconds."""

    word: Word
    published: float


@dataclass(frozen=True)
class Hearing:
    words: list[Heard]
    seconds: float
    passes: int
    busy: float
    """Seconds of passes."""
    behind: float
    """The most that the clock was behind the sound, in seconds."""


class GivenCost:
    """A clock that a stage reads before and after the words, and before and after the voice, of
    each pass: it moves by `words` and by `voice`, in nanoseconds."""

    def __init__(self, words: int, voice: int) -> None:
        self._costs = (words, voice)
        self._read = 0
        self._spent = 0

    def __call__(self) -> int:
        if self._read % 2:
            self._spent += self._costs[self._read // 2 % 2]
        self._read += 1
        return self._spent

    def spent(self) -> int:
        return self._spent


@functools.cache
def voice_model() -> VoiceModel:
    return VoiceModel(path_of(VOICE_SET))


def listen(
    model: SpeechModel,
    decoder: QuickDecoder,
    sound: FloatArray,
    step: int,
    real: bool = False,
    seconds: Sequence[float] | None = None,
) -> Hearing:
    """Play `sound` to a new stage; if `seconds` are given, words and voice of each pass take as
    much."""
    measure: Callable[[], int] = time.perf_counter_ns if real else time.process_time_ns
    cost = measure
    if seconds is not None:
        passes = GivenCost(*(round(part * SECOND) for part in seconds))
        measure, cost = passes.spent, passes
    at, entered, began = 0, measure(), time.perf_counter_ns()

    def clock() -> int:
        return time.perf_counter_ns() - began if real else at + measure() - entered

    stage = LiveSpeechStage(model, voice_model(), clock=clock, cost=cost, decoder=decoder)
    stage.step = step
    words: list[Heard] = []
    behind = 0.0
    for first in range(0, len(sound), BLOCK):
        samples = sound[first : first + BLOCK]
        start = first * SECOND // SAMPLE_RATE
        end = start + len(samples) * SECOND // SAMPLE_RATE
        if real:
            time.sleep(max(0.0, to_seconds(end - clock())))
        at, entered = max(at, end), measure()
        words += committed(stage.process(Sample("audio", start, end, end, AudioBlock(samples))))
        at += measure() - entered
        entered = measure()
        behind = max(behind, to_seconds(clock() - end))
    words += committed(stage.finish())
    spent = stage.spent
    return Hearing(
        words, len(sound) / SAMPLE_RATE, spent.passes, to_seconds(spent.busy), round(behind, 3)
    )


def committed(samples: Iterable[Sample[Any]]) -> list[Heard]:
    return [
        Heard(sample.data, to_seconds(sample.published))
        for sample in samples
        if sample.stream == "word" and isinstance(sample.data, Word)
    ]


def plain(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", "", text.lower()).split()


def delays(hearing: Hearing, reference: list[SpokenWord]) -> list[tuple[float, float]]:
    """When each word ended, and how much later it was committed, where both have the word.

    The same word of both is the nearest one, not more than half a second away.
    """
    found = []
    for heard in hearing.words:
        word = plain(heard.word.text)
        ends = [end for text, _, end, _ in reference if plain(text) == word]
        end = min(ends, key=lambda end: abs(end - to_seconds(heard.word.end)), default=-1.0)
        if abs(end - to_seconds(heard.word.end)) <= 0.5:
            found.append((end, heard.published - end))
    return found


def quantiles(values: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
        "most": round(max(values), 3),
    }


def report(hearing: Hearing, reference: list[SpokenWord], text: list[str] | None) -> dict[str, Any]:
    offline = [word for spoken, *_ in reference for word in plain(spoken)]
    live = [word for heard in hearing.words for word in plain(heard.word.text)]
    said = offline if text is None else text
    return {
        "words": len(said),
        "word_errors": {
            "offline": round(errors(said, offline) / len(said), 4),
            "live": round(errors(said, live) / len(said), 4),
        },
        "delay": quantiles([late for _, late in delays(hearing, reference)]),
        "passes_per_second": round(hearing.passes / hearing.seconds, 2),
        "busy": round(hearing.busy / hearing.seconds, 3),
        "most_behind": hearing.behind,
    }


def offline_words(model: SpeechModel, pieces: list[FloatArray]) -> list[SpokenWord]:
    """Words of pieces that follow each other, each transcribed by itself."""
    words: list[SpokenWord] = []
    offset = 0.0
    for piece in pieces:
        words += [(text, a + offset, b + offset, p) for text, a, b, p in model.words(piece)]
        offset += len(piece) / SAMPLE_RATE
    return words


def noises() -> dict[str, FloatArray]:
    """A minute of each, float32 [n]."""
    random = np.random.default_rng(0)
    count = 60 * SAMPLE_RATE
    white = random.standard_normal(count)
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)
    times = np.arange(count) / SAMPLE_RATE
    hum = sum(np.sin(2 * np.pi * 50 * k * times) / k for k in (1, 2, 3, 5))
    sounds = {"silence": np.zeros(count), "white": white, "pink": pink / pink.std(), "hum": hum}
    return {name: (0.1 * sound).astype(np.float32) for name, sound in sounds.items()}


def read(path: Path) -> FloatArray:
    return np.concatenate([block.data.samples for block in VideoFile(path).audio()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ("speech", "silence", "loop", "real-time")
    parser.add_argument("part", nargs="*", choices=[[], *names], help="all but real-time if none")
    parser.add_argument("--clips", type=int, default=40, help="clips of RAVDESS")
    parser.add_argument("--actors", type=int, nargs="+", help="of RAVDESS, all if none")
    parser.add_argument("--minutes", type=float, default=10, help="length of the loop")
    parser.add_argument("--step", type=int, default=0, help="step of the ladder")
    parser.add_argument("--lead", type=float, default=0, help="seconds of silence in front")
    parser.add_argument(
        "--pass-seconds", type=float, nargs=2, metavar=("WORDS", "VOICE"),
        help="take this for what a pass costs, not the time it took",
    )  # fmt: skip
    options = parser.parse_args()
    parts = options.part or names[:3]
    checkout = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared")
    model = SpeechModel(path_of("whisper-tiny.en"))
    decoder = QuickDecoder(model)
    jfk, head = (read(shared / "media" / n) for n in ("jfk.flac", "talking_head_speech_8s.mp4"))
    pause = np.zeros(SAMPLE_RATE, np.float32)
    table: dict[str, Any] = {"load": os.getloadavg(), "threads": threading.active_count()}

    def hear(
        pieces: list[FloatArray], text: list[str] | None, real: bool = False
    ) -> dict[str, Any]:
        pieces = [np.zeros(round(options.lead * SAMPLE_RATE), np.float32), *pieces]
        hearing = listen(model, decoder, np.concatenate([*pieces, pause]), options.step, real,
                         None if real else options.pass_seconds)  # fmt: skip
        return report(hearing, offline_words(model, pieces), text)

    if "speech" in parts:
        clips = sorted((shared / "data" / "ravdess").glob("*.flac"))
        if options.actors:
            clips = [clip for clip in clips if int(clip.stem.split("-")[6]) in options.actors]
        clips = clips[:: max(1, len(clips) // options.clips)][: options.clips]
        said = [word for clip in clips for word in SENTENCES[clip.stem.split("-")[4]].split()]
        table["jfk"] = hear([jfk], JFK.split())
        table["talking head"] = hear([head], None)
        table["ravdess"] = {"clips": len(clips), **hear([read(clip) for clip in clips], said)}
    if "silence" in parts:
        table["silence"] = {}
        for name, sound in noises().items():
            hearing = listen(model, decoder, sound, options.step)
            table["silence"][name] = {"words": len(hearing.words), "passes": hearing.passes}
    if "loop" in parts:
        piece = np.concatenate([jfk, pause])
        times = max(2, round(options.minutes * 60 * SAMPLE_RATE / len(piece)))
        hearing = listen(model, decoder, np.tile(piece, times), options.step,
                         seconds=options.pass_seconds)  # fmt: skip
        found = delays(hearing, _looped(model, piece, times))
        ends = np.array([end for end, _ in found])
        late = np.array([delay for _, delay in found])
        quarter = hearing.seconds / 4
        table["loop"] = {
            "seconds": round(hearing.seconds),
            "first quarter": quantiles(late[ends < quarter].tolist()),
            "last quarter": quantiles(late[ends > 3 * quarter].tolist()),
            "most_behind": hearing.behind,
        }
    if "real-time" in parts:
        table["real time"] = hear([jfk, pause, head], None, real=True)
    print(json.dumps(table, indent=2))


def _looped(model: SpeechModel, piece: FloatArray, times: int) -> list[SpokenWord]:
    once = model.words(piece)
    length = len(piece) / SAMPLE_RATE
    return [
        (text, start + i * length, end + i * length, probability)
        for i in range(times)
        for text, start, end, probability in once
    ]


if __name__ == "__main__":
    main()
