"""Records sessions in child processes and kills each with SIGKILL at a random moment.

    python -m tests.extractors.recording.killed FOLDER COUNT

Prints one line of JSON per session: its folder, the session seconds up to which each stream had
been handed to the recorder, and whether the recorder was already finishing.
"""

import json
import mmap
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

from extractors.recording import Marker, Recorder, TimelineRows
from extractors.stream import SECOND, Sample
from tests.extractors import sessions
from tests.extractors.recording import captured

SPEED = 20
"""Session seconds in a second."""
STREAMS = (
    "video", "sound", "face", "voice", "tentative voice", "text", "timeline",
    "tentative timeline", "marker",
)  # fmt: skip
MODEL = {"checkpoint": "live.safetensors", "checkpoint_sha256": "ab" * 32}
GRACE = 3 * SECOND // 2
"""After which a prediction is made again, for good."""
SPEECH = 4 * SECOND
"""By which voice comes late, while someone speaks."""
LONGEST = 8.0


def samples() -> list[Sample[object]]:
    """All that happens in `LONGEST` seconds. Predictions that are not settled know nothing, and in
    voice that is not settled nobody speaks."""
    made: list[Sample[object]] = []
    for tenth in range(1, int(10 * LONGEST)):
        at = tenth * SECOND // 10
        spoken = sessions.voice(at, spoken=True)
        made.append(Sample("voice", spoken.start, at, at + SPEECH, spoken.data))
        open_since = range(max(1, tenth - SPEECH * 10 // SECOND + 1), tenth + 1)
        heard = tuple(sessions.voice(i * SECOND // 10, spoken=False) for i in open_since)
        made.append(Sample("tentative voice", heard[0].start, at, at, heard))
        made.append(Sample("marker", at, at, at, Marker(f"mark {tenth}")))
        if tenth % 2 == 0:
            for stream, delay in (("tentative timeline", 0), ("timeline", GRACE)):
                settled = delay > 0
                timeline = sessions.timeline(1, known=settled, first=tenth / 10)
                rows = TimelineRows(timeline, sessions.activations(1), settled)
                made.append(Sample(stream, at, at, at + delay, rows))
        if tenth % 3 == 0:
            made.append(sessions.text((f"word{tenth}", at - SECOND // 10, at)))
    face = sessions.face(0, 1).data
    for picture in captured.pictures(LONGEST, (1.0, 4.0)):
        made += [picture, Sample("face", picture.end, picture.end, picture.end, face)]
    made += captured.sound(LONGEST, (1.0, 4.0))
    return sorted(made, key=_comes)


def _comes(sample: Sample[object]) -> int:
    return sample.published if sample.stream in ("timeline", "voice") else sample.end


def record(folder: Path, until: float, shared: mmap.mmap, made: list[Sample[object]]) -> None:
    """Record at `SPEED`; tell in `shared` what the recorder has taken."""
    recorder = Recorder(folder)
    recorder.describe({"model": MODEL})
    began = time.monotonic()
    for sample in made:
        if sample.end > until * SECOND:
            break
        # in real time the disk's thread has twenty times as long: the load of the machine
        # that tests must not be what is measured
        while recorder.waiting or (time.monotonic() - began) * SPEED < sample.end / SECOND:
            time.sleep(0.0005)
        recorder.add(sample)
        at = 8 * STREAMS.index(sample.stream)
        shared[at : at + 8] = struct.pack("d", sample.end / SECOND)
    shared[-8:] = struct.pack("d", 1.0)
    recorder.finish()


def main() -> None:
    root, count = Path(sys.argv[1]), int(sys.argv[2])
    made = samples()
    for seed in range(count):
        chance = random.Random(seed)
        # a quarter of them while the recording is being finished
        until = chance.uniform(0.5, 2.0) if seed % 4 == 0 else LONGEST
        moment = until if seed % 4 == 0 else chance.uniform(0, LONGEST - 1)
        shared = mmap.mmap(-1, 8 * (len(STREAMS) + 1))
        folder = root / f"take {seed:02}"
        child = os.fork()
        if child == 0:
            record(folder, until, shared, made)
            os._exit(0)
        while struct.unpack("d", shared[-8:])[0] == 0:
            if max(struct.unpack(f"{len(STREAMS)}d", shared[:-8])) >= moment:
                break
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        *taken, finishing = struct.unpack(f"{len(STREAMS) + 1}d", shared[:])
        told = dict(zip(STREAMS, taken, strict=True))
        print(json.dumps({"folder": str(folder), "taken": told, "finishing": bool(finishing)}))


if __name__ == "__main__":
    main()
