"""Nobody is both trained on and tested on."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.training import split
from inference.training.examples import Example, ExampleSet
from inference.training.split import FOLDS, fold_of, parts_by_person, split_by_person

CHECKOUT = Path(split.__file__).parents[2]
PEOPLE = [f"ravdess {actor:02d}" for actor in range(1, 24)]


def items(people: list[str], variants: int = 1) -> ExampleSet:
    """Some people with many clips, some with few, each clip with its variants."""
    examples = [
        Example(f"{person} {clip}", person, 0, 0.0, variant=variant)
        for number, person in enumerate(people)
        for clip in range(1 + number % 4)
        for variant in range(variants)
    ]
    return ExampleSet("own", tuple(examples))


@pytest.mark.parametrize("fold", range(FOLDS))
def test_people_are_on_one_side_and_variants_of_the_held_out_on_none(fold: int) -> None:
    examples = items(PEOPLE, variants=3)
    found = split_by_person(examples, fold)
    assert {e.person for e in found.train}.isdisjoint(e.person for e in found.test)
    assert {e.person for e in found.train} | {e.person for e in found.test} == set(PEOPLE)
    assert {e.variant for e in found.test} == {0}
    assert {e.variant for e in found.train} == {0, 1, 2}
    assert len(found.train) + 3 * len(found.test) == len(examples.examples)


def test_folds_are_even_and_hold_everybody_out_once() -> None:
    tested = [{e.person for e in split_by_person(items(PEOPLE), f).test} for f in range(FOLDS)]
    assert sorted(map(len, tested)) == [4, 4, 5, 5, 5]
    assert set.union(*tested) == set(PEOPLE)


def test_a_fold_depends_on_who_is_there_but_not_on_their_order() -> None:
    folds = [fold_of(person, PEOPLE) for person in PEOPLE]
    assert [fold_of(person, PEOPLE[::-1] * 2) for person in PEOPLE] == folds
    # recorded: another deal of people would make published numbers incomparable
    assert [p for p, f in zip(PEOPLE, folds, strict=True) if f == 0] == [
        f"ravdess {a}" for a in ("01", "07", "09", "19", "22")
    ]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_folds_are_the_same_in_every_process(seed: str) -> None:
    script = (
        "from inference.training.split import fold_of\n"
        f"print([fold_of(person, {PEOPLE!r}) for person in {PEOPLE!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str([fold_of(person, PEOPLE) for person in PEOPLE])


@pytest.mark.parametrize("fold", [0, 3])
def test_a_corpus_with_a_split_of_its_own_keeps_it(fold: int) -> None:
    marked = tuple(
        replace(e, split="dev" if e.person == PEOPLE[3] else "train")
        for e in items(PEOPLE, variants=2).examples
    )
    found = split_by_person(ExampleSet("own", marked), fold)
    assert {(e.person, e.variant) for e in found.test} == {(PEOPLE[3], 0)}
    assert PEOPLE[3] not in {e.person for e in found.train}


def parts(people: list[str], splits: list[str], validation: float = 0.0) -> list[list[bool]]:
    found = parts_by_person(people, splits, 0, validation)
    return [mask.tolist() for mask in (found.train, found.validation, found.test)]


def test_the_names_that_a_corpus_gives_its_parts_are_kept() -> None:
    people = ["a", "b", "c", "d"]
    train, validation, test = parts(people, ["train", "valid", "test", "train"], 0.5)
    assert (train, validation, test) == (
        [True, False, False, True], [False, True, False, False], [False, False, True, False],
    )  # fmt: skip
    train, validation, test = parts(people, ["train", "dev", "train", "train"])
    assert test == [False, True, False, False]
    assert not any(validation)


def test_people_are_taken_from_training_where_nothing_is_named_for_validation() -> None:
    people = [f"p{i // 2}" for i in range(40)]
    train, validation, test = (np.asarray(mask) for mask in parts(people, [""] * 40, 0.25))
    names = np.asarray(people)
    assert [len(set(names[mask])) for mask in (train, validation, test)] == [12, 4, 4]
    assert (train + validation + test == 1).all()
    assert not set(names[train]) & set(names[validation])


def test_with_everyone_nobody_is_kept_back_whatever_the_corpus_names() -> None:
    people = ["a", "b", "c", "d"]
    for splits in ([""] * 4, ["train", "dev", "test", "valid"]):
        found = parts_by_person(people, splits, 0, everyone=True)
        assert found.train.all()
        assert not found.test.any()
        assert not found.validation.any()
    assert parts_by_person(people, [""] * 4, 0, 0.25, everyone=True).validation.sum() == 1
