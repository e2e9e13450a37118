"""All that is decided of a training run before its first step."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from extractors.stream.window import WindowSpec
from inference.checkpoint import Checkpoint, Normaliser
from inference.model import DHMDConfig
from inference.training.batches import (
    Batch,
    Batches,
    ComposedBatches,
    TogetherBatches,
    batch_of,
    class_of_label,
    targets_of,
)
from inference.training.calibrate import PLAIN, calibrated
from inference.training.composer import Composer
from inference.training.configuration import (
    TrainingSettings,
    network,
    taught_subsets,
    windows,
)
from inference.training.discriminant import Teachers, fitted_teachers
from inference.training.evaluate import evaluate
from inference.training.examples import Example, ExampleSet
from inference.training.made_faces import resting_faces
from inference.training.normalising import (
    normaliser_of_examples,
    rest_of_examples,
    rest_of_sequences,
)
from inference.training.prepare import prepared_examples, prepared_sequences
from inference.training.sequences import (
    Sequences,
    fitted_normaliser,
    joined,
    per_person,
    sequences_of,
)
from inference.training.split import Parts, hash_of_people, parts_by_person
from inference.training.trainable import (
    require_apart,
    require_labels,
    require_labels_to_test,
    require_parts,
)

__all__ = ["LICENCES", "Data", "Plan", "plan"]

Data = ExampleSet | Sequences
"""What a folder of examples holds."""

LICENCES = {
    "ravdess": "RAVDESS (CC BY-NC-SA 4.0)",
    "ckplus": "CK+ (research only)",
    "meld": "MELD (research only)",
    "mmmo": "ICT-MMMO (no terms known)",
    "mosi": "CMU-MOSI (research only)",
    "mosei": "CMU-MOSEI (research only)",
}
"""Under which terms the corpora are, by kind."""

VALIDATED_AT_ONCE = 64

Given = TypeVar("Given")
Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before its first step."""

    settings: TrainingSettings
    config: DHMDConfig
    spec: WindowSpec | None
    normaliser: Normaliser
    batches: Batches
    validation: tuple[Batch, ...]
    held_out: Mapping[str, Sequences]
    """What the checkpoint is measured on, by name."""
    origin: Mapping[str, Any]
    rest: Mapping[str, FloatArray] = field(default_factory=dict)
    """By modality, mean features [n] of those trained on while they are neutral."""
    labels: str = ""
    """A hash of all items and their labels."""
    people: tuple[str, ...] = ()
    """`hash_of_people` of each set."""

    def checkpoint(self, weights: Mapping[str, torch.Tensor]) -> Checkpoint:
        """The checkpoint with these weights, calibrated and measured on what was held out.

        Its errors of calibration are measured across halves of these people, see `calibrate`.
        """
        arrays = {name: tensor.numpy() for name, tensor in weights.items()}
        plain = Checkpoint(self.config, self.spec, self.normaliser, arrays, dict(PLAIN), {})
        bare, calibration = calibrated(plain, self.held_out)
        measured = {name: evaluate(bare, items) for name, items in self.held_out.items()}
        for name, numbers in measured.items():
            if "ece" in numbers:
                numbers["ece"] = calibration[name]["ece"]
        people = {name: len(set(items.people)) for name, items in self.held_out.items()}
        origin = {
            "settings": asdict(self.settings),
            **self.origin,
            "people_held_out": people,
            "held_out": measured,
            "calibration": calibration,
            "torch": torch.__version__,
        }
        if not self.settings.everyone:  # whom it held out depends on who was there
            origin["people"] = list(self.people)
        return replace(bare, origin=origin, rest=self.rest)


def plan(settings: TrainingSettings, data: Sequence[Data]) -> Plan:
    """All that is decided before the first step. Raises BadInput if it cannot be trained."""
    config, spec = network(settings), windows(settings)
    names = settings.examples if len(settings.examples) == len(data) else [d.kind for d in data]
    if settings.samples == "together":
        sequences = [
            _named(name, _as_sequences, d, settings) for name, d in zip(names, data, strict=True)
        ]
        return _plan_together(settings, config, spec, names, sequences)
    sets = [d for d in data if isinstance(d, ExampleSet)]
    if spec is None or len(sets) < len(data):
        raise BadInput(
            'only examples with a clock can be composed; set samples = "together", '
            "or give each modality its span"
        )
    prepared = [
        _named(name, prepared_examples, s, settings) for name, s in zip(names, sets, strict=True)
    ]
    return _plan_composed(settings, config, spec, names, prepared)


