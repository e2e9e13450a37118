"""Command line: `python -m scripts.sample_clip --landmarker face_landmarker.task`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets import ASSETS
from assets.errors import BadInput
from scripts.sample_clip.acting import act
from scripts.sample_clip.portrait import load_portrait
from scripts.sample_clip.render import Renderer
from scripts.sample_clip.score import DURATION, FPS
from scripts.sample_clip.voice import all_spoken, whole_track
from scripts.sample_clip.write import write_clip, write_timeline


def main() -> int:
    """Make the clip; 0, or 2 with one line on what is missing."""
    parser = argparse.ArgumentParser(prog="python -m scripts.sample_clip", description=__doc__)
    parser.add_argument("--landmarker", type=Path, required=True, metavar="face_landmarker.task")
    parser.add_argument("--out", type=Path, default=ASSETS / "sample", help="folder to write to")
    options = parser.parse_args()
    try:
        make(options.landmarker, options.out)
    except BadInput as wrong:
        print(wrong, file=sys.stderr)
        return 2
    return 0


def make(landmarker: Path, out: Path) -> None:
    """Write sample.mp4 and timeline.json into the folder `out`."""
    if not landmarker.is_file():
        raise BadInput(f"no model file at {landmarker}: get it with `affectscope models fetch`")
    spoken = all_spoken()
    track = whole_track(spoken)
    renderer = Renderer(load_portrait(str(landmarker)))
    acted = act(spoken, track, np.arange(round(DURATION * FPS)) / FPS)

    def frames() -> Iterator[NDArray[np.uint8]]:
        for number, (weights, pose) in enumerate(acted, start=1):
            print(f"\rframe {number} of {len(acted)}", end="", file=sys.stderr, flush=True)
            yield renderer.frame(weights, pose)
        print(file=sys.stderr)

    out.mkdir(parents=True, exist_ok=True)
    write_clip(out / "sample.mp4", frames(), track)
    write_timeline(out / "timeline.json", spoken)


if __name__ == "__main__":
    sys.exit(main())
