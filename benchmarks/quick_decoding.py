"""Words from states of short sound followed by states of silence, against padded decoding.

    python benchmarks/quick_decoding.py [--every 24]

As benchmarks/unpadded_words.py, but silence is encoded once, and as many of its states as said are
put behind those of the sound. Prints one JSON object: word errors per spoken word, clips whose
words run away (two more than were said), and processor time relative to padding in the same run.
"""

import argparse
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from assets.pretrained import path_of
from benchmarks.unpadded_words import SENTENCES, errors
from extractors.features import SAMPLE_RATE, FloatArray
from extractors.quick_decoding import POSITIONS, QuickDecoder
from extractors.speech import SpeechModel
from extractors.utterances import spoken_intervals
from extractors.video_file import VideoFile

COUNTS = (0, 100, 400, 1000, POSITIONS)
"""States of silence."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=24, help="use every n-th clip")
    every = parser.parse_args().every
    speech = SpeechModel(path_of("whisper-tiny.en"))
    decoder = QuickDecoder(speech)
    checkout = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared")
    sounds: list[tuple[list[str], FloatArray]] = []
    for clip in sorted((shared / "data" / "ravdess").glob("*.flac"))[::every]:
        sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])
        spoken = spoken_intervals(sound)
        if spoken:
            said = SENTENCES[clip.stem.split("-")[4]].split()
            sounds.append((said, sound[spoken[0][0] : spoken[-1][1]]))
    if not sounds:
        parser.error(f"there are no RAVDESS clips in {shared}; set AFFECTSCOPE_SHARED")

    def padded(sound: FloatArray) -> str:
        states = speech.encode(np.pad(sound, (0, 30 * SAMPLE_RATE - len(sound) - 320)))
        return decoder.text(states, len(sound), POSITIONS)

    ways: dict[str, Callable[[FloatArray], str]] = {"padded to 30 s": padded}
    for count in COUNTS:
        ways[f"{count} states of silence"] = lambda sound, count=count: decoder.text(  # type: ignore[misc]
            speech.encode(sound), len(sound), count
        )
    table: dict[str, dict[str, float]] = {}
    for name, decode in ways.items():
        wrong = spoken_words = runaways = 0
        began = time.process_time()
        for said, sound in sounds:
            heard = re.sub("[^a-z ]", "", decode(sound).lower()).split()
            wrong += errors(said, heard)
            spoken_words += len(said)
            runaways += len(heard) > len(said) + 1
        table[name] = {
            "word_error_rate": round(wrong / spoken_words, 3),
            "runaways": runaways,
            "seconds": time.process_time() - began,
        }
    whole = table["padded to 30 s"]["seconds"]
    for row in table.values():
        row["time_against_padded"] = round(row.pop("seconds") / whole, 3)
    print(json.dumps({"clips": len(sounds), "decoding": table}, indent=2))


if __name__ == "__main__":
    main()
