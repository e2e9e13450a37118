"""Words heard in speech that breaks off, by how much silence the encoder hears behind it.

    python benchmarks/broken_off.py [--every 20]

Every n-th RAVDESS clip in ../shared (or $AFFECTSCOPE_SHARED), whose two sentences are known, is cut
to where somebody speaks and read by the decoder of the live words: whole, and broken off in its
middle, as live sound is in every pass. Prints one JSON object, by seconds of silence: words of the
whole that are wrong per word; words of the first half that differ from the nearest beginning of the
sentence, per clip; and processor time of the encoder per reading in milliseconds.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from assets.pretrained import path_of
from benchmarks.live_transcription import plain, read
from benchmarks.unpadded_words import SENTENCES, errors
from extractors.features import SAMPLE_RATE, FloatArray
from extractors.quick_decoding import QuickDecoder
from extractors.speech import SpeechModel
from extractors.utterances import spoken_intervals

SILENCES = (0.0, 0.25, 0.5, 1.0)


class Reading:
    def __init__(self, silence: float) -> None:
        self.silence = round(silence * SAMPLE_RATE)
        self.seconds = 0.0
        self.count = 0

    def __call__(self, model: SpeechModel, decoder: QuickDecoder, sound: FloatArray) -> list[str]:
        """The words that begin before the sound ends."""
        began = time.process_time()
        states = model.encode(sound, silence=self.silence)
        self.seconds += time.process_time() - began
        self.count += 1
        end = len(sound) / SAMPLE_RATE
        return [w for word in decoder(states) if word.start < end - 0.06 for w in plain(word.text)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=20, help="use every n-th clip")
    every = parser.parse_args().every
    checkout = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared")
    model = SpeechModel(path_of("whisper-tiny.en"))
    decoder = QuickDecoder(model)
    readings = [Reading(silence) for silence in SILENCES]
    whole, half = ([0] * len(SILENCES) for _ in range(2))
    clips = spoken = 0
    for path in sorted((shared / "data" / "ravdess").glob("*.flac"))[::every]:
        sound = read(path)
        found = spoken_intervals(sound)
        if not found:
            continue
        begin, end = found[0][0], found[-1][1]
        said = SENTENCES[path.stem.split("-")[4]].split()
        clips += 1
        spoken += len(said)
        for i, reading in enumerate(readings):
            whole[i] += errors(said, reading(model, decoder, sound[begin:end]))
            heard = reading(model, decoder, sound[begin : (begin + end) // 2])
            half[i] += min(errors(said[:count], heard) for count in range(len(said) + 1))
    table: dict[str, Any] = {
        str(silence): {
            "whole, per word": round(whole[i] / spoken, 4),
            "first half, words per clip": round(half[i] / clips, 3),
            "encoder, ms": round(1000 * readings[i].seconds / readings[i].count, 2),
        }
        for i, silence in enumerate(SILENCES)
    }
    print(json.dumps({"clips": clips, "silence": table}, indent=2))


if __name__ == "__main__":
    main()
