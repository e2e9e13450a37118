"""Corpora to examples through the app's extractors: training sees what live use sees."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assets.errors import BadInput
from assets.manifest import manifest
from extractors.features import VOICE_SET
from extractors.stream import Sample, from_seconds
from extractors.text_adapter import TEXT_ADAPTER
from inference.models import SETS
from inference.training.corpora import read_corpus
from inference.training.example_files import features_of_bytes, features_to_bytes
from inference.training.examples import LABELS, Example, ExampleSet, Row
from inference.training.extraction_cache import ExtractionCache, content_key
from inference.training.item_features import (
    Features,
    face_features,
    free_faces,
    text_features,
    video_features,
    voice_features,
)
from inference.training.item_workers import Broken, each_item
from inference.training.labelled_item import LabelledItem
from inference.training.mmmo import read_mmmo

__all__ = ["KINDS", "Failed", "extract_corpus"]

KINDS = ("ravdess", "ckplus", "meld", "mmmo", "folder")
"""Kinds of corpora that can be extracted."""
EXTRACTION = "7"
"""Counts up when the same content gives other features: nothing old must be taken for new."""
PRETRAINED = {
    "ravdess": (VOICE_SET,),
    "ckplus": ("face-landmarker",),
    "meld": ("minilm",),
    "folder": SETS,
}
AT_ONCE = {"ravdess": 1, "ckplus": 8, "meld": 32, "folder": 1}
"""Contents that a process is given at a time: short ones cost more to hand over than to do."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that gave no example, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class _Content:
    """What is extracted once, whoever has labelled it how often."""

    kind: str
    key: str
    path: Path | None
    text: str
    variants: int


Progress = Callable[[int, int], None]


def extract_corpus(
    folder: Path,
    kind: str,
    progress: Progress | None = None,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    variants: int = 0,
) -> tuple[ExampleSet, list[Failed]]:
    """Examples of the corpus in `folder`; `progress` is told contents done and in all.

    `workers` processes, by default one for each processor; `variants` of every sound are made to
    train on. With a `cache` file nothing is extracted twice. An item that fails is listed and does
    not stop the others. Raises BadInput for an unknown kind, an empty folder, or one of which
    nothing can be used, and ModelFileError if a pretrained file is missing.
    """
    if kind == "mmmo":
        return read_mmmo(folder), []
    items = read_corpus(folder, kind)
    failed: list[Failed] = []
    keyed = [(item, key) for item in items if (key := _key(item, kind, variants, failed))]
    contents = {key: _Content(kind, key, item.path, item.text, variants) for item, key in keyed}
    try:
        features, whys = _extracted(
            list(contents.values()), cache, _workers(workers, kind, len(contents)), progress
        )
    finally:
        free_faces()  # one worker is this process
    examples: list[Example] = []
    for item, key in keyed:
        found = _examples(item, features.get(key, []))
        examples += found
        if not found:
            failed.append(Failed(item.id, whys.get(key, "nothing in this part of it")))
    if not examples:
        raise BadInput(f"nothing of {folder} could be used; the first: {failed[0].why}")
    place = {item.id: index for index, item in enumerate(items)}
    failed.sort(key=lambda failure: place[failure.id])
    origin = {"items": len(items), "failed": len(failed), "variants": variants}
    return ExampleSet(kind, tuple(examples), origin), failed


def _workers(wanted: int | None, kind: str, contents: int) -> int:
    several = -(-contents // AT_ONCE[kind])
    return max(1, min(wanted or os.cpu_count() or 1, several))


def _key(item: LabelledItem, kind: str, variants: int, failed: list[Failed]) -> str:
    """Hash of the content, of what is done with it and with which files; "" if it is unreadable."""
    known = manifest()
    models = [file.sha256 for name in PRETRAINED[kind] for file in known.of(name).files]
    if "minilm" in PRETRAINED[kind]:
        models.append(_text_adapter())
    made = str(variants) if kind == "ravdess" else ""
    content = item.path if item.path is not None else item.text
    try:
        return content_key(EXTRACTION, kind, made, *models, content)
    except OSError as error:
        failed.append(Failed(item.id, f"cannot read {item.path}: {error.strerror}"))
        return ""


@cache
def _text_adapter() -> str:
    """Hash of what MiniLM is changed by."""
    return content_key(TEXT_ADAPTER)


def _extracted(
    contents: Sequence[_Content], cache: Path | None, workers: int, progress: Progress | None
) -> tuple[dict[str, list[Features]], dict[str, str]]:
    """Features, and why there are none, by key."""
    features: dict[str, list[Features]] = {}
    whys: dict[str, str] = {}
    with ExtractionCache(cache if cache is not None else Path(":memory:")) as known:
        left = []
        for content in contents:
            stored = known.get(content.key)
            if stored is None:
                left.append(content)
            else:
                features[content.key] = features_of_bytes(stored, known.path)
        size = AT_ONCE[contents[0].kind] if contents else 1
        groups = [left[first : first + size] for first in range(0, len(left), size)]
        for index, results in each_item(_features_of_all, groups, workers):
            group = groups[index]
            if isinstance(results, Broken):
                results = _one_by_one(group, results)
            for content, result in zip(group, results, strict=True):
                if isinstance(result, Broken):
                    whys[content.key] = result.why
                else:
                    known.put(content.key, result)
                    features[content.key] = features_of_bytes(result, known.path)
            if progress is not None:
                progress(len(features) + len(whys), len(contents))
    return features, whys


def _one_by_one(
    group: Sequence[_Content], broken: Broken[list[_Content]]
) -> list[bytes | Broken[_Content]]:
    """Results of a group in which something kills the process that extracts it."""
    if len(group) == 1:
        return [Broken(broken.why)]
    results: dict[int, bytes | Broken[_Content]] = dict(each_item(_features_of, group, 2))
    return [results[index] for index in range(len(group))]


def _features_of_all(contents: Sequence[_Content]) -> list[bytes | Broken[_Content]]:
    return [result for _, result in each_item(_features_of, contents, 1)]


def _features_of(content: _Content) -> bytes:
    """Extract one content, as bytes: what crosses to another process is what is stored."""
    if content.path is None:
        return features_to_bytes(text_features(content.text))
    if content.kind == "ravdess":
        return features_to_bytes(voice_features(content.path, content.variants))
    extract = face_features if content.kind == "ckplus" else video_features
    return features_to_bytes(extract(content.path))


def _examples(item: LabelledItem, variants: Sequence[Features]) -> list[Example]:
    """The variants of the item as examples; of a part of a recording, what lies in it."""
    start, whole = from_seconds(item.start), item.end == float("inf")
    emotion = -1 if item.emotion is None else LABELS.index(item.emotion)
    found = []
    for variant, features in enumerate(variants):
        kept = {
            name: tuple(s for s in samples if whole or start < s.end <= from_seconds(item.end))
            for name, samples in features.items()
        }
        samples = {name: stream for name, stream in kept.items() if any(map(_is_there, stream))}
        if samples and item.action_units is not None:
            end = max(s.end for stream in samples.values() for s in stream if _is_there(s))
            row = Sample("action_units", end, end, end, Row(item.action_units))
            samples["action_units"] = (row,)
        if samples:
            found.append(
                Example(item.id, item.person, emotion, item.sentiment, item.split, variant, samples)
            )
    return found


def _is_there(sample: "object") -> bool:
    data = getattr(sample, "data", None)
    return getattr(data, "vector", data) is not None
