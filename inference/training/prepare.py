"""Data as a configuration reads it: its streams as modalities, its labels as classes."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from inference.training.configuration import LabelSettings, TrainingSettings, size_of, windows
from inference.training.examples import LABELS, Example, ExampleSet, require_widths
from inference.training.sequences import Sequences

__all__ = ["prepared_examples", "prepared_sequences", "relabelled"]

IntArray = npt.NDArray[np.int64]


def prepared_examples(examples: ExampleSet, settings: TrainingSettings) -> ExampleSet:
    """The examples with the modalities in use alone, made of their streams, and labels merged.

    Those that are left without samples or whose label is left out are gone. Raises BadInput if
    none remains, for a label that the settings do not know, or for features of another width than
    the windows want.
    """
    streams = {name: size_of(settings, name).stream or name for name in settings.modalities}
    labels, kept = relabelled(
        np.asarray([e.emotion for e in examples.examples]), settings.labels, examples.kind
    )
    found: list[Example] = []
    for example, label, keep in zip(examples.examples, labels.tolist(), kept, strict=True):
        samples = {m: example.samples[s] for m, s in streams.items() if s in example.samples}
        if samples and keep:
            found.append(replace(example, emotion=label, samples=samples))
    if not found:
        raise BadInput(f"the examples of {examples.kind} have no modality or label in use")
    spec = windows(settings)
    if spec is not None:
        require_widths(found, spec)
    return replace(examples, examples=tuple(found))


def relabelled(
    emotion: IntArray, labels: LabelSettings, kind: str
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Emotions [n], indices into `LABELS`, after merging, and which items [n] are not left out.

    Without emotions to predict all are unknown, and all stay. Raises BadInput for a label of the
    data `kind` that is neither predicted, nor merged, nor left out.
    """
    if not labels.emotions:
        return np.full(len(emotion), -1, np.int64), np.ones(len(emotion), np.bool_)
    to = np.arange(len(LABELS) + 1)
    to[-1] = -1  # what is unknown stays unknown
    keep = np.ones(len(LABELS) + 1, np.bool_)
    for index in np.unique(emotion[emotion >= 0]):
        name = labels.merge.get(LABELS[index], LABELS[index])
        if LABELS[index] in labels.leave_out or name in labels.leave_out:
            keep[index] = False
        elif name in labels.emotions and name in LABELS:
            to[index] = LABELS.index(name)
        else:
            raise BadInput(
                f"examples of {kind} are labelled {LABELS[index]}; name it in labels.emotions, "
                "labels.merge or labels.leave_out of the configuration"
            )
    return to[emotion], keep[emotion]


def prepared_sequences(sequences: Sequences, settings: TrainingSettings) -> Sequences:
    """The sequences in the sizes of the settings, without modalities not in use, labels merged.

    A modality that the data lacks is absent, and one that takes fewer steps than the settings say
    is filled up with steps that are not valid. Raises BadInput for other sizes.
    """
    features: dict[str, FloatArray] = {}
    valid: dict[str, npt.NDArray[np.bool_]] = {}
    for name in MODALITIES:
        size, stream = size_of(settings, name), size_of(settings, name).stream or name
        if name not in settings.modalities or stream not in sequences.features:
            # one row stands for all of them: nothing of it is ever valid
            empty = np.zeros((1, size.steps, size.features), np.float32)
            features[name] = np.broadcast_to(empty, (len(sequences), *empty.shape[1:]))
            valid[name] = np.zeros((len(sequences), size.steps), np.bool_)
            continue
        array, mask = sequences.features[stream], sequences.valid[stream]
        steps, width = array.shape[1:]
        if width != size.features or steps > size.steps:
            raise BadInput(
                f"{stream} of {sequences.kind} has {steps} steps of {width} features, the "
                f"configuration wants up to {size.steps} of {size.features}"
            )
        more = size.steps - steps
        features[name] = np.pad(array, ((0, 0), (0, more), (0, 0))) if more else array
        valid[name] = np.pad(mask, ((0, 0), (0, more))) if more else mask
    emotion, kept = relabelled(sequences.emotion, settings.labels, sequences.kind)
    whole = replace(sequences, emotion=emotion, features=features, valid=valid)
    return whole if kept.all() else whole.take(kept)
