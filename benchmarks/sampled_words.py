"""Whether Whisper's further attempts bring words nearer to what was said, and what they cost.

    python benchmarks/sampled_words.py [--every 12]

Where Whisper finds its own words unlikely or repetitive, faster-whisper decodes again by sampling,
up to five times; two runs of one model draw differently. This is kept: of 100 clips as they are two
became a phrase thirty times over without it, and word errors were 65 % in place of 4 %; with
`--every 24` neither of the two is read. Reads every n-th RAVDESS clip in ../shared (or
$AFFECTSCOPE_SHARED), whose two sentences are known, as it is and in white noise as loud as the
speech, once without further attempts and twice with them. Prints one JSON object: word errors per
spoken word, clips of which two runs differ, time relative to the one without.
"""

import argparse
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from assets.pretrained import path_of
from benchmarks.unpadded_words import SENTENCES, errors
from extractors.features import FloatArray
from extractors.video_file import VideoFile

ATTEMPTS: dict[str, list[float]] = {
    "one attempt": [0.0],
    "further attempts": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
    "further attempts again": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
}


def heard(model: Any, sound: FloatArray, temperatures: list[float]) -> str:
    segments, _ = model.transcribe(
        sound, language="en", beam_size=5, condition_on_previous_text=False, vad_filter=True,
        word_timestamps=True, temperature=temperatures,
    )  # fmt: skip
    return " ".join(segment.text for segment in segments).strip()


def noisy(sound: FloatArray, random: np.random.Generator) -> FloatArray:
    level = float(np.sqrt(np.mean(sound**2)))
    mixed: FloatArray = (sound + level * random.normal(size=sound.shape)).astype(np.float32)
    return mixed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=12, help="use every n-th clip")
    every = parser.parse_args().every
    from faster_whisper import WhisperModel

    model: Any = WhisperModel(
        str(path_of("whisper-tiny.en")), device="cpu", compute_type="int8", cpu_threads=1
    )
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED", "../shared"))
    clips = sorted((shared / "data" / "ravdess").rglob("*.flac"))[::every]
    random = np.random.default_rng(0)
    result: dict[str, Any] = {"clips": len(clips)}
    for kind in ("as it is", "in noise"):
        wrong, took, spoken = dict.fromkeys(ATTEMPTS, 0), dict.fromkeys(ATTEMPTS, 0.0), 0
        texts: dict[str, list[str]] = {name: [] for name in ATTEMPTS}
        for clip in clips:
            sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])
            if kind == "in noise":
                sound = noisy(sound, random)
            said = SENTENCES[clip.stem.split("-")[4]].split()
            spoken += len(said)
            for name, temperatures in ATTEMPTS.items():
                began = time.perf_counter()
                text = heard(model, sound, temperatures)
                took[name] += time.perf_counter() - began
                texts[name].append(text)
                wrong[name] += errors(said, re.sub(r"[^a-z ]", "", text.lower()).split())
        first, again = texts["further attempts"], texts["further attempts again"]
        result[kind] = {
            "word errors": {name: round(count / spoken, 3) for name, count in wrong.items()},
            "time": {name: round(t / took["one attempt"], 2) for name, t in took.items()},
            "clips that two runs tell apart": sum(
                a != b for a, b in zip(first, again, strict=True)
            ),
        }
        print(kind, result[kind], flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
