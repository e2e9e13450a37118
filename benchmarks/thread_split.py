"""Face, speech and DHMD on the cores of this computer at once, under several numbers of threads.

A part of `python benchmarks/inference_costs.py`, which says how to run it.

As in a live session the face looks at a picture every 30th of a second, DHMD answers ten windows a
second (each twice), and speech reads 4 s of sound, words and voice, again and again with pauses as
long as its passes. Each split runs for some seconds in this process, one after the other, in two
rounds. Times are the delays that a person would notice: the 95th percentile of a picture and of a
window from when it was due, and the median of a pass. `inference/compute_plan.py` chooses.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from assets import ASSETS
from extractors.features import FloatArray
from extractors.video_file import VideoFile
from inference.backends.opening import noise, open_engine
from inference.backends.source import Source
from inference.compute_plan import ComputePlan, compute_plan, this_machine
from inference.models import Models

__all__ = ["threads"]

SPLITS = ((1, 1), (2, 1), (1, 2), (2, 2), (4, 1))
"""Threads of speech and of DHMD. MediaPipe gives no choice."""
SECONDS = 8.0
ROUNDS = 2
RATES = {"face": 30.0, "network": 10.0}
SOUND = 4 * 16_000

Run = Callable[[], object]


def threads() -> dict[str, Any]:
    """Delays in milliseconds by split, and which the plan for this computer is."""
    base = compute_plan(this_machine())
    plans = [replace(base, speech_threads=s, network_threads=n) for s, n in SPLITS]
    loads = [_load(plan) for plan in plans]
    found: list[dict[str, list[float]]] = [{} for _ in plans]
    for load in loads:
        for run in load.values():
            run()
    for _, (load, times) in itertools.product(range(ROUNDS), zip(loads, found, strict=True)):
        for name, values in _together(load, SECONDS).items():
            times.setdefault(name, []).extend(values)
    rows = [
        {
            "speech_threads": plan.speech_threads,
            "network_threads": plan.network_threads,
            "planned": plan == base,
            "face_p95_ms": 1000 * float(np.percentile(times["face"], 95)),
            "network_p95_ms": 1000 * float(np.percentile(times["network"], 95)),
            "speech_p50_ms": 1000 * float(np.median(times["speech"])),
            "pictures": len(times["face"]),
            "passes": len(times["speech"]),
        }
        for plan, times in zip(plans, found, strict=True)
    ]
    return {"cores": os.cpu_count(), "seconds": SECONDS * ROUNDS, "rows": rows}


def _load(plan: ComputePlan) -> dict[str, Run]:
    """A picture, a window and a pass, with these numbers of threads."""
    from extractors.face import FaceLandmarker

    models = Models(plan=plan)
    clip = ASSETS / "sample" / "sample.mp4"
    pictures = [frame.data.image for frame in itertools.islice(VideoFile(clip).frames(), 60)]
    turn, landmarker = itertools.count(), FaceLandmarker(models.face)

    def face() -> None:
        number = next(turn)
        landmarker(pictures[number % len(pictures)], round(number * 1e9 / RATES["face"]))

    sound: FloatArray = np.concatenate([b.data.samples for b in VideoFile(clip).audio()])[:SOUND]
    speech, voice = models.speech(), models.voice()
    source = Source(models.checkpoint_path)
    engine, _ = open_engine(source, "onnxruntime", threads=plan.network_threads)
    window = list(noise(source, 1))[-1]
    return {
        "face": face,
        "network": lambda: engine(window),
        "speech": lambda: (speech.words(sound), voice.encode(sound)),
    }


def _together(load: dict[str, Run], seconds: float) -> dict[str, list[float]]:
    """Seconds that each took: from when it was due, and of speech from when it began."""
    times: dict[str, list[float]] = {name: [] for name in load}
    until = time.perf_counter() + seconds

    def paced(name: str, every: float) -> None:
        due = time.perf_counter()
        while due < until:
            load[name]()
            now = time.perf_counter()
            times[name].append(now - due)
            due += every * max(1, round((now - due) // every))  # what is missed is left out
            time.sleep(max(0.0, due - now))

    def passes() -> None:
        while (began := time.perf_counter()) < until:
            load["speech"]()
            took = time.perf_counter() - began
            times["speech"].append(took)
            time.sleep(took)

    workers = [threading.Thread(target=paced, args=(n, 1 / rate)) for n, rate in RATES.items()]
    workers.append(threading.Thread(target=passes))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return times
