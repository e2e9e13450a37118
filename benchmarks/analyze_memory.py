"""Peak memory of `affectscope analyze` on a clip looped to several lengths; it should stay flat.

    python benchmarks/analyze_memory.py CLIP [--minutes 1 3 10]

Loops the clip by copying its packets (no encoding) into a temporary Matroska file, analyses each
length in a process of its own and prints one JSON object: peak resident memory in MiB, the ratio to
the shortest length, and how many times faster than real time.
"""

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

CHECKOUT = Path(__file__).resolve().parents[1]


def loop(clip: Path, target: Path, seconds: float) -> float:
    """Write `clip` as often as it takes to fill `seconds`. Returns how many it became."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as sink:
        length = Fraction(source.duration or 0, av.time_base)
        rounds = max(1, round(seconds / length))
        streams: dict[int, Any] = {
            stream.index: sink.add_stream_from_template(stream) for stream in source.streams
        }
        written: dict[int, int] = {}
        for number in range(rounds):
            source.seek(0)
            for packet in source.demux():
                if packet.dts is None or packet.pts is None:
                    continue
                offset = round(number * length / packet.time_base)
                if packet.dts + offset <= written.get(packet.stream.index, packet.dts - 1):
                    continue  # what an encoder puts in front belongs to the time before
                written[packet.stream.index] = packet.dts + offset
                packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                packet.stream = streams[packet.stream.index]
                sink.mux(packet)
        return float(rounds * length)


def analyse(clip: Path, out: Path, answer: Any) -> None:
    """Run the command and send its peak memory in MiB and its wall time."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "desktop.cli", "analyze", str(clip), "--out", str(out)],
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    took = time.perf_counter() - began
    answer.send((resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 3.0, 10.0])
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in args.minutes:
            looped = Path(folder, f"{minutes:g}.mkv")
            seconds = loop(args.clip, looped, 60 * minutes)
            # a process between, so that the peak of one length is not counted to the next
            here, there = multiprocessing.Pipe()
            between = multiprocessing.Process(
                target=analyse, args=(looped, Path(folder, "out"), there)
            )
            between.start()
            peak, took = here.recv()
            between.join()
            rows.append({"minutes": round(seconds / 60, 2), "peak_mib": round(peak),
                         "times_real_time": round(seconds / took, 2)})  # fmt: skip
    for row in rows:
        row["ratio_to_first"] = round(row["peak_mib"] / rows[0]["peak_mib"], 3)
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
