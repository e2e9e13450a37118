"""A training run in a TOML file, read into frozen dataclasses; an unknown key is an error."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assets.errors import BadInput
from extractors.features import EMOTIONS, LIVE_WINDOWS, MODALITIES
from extractors.stream import SECOND
from extractors.stream.window import ContextWindow, StepWindow, WindowSpec
from inference.model import DHMDConfig, ModalityConfig
from inference.training.split import FOLDS
from inference.training.toml_tables import changed, filled, read_toml

__all__ = [
    "PRESETS",
    "LabelSettings",
    "LossSettings",
    "ModalitySettings",
    "NetworkSettings",
    "NoiseSettings",
    "TeacherSettings",
    "TrainingSettings",
    "network",
    "read_settings",
    "settings_from",
    "size_of",
    "taught_subsets",
    "windows",
]

PRESETS = Path(__file__).parent / "presets"
"""Configurations that come with the program, by name."""


@dataclass(frozen=True, slots=True)
class ModalitySettings:
    """One input: its size, and where it comes from."""

    features: int = 1
    steps: int = 1
    kernel: int = 3
    """Width in steps of the convolution that reads it; odd."""
    span: float = 0.0
    """Seconds that the steps cover; 0 for corpora that come as sequences and have no clock."""
    stream: str = ""
    """Samples of the examples that it is made of; empty for those of the modality's own name."""


def _live(name: str) -> ModalitySettings:
    window = LIVE_WINDOWS.modalities[name]
    return ModalitySettings(window.features, window.steps, span=window.span / SECOND)


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """What is predicted, and how the labels of the data are read."""

    emotions: tuple[str, ...] = EMOTIONS
    """Classes in the order of the logits; none for sentiment alone."""
    sentiment: bool = True
    merge: dict[str, str] = field(default_factory=lambda: {"calm": "neutral"})
    """Labels that count as another one."""
    leave_out: tuple[str, ...] = ("contempt",)
    """Labels whose examples are left out."""


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Sizes and parts of the network; see `inference.model.DHMDConfig`."""

    width: int = 48
    heads: int = 4
    layers: int = 3
    atoms: int = 512
    node_width: int = 32
    temperature: float = 8.0
    dropout: float = 0.1
    input_dropout: float = 0.0
    attention_dropout: float = 0.0
    output_dropout: float = 0.1
    summary: str = "recent"
    gate: str = "multiply"
    fusion: str = "gated"
    decoupling: bool = True
    homogeneous: bool = True
    heterogeneous: bool = True
    dictionary: bool = True
    dictionary_gradient: bool = True


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses; see `inference.training.losses.LossWeights`."""

    coarse: float = 0.05
    decoupling: float = 0.1
    separation: float = 0.1
    dictionary: float = 0.1
    dictionary_margin: float = 0.1
    code_matching: float = 0.1
    usage: float = 0.1
    prior: float = 10.0
    representation: float = 10.0
    label_smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class NoiseSettings:
    """Standard deviation of the noise on the normalised features of each modality.

    Half its variance is constant over a window, as persons differ; half wanders within it, as
    speech and tracking do, with correlation `memory` from one step to the next.
    """

    text: float = 0.1
    voice: float = 0.1
    face: float = 0.1
    memory: float = 0.7


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """Discriminant analyses that teach the emotions; see inference/training/discriminant.py."""

    of: tuple[str, ...] = ()
    """What each knows: a modality, "voice", or some together, "voice+face". Those of modalities not
    in use have nothing to say."""
    shrinkage: float = 0.3
    """Part of the covariance within an emotion that is taken to be alike in all directions."""
    mixing: float = 0.5
    """Part of the samples taught that are moved towards another one."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """One run. Every number that shapes the checkpoint stands here."""

    examples: tuple[str, ...]
    """Names of the folders of examples, as `affectscope extract` wrote them."""
    modalities: tuple[str, ...] = MODALITIES
    """Those that are used; the others are absent throughout."""
    samples: str = "composed"
    """"composed" of examples of equal emotion, or "together": all that an example has."""
    text: ModalitySettings = field(default_factory=lambda: _live("text"))
    voice: ModalitySettings = field(default_factory=lambda: _live("voice"))
    face: ModalitySettings = field(default_factory=lambda: _live("face"))
    labels: LabelSettings = field(default_factory=LabelSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    losses: LossSettings = field(default_factory=LossSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    teachers: TeacherSettings = field(default_factory=TeacherSettings)
    seed: int = 0
    fold: int = 0
    """Which fifth of the people is held out for the test."""
    everyone: bool = False
    """Hold out nobody, not what the data itself names for the test either: nothing is measured."""
    validation: float = 0.0
    """Part of the people trained on that is watched instead, where the data names no such part."""
    normalise_people: bool = False
    """Normalise the features of each person by that person's own mean and deviation."""
    drop_modality: float = 0.0
    """Probability that a modality of a sample is left out, if another one is there."""
    steps: int = 2000
    """Steps of the optimiser, unless `epochs` says how many."""
    epochs: int = 0
    """Rounds through examples that are taken together; 0 leaves it to `steps`."""
    batch: int = 64
    accumulation: int = 1
    """Batches in a step; processes share them."""
    optimiser: str = "adamw"
    learning_rate: float = 5e-4
    dictionary_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    clip_by: str = "norm"
    """"norm" of the whole gradient, or "value" of each of its numbers."""
    schedule: str = "cosine"
    """"cosine" to a twentieth, or "plateau": half of it when validation does not get better."""
    warmup: int = 100
    patience: int = 5
    """Validations without a better one before the "plateau" halves the learning rate."""
    stop_after: int = 0
    """Validations without a better one before the run stops; 0 for never."""
    keep: str = "average"
    """Weights in the checkpoint: the "average", the "best" on validation, or the "last"."""
    balance: float = 0.5
    """How emotions of words are drawn: 1 as often as they occur, 0 all equally often."""
    turning: float = 0.3
    """Part of the face windows that begin with another expression than the one they end with."""
    rest: float = 0.15
    """Most expression that a face composed for "neutral" may keep, 0 to 1."""
    evaluate_every: int = 250
    """Steps between reports and validations; 0 for every epoch."""
    average_from: float = 0.5
    """Part of the run after which the weights are averaged into the checkpoint."""


