"""Whether an exact second pass over committed sentences would make live words better.

    python benchmarks/second_pass.py [--clips 40]

RAVDESS clips from ../shared (or $AFFECTSCOPE_SHARED), whose two sentences are known, follow each
other as one sound, clean and with white noise 20 dB below the speech. The live stage hears it; the
sound of each committed sentence is then decoded as a file is: padded to 30 s, with a beam of 5.
Prints one JSON object: word errors per spoken word of both, and how many sentences became better
and worse, counted by the clip in which their middle lies.
"""

import argparse
import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from assets.pretrained import path_of
from benchmarks.live_transcription import listen, plain, read
from benchmarks.unpadded_words import SENTENCES, errors
from extractors.features import SAMPLE_RATE, FloatArray, Word
from extractors.hypotheses import ends_sentence
from extractors.quick_decoding import QuickDecoder
from extractors.speech import SpeechModel
from extractors.stream import to_seconds

PAUSE = 0.5
"""Seconds between words that end a sentence though it has no full stop."""
AROUND = 0.3
"""Seconds of sound before and behind a sentence that its second pass hears."""
COST = (0.13, 0.07)
"""Seconds that words and voice of a live pass take."""


def sentences(words: Sequence[Word]) -> list[list[Word]]:
    """Committed words, cut where a sentence ends."""
    found: list[list[Word]] = [[word] for word in words[:1]]
    for one, other in pairwise(words):
        if ends_sentence(one.text) or to_seconds(other.start - one.end) >= PAUSE:
            found.append([])
        found[-1].append(other)
    return found


def again(model: SpeechModel, sound: FloatArray, sentence: Sequence[Word]) -> list[str]:
    """The words of a second pass over the sound of a sentence."""
    begin = to_seconds(sentence[0].start) - AROUND
    end = to_seconds(sentence[-1].end) + AROUND
    piece = sound[max(0, round(begin * SAMPLE_RATE)) : round(end * SAMPLE_RATE)]
    return [word for text, *_ in model.words(piece) for word in plain(text)]


def compared(
    model: SpeechModel, decoder: QuickDecoder, clips: Sequence[FloatArray], said: Sequence[str]
) -> dict[str, Any]:
    sound = np.concatenate(clips)
    ends = np.cumsum([len(clip) for clip in clips]) / SAMPLE_RATE
    words = [heard.word for heard in listen(model, decoder, sound, 0, seconds=COST).words]
    live: list[list[str]] = [[] for _ in clips]
    second: list[list[str]] = [[] for _ in clips]
    found = sentences(words)
    for sentence in found:
        middle = to_seconds(sentence[0].start + sentence[-1].end) / 2
        clip = min(int(np.searchsorted(ends, middle)), len(clips) - 1)
        live[clip] += [word for heard in sentence for word in plain(heard.text)]
        second[clip] += again(model, sound, sentence)
    wrong = [[errors(s.split(), h) for s, h in zip(said, hs, strict=True)] for hs in (live, second)]
    count = sum(len(text.split()) for text in said)
    return {
        "words": count,
        "sentences": len(found),
        "live": round(sum(wrong[0]) / count, 4),
        "second pass": round(sum(wrong[1]) / count, 4),
        "clips better": sum(two < one for one, two in zip(*wrong, strict=True)),
        "clips worse": sum(two > one for one, two in zip(*wrong, strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    count = parser.parse_args().clips
    shared = Path(
        os.environ.get("AFFECTSCOPE_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    )
    files = sorted((shared / "data" / "ravdess").glob("*.flac"))
    if not files:
        parser.error(f"there are no RAVDESS clips in {shared}; set AFFECTSCOPE_SHARED")
    files = files[:: max(1, len(files) // count)][:count]
    said = [SENTENCES[file.stem.split("-")[4]] for file in files]
    clean = [read(file) for file in files]
    random = np.random.default_rng(0)
    level = float(np.sqrt(np.mean(np.concatenate(clean) ** 2))) / 10
    noisy = [
        (clip + level * random.standard_normal(len(clip))).astype(np.float32) for clip in clean
    ]
    model = SpeechModel(path_of("whisper-tiny.en"))
    decoder = QuickDecoder(model)
    table = {
        name: compared(model, decoder, clips, said)
        for name, clips in (("clean", clean), ("20 dB", noisy))
    }
    print(json.dumps({"clips": len(files), **table}, indent=2))


if __name__ == "__main__":
    main()
