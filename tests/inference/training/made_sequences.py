"""Small labelled sequences made from numbers: sentiment that every modality tells."""

import numpy as np

from inference.training.configuration import (
    LabelSettings,
    ModalitySettings,
    NetworkSettings,
    NoiseSettings,
    TrainingSettings,
)
from inference.training.sequences import Sequences

SIZES = {"text": (4, 5), "voice": (6, 3), "face": (6, 2)}
"""Steps and features."""


def made_sequences(count: int = 40, seed: int = 0, splits: bool = True) -> Sequences:
    """`count` items of as many persons, in three parts; the face is missing in each third one."""
    generator = np.random.default_rng(seed)
    sentiment = generator.uniform(-3, 3, count).astype(np.float32)
    features, valid = {}, {}
    for name, (steps, width) in SIZES.items():
        noise = 0.3 * generator.standard_normal((count, steps, width))
        features[name] = (sentiment[:, None, None] + noise).astype(np.float32)
        lengths = generator.integers(1, steps + 1, count)
        valid[name] = np.arange(steps) < lengths[:, None]
    valid["face"][::3] = False
    parts = ("train", "train", "train", "valid", "test") if splits else ("",)
    return Sequences(
        "made",
        tuple(f"item {i}" for i in range(count)),
        tuple(f"person {i}" for i in range(count)),
        tuple(parts[i % len(parts)] for i in range(count)),
        np.zeros(count, np.int64),
        np.full(count, -1, np.int64),
        sentiment,
        features,
        valid,
        {"items": count},
    )


def sequence_settings(**values: object) -> TrainingSettings:
    """A run of DMD's schedule of a second or two: 24 items make 3 batches, 2 steps an epoch."""
    sizes = {n: ModalitySettings(width, steps) for n, (steps, width) in SIZES.items()}
    few: dict[str, object] = {
        **sizes,
        "examples": ("made",),
        "samples": "together",
        "labels": LabelSettings(emotions=()),
        "network": NetworkSettings(width=8, heads=2, layers=1, atoms=8, dropout=0.2),
        "noise": NoiseSettings(),
        "epochs": 6,
        "batch": 8,
        "accumulation": 2,
        "evaluate_every": 0,
        "optimiser": "adam",
        "learning_rate": 5e-3,
        "weight_decay": 0.0,
        "clip": 0.6,
        "clip_by": "value",
        "schedule": "plateau",
        "keep": "best",
        "drop_modality": 0.2,
    }
    return TrainingSettings(**(few | values))  # type: ignore[arg-type]
