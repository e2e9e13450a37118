"""A training run in a TOML file, read into frozen dataclasses; an unknown key is an error."""

import dataclasses
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.errors import BadInput
from inference.training.split import FOLDS

__all__ = [
    "PRESETS",
    "LossSettings",
    "NetworkSettings",
    "NoiseSettings",
    "TrainingSettings",
    "read_settings",
]

PRESETS = Path(__file__).parent / "presets"
"""Configurations that come with the program, by name."""


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Sizes of the network; see `inference.model.DHMDConfig`."""

    width: int = 48
    heads: int = 4
    layers: int = 3
    atoms: int = 512
    dropout: float = 0.1
    input_dropout: float = 0.0
    output_dropout: float = 0.1
    gate: str = "multiply"


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses; see `inference.training.losses.LossWeights`."""

    coarse: float = 0.05
    decoupling: float = 0.1
    dictionary: float = 0.1
    code_matching: float = 0.1
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
class TrainingSettings:
    """One run. Every number that shapes the checkpoint stands here."""

    examples: tuple[str, ...]
    """Names of the folders of examples, as `affectscope extract` wrote them."""
    network: NetworkSettings = field(default_factory=NetworkSettings)
    losses: LossSettings = field(default_factory=LossSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    seed: int = 0
    fold: int = 0
    """Which fifth of the people is held out for the test."""
    steps: int = 2000
    batch: int = 64
    learning_rate: float = 5e-4
    dictionary_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: int = 100
    balance: float = 0.5
    """How emotions of words are drawn: 1 as often as they occur, 0 all equally often."""
    turning: float = 0.3
    """Part of the face windows that begin with another expression than the one they end with."""
    rest: float = 0.15
    """Most expression that a face composed for "neutral" may keep, 0 to 1."""
    evaluate_every: int = 250
    average_from: float = 0.5
    """Part of the run after which the weights are averaged into the checkpoint."""


_RANGES = {
    "fold": (0, FOLDS - 1),
    "steps": (1, math.inf),
    "batch": (1, math.inf),
    "warmup": (0, math.inf),
    "evaluate_every": (1, math.inf),
    "learning_rate": (0.0, math.inf),
    "dictionary_learning_rate": (0.0, math.inf),
    "weight_decay": (0.0, math.inf),
    "clip": (0.0, math.inf),
    "text": (0.0, math.inf),
    "voice": (0.0, math.inf),
    "face": (0.0, math.inf),
    "memory": (0.0, 0.999),
    "balance": (0.0, math.inf),
    "turning": (0.0, 1.0),
    "rest": (0.0, 1.0),
    # of the whole run nothing would be averaged: the checkpoint would hold what it began with
    "average_from": (0.0, 0.999),
    "width": (2, math.inf),
    "heads": (1, math.inf),
    "layers": (1, math.inf),
    "atoms": (1, math.inf),
    "dropout": (0.0, 0.999),
    "input_dropout": (0.0, 0.999),
    "output_dropout": (0.0, 0.999),
    "coarse": (0.0, math.inf),
    "decoupling": (0.0, math.inf),
    "dictionary": (0.0, math.inf),
    "code_matching": (0.0, math.inf),
    "label_smoothing": (0.0, 1.0),
}
"""Least and most of each number; infinity stands for any finite number."""


def read_settings(which: str | Path) -> TrainingSettings:
    """Settings from a TOML file, or from a preset by name.

    Raises BadInput, naming file and key, if the file is missing, is not TOML or has a wrong key,
    type or number.
    """
    path = PRESETS / f"{which}.toml" if Path(which).suffix == "" else Path(which)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(preset.stem for preset in PRESETS.glob("*.toml")))
        raise BadInput(f"there is no configuration {which}; presets are {known}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path} is not a TOML file: {error}") from error
    settings: TrainingSettings = _filled(TrainingSettings, values, str(path))
    if not settings.examples:
        raise BadInput(f"{path}: examples names no folder")
    return settings


def _filled(kind: type[Any], values: Any, where: str) -> Any:
    """A dataclass of `kind` from plain values."""
    if not isinstance(values, dict):
        raise BadInput(f"{where} is {values!r}, not a table")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    known: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise BadInput(f"{where}: unknown key {key}; known are {', '.join(fields)}")
        wanted = fields[key].type
        if dataclasses.is_dataclass(wanted):
            known[key] = _filled(wanted, value, f"{where} [{key}]")  # type: ignore[arg-type]
        elif key == "examples":
            if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
                raise BadInput(f"{where}: examples is {value!r}, not a list of names")
            known[key] = tuple(value)
        elif wanted is float and type(value) is int:
            known[key] = float(value)
        elif type(value) is not wanted:
            raise BadInput(f"{where}: {key} is {value!r}, not of type {wanted.__name__}")  # type: ignore[union-attr]
        else:
            known[key] = value
        least, most = _RANGES.get(key, (-math.inf, math.inf))
        if type(known[key]) in (int, float) and not _within(known[key], least, most):
            upper = f" to {most}" if most < math.inf else " or more"
            raise BadInput(f"{where}: {key} is {value!r}, not {least}{upper}")
    for name, declared in fields.items():
        missing = declared.default is declared.default_factory is dataclasses.MISSING
        if missing and name not in known:
            raise BadInput(f"{where}: {name} is missing")
    return kind(**known)


def _within(value: float, least: float, most: float) -> bool:
    return math.isfinite(value) and least <= value <= most
