"""Calibration of a checkpoint on people held out, with a network that says what it is told."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from extractors.features import EMOTIONS, MODALITIES
from inference.checkpoint import Checkpoint, Normaliser
from inference.model import DHMDConfig, ModalityConfig
from inference.training import calibrate
from inference.training.calibrate import INTERVAL_LEVEL, PLAIN, calibrated, halves
from inference.training.evaluate import Predicted
from inference.training.sequences import Sequences

PEOPLE = 40
EACH = 50


def checkpoint() -> Checkpoint:
    one = ModalityConfig(features=1, steps=1)
    config = DHMDConfig(text=one, voice=one, face=one, emotions=EMOTIONS)
    still = {name: np.zeros(1, np.float32) for name in MODALITIES}
    return Checkpoint(config, None, Normaliser(still, still), {}, dict(PLAIN), {})


def items(seed: int) -> tuple[Sequences, Predicted]:
    """Labels drawn from a softmax, and predictions that are twice as sure as they should be."""
    generator = np.random.default_rng(seed)
    count = PEOPLE * EACH
    logits = generator.normal(0, 1.5, (count, len(EMOTIONS)))
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    emotion = (generator.random((count, 1)) > np.cumsum(chance, axis=1)).sum(axis=1)
    claimed = np.exp(2 * logits) / np.exp(2 * logits).sum(axis=1, keepdims=True)
    sentiment = generator.uniform(-2, 2, count).astype(np.float32)
    there = {name: np.ones((count, 1), np.bool_) for name in MODALITIES}
    sequences = Sequences(
        "made",
        tuple(map(str, range(count))),
        tuple(f"person {index // EACH}" for index in range(count)),
        ("",) * count,
        np.zeros(count, np.int64),
        emotion,
        sentiment,
        {name: np.zeros((count, 1, 1), np.float32) for name in MODALITIES},
        there,
    )
    off = sentiment + generator.uniform(-1, 1, count).astype(np.float32)
    return sequences, Predicted(claimed.astype(np.float32), off, np.ones(count, np.bool_))


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Sequences]:
    made = {name: items(seed) for seed, name in enumerate(("face", "voice"))}
    told = {id(sequences): predicted for sequences, predicted in made.values()}

    def predict(given: Checkpoint, sequences: Sequences) -> Any:
        assert given.temperature == PLAIN
        return told[id(sequences)]

    monkeypatch.setattr(calibrate, "predict", predict)
    return {name: sequences for name, (sequences, _) in made.items()}


def test_what_is_too_sure_is_made_less_sure_and_measured_on_others(
    held: Mapping[str, Sequences],
) -> None:
    found, report = calibrated(checkpoint(), held)
    assert found.temperature == pytest.approx({"text": 1, "voice": 2, "face": 2}, rel=0.05)
    assert report["temperature"] == found.temperature
    for name in held:
        assert report[name]["ece"] < 0.04
        assert report[name]["interval"] == pytest.approx(INTERVAL_LEVEL, abs=0.02)
        assert report[name]["coverage"] == pytest.approx(INTERVAL_LEVEL, abs=0.03)


def test_halves_never_part_a_person() -> None:
    people = [f"person {index % 7}" for index in range(70)]
    first = halves(people)
    assert {p for p, f in zip(people, first, strict=True) if f}.isdisjoint(
        {p for p, f in zip(people, first, strict=True) if not f}
    )
    assert 0 < first.sum() < 70


def test_what_has_no_label_is_left_out(held: Mapping[str, Sequences]) -> None:
    for sequences in held.values():
        sequences.emotion[:] = -1
        sequences.sentiment[:] = np.nan
    found, report = calibrated(checkpoint(), held)
    assert found.temperature == PLAIN
    assert report["face"] == {
        "ece": None, "bins": None, "interval": None, "coverage": None
    }  # fmt: skip


def test_too_few_people_have_no_coverage_instead_of_a_perfect_one(
    held: Mapping[str, Sequences],
) -> None:
    for sequences in held.values():
        sequences.sentiment[8:] = np.nan  # 8 items of one person are left
    _, report = calibrated(checkpoint(), held)
    assert report["face"]["coverage"] is None
    assert report["face"]["interval"] is None


def test_what_is_of_no_modality_alone_gives_the_temperature_of_all(
    held: Mapping[str, Sequences],
) -> None:
    found, _ = calibrated(checkpoint(), {"test": held["face"]})
    assert found.temperature == pytest.approx(dict.fromkeys(MODALITIES, 2.0), rel=0.05)
