"""Temperature, conformal intervals and the rest of a person, against cases known beforehand."""

import numpy as np
import pytest

from assets.errors import BadInput
from inference.calibration import (
    RestingPerson,
    conformal_width,
    fitted_temperature,
    judgements,
    log_loss,
    with_temperature,
)
from inference.checkpoint import Normaliser


def drawn(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from what they mean at a temperature."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (n, 5))
    scaled = np.exp(logits / temperature)
    chance = np.cumsum(scaled / scaled.sum(axis=1, keepdims=True), axis=1)
    return logits, (generator.random((n, 1)) > chance).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    logits, labels = drawn(temperature)
    assert fitted_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_log_loss_of_a_case_by_hand() -> None:
    # softmax(0, ln 3) = 1/4, 3/4; at temperature 2 the ratio is the root of 3
    logits = np.asarray([[0.0, np.log(3.0)]])
    assert log_loss(logits, np.asarray([1]), 1.0) == pytest.approx(-np.log(0.75))
    assert log_loss(logits, np.asarray([0]), 2.0) == pytest.approx(np.log(1 + 3**0.5))
    with pytest.raises(ValueError, match="nothing to fit"):
        fitted_temperature(np.zeros((0, 2)), np.zeros(0, np.int64))


def test_a_temperature_on_probabilities_is_that_on_their_logits() -> None:
    logits = np.random.default_rng(1).normal(0, 2, (10, 4))

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    found = with_temperature(softmax(logits).astype(np.float32), 1.7)
    assert found == pytest.approx(softmax(logits / 1.7), abs=1e-5)


def test_conformal_width_by_hand() -> None:
    residuals = np.asarray([0.4, -0.1, 0.3, -0.2])
    assert conformal_width(residuals, 0.8) == 0.4  # the 4th of 4, for 5 * 0.8 = 4
    assert conformal_width(residuals, 0.6) == pytest.approx(0.3)
    assert conformal_width(residuals, 0.9) == np.inf
    with pytest.raises(ValueError, match="level is 1"):
        conformal_width(residuals, 1.0)


def test_people_spread_about_a_norm_and_stay_on_the_scale() -> None:
    labels = np.asarray([0.0, 2.5], np.float32)
    said = judgements(labels, 0.8, 3.0)
    assert said[0].mean() == pytest.approx(0.0, abs=1e-9)
    assert said[0].std() == pytest.approx(0.8, rel=0.03)
    assert np.mean(said[0] <= 0.8) == pytest.approx(0.841, abs=0.02)  # one deviation
    assert said[1].max() == 3.0
    assert judgements(labels, 0.0, 3.0).tolist() == [[0.0], [2.5]]


def test_a_norm_that_is_predicted_rightly_has_the_interval_of_its_judges() -> None:
    """90 % of a normal distribution lie within 1.645 deviations."""
    said = judgements(np.zeros(400, np.float32), 0.9, 3.0)
    assert conformal_width(said, 0.9) == pytest.approx(1.645 * 0.9, rel=0.03)
    assert conformal_width(said[:8], 0.9) == np.inf  # 401 people, but 8 items
    repeated = np.repeat(np.asarray([[0.4], [-0.1], [0.3], [-0.2]]), 5, axis=1)
    assert conformal_width(repeated, 0.6) == pytest.approx(0.3)


def test_conformal_intervals_cover_what_comes_as_often_as_they_say() -> None:
    generator = np.random.default_rng(3)
    found = []
    for _ in range(300):
        known, coming = generator.standard_t(3, 100), generator.standard_t(3, 100)
        found.append(np.mean(np.abs(coming) <= conformal_width(known, 0.9)))
    assert 0.9 <= np.mean(found) < 0.92


def test_rest_of_a_person_becomes_the_rest_of_the_people_trained_on() -> None:
    general = Normaliser(
        {"face": np.asarray([1.0, 2.0], np.float32), "voice": np.zeros(1, np.float32)},
        {"face": np.asarray([0.5, 2.0], np.float32), "voice": np.ones(1, np.float32)},
    )
    features = {"face": np.asarray([[3.0, 1.0], [5.0, 3.0], [99.0, 99.0]], np.float32)}
    valid = {"face": np.asarray([True, True, False])}
    person = RestingPerson.measured(features, valid, least=2)
    rest = {"face": np.asarray([1.0, 4.0], np.float32)}
    own = person.normaliser(general, rest)
    at_rest = np.asarray([[4.0, 2.0]], np.float32)
    there = np.ones(1, np.bool_)
    wanted = general("face", rest["face"][None], there)
    assert own("face", at_rest, there) == pytest.approx(wanted)
    assert own.mean["voice"] == general.mean["voice"]
    assert not RestingPerson.measured(features, valid, least=3).mean
    with pytest.raises(BadInput, match="2 features of the face, the checkpoint 3; take a new"):
        person.require_fit({"face": np.zeros(3, np.float32)})
    with pytest.raises(BadInput, match="knows nothing that"):
        person.require_fit({"voice": np.zeros(1, np.float32)})
    with pytest.raises(BadInput, match="does not know the rest"):
        person.require_fit({})
    person.require_fit(rest)