_ANY = (0.0, math.inf)
_DROPOUT = (0.0, 0.999)
_RANGES = {
    "fold": (0, FOLDS - 1),
    "seed": (0, 2**32 - 1),
    **dict.fromkeys(("steps", "batch", "accumulation", "patience", "features"), (1, math.inf)),
    **dict.fromkeys(("heads", "layers", "atoms", "node_width", "kernel"), (1, math.inf)),
    **dict.fromkeys(("epochs", "warmup", "evaluate_every", "stop_after"), (0, math.inf)),
    **dict.fromkeys(("learning_rate", "dictionary_learning_rate", "weight_decay", "clip"), _ANY),
    **dict.fromkeys(("text", "voice", "face", "balance", "span"), _ANY),
    **dict.fromkeys(("coarse", "decoupling", "separation", "dictionary"), _ANY),
    **dict.fromkeys(("dictionary_margin", "code_matching", "usage", "prior"), _ANY),
    "representation": _ANY,
    "memory": (0.0, 0.999),
    "turning": (0.0, 1.0),
    "rest": (0.0, 1.0),
    "validation": (0.0, 0.9),
    "drop_modality": (0.0, 0.999),
    # of the whole run nothing would be averaged: the checkpoint would hold what it began with
    "average_from": (0.0, 0.999),
    "width": (2, math.inf),
    "temperature": (0.01, math.inf),
    **dict.fromkeys(("dropout", "input_dropout", "attention_dropout", "output_dropout"), _DROPOUT),
    "label_smoothing": (0.0, 1.0),
    # without any, the covariance of fewer items than features has no inverse
    "shrinkage": (0.01, 1.0),
    "mixing": (0.0, 1.0),
}
_CHOICES = {
    "samples": ("composed", "together"),
    "optimiser": ("adam", "adamw"),
    "clip_by": ("norm", "value"),
    "schedule": ("cosine", "plateau"),
    "keep": ("average", "best", "last"),
    "fusion": ("gated", "late"),
    "summary": ("last", "recent"),
    "gate": ("dmd", "multiply"),
}


