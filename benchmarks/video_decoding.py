"""Cost and memory of the video source alone.

    python benchmarks/video_decoding.py CLIP [--minutes N]

Prints one JSON object: milliseconds per picture and per second of sound, next to PyAV's bare
decoding in the same run; with --minutes, the peak memory of a pass over the clip looped to N.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import av

from extractors.stream.sample import SECOND
from extractors.video_file import VideoFile


def loop(clip: Path, minutes: float, target: Path) -> None:
    """Write the clip end to end until it lasts so long, without encoding it again."""
    with av.open(str(target), "w") as out, av.open(str(clip)) as first:
        length = (first.duration or 0) / av.time_base + 0.1  # so that times rise at the seams
        streams = {s.index: out.add_stream_from_template(s) for s in first.streams}
        for turn in range(int(minutes * 60 / length) + 1):
            with av.open(str(clip)) as again:
                for packet in again.demux():
                    if packet.dts is None or packet.pts is None:
                        continue
                    shift = round(turn * length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)


def bare(clip: Path) -> float:
    """Seconds that PyAV takes to decode and convert every picture."""
    began = time.perf_counter()
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            frame.to_ndarray(format="rgb24")
    return time.perf_counter() - began


def peak() -> float:
    """Most memory this process has used, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args()
    began = time.perf_counter()
    file = VideoFile(options.clip)
    opened = time.perf_counter() - began
    best: dict[str, float] = {}
    for _ in range(3):
        began = time.perf_counter()
        pictures = sum(1 for _ in file.frames())
        seen = time.perf_counter()
        sound = sum(block.end - block.start for block in file.audio()) / SECOND
        heard = time.perf_counter()
        for name, seconds in (
            ("picture_ms", (seen - began) / pictures),
            ("bare_picture_ms", bare(options.clip) / pictures),
            ("sound_second_ms", (heard - seen) / sound),
        ):
            best[name] = min(best.get(name, 1e9), round(seconds * 1000, 3))
    report = {"open_ms": round(opened * 1000, 1), "pictures": pictures, **best}
    if options.minutes:
        report["peak_mib"] = round(peak(), 1)
        with tempfile.TemporaryDirectory() as folder:
            looped = Path(folder) / "looped.mp4"
            loop(options.clip, options.minutes, looped)
            long = VideoFile(looped)
            report["looped_pictures"] = sum(1 for _ in long.frames())
            report["looped_sound_s"] = sum(b.end - b.start for b in long.audio()) / SECOND
        report["looped_peak_mib"] = round(peak(), 1)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
