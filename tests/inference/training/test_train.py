"""A whole run on made examples: it learns, it can be repeated, and it measures what it says."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from assets.errors import BadInput
from extractors.features import EMOTIONS
from inference.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from inference.predictor import Predictor
from inference.training.calibrate import measured_by, require_comparable
from inference.training.configuration import NetworkSettings, TrainingSettings
from inference.training.evaluate import evaluate, items_for
from inference.training.examples import ExampleSet
from inference.training.plan import plan
from inference.training.split import split_by_person
from inference.training.train import Progress, train
from tests.inference.training.made_examples import (
    KINDS,
    SMALL_WINDOWS,
    made_set,
    made_sets,
    settings,
)


def run(*, report: list[Progress] | None = None, **values: object) -> Checkpoint:
    take = None if report is None else report.append
    return train(settings(**values), made_sets(), take)


@pytest.fixture(scope="module")
def trained() -> tuple[Checkpoint, list[Progress]]:
    torch.set_num_threads(1)
    told: list[Progress] = []
    return run(report=told, steps=100), told


@pytest.fixture(scope="module")
def saved(
    trained: tuple[Checkpoint, list[Progress]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    file = tmp_path_factory.mktemp("checkpoint") / "made.safetensors"
    save_checkpoint(file, trained[0])
    return file


def test_the_loss_falls_and_progress_is_told(trained: tuple[Checkpoint, list[Progress]]) -> None:
    told = trained[1]
    assert [(p.step, p.steps) for p in told] == [(10 * i, 100) for i in range(1, 11)]
    assert told[-1].loss < 0.8 * told[0].loss
    assert told[-1].seconds_left == 0.0 < told[0].seconds_left


@pytest.mark.parametrize("modality", KINDS)
def test_people_held_out_are_read_better_than_by_chance(
    trained: tuple[Checkpoint, list[Progress]], modality: str
) -> None:
    found = trained[0].origin["held_out"][modality]
    assert found["n"] == 2 * len(EMOTIONS)
    assert found["macro_recall"] > 2 / len(EMOTIONS)
    assert found["corr"] > 0.3
    assert trained[0].origin["people_held_out"][modality] == 2


def test_labels_that_mean_nothing_are_not_read_better_than_by_chance() -> None:
    """What is measured is not what was trained on."""
    generator = np.random.default_rng(0)
    shuffled = []
    for modality in KINDS:
        examples = made_set(modality, each=3)
        labels = generator.permutation([e.emotion for e in examples.examples])
        moved = zip(examples.examples, labels, strict=True)
        shuffled.append(
            replace(examples, examples=tuple(replace(e, emotion=int(k)) for e, k in moved))
        )
    checkpoint = train(settings(steps=60), shuffled, None)
    for modality in KINDS:
        assert checkpoint.origin["held_out"][modality]["macro_recall"] < 0.4


def digest(checkpoint: Checkpoint, file: Path) -> str:
    save_checkpoint(file, checkpoint)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = digest(run(seed=3), tmp_path / "a.safetensors")
    torch.rand(5)  # where torch's generator stands before must not matter
    assert digest(run(seed=3), tmp_path / "b.safetensors") == first
    assert digest(run(seed=4), tmp_path / "c.safetensors") != first


def test_a_loaded_checkpoint_predicts_the_same(
    trained: tuple[Checkpoint, list[Progress]], saved: Path
) -> None:
    windows = [e.window(SMALL_WINDOWS) for s in made_sets(people=2) for e in s.examples]
    before, after = Predictor(trained[0])(windows), Predictor(load_checkpoint(saved))(windows)
    np.testing.assert_array_equal(before.timeline.emotions, after.timeline.emotions)
    np.testing.assert_array_equal(before.timeline.sentiment, after.timeline.sentiment)
    np.testing.assert_array_equal(before.atoms_homogeneous, after.atoms_homogeneous)
    assert before.timeline.emotions.std(axis=0).max() > 0


def test_the_recorded_numbers_are_those_of_the_loaded_checkpoint(saved: Path) -> None:
    loaded = load_checkpoint(saved)
    for modality, examples in zip(KINDS, made_sets(), strict=True):
        split = split_by_person(examples, 0)
        recorded = dict(loaded.origin["held_out"][modality])
        found = evaluate(loaded, split.test)
        # recorded across halves of the people, who are here measured with what was fitted on them
        found.pop("ece")
        assert recorded.pop("ece") == loaded.origin["calibration"][modality]["ece"]
        assert found == pytest.approx(recorded, abs=1e-6)
        assert loaded.origin["examples"][examples.kind] == len(split.train)


def test_origin_is_json_that_says_how_it_was_made(saved: Path) -> None:
    origin = load_checkpoint(saved).origin
    json.dumps(origin, allow_nan=False)
    assert origin["settings"]["steps"] == 100
    assert origin["settings"]["network"]["width"] == 8
    assert origin["licence"].startswith("Trained on words (your own data)")


def test_evaluation_gives_undefined_as_none_and_refuses_nothing(saved: Path) -> None:
    loaded = load_checkpoint(saved)
    neutral = made_set("face", people=2, emotions=("neutral",)).examples
    found = evaluate(loaded, neutral)
    assert found["corr"] is None
    assert found["acc2"] is None
    assert found["n"] == 2
    with pytest.raises(BadInput, match="no example to evaluate"):
        evaluate(loaded, [])


@pytest.mark.parametrize("average_from", [0.0, 0.5, 0.999])
def test_weights_are_those_of_the_run_and_not_of_its_beginning(average_from: float) -> None:
    still = run(learning_rate=0.0, dictionary_learning_rate=0.0, weight_decay=0.0, steps=1)
    moved = run(steps=4, average_from=average_from)
    matrices = [name for name, array in still.weights.items() if array.ndim > 1]
    same = [n for n in matrices if np.array_equal(still.weights[n], moved.weights[n])]
    assert len(same) < len(matrices) / 2


# ------------------------------------------------------------------ what cannot be trained on


def assert_refused(wanted: TrainingSettings, sets: list[ExampleSet], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        train(wanted, sets, lambda _: pytest.fail("a step was made"))


@pytest.mark.parametrize("samples", ["composed", "together"])
def test_the_checkpoint_knows_the_rest_of_those_it_was_trained_on(samples: str) -> None:
    sets = made_sets()
    few = {"epochs": 1, "evaluate_every": 0} if samples == "together" else {"steps": 1}
    planned = plan(settings(samples=samples, **few), sets)
    assert sorted(planned.rest) == ["face", "voice"]
    held = {e.person for e in split_by_person(sets[1], 0).test}
    at_rest = [
        row.data.vector
        for e in sets[1].examples
        if e.emotion == EMOTIONS.index("neutral") and e.person not in held
        for row in e.samples["voice"]
    ]
    np.testing.assert_allclose(planned.rest["voice"], np.mean(at_rest, axis=0), atol=1e-5)


def test_people_who_were_normalised_have_no_rest_left() -> None:
    values = {"samples": "together", "epochs": 1, "evaluate_every": 0, "normalise_people": True}
    assert plan(settings(**values), made_sets()).rest == {}


def test_a_modality_without_examples_is_named() -> None:
    assert_refused(settings(), made_sets()[:2], "no example to train on has face")


def test_too_few_people_to_hold_some_out_are_named() -> None:
    sets = [*made_sets()[:2], made_set("face", people=1)]
    assert_refused(settings(), sets, "examples of faces are of too few people .* everyone=true")


def test_a_network_that_cannot_be_is_told_before_training() -> None:
    assert_refused(settings(network=NetworkSettings(width=9)), made_sets(), "width 9 must be even")
    assert_refused(settings(network=NetworkSettings(gate="or")), made_sets(), "gate must be")


def test_examples_of_another_width_are_named() -> None:
    sets = [*made_sets()[:2], replace(made_set("voice"), kind="faces")]
    wide = [replace(e, samples={"face": e.samples["voice"]}) for e in sets[2].examples]
    sets[2] = replace(sets[2], examples=tuple(wide))
    told = (
        "faces: samples.npz field face.rows of example .* has 6 features of face, the windows want"
    )
    assert_refused(settings(), sets, told)
    checkpoint = run(steps=1)
    with pytest.raises(BadInput, match="has 6 features of face"):
        evaluate(checkpoint, wide)


def test_two_sets_of_a_modality_are_measured_together() -> None:
    voices = made_set("voice", people=5, seed=1).examples
    others = tuple(replace(e, person=f"other {e.person}") for e in voices)
    more = ExampleSet("voices", others)
    checkpoint = train(settings(steps=2), [*made_sets(), more], None)
    assert checkpoint.origin["held_out"]["voice"]["n"] == (2 + 1) * len(EMOTIONS)
    assert checkpoint.origin["examples"]["voices"] == (8 + 4) * len(EMOTIONS)


def test_what_is_held_out_knows_its_corpus() -> None:
    """Its sentiment may be a norm, and then its interval is one of judgements."""
    found = plan(settings(), made_sets()).held_out
    assert {name: items.kind for name, items in found.items()} == KINDS


def test_an_example_of_several_modalities_is_measured_by_each_alone() -> None:
    words, voices, faces = (made_set(name).examples for name in KINDS)
    own = [
        replace(one, person=f"own {one.person}", samples={**one.samples, **other.samples})
        for one, other in zip(voices, faces, strict=True)
    ]
    sets = [made_set("text"), ExampleSet("own", tuple(own))]
    checkpoint = train(settings(examples=("words", "own"), steps=2), sets)
    measured = checkpoint.origin["held_out"]
    assert {name: found["n"] for name, found in measured.items()} == dict.fromkeys(KINDS, 14)
    assert len(words) == len(faces)


def test_examples_without_an_emotion_cannot_be_composed() -> None:
    faces = made_set("face")
    half = [replace(e, emotion=-1) if i % 2 else e for i, e in enumerate(faces.examples)]
    sets = [made_set("text"), made_set("voice")]
    counted = plan(settings(), [*sets, replace(faces, examples=tuple(half))]).origin["examples"]
    assert counted["faces"] == counted["voices"] // 2
    none = replace(faces, examples=tuple(replace(e, emotion=-1) for e in faces.examples))
    with pytest.raises(BadInput, match='examples of faces have none; set samples = "together"'):
        plan(settings(), [*sets, none])


def test_nobody_is_trained_on_in_one_set_and_tested_on_in_another() -> None:
    voices = made_set("voice")
    fewer = replace(voices, kind="more", examples=voices.examples[7:])  # without the first person
    with pytest.raises(
        BadInput, match=r"voice \d is trained on in the examples of \w+ and held out"
    ):
        plan(settings(), [*made_sets(), fewer])
    together = settings(samples="together")
    with pytest.raises(
        BadInput, match=r"voice \d is trained on in the examples of \w+ and held out"
    ):
        plan(together, [*made_sets(), fewer])


def test_a_run_on_everybody_is_measured_by_runs_that_held_out_folds() -> None:
    sets = made_sets()
    folds = [train(settings(fold=fold), sets) for fold in (0, 1)]
    whole = train(settings(everyone=True), sets)
    assert whole.origin["held_out"] == {}
    assert whole.origin["examples"]["voices"] > folds[0].origin["examples"]["voices"]
    with pytest.raises(BadInput, match="trained on everybody"):
        items_for(whole, sets[0], held_out=True)

    found = measured_by(whole, folds)
    accuracies = [fold.origin["held_out"]["voice"]["accuracy"] for fold in folds]
    assert found.origin["held_out"]["voice"]["accuracy"] == pytest.approx(np.mean(accuracies))
    product = folds[0].temperature["text"] * folds[1].temperature["text"]
    assert found.temperature["text"] == pytest.approx(product**0.5)
    assert found.origin["calibration"]["temperature"] == found.temperature
    assert found.origin["measured_on_folds"] == [0, 1]
    assert found.weights is whole.weights

    with pytest.raises(BadInput, match="held out nobody"):
        measured_by(whole, [folds[0], whole])
    with pytest.raises(BadInput, match=r"a fold each; these did \[0, 1, 1\]"):
        measured_by(whole, [*folds, folds[1]])
    made_of = whole.origin["settings"], folds
    require_comparable(*made_of, plan(settings(everyone=True), sets).people)
    fewer = plan(settings(everyone=True), made_sets(people=9)).people
    with pytest.raises(BadInput, match="trained on other people"):
        require_comparable(*made_of, fewer)
    other = train(settings(fold=0, steps=3), sets)
    with pytest.raises(BadInput, match="other settings"):
        measured_by(whole, [folds[0], other])
    with pytest.raises(BadInput, match="other settings"):
        require_comparable(whole.origin["settings"], [replace(other, origin={})])
