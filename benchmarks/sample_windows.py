"""Windows of recordings, as the shipped network takes them, in a file.

    python benchmarks/sample_windows.py FILE.npz [VIDEO ...]

For benchmarks/gpu_backends.py and `make test-gpu` on a computer that has a GPU but neither the
recordings nor what reads them. Without a video it is the bundled clip.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assets import ASSETS
from extractors.features import MODALITIES
from inference.backends.interface import Inputs
from inference.checkpoint import Checkpoint

if TYPE_CHECKING:
    from extractors.stream.window import Window
    from inference.predictor import Predictions

__all__ = ["CLIP", "as_inputs", "read_windows", "windows_of", "write_windows"]

CLIP = ASSETS / "sample" / "sample.mp4"
NAMES = (*MODALITIES, *(f"{name}_valid" for name in MODALITIES))


def windows_of(video: Path, folder: Path) -> tuple[Checkpoint, list["Window"]]:
    """The shipped checkpoint and all windows of a recording, which is analysed into `folder`."""
    from inference.analysis import Analysis
    from inference.models import Models

    models = Models()
    predictor, kept = models.predictor(), list["Window"]()

    def predict(windows: Sequence["Window"]) -> "Predictions":
        kept.extend(windows)
        return predictor(windows)

    models.predictor = lambda: predict  # type: ignore[assignment, return-value]
    analysis = Analysis(video, folder, models)
    analysis.start()
    analysis.finish()
    return models.checkpoint(), kept


def as_inputs(checkpoint: Checkpoint, windows: Sequence["Window"]) -> Inputs:
    """Normalised, in the order in which an engine takes them."""
    valid = [np.stack([w.valid[name] for w in windows]) for name in MODALITIES]
    features = [
        checkpoint.normaliser(name, np.stack([w.features[name] for w in windows]), mask)
        for name, mask in zip(MODALITIES, valid, strict=True)
    ]
    return [*features, *valid]


def read_windows(file: Path) -> Inputs:
    """What this script has written."""
    with np.load(file) as saved:
        return [saved[name] for name in NAMES]


def write_windows(file: Path, inputs: Inputs) -> None:
    """For `read_windows`."""
    named: dict[str, Any] = dict(zip(NAMES, inputs, strict=True))
    np.savez_compressed(file, **named)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("videos", nargs="*", type=Path, default=[CLIP], metavar="VIDEO")
    options = parser.parse_args()
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for number, video in enumerate(options.videos):
            found = as_inputs(*windows_of(video, Path(folder, str(number))))
            print(f"{video.name}: {len(found[0])} windows", flush=True)
            parts.append(found)
    write_windows(options.file, [np.concatenate(x) for x in zip(*parts, strict=True)])


if __name__ == "__main__":
    main()