def read_settings(which: str | Path, assignments: Iterable[str] = ()) -> TrainingSettings:
    """Settings from a TOML file, or from a preset by name, with single values set anew.

    An assignment is `KEY=VALUE`, such as `network.dictionary=false`. Raises BadInput, naming file
    and key, if the file is missing, is not TOML or has a wrong key, type or number.
    """
    path = PRESETS / f"{which}.toml" if Path(which).suffix == "" else Path(which)
    try:
        values = read_toml(path)
    except FileNotFoundError as error:
        known = ", ".join(sorted(preset.stem for preset in PRESETS.glob("*.toml")))
        raise BadInput(f"there is no configuration {which}; presets are {known}") from error
    for assignment in assignments:
        values = changed(values, assignment)
    return settings_from(values, str(path))


def settings_from(values: dict[str, Any], where: str) -> TrainingSettings:
    """Settings from plain values, such as a checkpoint's origin has. Raises BadInput."""
    settings: TrainingSettings = filled(TrainingSettings, values, where, _RANGES, _CHOICES)
    if not settings.examples:
        raise BadInput(f"{where}: examples names no folder")
    for name in settings.modalities:
        if name not in MODALITIES:
            raise BadInput(f"{where}: modalities has {name}; known are {', '.join(MODALITIES)}")
    if not settings.modalities or len(set(settings.modalities)) < len(settings.modalities):
        raise BadInput(f"{where}: modalities must name each modality that is used, once")
    if settings.samples == "composed" and not settings.labels.emotions:
        raise BadInput(f"{where}: samples are composed by emotion, and labels has no emotions")
    if settings.samples == "composed" and settings.epochs:
        raise BadInput(f"{where}: composed samples have no epochs; set steps")
    if settings.samples == "composed" and not settings.evaluate_every:
        raise BadInput(f"{where}: composed samples have no epochs; set evaluate_every")
    for subset in settings.teachers.of:
        parts = subset.split("+")
        if not set(parts) <= set(MODALITIES) or len(set(parts)) < len(parts):
            raise BadInput(
                f"{where} [teachers]: of has {subset}, not modalities joined by +, as in voice+face"
            )
    if settings.teachers.of and not settings.labels.emotions:
        raise BadInput(f"{where} [teachers]: they teach emotions, and labels has none")
    watched = settings.keep == "best" or settings.stop_after or settings.schedule == "plateau"
    if watched and settings.keep == "average":
        raise BadInput(f'{where}: what watches the validation must keep the "best" or the "last"')
    return settings


def size_of(settings: TrainingSettings, name: str) -> ModalitySettings:
    """The size of a modality; the smallest there is for one that is not used."""
    used: ModalitySettings = getattr(settings, name)
    return used if name in settings.modalities else ModalitySettings(span=1.0, kernel=1)


def taught_subsets(settings: TrainingSettings) -> list[tuple[str, ...]]:
    """The modalities that each teacher knows, of those whose modalities are all in use."""
    subsets = [tuple(subset.split("+")) for subset in settings.teachers.of]
    return [subset for subset in subsets if set(subset) <= set(settings.modalities)]


def windows(settings: TrainingSettings) -> WindowSpec | None:
    """How windows are cut from samples; None if a modality in use has no span."""
    sizes = {name: size_of(settings, name) for name in MODALITIES}
    if any(size.span == 0 for size in sizes.values()):
        return None
    parts: dict[str, Any] = {}
    for name, size in sizes.items():
        span = round(size.span * SECOND)
        if name == "text":
            parts[name] = ContextWindow(size.features, size.steps, span)
        else:
            parts[name] = StepWindow(size.features, size.steps, max(1, span // size.steps))
    return WindowSpec(hop=LIVE_WINDOWS.hop, **parts)


def network(settings: TrainingSettings) -> DHMDConfig:
    """The configuration of the network. Raises BadInput for sizes that cannot be."""
    chosen: dict[str, Any] = asdict(settings.network)
    try:
        for name in MODALITIES:
            size = size_of(settings, name)
            chosen[name] = ModalityConfig(size.features, size.steps, size.kernel)
        labels = settings.labels
        return DHMDConfig(emotions=labels.emotions, sentiment=labels.sentiment, **chosen)
    except ValueError as error:
        raise BadInput(f"the configuration of the network: {error}") from error
