"""How far sound and picture are apart in a recorded session, through the whole live path.

    python benchmarks/clap_and_flash.py [--seconds 20]

A clip flashes and claps at the same moments, at an uneven picture rate. `affectscope live` takes it
as camera and as microphone, in real time, with all extractors at work, and records. Measured are
the flashes and claps in the recording, next to the certificate of its manifest. Prints one JSON
object; positive milliseconds: the sound is late.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from extractors import Session
from extractors.features import SAMPLE_RATE
from extractors.stream import to_seconds
from extractors.video_file import VideoFile
from tests.extractors import clips

CHECKOUT = Path(__file__).resolve().parents[1]


def write(path: Path, seconds: int) -> None:
    """Every flash is a run of four white pictures, and a clap begins with the first."""
    steps = np.random.default_rng(0).integers(25, 42, 40 * seconds)
    times = [int(t) for t in np.cumsum(steps) if t < 1000 * seconds]
    flashes = [next(t for t in times if t >= 1000 * second) for second in range(1, seconds)]
    white = {times[i + k] for i, t in enumerate(times) if t in flashes for k in range(4)}
    claps = clips.bursts([t / 1000 for t in flashes], seconds, 48_000)
    clips.write_clip(
        path,
        clips.Pictures(times, width=640, height=480, white=frozenset(white)),
        clips.Sound(claps, 48_000, codec="flac", format="s16"),
    )


def events(media: Path) -> tuple[list[float], list[float]]:
    """Seconds of the flashes and of the claps."""
    flashes, bright = [], False
    for frame in VideoFile(media).frames():
        was, bright = bright, bool(frame.data.image[-1, -1].mean() > 128)
        if bright and not was:
            flashes.append(to_seconds(frame.end))
    sound = np.concatenate([block.data.samples for block in VideoFile(media).audio()])
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    first = np.concatenate([[True], np.diff(loud) > SAMPLE_RATE // 4])
    return flashes, [float(index) / SAMPLE_RATE for index in loud[first]]


def measured(session: Session) -> dict[str, Any]:
    assert session.media is not None, session.problems
    flashes, claps = events(session.media)
    offsets = []
    for flash in flashes:
        clap = min(claps, key=lambda time: abs(time - flash))
        if abs(clap - flash) < 0.5:
            offsets.append(1000 * (clap - flash))
    return {
        "pairs": len(offsets),
        "offset_ms": {
            "median": round(float(np.median(offsets)), 1),
            "worst": round(max(abs(offset) for offset in offsets), 1),
        },
        "certificate": session.manifest["synchrony"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clip, take = Path(name, "clip.mkv"), Path(name, "take")
        write(clip, args.seconds)
        command = [sys.executable, "-m", "desktop.cli", "live", "--headless", "--video", str(clip)]
        more = ["--audio", str(clip), "--seconds", str(args.seconds), "--out", str(take)]
        subprocess.run([*command, *more], cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
        print(json.dumps(measured(Session(take)), indent=2))


if __name__ == "__main__":
    main()
