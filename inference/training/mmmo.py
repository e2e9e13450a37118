"""ICT-MMMO, reviews on video, as features that others extracted: `train.npz` and `valid.npz`.

Woellmer et al. 2013, IEEE Intelligent Systems 28(3), 46-53. Each video is 20 steps, aligned by
word: COVAREP (74) of the voice, Facet (36) of the face and GloVe (300) of the words, which the
training part lacks. The stars 1 to 5 of the review are its sentiment: 1.5 x - 4.5.
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.stream import SECOND, Sample
from inference.training.examples import Example, ExampleSet, Row, StatesOfWords

__all__ = ["FIELDS", "STEPS", "read_mmmo"]

STEPS = 20
STEP = SECOND // 10
"""Length that a step is given: how long each took is not told."""
FIELDS = {"text": ("text", 300), "voice": ("audio", 74), "face": ("video", 36)}
"""Name of the array and features per step of each modality."""
PARTS = ("train", "valid")


def read_mmmo(folder: Path) -> ExampleSet:
    """All videos of both parts, each a person of its own, since nothing tells who is in them.

    The parts are not kept as a split: words, which only the second has, could not be learned.

    A feature that is not finite becomes 0, as do the steps of which a modality has none, which are
    left out. Raises BadInput, naming file and field, for a file that does not fit.
    """
    examples = []
    for name in PARTS:
        path = folder / f"{name}.npz"
        arrays = _read(path)
        labels = _checked(arrays, "label", (), path)
        if not ((labels >= 1) & (labels <= 5)).all():
            raise BadInput(f"{path} field label is not in 1 to 5 everywhere")
        fields = {
            modality: _checked(arrays, field, (STEPS, width), path)
            for modality, (field, width) in FIELDS.items()
            if field in arrays
        }
        for index, label in enumerate(labels):
            samples = {m: _samples(m, values[index]) for m, values in fields.items()}
            found = {m: stream for m, stream in samples.items() if stream}
            if found:
                key = f"{name}-{index}"
                sentiment = 1.5 * float(label) - 4.5
                examples.append(Example(key, f"mmmo {key}", -1, sentiment, samples=found))
    return ExampleSet("mmmo", tuple(examples), {"items": len(examples), "failed": 0})


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing") from error
    except (OSError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is damaged or no archive of arrays: {error}") from error


def _checked(
    arrays: dict[str, npt.NDArray[Any]], field: str, shape: tuple[int, ...], path: Path
) -> npt.NDArray[np.float32]:
    """The array [videos, *shape] of finite numbers."""
    if field not in arrays:
        raise BadInput(f"{path} has no field {field}")
    array = arrays[field]
    videos = len(arrays["label"]) if arrays.get("label", np.zeros(())).ndim == 1 else -1
    if array.dtype.kind != "f" or array.shape != (videos, *shape):
        wanted = ", ".join(["videos", *map(str, shape)])
        raise BadInput(f"{path} field {field} is {array.dtype} {list(array.shape)}, not [{wanted}]")
    if np.isnan(array).any():
        raise BadInput(f"{path} field {field} is not a number everywhere")
    # COVAREP gives -inf where the logarithm of nothing is taken
    return np.nan_to_num(array.astype(np.float32), posinf=0.0, neginf=0.0)


def _samples(modality: str, rows: npt.NDArray[np.float32]) -> tuple[Sample[Any], ...]:
    """Rows [20, features] as samples; a step of zeros is one in which nothing was measured."""
    there = [step for step, row in enumerate(rows) if row.any()]
    if not there:
        return ()
    ends = [(step + 1) * STEP for step in there]
    if modality == "text":
        data = StatesOfWords(tuple(ends), rows[there])
        return (Sample("text", ends[-1], ends[-1], ends[-1], data),)
    return tuple(
        Sample(modality, end, end, end, Row(rows[step]))
        for step, end in zip(there, ends, strict=True)
    )
