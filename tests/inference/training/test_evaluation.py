"""How sure the metrics of a checkpoint are, and what else an evaluation says."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES
from inference.checkpoint import Checkpoint
from inference.training.corpora import NORM_SPREAD
from inference.training.evaluate import evaluate, items_for, predict
from inference.training.evaluation import bootstrap_intervals, evaluation_of
from inference.training.train import train
from tests.inference.training.made_examples import made_set, made_sets, settings
from tests.inference.training.made_sequences import made_sequences, sequence_settings


@pytest.fixture(scope="module")
def emotions() -> Checkpoint:
    torch.set_num_threads(1)
    return train(settings(steps=30), made_sets())


@pytest.fixture(scope="module")
def sentiment() -> Checkpoint:
    torch.set_num_threads(1)
    return train(sequence_settings(epochs=2), [made_sequences()])


def test_an_evaluation_has_the_metrics_of_evaluate_and_more(emotions: Checkpoint) -> None:
    items = items_for(emotions, made_set("voice", people=6, seed=5))
    found = evaluation_of(emotions, items, resamples=40)
    half_width = emotions.origin["calibration"]["voice"]["interval"]
    errors = np.abs(predict(emotions, items).sentiment - items.sentiment)
    assert found.metrics == evaluate(emotions, items) | {
        "coverage": pytest.approx(np.mean(errors <= half_width))
    }
    assert found.intervals.keys() == found.metrics.keys() - {"n"}
    for name, interval in found.intervals.items():
        assert interval is not None
        value = found.metrics[name]
        assert value is not None
        assert interval[0] <= interval[1]
    low, high = found.intervals["mae"] or (0, 0)
    assert low < (found.metrics["mae"] or 0) < high
    assert found.confusion.sum() == len(items)
    assert found.confusion.sum(axis=1).tolist() == [6] * len(EMOTIONS)
    hits = np.trace(found.confusion) / len(items)
    assert found.metrics["accuracy"] == pytest.approx(hits)
    assert found.reliability is not None
    assert found.reliability.count.sum() == len(items)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["emotions"] == list(EMOTIONS)
    assert len(told["confusion"]) == len(EMOTIONS)


def test_sentiment_alone_has_no_emotions(sentiment: Checkpoint) -> None:
    items = items_for(sentiment, made_sequences(seed=3))
    found = evaluation_of(replace(sentiment, origin={}), items, resamples=20)
    assert found.reliability is None
    assert {"n", "mae", "corr", "acc2", "acc7", "f1", "acc2_has_zero", "f1_has_zero"} == set(
        found.metrics
    )
    assert not {"emotions", "confusion"} & set(found.to_json())
    wide = replace(sentiment, origin={**sentiment.origin, "calibration": {"test": {"interval": 6}}})
    assert evaluation_of(wide, items, resamples=2).metrics["coverage"] == 1.0


def test_coverage_of_a_norm_is_that_of_single_judgements(emotions: Checkpoint) -> None:
    """Of a prediction that is the norm, an interval of one deviation holds 68 %."""
    items = items_for(emotions, made_set("voice", people=6, seed=5))
    said = predict(emotions, items).sentiment.astype(np.float32)
    calibration = {"voice": {"interval": NORM_SPREAD}}
    one = replace(emotions, origin={**emotions.origin, "calibration": calibration})
    norms = replace(items, kind="ravdess", sentiment=said)
    found = evaluation_of(one, norms, resamples=2).metrics["coverage"]
    assert found == pytest.approx(0.683, abs=0.01)
    mixed = replace(norms, kind="folder and ravdess")  # rather too wide than too narrow
    assert evaluation_of(one, mixed, resamples=2).metrics["coverage"] == found
    own = replace(norms, kind="folder")
    assert evaluation_of(one, own, resamples=2).metrics["coverage"] == 1.0


def test_unknown_labels_are_not_measured(emotions: Checkpoint) -> None:
    items = items_for(emotions, made_set("voice", people=3, seed=5))
    half = items.emotion.copy()
    half[::2] = -1
    sentiment = items.sentiment.copy()
    sentiment[1:] = np.nan
    found = evaluation_of(emotions, replace(items, emotion=half, sentiment=sentiment), 4)
    assert found.confusion.sum() == (half >= 0).sum()
    assert found.metrics["mae"] is not None
    assert found.metrics["corr"] is None
    assert found.intervals["corr"] is None
    nobody = np.full(len(items), -1)
    found = evaluation_of(emotions, replace(items, emotion=nobody), 4)
    assert found.metrics["accuracy"] is found.metrics["ece"] is found.reliability is None
    assert found.metrics["n"] == len(items)
    assert found.metrics["mae"] is not None
    assert found.intervals["accuracy"] is None
    assert found.confusion.sum() == 0
    json.dumps(found.to_json(), allow_nan=False)
    with pytest.raises(BadInput, match="has a label that the checkpoint predicts"):
        evaluation_of(emotions, replace(items, emotion=nobody, sentiment=nobody * np.nan))


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    generator = np.random.default_rng(1)
    values = generator.standard_normal(400)
    people = tuple(str(i) for i in range(400))
    low, high = bootstrap_intervals(lambda rows: {"mean": values[rows].mean()}, people)["mean"]  # type: ignore[misc]
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.02)


def test_people_are_drawn_whole_and_items_of_one_alone() -> None:
    values = np.repeat([0.0, 1.0], 50)
    people = ("a",) * 50 + ("b",) * 50

    def mean(rows: np.ndarray) -> dict[str, float | None]:
        assert len(rows) == 100
        return {"mean": float(values[rows].mean()), "never": None}

    found = bootstrap_intervals(mean, people)
    assert found == {"mean": (0.0, 1.0), "never": None}  # of two people nothing is known
    alone = bootstrap_intervals(lambda rows: {"mean": float(values[rows].mean())}, ("a",))
    assert alone == {"mean": None}
    low, high = bootstrap_intervals(mean, ("a",) * 100)["mean"]  # type: ignore[misc]
    assert 0.35 < low < 0.5 < high < 0.65
    assert bootstrap_intervals(mean, people, seed=0) == found


def test_held_out_people_are_those_of_the_training(
    emotions: Checkpoint, sentiment: Checkpoint
) -> None:
    for modality, examples in zip(MODALITIES, made_sets(), strict=True):
        items = items_for(emotions, examples, held_out=True)
        recorded = emotions.origin["held_out"][modality]
        found = evaluate(emotions, items)
        for name in ("n", "accuracy", "macro_f1", "mae"):
            assert found[name] == pytest.approx(recorded[name], abs=1e-6)
    items = items_for(sentiment, made_sequences(), held_out=True)
    assert set(items.splits) == {"test"}
    assert evaluate(sentiment, items) == pytest.approx(sentiment.origin["held_out"]["test"])
    with pytest.raises(BadInput, match="does not say whom it held out"):
        items_for(replace(sentiment, origin={}), made_sequences(), held_out=True)


def test_whom_a_checkpoint_held_out_is_not_guessed(
    emotions: Checkpoint, sentiment: Checkpoint
) -> None:
    more = made_set("voice", people=11)  # one more, and the folds are others
    with pytest.raises(BadInput, match="the people in the examples of voices are not those"):
        items_for(emotions, more, held_out=True)
    assert len(items_for(emotions, more)) == len(more.examples)
    fewer = made_sequences().take(np.arange(1, len(made_sequences())))
    others = replace(fewer, people=tuple(f"new {name}" for name in fewer.people))
    with pytest.raises(BadInput, match="are not those that the checkpoint was trained on"):
        items_for(sentiment, others, held_out=True)
    former = {name: value for name, value in emotions.origin.items() if name != "people"}
    assert len(items_for(replace(emotions, origin=former), more, held_out=True)) > 0
