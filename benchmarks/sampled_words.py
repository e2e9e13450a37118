"""Whether Whisper's further attempts bring words nearer to what was said, and what they cost.

    python benchmarks/sampled_words.py [--every 12]

Where Whisper finds its own words unlikely or repetitive, faster-whisper decodes again by sampling,
up to five times; two readings by one model draw differently. Reads every n-th RAVDESS clip in
../shared (or $AFFECTSCOPE_SHARED), whose two sentences are known, as the program does, once without
further attempts and twice with them; `--noise DB` mixes in white noise so far below the speech.
Prints one JSON object: word errors per spoken word, clips of which more than twice the words were
heard, clips of which two readings differ, processor time relative to that of one attempt.
"""

import argparse
import functools
import json
import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from assets.pretrained import path_of
from benchmarks.unpadded_words import SENTENCES, errors
from extractors.features import FloatArray
from extractors.speech import SpeechModel
from extractors.video_file import VideoFile

WAYS = {"one attempt": [0.0], "further attempts": None, "further attempts again": None}
"""The temperatures that are tried in turn; None: those of the program."""


def attempting(speech: SpeechModel, temperatures: list[float] | None) -> None:
    """Let it try these alone from now on."""
    whisper = speech.whisper.model
    if temperatures is None:
        vars(whisper).pop("transcribe", None)
    else:
        whisper.transcribe = functools.partial(whisper.transcribe, temperature=temperatures)


def noisy(sound: FloatArray, db: float, random: np.random.Generator) -> FloatArray:
    """White noise `db` below the mean power of where it is loud."""
    loud = sound[np.abs(sound) > 0.1 * np.abs(sound).max()]
    level = float(np.sqrt(np.mean(loud**2))) * 10 ** (-db / 20)
    mixed: FloatArray = (sound + level * random.normal(size=sound.shape)).astype(np.float32)
    return mixed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=12, help="use every n-th clip")
    parser.add_argument("--noise", type=float, metavar="DB", help="noise below the speech")
    options = parser.parse_args()
    speech = SpeechModel(path_of("whisper-tiny.en"))
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED", "../shared"))
    clips = sorted((shared / "data" / "ravdess").rglob("*.flac"))[:: options.every]
    if not clips:
        parser.error(f"there are no RAVDESS clips in {shared}; set AFFECTSCOPE_SHARED")
    random, spoken = np.random.default_rng(0), 0
    wrong, runaways, took = Counter[str](), Counter[str](), Counter[str]()
    differ = 0
    for clip in clips:
        sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])
        if options.noise is not None:
            sound = noisy(sound, options.noise, random)
        said = SENTENCES[clip.stem.split("-")[4]].split()
        spoken += len(said)
        texts = []
        for name, temperatures in WAYS.items():
            attempting(speech, temperatures)
            began = time.process_time_ns()
            texts.append(" ".join(word[0] for word in speech.words(sound)))
            took[name] += time.process_time_ns() - began
            heard = re.sub(r"[^a-z ]", "", texts[-1].lower()).split()
            wrong[name] += errors(said, heard)
            runaways[name] += len(heard) > 2 * len(said)
        differ += texts[1] != texts[2]
    result: dict[str, Any] = {
        "clips": len(clips),
        "noise_db": options.noise,
        "word errors": {name: round(wrong[name] / spoken, 3) for name in WAYS},
        "runaways": {name: runaways[name] for name in WAYS},
        "processor time": {name: round(took[name] / took["one attempt"], 2) for name in WAYS},
        "clips that two readings tell apart": differ,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
