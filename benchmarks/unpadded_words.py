"""Words from an unpadded pass of Whisper against the padded one: error rate and time.

    python benchmarks/unpadded_words.py [--every 12]

Reads every n-th RAVDESS clip in ../shared (or $AFFECTSCOPE_SHARED), whose two sentences are known,
cuts it to where Silero VAD hears speech, and decodes greedily with tiny.en in int8 on one thread:
padded to 30 s as Whisper was trained, and with 1, 2 and 4 s of silence behind. Prints one JSON
object: word errors per spoken word, and time relative to the padded pass of the same run.
"""

import argparse
import json
import math
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from assets.pretrained import path_of
from extractors.features import SAMPLE_RATE, FloatArray
from extractors.utterances import spoken_intervals
from extractors.video_file import VideoFile

SENTENCES = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}
SILENCES = (1.0, 2.0, 4.0, math.inf)
"""Seconds of silence behind the speech; infinite: padded to 30 s."""


def errors(said: list[str], heard: list[str]) -> int:
    """Fewest insertions, deletions and substitutions that turn one into the other."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, start=1):
        last, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1]


def decode(model: Any, tokenizer: Any, sound: FloatArray, silence: float) -> str:
    """Greedy text of `sound` with so much silence behind."""
    whole = 30 * SAMPLE_RATE
    size = whole if math.isinf(silence) else len(sound) + round(silence * SAMPLE_RATE)
    features = model.feature_extractor(np.pad(sound, (0, size - len(sound))), padding=0)
    features = features[:, : features.shape[1] // 2 * 2]
    limit = 12 + 8 * len(sound) // SAMPLE_RATE
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    result = model.model.generate(model.encode(features), [prompt], beam_size=1, max_length=limit)
    text: str = tokenizer.decode(result[0].sequences_ids[0])
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=12, help="use every n-th clip")
    every = parser.parse_args().every
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

    folder = str(path_of("whisper-tiny.en"))
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)
    tokenizer = Tokenizer(model.hf_tokenizer, False, task="transcribe", language="en")
    checkout = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared")
    wrong, took, spoken = dict.fromkeys(SILENCES, 0), dict.fromkeys(SILENCES, 0.0), 0
    clips = sorted((shared / "data" / "ravdess").glob("*.flac"))[::every]
    if not clips:
        parser.error(f"there are no RAVDESS clips in {shared}; set AFFECTSCOPE_SHARED")
    for clip in clips:
        sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])
        intervals = spoken_intervals(sound)
        if not intervals:
            continue
        sound = sound[intervals[0][0] : intervals[-1][1]]
        said = SENTENCES[clip.stem.split("-")[4]].split()
        spoken += len(said)
        for silence in SILENCES:
            began = time.perf_counter()
            heard = decode(model, tokenizer, sound, silence)
            took[silence] += time.perf_counter() - began
            wrong[silence] += errors(said, re.sub("[^a-z ]", "", heard.lower()).split())
    table = {
        "padded to 30 s" if math.isinf(silence) else f"{silence:.0f} s of silence": {
            "word_error_rate": round(wrong[silence] / spoken, 3),
            "time_against_padded": round(took[silence] / took[math.inf], 3),
        }
        for silence in SILENCES
    }
    print(json.dumps({"clips": len(clips), "words": spoken, "decoding": table}, indent=2))


if __name__ == "__main__":
    main()
