"""Labelled examples on disk: `labels.json` and `samples.npz` in a folder."""

import io
import json
import math
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.stream import Sample
from inference.training.examples import (
    LABELS,
    STREAMS,
    Example,
    ExampleSet,
    Row,
    StatesOfWords,
    rows_of,
)

__all__ = [
    "features_of_bytes",
    "features_to_bytes",
    "load_examples",
    "require_room",
    "save_examples",
]

VERSION = 3
_ROW = {
    "id": (str,),
    "person": (str,),
    "emotion": (str, type(None)),
    "sentiment": (float, int, type(None)),
    "split": (str,),
    "variant": (int,),
}
"""Columns of the labels and their types."""

_SHAPES = {"owner": (1, "i"), "at": (1, "i"), "count": (1, "i"), "end": (1, "i"), "rows": (2, "f")}
"""Dimensions and kind of number of the arrays of a modality."""

_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading an archive raises if its bytes are wrong, or make no sense."""


def require_room(folder: Path) -> None:
    """Raise BadInput unless examples can be written to `folder`, before long work is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(f"cannot write examples to {folder}: {error.strerror}") from error


def save_examples(folder: Path, examples: ExampleSet) -> None:
    """Write `labels.json` and `samples.npz` into `folder`. Raises BadInput if that cannot be.

    Samples are put in place before the labels, without which nothing of them can be loaded.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in STREAMS:
        arrays |= _arrays(name, [e.samples for e in examples.examples])
    labels = {
        "version": VERSION,
        "kind": examples.kind,
        "origin": examples.origin,
        "examples": [
            [e.id, e.person, *_written_labels(e), e.split, e.variant] for e in examples.examples
        ],
    }
    require_room(folder)
    partial = folder / ".samples.partial"
    try:
        (folder / "labels.json").unlink(missing_ok=True)
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        partial.replace(folder / "samples.npz")
        partial.write_text(json.dumps(labels, indent=0, allow_nan=False), encoding="utf-8")
        partial.replace(folder / "labels.json")
    except OSError as error:
        raise BadInput(f"cannot write examples to {folder}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _written_labels(example: Example) -> tuple[str | None, float | None]:
    """Emotion by name and sentiment; null is unknown."""
    emotion = None if example.emotion < 0 else LABELS[example.emotion]
    return emotion, None if math.isnan(example.sentiment) else example.sentiment


def features_to_bytes(variants: Sequence[Mapping[str, Sequence[Sample[Any]]]]) -> bytes:
    """Samples by modality of each variant of an item, as an archive of arrays."""
    arrays: dict[str, npt.NDArray[Any]] = {"variants": np.asarray(len(variants))}
    for name in STREAMS:
        arrays |= _arrays(name, variants)
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    return archive.getvalue()


def features_of_bytes(content: bytes, where: Path) -> list[dict[str, tuple[Sample[Any], ...]]]:
    """Inverse of `features_to_bytes`. Raises BadInput, naming `where` it came from, if damaged."""
    arrays = _read_arrays(io.BytesIO(content), where)
    if "variants" not in arrays:
        raise BadInput(f"{where} field variants is missing")
    samples = [dict[str, list[Sample[Any]]]() for _ in range(int(arrays["variants"]))]
    _restore_all(arrays, samples, where)
    return [{name: tuple(stream) for name, stream in found.items()} for found in samples]


def _arrays(
    name: str, items: Sequence[Mapping[str, Sequence[Sample[Any]]]]
) -> dict[str, npt.NDArray[Any]]:
    """The samples of a modality, one after the other: whose they are, their rows and times."""
    samples = [(i, s) for i, found in enumerate(items) for s in found.get(name, ())]
    if not samples:
        return {}
    flat = [rows_of(sample) for _, sample in samples]
    filled = [rows for rows, _ in flat if len(rows)]
    return {
        f"{name}.owner": np.asarray([index for index, _ in samples], np.int64),
        f"{name}.at": np.asarray([sample.end for _, sample in samples], np.int64),
        f"{name}.count": np.asarray([len(rows) for rows, _ in flat], np.int64),
        f"{name}.end": np.concatenate([ends for _, ends in flat]),
        f"{name}.rows": np.concatenate(filled) if filled else np.zeros((0, 0), np.float32),
    }


def load_examples(folder: Path) -> ExampleSet:
    """Read what `save_examples` wrote.

    Raises BadInput, naming file and field, if something is missing, damaged or not finite.
    """
    labels_file, samples_file = folder / "labels.json", folder / "samples.npz"
    if folder.is_file():
        raise BadInput(f"{folder} is a file; name the folder that affectscope extract wrote")
    try:
        labels = json.loads(labels_file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{labels_file} is missing; run: affectscope extract") from error
    except OSError as error:
        raise BadInput(f"cannot read {labels_file}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{labels_file} is damaged: {error}") from error
    kind, origin, rows = _checked_labels(labels, labels_file)
    samples = [dict[str, list[Sample[Any]]]() for _ in rows]
    try:
        with samples_file.open("rb") as file:
            arrays = _read_arrays(file, samples_file)
    except FileNotFoundError as error:
        raise BadInput(f"{samples_file} is missing; run: affectscope extract") from error
    except OSError as error:
        raise BadInput(f"cannot read {samples_file}: {error.strerror}") from error
    _restore_all(arrays, samples, samples_file)
    examples = []
    for found, row in zip(samples, rows, strict=True):
        key, person, emotion, sentiment, split, variant = row
        if not found:
            raise BadInput(f"{samples_file} has no sample of {key}")
        whole = {name: tuple(stream) for name, stream in found.items()}
        index = -1 if emotion is None else LABELS.index(emotion)
        known = math.nan if sentiment is None else float(sentiment)
        examples.append(Example(key, person, index, known, split, variant, whole))
    return ExampleSet(kind, tuple(examples), origin)


def _checked_labels(labels: Any, file: Path) -> tuple[str, dict[str, Any], list[list[Any]]]:
    """Kind, origin and rows of the labels. Raises BadInput."""
    if not isinstance(labels, dict):
        raise BadInput(f"{file} is damaged: it holds no JSON object")
    if labels.get("version") != VERSION:
        raise BadInput(
            f"{file} field version is {labels.get('version')}, not {VERSION}; "
            "run: affectscope extract"
        )
    for field_name, wanted in (("kind", str), ("origin", dict), ("examples", list)):
        if not isinstance(labels.get(field_name), wanted):
            raise BadInput(f"{file} field {field_name} is missing or damaged")
    if not labels["examples"]:
        raise BadInput(f"{file} field examples is empty")
    for number, row in enumerate(labels["examples"]):
        if not isinstance(row, list) or len(row) != len(_ROW):
            raise BadInput(f"{file} field examples[{number}] has not {len(_ROW)} values")
        for (name, types), value in zip(_ROW.items(), row, strict=True):
            if type(value) not in types:
                raise BadInput(f"{file} field {name} of {row[0]} is {value!r}: wrong type")
        if row[2] is not None and row[2] not in LABELS:
            raise BadInput(f"{file} field emotion of {row[0]} is {row[2]}: unknown")
        if row[3] is not None and not -3 <= row[3] <= 3:
            raise BadInput(f"{file} field sentiment of {row[0]} is {row[3]}: not in [-3, 3]")
    return labels["kind"], labels["origin"], labels["examples"]


def _restore_all(
    arrays: dict[str, npt.NDArray[Any]], samples: list[dict[str, list[Sample[Any]]]], file: Path
) -> None:
    """Append the samples of all modalities. Raises BadInput if the arrays do not fit."""
    for name in STREAMS:
        if any(field.startswith(f"{name}.") for field in arrays):
            _restore(_checked_arrays(name, arrays, len(samples), file), name, samples)


def _read_arrays(content: BinaryIO, file: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of the archive, by name; pickled objects are refused. Raises BadInput."""
    where = f"{file}"
    try:
        # opened here: np.load takes a file that is no archive for a single array, or a pickle
        with zipfile.ZipFile(content) as archive:
            arrays = {}
            for entry in archive.namelist():
                name = entry.removesuffix(".npy")
                where = f"{file} field {name}"
                with archive.open(entry) as stream:
                    arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
            return arrays
    except _DAMAGE as error:
        raise BadInput(f"{where} is damaged: {error}") from error


