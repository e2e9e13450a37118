"""Labelled arrays: cut from examples, read as a configuration says, kept in a file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from assets.errors import BadInput
from extractors.features import MODALITIES
from inference.training.configuration import LabelSettings, ModalitySettings
from inference.training.examples import LABELS, ExampleSet
from inference.training.plan import plan
from inference.training.prepare import prepared_examples, prepared_sequences
from inference.training.sequence_files import FILE, load_data, load_sequences, save_sequences
from inference.training.sequences import (
    Sequences,
    fitted_normaliser,
    joined,
    per_person,
    sequences_of,
)
from inference.training.train import train
from tests.inference.training.made_examples import SMALL_WINDOWS, made_set, settings, steps_of
from tests.inference.training.made_sequences import made_sequences, sequence_settings

CALM, CONTEMPT = LABELS.index("calm"), LABELS.index("contempt")


def relabelled(index: int, label: int) -> ExampleSet:
    """Voices of one person; the example at `index` has another label."""
    made = made_set("voice", people=1)
    examples = list(made.examples)
    examples[index] = replace(examples[index], emotion=label)
    return replace(made, examples=tuple(examples))


def test_labels_are_merged_left_out_or_told() -> None:
    merged = prepared_examples(relabelled(3, CALM), settings())
    assert [e.emotion for e in merged.examples] == [0, 1, 2, 0, 4, 5, 6]
    gone = prepared_examples(relabelled(3, CONTEMPT), settings())
    assert [e.emotion for e in gone.examples] == [0, 1, 2, 4, 5, 6]
    eight = LabelSettings(emotions=(*LABELS[:7], "calm"), merge={})
    kept = prepared_examples(relabelled(3, CALM), settings(labels=eight))
    assert kept.examples[3].emotion == CALM
    unknown = LabelSettings(leave_out=())
    with pytest.raises(BadInput, match="voices are labelled contempt; name it in labels"):
        prepared_examples(relabelled(3, CONTEMPT), settings(labels=unknown))


def test_a_modality_is_made_of_the_stream_that_the_settings_name() -> None:
    made = made_set("voice", people=1)
    units = np.arange(3, dtype=np.float32)
    examples = tuple(
        replace(e, samples={**e.samples, "action_units": steps_of("action_units", [units])})
        for e in made.examples
    )
    wanted = settings(
        modalities=("voice", "face"),
        samples="together",
        face=ModalitySettings(3, 1, kernel=1, span=4.0, stream="action_units"),
    )
    prepared = prepared_examples(replace(made, examples=examples), wanted)
    assert all(e.samples.keys() == {"voice", "face"} for e in prepared.examples)
    found = plan(wanted, [made_with_people(examples)])
    batch = found.batches.draw(1, 0)
    assert batch.features["face"].shape[1:] == (1, 3)
    assert batch.valid["face"].all()
    assert not batch.valid["text"].any()
    with pytest.raises(BadInput, match="has 3 features of face, the windows want 52"):
        prepared_examples(
            replace(made, examples=examples),
            settings(face=ModalitySettings(52, 1, span=4.0, stream="action_units")),
        )


def made_with_people(examples: tuple[Any, ...]) -> ExampleSet:
    people = [replace(e, person=f"p{i}", id=f"{i}{e.id}") for i in range(10) for e in examples]
    return ExampleSet("voices", tuple(people))


def test_a_modality_that_is_not_in_use_changes_nothing() -> None:
    made = made_sequences()
    one = train(sequence_settings(epochs=1, modalities=("text",)), [made])
    loud = {**made.features, "voice": made.features["voice"] * 50}
    other = train(sequence_settings(epochs=1, modalities=("text",)), [replace(made, features=loud)])
    for name, array in one.weights.items():
        np.testing.assert_array_equal(array, other.weights[name])


def test_windows_of_examples_are_sequences() -> None:
    examples = made_set("voice", people=2).examples
    found = sequences_of("voices", examples, SMALL_WINDOWS)
    window = examples[5].window(SMALL_WINDOWS)
    np.testing.assert_array_equal(found.features["voice"][5], window.features["voice"])
    assert found.present.tolist() == [[False, True, False]] * 14
    some = found.take(np.arange(14) % 2 == 1)
    assert some.ids == tuple(e.id for e in examples[1::2])


def test_shorter_sequences_are_filled_up_and_others_told() -> None:
    longer = replace(sequence_settings(), voice=ModalitySettings(3, 9))
    found = prepared_sequences(made_sequences(), longer)
    assert found.features["voice"].shape[1:] == (9, 3)
    assert not found.valid["voice"][:, 6:].any()
    for wrong in (ModalitySettings(3, 5), ModalitySettings(4, 6)):
        with pytest.raises(BadInput, match="voice of made has 6 steps of 3 features"):
            prepared_sequences(made_sequences(), replace(sequence_settings(), voice=wrong))


def test_sets_of_other_sizes_cannot_be_joined() -> None:
    made = made_sequences(10)
    twice = joined([made, made_sequences(10, seed=1)])
    assert len(twice) == 20
    assert twice.ids[:10] == made.ids
    wide = replace(made, kind="other", features={**made.features, "face": np.zeros((10, 6, 9))})
    with pytest.raises(BadInput, match=r"face of made is \[6, 2\] and of other \[6, 9\]"):
        joined([made, wide])


def test_the_normaliser_sees_valid_steps_of_chosen_items() -> None:
    made = made_sequences(12)
    rows = np.concatenate([made.features["text"][i][made.valid["text"][i]] for i in (1, 4, 7)])
    found = fitted_normaliser(made, np.asarray([1, 4, 7]))
    np.testing.assert_allclose(found.mean["text"], rows.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.deviation["text"], rows.std(axis=0), rtol=1e-5)
    nothing = replace(made, valid={**made.valid, "face": np.zeros((12, 6), bool)})
    assert (fitted_normaliser(nothing, np.arange(12)).deviation["face"] == 1).all()


def test_each_person_is_normalised_by_their_own_items() -> None:
    made = made_sequences(20)
    people = tuple("ab"[i % 2] for i in range(20))
    shift = np.where(np.arange(20) % 2, 100.0, -5.0)[:, None, None]
    moved = {n: (f + shift).astype(np.float32) for n, f in made.features.items()}
    variants = np.zeros(20, np.int64)
    variants[18:] = 1
    moved["text"][18:] = 1e6  # a variant is scaled, and does not say how
    found = per_person(replace(made, people=people, features=moved, variants=variants))
    for person in (0, 1):
        own = np.arange(person, 18, 2)
        for name in MODALITIES:
            rows = found.features[name][own][found.valid[name][own]]
            np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
            np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-3)
    assert np.abs(moved["voice"]).max() > 90  # what was given stays as it was


# ---------------------------------------------------------------------------------- on disk


def rewrite(folder: Path, metadata: dict[str, str | None], **tensors: Any) -> None:
    with safe_open(folder / FILE, framework="np") as file:
        told = {**file.metadata(), **metadata}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    arrays |= {name.replace("__", "."): a for name, a in tensors.items()}
    save_file(
        {n: a for n, a in arrays.items() if a is not None},
        folder / FILE,
        {n: v for n, v in told.items() if v is not None},
    )


def replaced(name: str, index: tuple[int, ...], value: float) -> Callable[[], dict[str, Any]]:
    def make() -> dict[str, Any]:
        made = made_sequences(10)
        source = {"sentiment": made.sentiment, "emotion": made.emotion, **made.features}[name]
        array = source.copy()
        array[index] = value
        return {name if name not in made.features else f"{name}__features": array}

    return make


@pytest.mark.parametrize(
    ("metadata", "tensors", "told"),
    [
        ({"format": "x-2"}, dict, "field format is x-2, not affectscope-sequences-1"),
        ({"ids": "[]"}, dict, "field ids is empty"),
        ({"ids": None}, dict, "field ids is missing"),
        ({"people": '["a"]'}, dict, "field people has 1 items, not 10"),
        ({"splits": "[1]"}, dict, "field splits is no list of names"),
        ({"labels": '["joy"]'}, dict, "field labels is"),
        ({}, replaced("sentiment", (3,), 3.5), "field sentiment of item 3 is 3.5: not in"),
        ({}, replaced("emotion", (3,), 99), "field emotion of item 3 is 99: not in"),
        ({}, replaced("voice", (9, 0, 0), np.nan), "field voice.features is not finite"),
        ({}, replaced("face", (0, 1, 1), np.inf), "field face.features is not finite"),
        ({}, lambda: {"sentiment": None}, "field sentiment is missing"),
        ({}, lambda: {"variants": np.zeros(9, np.int64)}, r"field variants is int64 \[9\]"),
        ({}, lambda: {"text__features": np.zeros((10, 4), np.float32)}, "text.features is float32"),
        ({}, lambda: {"face__valid": None}, "field face.valid is missing or does not fit"),
    ],
)
def test_damage_is_told_by_file_and_field(
    tmp_path: Path, metadata: dict[str, str | None], tensors: Any, told: str
) -> None:
    save_sequences(tmp_path, made_sequences(10))
    rewrite(tmp_path, metadata, **tensors())
    with pytest.raises(BadInput, match=told) as error:
        load_data(tmp_path)
    assert str(tmp_path / FILE) in str(error.value)


def test_a_file_that_is_none_and_a_place_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match=f"{FILE} is missing"):
        load_sequences(tmp_path)
    with pytest.raises(BadInput, match=r"labels\.json is missing"):
        load_data(tmp_path)
    save_sequences(tmp_path, made_sequences(10))
    before = (tmp_path / FILE).read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(BadInput, match="No space left on device"):
        save_sequences(tmp_path, made_sequences(12))
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    (tmp_path / "labels.json").touch()
    with pytest.raises(BadInput, match="holds other examples already"):
        save_sequences(tmp_path, made_sequences(12))
    (tmp_path / "labels.json").unlink()
    (tmp_path / FILE).write_bytes(before[: len(before) // 2])
    with pytest.raises(BadInput, match=f"{FILE} is damaged"):
        load_sequences(tmp_path)


# --------------------------------------------------------------------- what cannot be trained


UNKNOWN = np.full(40, np.nan, np.float32)
TESTED = np.arange(40) % 5 == 4


@pytest.mark.parametrize(
    ("values", "change", "told"),
    [
        ({}, {"splits": ("train",) * 40}, "made are of too few people"),
        ({}, {"splits": ("train", "test") * 20}, "made have no part to validate on"),
        (
            {"labels": LabelSettings(emotions=("happy", "sad"))},
            {},
            "made: no example to train on is happy or sad; take it out",
        ),
        (
            {},
            {"sentiment": np.where(TESTED, 1, UNKNOWN)},
            "made: no example to train on has a sentiment; set labels.sentiment = false",
        ),
        (
            {},
            {"sentiment": np.where(TESTED, UNKNOWN, 1)},
            "made: no example that is held out has a label that is predicted",
        ),
        ({"samples": "composed", "labels": LabelSettings()}, {}, "only examples with a clock"),
    ],
)
def test_what_cannot_be_trained_is_told(
    values: dict[str, Any], change: dict[str, Any], told: str
) -> None:
    made: Sequences = replace(made_sequences(), **change)
    with pytest.raises(BadInput, match=told):
        plan(sequence_settings(**values), [made])


def test_a_modality_that_no_item_has_is_told() -> None:
    made = made_sequences()
    silent = replace(made, valid={**made.valid, "voice": np.zeros((40, 6), bool)})
    with pytest.raises(BadInput, match="no example to train on has voice"):
        plan(sequence_settings(), [silent])
    plan(sequence_settings(modalities=("text", "face")), [silent])
