"""What it costs to look for several faces in a video, beside one; ratios of one run.

    python benchmarks/face_cost.py CLIP [--rounds N]

Three ways take turns on the decoded pictures: MediaPipe told to find one face, MediaPipe told to
find four, and the landmarker of the app, which looks for four only while there is company. Prints
one JSON object.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from extractors.face import MAX_FACES, FaceLandmarker
from extractors.features import VideoFrame
from extractors.stream import Sample
from extractors.video_file import VideoFile
from inference.models import Models


class AlwaysAll(FaceLandmarker):
    """Looks for all faces in every picture."""

    def _look_around(self, *_: object) -> None:
        self._look_for(MAX_FACES)


def seconds(landmarker: FaceLandmarker, frames: list[Sample[VideoFrame]]) -> float:
    with landmarker:
        landmarker(frames[0].data.image, frames[0].start)  # the first picture builds the graph
        began = time.perf_counter()
        for sample in frames[1:]:
            landmarker(sample.data.image, sample.start)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    model = Models("live").face
    frames = list(VideoFile(options.clip).frames(max_side=1280))
    ways: dict[str, Callable[[], FaceLandmarker]] = {
        "one face": lambda: FaceLandmarker(model, max_faces=1),
        "always four": lambda: AlwaysAll(model),
        "four in company": lambda: FaceLandmarker(model),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            found[name].append(seconds(way(), frames) / len(frames))
    one = statistics.median(found["one face"])
    report = {
        name: {
            "ms a picture": round(1000 * statistics.median(times), 2),
            "ratio": round(statistics.median(times) / one, 2),
        }
        for name, times in found.items()
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