def _checked_arrays(
    name: str, arrays: dict[str, npt.NDArray[Any]], examples: int, file: Path
) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a modality by field, which fit each other. Raises BadInput."""
    found = {}
    for key, (dimensions, kind) in _SHAPES.items():
        array = arrays.get(f"{name}.{key}")
        if array is None:
            raise BadInput(f"{file} field {name}.{key} is missing")
        if array.ndim != dimensions or array.dtype.kind != kind:
            raise BadInput(f"{file} field {name}.{key} is {array.dtype} {list(array.shape)}")
        found[key] = array
    owner, count, rows = found["owner"], found["count"], found["rows"]
    wrong = {
        "owner": ((owner < 0) | (owner >= examples)).any(),
        "count": len(count) != len(owner) or (count < 0).any(),
        "at": len(found["at"]) != len(owner),
        "end": len(found["end"]) != count.sum(),
        "rows": len(rows) != count.sum() or (name != "text" and (count > 1).any()),
    }
    for key, is_wrong in wrong.items():
        if is_wrong:
            raise BadInput(f"{file} field {name}.{key} does not fit the others")
    if not np.isfinite(rows).all():
        raise BadInput(f"{file} field {name}.rows is not finite everywhere")
    return found


def _restore(
    arrays: dict[str, npt.NDArray[Any]], name: str, samples: list[dict[str, list[Sample[Any]]]]
) -> None:
    """Append the samples of a modality to those of the examples that own them."""
    rows, ends = arrays["rows"].astype(np.float32, copy=False), arrays["end"]
    first = 0
    for owner, count, at in zip(arrays["owner"], arrays["count"], arrays["at"], strict=True):
        data: Row | StatesOfWords
        if name == "text":
            words = tuple(int(end) for end in ends[first : first + count])
            data = StatesOfWords(words, rows[first : first + count])
        else:
            data = Row(rows[first] if count else None)
        first += int(count)
        sample = Sample[Any](name, int(at), int(at), int(at), data)
        samples[owner].setdefault(name, []).append(sample)
