"""CMU-MOSI and CMU-MOSEI as MMSA gives them: one pickle of features, converted once.

MMSA (Yu et al. 2020, github.com/thuiar/MMSA) has dictionaries `train`, `valid` and `test` of
arrays: `text` [n, T, 768] (states of BERT-base; other features are taken as they are), `audio`,
`vision`, `regression_labels` in [-3, 3], `id`, and for some files `text_bert` [n, 3, T] (token,
mask and segment numbers) and the lengths `audio_lengths` and `vision_lengths`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import FloatArray
from inference.training.safe_pickle import load_arrays
from inference.training.sequences import AT_ONCE, Sequences

__all__ = ["KINDS", "read_mmsa"]

KINDS = ("mosi", "mosei")
SPLITS = ("train", "valid", "test")
FIELDS = {"text": "text", "voice": "audio", "face": "vision"}
"""Name of the array of each modality."""
LABEL = "regression_labels"

BoolArray = npt.NDArray[np.bool_]


def read_mmsa(path: Path, kind: str) -> Sequences:
    """The items of all three parts, in their order.

    A step is valid where the mask of the text or the length of the sequence says so, and without
    either where a feature is not 0. An acoustic -inf becomes 0. Raises BadInput, naming file and
    field, for anything else that does not fit.
    """
    data = load_arrays(path)
    if not isinstance(data, dict):
        raise BadInput(f"{path} holds no dictionary of {', '.join(SPLITS)}")
    parts = []
    for split in SPLITS:
        if not isinstance(data.get(split), dict):
            raise BadInput(f"{path} field {split} is missing or no dictionary")
        parts.append(_part(data[split], split, path))
    widths = {m: {p[2][m].shape[1:] for p in parts} for m in FIELDS}
    for modality, found in widths.items():
        if len(found) > 1:
            raise BadInput(
                f"{path} field {FIELDS[modality]} has other steps or features in each part: "
                f"{', '.join(str(list(shape)) for shape in sorted(found))}"
            )
    counts = [len(labels) for _, labels, _, _ in parts]
    return Sequences(
        kind,
        tuple(key for ids, *_ in parts for key in ids),
        tuple(f"{kind} {key.partition('$_$')[0]}" for ids, *_ in parts for key in ids),
        tuple(split for split, count in zip(SPLITS, counts, strict=True) for _ in range(count)),
        np.zeros(sum(counts), np.int64),
        np.full(sum(counts), -1, np.int64),
        np.concatenate([labels for _, labels, _, _ in parts]),
        {m: np.concatenate([features[m] for _, _, features, _ in parts]) for m in FIELDS},
        {m: np.concatenate([valid[m] for *_, valid in parts]) for m in FIELDS},
        {"file": path.name, "items": dict(zip(SPLITS, counts, strict=True))},
    )


Part = tuple[list[str], FloatArray, dict[str, FloatArray], dict[str, BoolArray]]


def _part(part: Mapping[str, Any], split: str, path: Path) -> Part:
    """Ids, labels, features and masks of one part."""
    where = f"{path} field {split}"
    labels = _array(part, LABEL, where)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "fiu":
        raise BadInput(f"{where}.{LABEL} is {labels.dtype} {list(labels.shape)}, not [items]")
    count = len(labels)
    if count == 0:
        raise BadInput(f"{where} has no items")
    labels = labels.astype(np.float32)
    outside = np.flatnonzero(~(np.abs(labels) <= 3))
    if len(outside):
        raise BadInput(
            f"{where}.{LABEL} of item {outside[0]} is {labels[outside[0]]}: not in [-3, 3]"
        )
    ids = [str(key) for key in np.asarray(part.get("id", np.arange(count))).ravel()]
    if len(ids) != count:
        raise BadInput(f"{where}.id has {len(ids)} items, {LABEL} has {count}")
    features, valid = {}, {}
    for modality, field in FIELDS.items():
        features[modality] = _features(part, field, count, where)
        valid[modality] = _valid(part, field, features[modality], where)
        if not valid[modality].any():
            raise BadInput(f"{where}.{field} is empty throughout")
    return ids, labels, features, valid


def _array(part: Mapping[str, Any], field: str, where: str) -> npt.NDArray[Any]:
    if field not in part:
        more = "; token numbers (text_bert) alone are not enough" if field == "text" else ""
        raise BadInput(f"{where}.{field} is missing{more}")
    return np.asarray(part[field])


def _features(part: Mapping[str, Any], field: str, count: int, where: str) -> FloatArray:
    """Finite float32 [count, steps, features]."""
    array = _array(part, field, where)
    if array.ndim != 3 or array.dtype.kind != "f" or len(array) != count:
        raise BadInput(
            f"{where}.{field} is {array.dtype} {list(array.shape)}, not [{count}, steps, features]"
        )
    features = array.astype(np.float32)
    for first in range(0, count, AT_ONCE):
        some = features[first : first + AT_ONCE]
        if field == "audio":
            some[np.isneginf(some)] = 0.0  # COVAREP takes logarithms, of nothing too
        wrong = ~np.isfinite(some)
        if wrong.any():
            item, step, feature = (int(i) for i in np.argwhere(wrong)[0])
            raise BadInput(
                f"{where}.{field} of item {first + item} is {some[item, step, feature]} at step "
                f"{step}, feature {feature}"
            )
    return features


def _valid(part: Mapping[str, Any], field: str, features: FloatArray, where: str) -> BoolArray:
    """Which steps [n, T] were measured."""
    count, steps = features.shape[:2]
    lengths = f"{field}_lengths"
    if field == "text" and "text_bert" in part:
        tokens = _array(part, "text_bert", where)
        if tokens.shape != (count, 3, steps) or tokens.dtype.kind not in "biuf":
            raise BadInput(
                f"{where}.text_bert is {tokens.dtype} {list(tokens.shape)}, not numbers "
                f"{[count, 3, steps]}"
            )
        return np.asarray(tokens[:, 1] > 0)
    if lengths in part:
        known = _array(part, lengths, where).ravel()
        if len(known) != count or known.dtype.kind not in "iuf" or not (known <= steps).all():
            raise BadInput(f"{where}.{lengths} does not fit {field}")
        return np.asarray(np.arange(steps) < known[:, None])
    return np.asarray(features.any(axis=2))
