"""Resident memory while the pictures of a clip are decoded in a loop, alone or with their faces.

    python benchmarks/picture_memory.py CLIP [--pictures 2000] [--faces]

Prints MiB after every 250 pictures; it should stay flat after the first.
"""

import argparse
import resource
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count, islice
from pathlib import Path
from typing import Any

from assets.pretrained import path_of
from extractors.face import open_face_stage
from extractors.stream import SECOND, Sample
from extractors.video_file import VideoFile

EVERY = 250


def looped(clip: Path) -> Iterator[Sample[Any]]:
    """The pictures over and over, at times that rise."""
    video, begin = VideoFile(clip), 0
    for _ in count():
        last = begin
        for frame in video.frames(max_side=1280):
            last = begin + frame.end
            yield Sample("frame", last, last, last, frame.data)
        begin = last + SECOND // 25


def resident() -> float:
    """MiB in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--faces", action="store_true", help="look for faces in them")
    args = parser.parse_args()
    with open_face_stage(path_of("face-landmarker")) if args.faces else nullcontext() as stage:
        for number, picture in enumerate(islice(looped(args.clip), args.pictures), start=1):
            if stage is not None:
                for _ in stage.process(picture):
                    pass
            if number % EVERY == 0:
                print(f"{number} pictures: {resident():.1f} MiB", flush=True)


if __name__ == "__main__":
    main()
