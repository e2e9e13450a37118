"""Small labelled examples made from numbers: emotions that are easy to tell apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from extractors.features import EMOTIONS
from extractors.stream import SECOND, Sample
from extractors.stream.window import ContextWindow, StepWindow, WindowSpec
from inference.training.configuration import (
    LossSettings,
    ModalitySettings,
    NetworkSettings,
    TrainingSettings,
)
from inference.training.examples import Example, ExampleSet, Row, StatesOfWords

TENTH = SECOND // 10
SMALL_WINDOWS = WindowSpec(
    hop=SECOND // 5,
    text=ContextWindow(features=5, steps=4, span=8 * SECOND),
    voice=StepWindow(features=6, steps=10, step=TENTH),
    face=StepWindow(features=52, steps=10, step=TENTH),
)
KINDS = {"text": "words", "voice": "voices", "face": "faces"}


def settings(**values: Any) -> TrainingSettings:
    """A run of a few seconds on one thread."""
    few: dict[str, Any] = {
        "examples": tuple(KINDS.values()),
        "network": NetworkSettings(width=8, heads=2, layers=1, atoms=8, dropout=0.0),
        "losses": LossSettings(),
        "text": ModalitySettings(features=5, steps=4, span=8.0),
        "voice": ModalitySettings(features=6, steps=10, span=1.0),
        "face": ModalitySettings(features=52, steps=10, span=1.0),
        "steps": 30,
        "batch": 16,
        "learning_rate": 5e-3,
        "warmup": 3,
        "evaluate_every": 10,
    }
    return TrainingSettings(**(few | values))


def steps_of(modality: str, rows: Sequence[np.ndarray | None]) -> tuple[Sample[Any], ...]:
    """Samples of voice or face, one every tenth of a second; None is absent."""
    return tuple(
        Sample(modality, end, end, end, Row(row))
        for end, row in ((TENTH * (i + 1), row) for i, row in enumerate(rows))
    )


def words_of(states: np.ndarray) -> tuple[Sample[Any], ...]:
    """One sample of text, a word every quarter of a second."""
    ends = tuple(SECOND // 4 * (i + 1) for i in range(len(states)))
    return (Sample("text", ends[-1], ends[-1], ends[-1], StatesOfWords(ends, states)),)


def made_set(
    modality: str,
    people: int = 10,
    each: int = 1,
    seed: int = 0,
    emotions: Sequence[str] = EMOTIONS,
) -> ExampleSet:
    """`each` examples of every emotion by every person: a pattern of the emotion, and noise."""
    shape = SMALL_WINDOWS.modalities[modality]
    patterns = np.random.default_rng(7).standard_normal((len(EMOTIONS), shape.features))
    generator = np.random.default_rng(seed)
    examples = []
    for person in range(people):
        for emotion in emotions:
            for take in range(each):
                index = EMOTIONS.index(emotion)
                noise = 0.3 * generator.standard_normal((shape.steps, shape.features))
                rows = (patterns[index] + noise).astype(np.float32)
                if modality == "face":  # between 0 and 1, as blendshapes are
                    rows = 1 / (1 + np.exp(-rows))
                samples = words_of(rows) if modality == "text" else steps_of(modality, list(rows))
                key, whom = f"{modality}-{person}-{emotion}-{take}", f"{modality} {person}"
                sentiment = (0.0, 2.0, -2.0, -1.0, -2.5, -1.5, 1.0)[index]
                examples.append(Example(key, whom, index, sentiment, samples={modality: samples}))
    return ExampleSet(KINDS[modality], tuple(examples), {"items": len(examples)})


def made_sets(**values: Any) -> list[ExampleSet]:
    """One set of each modality."""
    return [made_set(modality, **values) for modality in KINDS]