# ------------------------------------------------------------------------------------- samples


def _named(
    name: str,
    prepare: Callable[[Given, TrainingSettings], Prepared],
    data: Given,
    settings: TrainingSettings,
) -> Prepared:
    """What `prepare` makes of a set; what it refuses is told with the name of the set."""
    try:
        return prepare(data, settings)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error


def _as_sequences(data: Data, settings: TrainingSettings) -> Sequences:
    """A set as sequences of the sizes that the settings want. Raises BadInput."""
    if isinstance(data, Sequences):
        return prepared_sequences(data, settings)
    spec = windows(settings)
    if spec is None:
        raise BadInput(f"the examples of {data.kind} have a clock: give each modality its span")
    examples = prepared_examples(data, settings)
    found = sequences_of(examples.kind, examples.examples, spec)
    return replace(found, origin=dict(examples.origin))


def _plan_together(
    settings: TrainingSettings,
    config: DHMDConfig,
    spec: WindowSpec | None,
    names: Sequence[str],
    sets: Sequence[Sequences],
) -> Plan:
    parts = [_parts(s.people, s.splits, settings) for s in sets]
    counts: Counter[str] = Counter()
    for name, one, part in zip(names, sets, parts, strict=True):
        require_parts(name, part, settings)
        require_labels_to_test(name, one.emotion[part.test], one.sentiment[part.test], settings)
        counts[one.kind] += int(part.train.sum())
    require_apart([(n, s.people, p) for n, s, p in zip(names, sets, parts, strict=True)])
    whole = joined([per_person(s) if settings.normalise_people else s for s in sets])
    train_, watched, test = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("train", "validation", "test")
    )
    items = whole.variants == 0
    train_rows = np.flatnonzero(train_)
    present = whole.present[train_rows]
    for name in settings.modalities:
        if not present[:, MODALITIES.index(name)].any():
            raise BadInput(f"no example to train on has {name}; set modalities without it")
    known = whole.emotion[train_rows], whole.sentiment[train_rows]
    require_labels(" and ".join(names), *known, settings)
    normaliser = fitted_normaliser(whole, np.flatnonzero(train_ & items))
    held = whole.take(test & items)
    return Plan(
        settings,
        config,
        spec,
        normaliser,
        TogetherBatches(
            whole,
            train_rows,
            normaliser,
            settings,
            _teachers(whole, train_, normaliser, settings),
        ),
        tuple(_batches_of(whole.take(watched & items), normaliser, settings)),
        {"test": held} if len(held) else {},
        _origin(counts),
        rest_of_sequences(whole, np.flatnonzero(train_ & items), settings, spec),
        _hash_of(whole.ids, whole.emotion, whole.sentiment),
        tuple(hash_of_people(s.people, s.splits) for s in sets),
    )


