"""Which people are trained on and which are held out. Never by clip: always by person."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.training.examples import Example, ExampleSet

__all__ = [
    "FOLDS",
    "Parts",
    "Split",
    "fold_of",
    "hash_of_people",
    "parts_by_person",
    "split_by_person",
]

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Examples of the people trained on, and the items of those held out."""

    train: tuple[Example, ...]
    test: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """Which items are trained on, watched while training and tested on: bool [n] each."""

    train: npt.NDArray[np.bool_]
    validation: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]


def fold_of(person: str, people: Sequence[str]) -> int:
    """The fold, 0 to 4, in which `person` is held out, given all people of the corpus.

    People are ordered by the hash of their name and dealt out in turn, so that the folds are even
    and the same on every machine.
    """
    order = sorted(set(people), key=lambda name: hashlib.sha256(name.encode()).digest())
    return order.index(person) % FOLDS


def hash_of_people(people: Sequence[str], splits: Sequence[str]) -> str:
    """A hash, in hexadecimal, of who is in which of the corpus's own parts.

    Data with the same hash have the same folds: one person more, and others are held out.
    """
    there = sorted(set(zip(people, splits, strict=True)))
    return hashlib.sha256(json.dumps(there).encode()).hexdigest()


def parts_by_person(
    people: Sequence[str],
    splits: Sequence[str],
    fold: int,
    validation: float = 0.0,
    everyone: bool = False,
) -> Parts:
    """The parts to which the items of `people` belong, given the corpus's own names of them.

    Where the corpus names none, the people of a fold are tested on. Where it does, that is "test",
    and "valid" or "dev" is for validation; without "test" it is tested on. If there is nothing to
    validate on, `validation` is the part of the people trained on that is taken for it. With
    `everyone` nobody is tested on, and who is not watched is trained on, whatever the corpus names.
    """
    own = np.asarray(splits)
    named = np.isin(own, ("valid", "dev"))
    if not any(splits):
        folds = {person: fold_of(person, people) for person in set(people)}
        test = np.asarray([folds[person] == fold for person in people])
    else:
        test = own == "test" if "test" in splits else named
    watched = named & ~test
    if everyone:
        test = watched = np.zeros(len(own), np.bool_)
    train = ~test & ~watched
    if validation > 0 and not watched.any():
        left = {person for person, known in zip(people, train, strict=True) if known}
        order = sorted(
            left, key=lambda name: hashlib.sha256(f"validation {name}".encode()).digest()
        )
        chosen = set(order[: math.ceil(validation * len(order))])
        watched = train & np.asarray([person in chosen for person in people])
        train &= ~watched
    return Parts(train, watched, test)


def split_by_person(examples: ExampleSet, fold: int) -> Split:
    """Hold out one fold of the people, or what the corpus itself holds out, see `parts_by_person`.

    What the corpus names for validation is neither trained on nor tested on.
    """
    items = examples.examples
    parts = parts_by_person([e.person for e in items], [e.split for e in items], fold)
    train = tuple(e for e, is_train in zip(items, parts.train, strict=True) if is_train)
    test = tuple(e for e, held in zip(items, parts.test, strict=True) if held and e.variant == 0)
    return Split(train, test)
