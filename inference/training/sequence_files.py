"""Labelled sequences on disk: `sequences.safetensors` in a folder, mapped when read."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import MODALITIES
from inference.training.example_files import load_examples, require_room
from inference.training.examples import LABELS, ExampleSet
from inference.training.sequences import AT_ONCE, Sequences
from inference.whole_file import whole_file

__all__ = ["FILE", "load_data", "load_sequences", "save_sequences"]

FILE = "sequences.safetensors"
FORMAT = "affectscope-sequences-1"
"""Name and version of the layout of the metadata."""
_LISTS = ("ids", "people", "splits")


def save_sequences(folder: Path, sequences: Sequences) -> None:
    """Write the file into `folder`; one that is there is replaced only by a whole one.

    Raises BadInput if it cannot be written, or if there are examples with a clock in the folder:
    those would be read instead.
    """
    from safetensors.numpy import save_file

    if (folder / "labels.json").exists():
        raise BadInput(f"{folder} holds other examples already; choose another folder")

    arrays: dict[str, npt.NDArray[Any]] = {
        "emotion": sequences.emotion,
        "sentiment": sequences.sentiment,
        "variants": sequences.variants,
    }
    for name in sequences.features:
        arrays[f"{name}.features"] = np.ascontiguousarray(sequences.features[name], np.float32)
        arrays[f"{name}.valid"] = np.ascontiguousarray(sequences.valid[name])
    metadata = {
        "format": FORMAT,
        "kind": sequences.kind,
        "labels": json.dumps(LABELS),
        "origin": json.dumps(sequences.origin, allow_nan=False),
        **{name: json.dumps(getattr(sequences, name)) for name in _LISTS},
    }
    require_room(folder)
    with whole_file(folder / FILE) as partial:
        save_file(arrays, partial, metadata)


def load_data(folder: Path) -> ExampleSet | Sequences:
    """What `affectscope extract` wrote into a folder. Raises BadInput if that is damaged."""
    if (folder / FILE).is_file() and not (folder / "labels.json").is_file():
        return load_sequences(folder)
    return load_examples(folder)


def load_sequences(folder: Path) -> Sequences:
    """Read what `save_sequences` wrote; features are read from the file when they are indexed.

    Raises BadInput, naming file and field, if something is missing, damaged, not finite or of the
    wrong shape, or a label is out of its range.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / FILE
    if not path.is_file():
        raise BadInput(f"{path} is missing; run: affectscope extract")
    try:
        # torch maps the file, NumPy would copy it
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is damaged: {error}") from error
    if metadata.get("format") != FORMAT:
        raise BadInput(
            f"{path} field format is {metadata.get('format')}, not {FORMAT}; run: affectscope "
            "extract"
        )
    lists = {name: _list(metadata, name, path) for name in _LISTS}
    count = len(lists["ids"])
    if count == 0:
        raise BadInput(f"{path} field ids is empty")
    for name in ("people", "splits"):
        if len(lists[name]) != count:
            raise BadInput(f"{path} field {name} has {len(lists[name])} items, not {count}")
    features, valid = _features(arrays, count, path)
    return Sequences(
        metadata.get("kind", "sequences"),
        lists["ids"],
        lists["people"],
        lists["splits"],
        _column(arrays, "variants", count, "i", 0, math.inf, path),
        _column(arrays, "emotion", count, "i", -1, len(LABELS) - 1, path),
        _column(arrays, "sentiment", count, "f", -3, 3, path),
        features,
        valid,
        _origin(metadata, path),
    )


def _list(metadata: Mapping[str, str], name: str, path: Path) -> tuple[str, ...]:
    try:
        values = json.loads(metadata[name])
    except (KeyError, ValueError) as error:
        raise BadInput(f"{path} field {name} is missing or damaged") from error
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadInput(f"{path} field {name} is no list of names")
    return tuple(values)


def _origin(metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    try:
        origin = json.loads(metadata.get("origin", "{}"))
        labels = json.loads(metadata["labels"])
    except (KeyError, ValueError) as error:
        raise BadInput(f"{path} field origin or labels is damaged") from error
    if labels != list(LABELS)[: len(labels)] or not isinstance(origin, dict):
        raise BadInput(f"{path} field labels is {labels}: it was made by another version")
    return origin


def _column(
    arrays: Mapping[str, npt.NDArray[Any]],
    name: str,
    count: int,
    kind: str,
    least: float,
    most: float,
    path: Path,
) -> npt.NDArray[Any]:
    """A label of each item, within its range; a sentiment may be NaN, unknown."""
    array = arrays.get(name)
    if array is None:
        raise BadInput(f"{path} field {name} is missing")
    if array.dtype.kind != kind or array.shape != (count,):
        raise BadInput(f"{path} field {name} is {array.dtype} {list(array.shape)}, not [{count}]")
    wrong = np.flatnonzero((array < least) | (array > most))
    if len(wrong):
        raise BadInput(
            f"{path} field {name} of item {wrong[0]} is {array[wrong[0]]}: not in [{least}, {most}]"
        )
    return array


def _features(
    arrays: Mapping[str, npt.NDArray[Any]], count: int, path: Path
) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, npt.NDArray[np.bool_]]]:
    """The features and masks by name. Raises BadInput if they do not fit or are not finite."""
    features, valid = {}, {}
    for field, array in arrays.items():
        name, _, part = field.rpartition(".")
        if part != "features":
            continue
        mask = arrays.get(f"{name}.valid")
        if array.ndim != 3 or array.dtype != np.float32 or len(array) != count:
            raise BadInput(f"{path} field {field} is {array.dtype} {list(array.shape)}")
        if mask is None or mask.dtype != np.bool_ or mask.shape != array.shape[:2]:
            raise BadInput(f"{path} field {name}.valid is missing or does not fit {field}")
        for first in range(0, count, AT_ONCE):
            if not np.isfinite(array[first : first + AT_ONCE]).all():
                raise BadInput(f"{path} field {field} is not finite everywhere")
        features[name], valid[name] = array, mask
    if not set(features) & set(MODALITIES):
        raise BadInput(f"{path} has no field of {', '.join(MODALITIES)}")
    return features, valid