def _plan_composed(
    settings: TrainingSettings,
    config: DHMDConfig,
    spec: WindowSpec,
    names: Sequence[str],
    sets: Sequence[ExampleSet],
) -> Plan:
    generator = np.random.default_rng(settings.seed)
    known: list[Example] = []
    held: dict[str, list[Example]] = {}
    kinds: dict[str, list[str]] = {}
    watched: list[tuple[str, list[Example]]] = []
    counts: Counter[str] = Counter()
    people, split = list[str](), list[tuple[str, Sequence[str], Parts]]()
    for called, one in zip(names, sets, strict=True):
        examples = one.examples
        whom, splits = [e.person for e in examples], [e.split for e in examples]
        people.append(hash_of_people(whom, splits))
        part = _parts(whom, splits, settings)
        require_parts(called, part, settings)
        split.append((called, whom, part))
        chosen = _chosen(examples, part.train)
        used = sum(e.emotion >= 0 for e in chosen)
        if not used:
            raise BadInput(
                f"samples are composed by emotion, and the examples of {called} have none; "
                'set samples = "together"'
            )
        counts[one.kind] += used
        known += chosen
        test = [e for e in _chosen(examples, part.test) if e.variant == 0]
        require_labels_to_test(called, *_labels(test), settings)
        for name in settings.modalities:
            alone = [_alone(e, name) for e in test if name in e.samples]
            if alone:
                held[name] = held.get(name, []) + alone
                kinds[name] = [*kinds.get(name, []), one.kind]
        watched.append(
            (one.kind, [e for e in _chosen(examples, part.validation) if e.variant == 0])
        )
    require_apart(split)
    for name in settings.modalities:
        if not any(name in e.samples and e.variant == 0 for e in known):
            raise BadInput(f"no example to train on has {name}; add one to the configuration")
    normaliser = normaliser_of_examples(known, spec, settings)
    lessons = _taught_of(known, spec, settings)
    teachers = _teachers(lessons, np.ones(len(lessons), np.bool_), normaliser, settings)
    faces = [e for e in known if "face" in e.samples and e.emotion >= 0]
    if faces and "neutral" in settings.labels.emotions:
        known += resting_faces(faces, settings.rest, generator)
    require_labels(" and ".join(names), *_labels(known), settings)
    composer = Composer(
        known, spec, generator, settings.balance, settings.turning, settings.modalities
    )
    return Plan(
        settings,
        config,
        spec,
        normaliser,
        ComposedBatches(composer, normaliser, settings, teachers),
        tuple(
            batch
            for kind, items in watched
            if items
            for batch in _batches_of(sequences_of(kind, items, spec), normaliser, settings)
        ),
        {n: sequences_of(" and ".join(kinds[n]), items, spec) for n, items in held.items()},
        _origin(counts),
        rest_of_examples(known, spec),
        _hash_of(
            [e.id for one in sets for e in one.examples],
            [e.emotion for one in sets for e in one.examples],
            [e.sentiment for one in sets for e in one.examples],
        ),
        tuple(people),
    )


def _taught_of(known: Sequence[Example], spec: WindowSpec, settings: TrainingSettings) -> Sequences:
    """Of what is trained on, all that has what some teacher is of: items and their variants."""
    subsets = taught_subsets(settings)
    chosen = [e for e in known if any(set(e.samples) >= set(s) for s in subsets)]
    return sequences_of("what is taught", chosen, spec)


def _teachers(
    sequences: Sequences,
    chosen: npt.NDArray[np.bool_],
    normaliser: Normaliser,
    settings: TrainingSettings,
) -> Teachers | None:
    if not taught_subsets(settings):  # then nothing need be read
        return None
    items = sequences.take(chosen)
    classes = class_of_label(settings.labels.emotions)[items.emotion]
    return fitted_teachers(settings, items, classes, normaliser)


def _hash_of(ids: Sequence[str], emotions: Any, sentiments: Any) -> str:
    """Of the items and their labels, in their order."""
    digest = hashlib.sha256(json.dumps(list(ids)).encode())
    digest.update(np.asarray(emotions, np.int64).tobytes())
    digest.update(np.asarray(sentiments, np.float32).tobytes())
    return digest.hexdigest()


def _parts(people: Sequence[str], splits: Sequence[str], settings: TrainingSettings) -> Parts:
    return parts_by_person(
        people, splits, settings.fold, settings.validation, everyone=settings.everyone
    )


def _chosen(examples: Sequence[Example], mask: npt.NDArray[np.bool_]) -> list[Example]:
    return [example for example, wanted in zip(examples, mask, strict=True) if wanted]


def _labels(examples: Sequence[Example]) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Emotions [n] and sentiments [n], as `Sequences` has them."""
    emotions = np.asarray([e.emotion for e in examples], np.int64)
    return emotions, np.asarray([e.sentiment for e in examples], np.float32)


def _alone(example: Example, modality: str) -> Example:
    """What a composed sample can be made of: one modality of an example."""
    return replace(example, samples={modality: example.samples[modality]})


def _batches_of(
    sequences: Sequences, normaliser: Normaliser, settings: TrainingSettings
) -> Iterator[Batch]:
    """All items, in order and without noise."""
    for first in range(0, len(sequences), VALIDATED_AT_ONCE):
        some = sequences.take(np.arange(first, min(first + VALIDATED_AT_ONCE, len(sequences))))
        targets = targets_of(some, settings.labels.emotions)
        yield batch_of(some.features, some.valid, targets, normaliser)


def _origin(counts: Mapping[str, int]) -> dict[str, Any]:
    terms = "; ".join(LICENCES.get(kind, f"{kind} (your own data)") for kind in counts)
    return {
        "licence": f"Trained on {terms}. These weights are for research, non-commercial use."
        if any(kind in LICENCES for kind in counts)
        else f"Trained on {terms}.",
        "examples": dict(counts),
    }
