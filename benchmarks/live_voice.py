"""Voice features as live gives them against those of a file, for the same sound.

    python benchmarks/live_voice.py [--every 60]

Reads every n-th RAVDESS clip and jfk.flac in ../shared (or $AFFECTSCOPE_SHARED), hears each as it
goes on, with a pass every 0.3 s, and compares with what `extractors.voice` gives. Where someone
speaks is known, so that only the features differ. Prints one JSON object:

- settled: what stands at the end, and by how much sound behind it for what is tentative
  - states: root mean square difference over the standard deviation of the states, and mean cosine
  - prosody: for each measure the share of tenths within a small tolerance of the file's
- emotions: the largest difference of a probability (mean, median, p95) between windows that see
  the voice alone, through the shipped checkpoint: when the window ends with the newest tenths in it
  or left out, 1.5 s later, and for comparison between windows of the file that are 0.2 s apart
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assets.pretrained import path_of
from extractors.features import (
    LIVE_WINDOWS,
    PROSODY,
    SAMPLE_RATE,
    VOICE_SET,
    FloatArray,
    Utterances,
    VoiceFeatures,
)
from extractors.live_voice import LiveVoice
from extractors.stream import SECOND, Sample
from extractors.stream.window import Window, build_window
from extractors.utterances import spoken_intervals
from extractors.video_file import VideoFile
from extractors.voice import STEP, VoiceStage
from extractors.voice_model import VoiceModel
from inference.models import Models

PASS = 3 * SAMPLE_RATE // 10
TENTH = SAMPLE_RATE // 10
TOLERANCE = {"f0": 2.0, "intensity": 0.1, "voicing": 0.1, "harmonicity": 1.0, "jitter": 0.005,
             "tilt": 0.1}  # fmt: skip
"""Hertz, dB, fraction, dB, fraction, dB per octave."""

Known = list[VoiceFeatures]
"""A row for each tenth from the beginning on."""


def from_file(model: VoiceModel, sound: FloatArray) -> Known:
    end = len(sound) * SECOND // SAMPLE_RATE
    spoken = tuple(
        (a * SECOND // SAMPLE_RATE, b * SECOND // SAMPLE_RATE) for a, b in spoken_intervals(sound)
    )
    piece = Sample("utterances", 0, end, end, Utterances(sound, spoken))
    return [sample.data for sample in VoiceStage(model).process(piece)]


def live(model: VoiceModel, sound: FloatArray) -> Iterator[tuple[int, int, Known]]:
    """After each pass: samples heard, tenths that are settled, and all tenths known."""
    voice = LiveVoice()
    events = [(a // TENTH * TENTH, b) for a, b in spoken_intervals(sound)]
    settled: Known = []
    for now in [*range(PASS, len(sound), PASS), len(sound)]:
        while events and events[0][0] < now:
            if voice.begin is None:
                voice.open(events[0][0])
            if events[0][1] > now:
                break
            voice.close(events.pop(0)[1])
        steps = voice.steps(
            len(settled),
            0,
            now,
            lambda a, b: sound[a:b],
            lambda a, b: model.encode(sound[a:b]),
            ended=now == len(sound),
        )
        settled += steps.settled
        yield now, len(settled), [*settled, *steps.tentative]


def window(rows: Known, end: int) -> Window:
    samples = [Sample("voice", i * STEP, (i + 1) * STEP, 0, row) for i, row in enumerate(rows)]
    return build_window(LIVE_WINDOWS, end, {"voice": samples})


def compared(pairs: Sequence[tuple[VoiceFeatures, VoiceFeatures]], spread: float) -> dict[str, Any]:
    both = [(a.states, b.states) for a, b in pairs if a.states is not None and b.states is not None]
    one, other = (np.stack(side) for side in zip(*both, strict=True))
    cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    rows, others = (np.stack([x.prosody for x in side]) for side in zip(*pairs, strict=True))
    tolerance = np.array([TOLERANCE[name] for name in PROSODY])
    near = (np.abs(rows - others) <= tolerance) | (np.isnan(rows) & np.isnan(others))
    return {
        "tenths": len(pairs),
        "present": round(float(np.mean([a.present == b.present for a, b in pairs])), 3),
        "states_difference": round(float(np.sqrt(np.mean((one - other) ** 2)) / spread), 3),
        "states_largest": round(float(np.abs(one - other).max()), 6),
        "states_cosine": round(float(cosine.mean()), 4),
        "prosody": dict(zip(PROSODY, near.mean(axis=0).round(3).tolist(), strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=60, help="use every n-th clip")
    every = parser.parse_args().every
    model = VoiceModel(path_of(VOICE_SET))
    predictor = Models().predictor()
    checkout = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared")
    clips = sorted((shared / "data" / "ravdess").glob("*.flac"))[::every]
    clips.append(shared / "media" / "jfk.flac")
    pairs: dict[str, list[tuple[VoiceFeatures, VoiceFeatures]]] = defaultdict(list)
    windows: dict[str, list[tuple[Window, Window]]] = defaultdict(list)
    known: list[FloatArray] = []
    for clip in clips:
        sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])
        file = from_file(model, sound)
        known += [row.states for row in file if row.states is not None]
        passes = list(live(model, sound))
        final = passes[-1][2]
        pairs["settled"] += zip(file, final, strict=True)
        for now, settled, rows in passes[:-1]:
            for i in range(settled, len(rows)):
                behind = min(15, now // TENTH - i - 1)
                pairs[f"tentative, {behind / 10:.1f} s behind"].append((file[i], rows[i]))
        for end in range(LIVE_WINDOWS.hop, len(file) * STEP, LIVE_WINDOWS.hop):
            right = window(file, end)
            heard = end * SAMPLE_RATE // SECOND
            then = [rows for now, _, rows in passes if now <= heard]
            later = [rows for now, _, rows in passes if now <= heard + 3 * SAMPLE_RATE // 2]
            if then:
                for left_out in (0, 1, 2, 3):
                    seen = then[-1][: len(then[-1]) - left_out]
                    name = f"at once, {left_out} newest tenths left out"
                    windows[name].append((right, window(seen, end)))
                windows["1.5 s later"].append((right, window(later[-1], end)))
                before = window(file, end - LIVE_WINDOWS.hop)
                windows["file against file 0.2 s before"].append((right, before))
    spread = float(np.std(known, axis=0).mean())
    emotions = {}
    for name, both in windows.items():
        both = [pair for pair in both if pair[0].present("voice")]
        one = predictor([pair[0] for pair in both]).timeline.emotions
        other = predictor([pair[1] for pair in both]).timeline.emotions
        far = np.abs(one - other).max(axis=1)
        emotions[name] = {
            "windows": len(both),
            "mean": round(float(far.mean()), 4),
            "median": round(float(np.median(far)), 4),
            "p95": round(float(np.percentile(far, 95)), 4),
        }
    features = {name: compared(rows, spread) for name, rows in sorted(pairs.items())}
    print(json.dumps({"clips": len(clips), **features, "emotions": emotions}, indent=2))


if __name__ == "__main__":
    main()
