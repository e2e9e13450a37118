"""Labelled examples as time-stamped samples, on disk and in memory."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES, FloatArray
from extractors.stream import Sample
from extractors.stream.window import Window, WindowSpec, build_window

__all__ = ["Example", "ExampleSet", "Row", "StatesOfWords", "load_examples", "save_examples"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """Data of a stored sample of voice or face: its features, or None where it was absent."""

    vector: FloatArray | None


@dataclass(frozen=True, slots=True)
class StatesOfWords:
    """Data of a stored sample of text: ends in session nanoseconds and states [words, 384]."""

    ends: tuple[int, ...]
    states: FloatArray


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled item as samples of the modalities that it has.

    `emotion` indexes `EMOTIONS`, `sentiment` lies in [-3, 3]. Variants above 0 are augmentations of
    the same item: train on them, never test on them.
    """

    id: str
    person: str
    emotion: int
    sentiment: float
    split: str = ""
    variant: int = 0
    samples: dict[str, tuple[Sample[Any], ...]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Session time at which the last thing was there, in nanoseconds."""
        return max(_last_present(samples) for samples in self.samples.values())

    def window(self, spec: WindowSpec, end: int | None = None) -> Window:
        """The window that ends at `end`, by default when the last thing was there."""
        return build_window(spec, self.end if end is None else end, self.samples)


def _last_present(samples: Sequence[Sample[Any]]) -> int:
    ends = [s.end for s in samples if getattr(s.data, "vector", 0) is not None]
    return max(ends, default=samples[-1].end)


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """The examples of one corpus and where they came from."""

    kind: str
    examples: tuple[Example, ...]
    origin: dict[str, Any] = field(default_factory=dict)

    @property
    def modality(self) -> str:
        """The modality that every example has."""
        return next(m for m in MODALITIES if m in self.examples[0].samples)


def save_examples(folder: Path, examples: ExampleSet) -> None:
    """Write `labels.json` and `samples.npz` into `folder`. Raises BadInput if that cannot be."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in MODALITIES:
        owners, ends, states, counts = [], [], [], []
        for index, example in enumerate(examples.examples):
            for sample in example.samples.get(name, ()):
                rows, at = _flatten(sample)
                owners.append(index)
                counts.append(len(rows))
                states.append(rows)
                ends.append(at)
        if owners:
            arrays[f"{name}.owner"] = np.asarray(owners, np.int64)
            arrays[f"{name}.count"] = np.asarray(counts, np.int64)
            arrays[f"{name}.end"] = np.concatenate(ends)
            filled = [rows for rows in states if len(rows)]
            width = filled[0].shape[1] if filled else 0
            arrays[f"{name}.rows"] = np.concatenate([*filled, np.zeros((0, width), np.float32)])
            arrays[f"{name}.at"] = np.asarray(
                [s.end for e in examples.examples for s in e.samples.get(name, ())], np.int64
            )
    labels = {
        "version": VERSION,
        "kind": examples.kind,
        "origin": examples.origin,
        "examples": [
            [e.id, e.person, EMOTIONS[e.emotion], e.sentiment, e.split, e.variant]
            for e in examples.examples
        ],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "samples.npz", **arrays)  # type: ignore[arg-type]
        (folder / "labels.json").write_text(json.dumps(labels, indent=0), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write examples to {folder}: {error.strerror}") from error


def _flatten(sample: Sample[Any]) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Rows [n, features] and their ends [n] of one sample; absent ones have no row."""
    if hasattr(sample.data, "states") and hasattr(sample.data, "ends"):
        return sample.data.states, np.asarray(sample.data.ends, np.int64)
    vector = sample.data.vector
    if vector is None:
        return np.zeros((0, 0), np.float32), np.zeros(0, np.int64)
    return vector[None, :], np.asarray([sample.end], np.int64)


def load_examples(folder: Path) -> ExampleSet:
    """Read what `save_examples` wrote.

    Raises BadInput, naming file and field, if something is missing, damaged or not finite.
    """
    labels_file, samples_file = folder / "labels.json", folder / "samples.npz"
    try:
        labels = json.loads(labels_file.read_text(encoding="utf-8"))
        with np.load(samples_file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise BadInput(f"{error.filename} is missing; run: affectscope extract") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise BadInput(f"the examples in {folder} are damaged: {error}") from error
    if labels.get("version") != VERSION:
        raise BadInput(f"{labels_file} has version {labels.get('version')}, not {VERSION}")
    samples = [dict[str, list[Sample[Any]]]() for _ in labels["examples"]]
    for name in MODALITIES:
        if f"{name}.owner" in arrays:
            if not np.isfinite(arrays[f"{name}.rows"]).all():
                raise BadInput(f"{samples_file} field {name}.rows is not finite everywhere")
            _restore(name, arrays, samples)
    examples = []
    for found, row in zip(samples, labels["examples"], strict=True):
        key, person, emotion, sentiment, split, variant = row
        if emotion not in EMOTIONS:
            raise BadInput(f"{labels_file} field emotion of {key} is {emotion}: unknown")
        if not -3 <= sentiment <= 3:
            raise BadInput(f"{labels_file} field sentiment of {key} is {sentiment}: not in [-3, 3]")
        whole = {name: tuple(stream) for name, stream in found.items()}
        index = EMOTIONS.index(emotion)
        examples.append(Example(key, person, index, sentiment, split, variant, whole))
    return ExampleSet(labels["kind"], tuple(examples), labels["origin"])


def _restore(
    name: str, arrays: dict[str, npt.NDArray[Any]], samples: list[dict[str, list[Sample[Any]]]]
) -> None:
    rows, ends = arrays[f"{name}.rows"], arrays[f"{name}.end"]
    first = 0
    for owner, count, at in zip(
        arrays[f"{name}.owner"], arrays[f"{name}.count"], arrays[f"{name}.at"], strict=True
    ):
        data: Row | StatesOfWords
        if name == "text":
            words = tuple(int(end) for end in ends[first : first + count])
            data = StatesOfWords(words, rows[first : first + count])
        else:
            data = Row(rows[first] if count else None)
        first += int(count)
        sample = Sample[Any](name, int(at), int(at), int(at), data)
        samples[owner].setdefault(name, []).append(sample)
