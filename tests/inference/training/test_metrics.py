"""Metrics against cases by hand and against scikit-learn."""

import warnings

import numpy as np
import pytest

from inference.training.metrics import (
    calibration_bins,
    confusion_matrix,
    emotion_metrics,
    expected_calibration_error,
    pooled_calibration_error,
    reliability,
    sentiment_metrics,
)


def certain(predicted: list[int], classes: int = 7) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[predicted]


def test_emotions_by_hand() -> None:
    # class 0: 2 of 3 found, 1 of 2 claims wrong; class 2: 1 of 1; class 5 is claimed, never there
    found = emotion_metrics(np.array([0, 0, 0, 2]), certain([0, 0, 5, 2]))
    assert found.n == 4
    assert found.accuracy == pytest.approx(3 / 4)
    assert found.macro_recall == pytest.approx((2 / 3 + 1) / 2)
    assert found.macro_f1 == pytest.approx((4 / 5 + 1) / 2)
    assert found.weighted_f1 == pytest.approx(3 / 4 * 4 / 5 + 1 / 4 * 1)
    assert found.ece == pytest.approx(1 / 4)


def test_emotions_agree_with_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

    generator = np.random.default_rng(0)
    labels = generator.choice([0, 1, 2, 4, 6], 300)  # two classes never occur
    probabilities = generator.dirichlet(np.ones(7), 300) + 0.3 * np.eye(7)[labels]
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    predicted = probabilities.argmax(axis=1)
    found = emotion_metrics(labels, probabilities)
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of predictions without labels
        assert found.macro_recall == pytest.approx(balanced_accuracy_score(labels, predicted))
    there = np.unique(labels)
    for average, value in (("macro", found.macro_f1), ("weighted", found.weighted_f1)):
        assert value == pytest.approx(f1_score(labels, predicted, labels=there, average=average))


def test_calibration_error_by_hand() -> None:
    # bins of 1/15: 0.9 and 0.92 share one (one of two right), 0.6 is alone and right
    probabilities = np.array([[0.9, 0.1], [0.92, 0.08], [0.4, 0.6]], np.float32)
    error = expected_calibration_error(np.array([0, 1, 1]), probabilities)
    assert error == pytest.approx(2 / 3 * abs(0.5 - 0.91) + 1 / 3 * abs(1 - 0.6), abs=1e-6)
    assert expected_calibration_error(np.array([3, 3]), certain([3, 3])) == 0
    assert expected_calibration_error(np.array([3, 3]), certain([2, 2])) == 1


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to measure"):
        emotion_metrics(np.zeros(0, np.int64), np.zeros((0, 7), np.float32))


def test_sentiment_by_hand() -> None:
    labels = np.array([0.0, 2.0, -2.0, 1.0], np.float32)
    predicted = np.array([0.4, 2.6, 0.1, 5.0], np.float32)
    found = sentiment_metrics(labels, predicted)
    assert found.mae == pytest.approx((0.4 + 0.6 + 2.1 + 4.0) / 4)
    assert found.acc2 == pytest.approx(2 / 3)  # the label 0 has no sign
    assert found.acc7 == pytest.approx(1 / 4)  # 2.6 is 3; 5 is held at 3
    assert found.corr == pytest.approx(np.corrcoef(labels, predicted)[0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "predicted", "undefined"),
    [
        ([0.0, 0.0], [1.0, 2.0], {"corr", "acc2"}),
        ([1.0, 2.0], [1.0, 1.0], {"corr"}),
        ([1.0], [1.0], {"corr"}),
        ([], [], {"mae", "corr", "acc2", "acc7"}),
    ],
)
def test_what_is_undefined_is_none(
    labels: list[float], predicted: list[float], undefined: set[str]
) -> None:
    found = sentiment_metrics(np.asarray(labels, np.float32), np.asarray(predicted, np.float32))
    for name in ("mae", "corr", "acc2", "acc7"):
        value = getattr(found, name)
        assert value is None if name in undefined else np.isfinite(value)


def test_signs_both_ways_agree_with_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, f1_score

    generator = np.random.default_rng(0)
    labels = generator.integers(-3, 4, 200).astype(np.float32)
    predicted = (labels + 2 * generator.standard_normal(200)).astype(np.float32)
    predicted[:5] = 0.0
    found = sentiment_metrics(labels, predicted)
    signed = labels != 0
    for sides, accuracy, f1 in (
        ((labels[signed] > 0, predicted[signed] > 0), found.acc2, found.f1),
        ((labels >= 0, predicted >= 0), found.acc2_has_zero, found.f1_has_zero),
    ):
        assert accuracy == pytest.approx(accuracy_score(*sides))
        assert f1 == pytest.approx(f1_score(*sides, average="weighted"))


def test_seven_classes_are_rounded_half_to_even() -> None:
    labels = np.array([0.5, 1.5, -2.5, 3.0], np.float32)  # 0, 2, -2, 3
    predicted = np.array([-0.5, 2.5, -1.5, 9.0], np.float32)  # 0, 2, -2, 3 after clipping
    assert sentiment_metrics(labels, predicted).acc7 == 1.0
    assert sentiment_metrics(labels, predicted + 0.1).acc7 == 0.5


def test_confusion_reliability_by_hand() -> None:
    counts = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 2]), 3)
    assert counts.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    probabilities = np.array([[0.9, 0.1], [0.92, 0.08], [0.4, 0.6]], np.float32)
    found = reliability(np.array([0, 1, 1]), probabilities)
    assert found.count.tolist() == [1, 2]
    np.testing.assert_allclose(found.confidence, [0.6, 0.91], rtol=1e-6)
    np.testing.assert_allclose(found.accuracy, [1.0, 0.5])


def test_errors_of_parts_cancel_in_the_error_of_all_of_them() -> None:
    # one bin: a confidence of 0.8 that is right 3 of 4 times, then 5 of 6 times; 8 of 10 together
    sure = np.tile(np.asarray([[0.8, 0.2]], np.float32), (10, 1))
    labels = np.asarray([0, 0, 0, 1, 0, 0, 0, 0, 0, 1])
    parts = [calibration_bins(labels[:4], sure[:4]), calibration_bins(labels[4:], sure[4:])]
    assert pooled_calibration_error(parts[:1]) == pytest.approx(0.05, abs=1e-6)
    assert pooled_calibration_error(parts[1:]) == pytest.approx(5 / 6 - 0.8, abs=1e-6)
    assert pooled_calibration_error(parts) == pytest.approx(0.0, abs=1e-6)


def test_pooling_one_part_is_the_error_that_the_field_reports() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(4), 200).astype(np.float32)
    labels = generator.integers(4, size=200)
    assert pooled_calibration_error([calibration_bins(labels, probabilities)]) == pytest.approx(
        expected_calibration_error(labels, probabilities), abs=1e-5
    )
