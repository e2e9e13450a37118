"""Which people are trained on and which are held out. Never by clip: always by person."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from inference.training.examples import Example, ExampleSet

__all__ = ["FOLDS", "Split", "fold_of", "split_by_person"]

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Examples of the people trained on, and the items of those held out."""

    train: tuple[Example, ...]
    test: tuple[Example, ...]


def fold_of(person: str, people: Sequence[str]) -> int:
    """The fold, 0 to 4, in which `person` is held out, given all people of the corpus.

    People are ordered by the hash of their name and dealt out in turn, so that the folds are even
    and the same on every machine.
    """
    order = sorted(set(people), key=lambda name: hashlib.sha256(name.encode()).digest())
    return order.index(person) % FOLDS


def split_by_person(examples: ExampleSet, fold: int) -> Split:
    """Hold out one fold of the people, or the corpus's own split `dev` where it has one."""
    if any(example.split for example in examples.examples):
        train = tuple(e for e in examples.examples if e.split != "dev")
        test = tuple(e for e in examples.examples if e.split == "dev")
    else:
        people = [e.person for e in examples.examples]
        folds = {person: fold_of(person, people) for person in set(people)}
        train = tuple(e for e in examples.examples if folds[e.person] != fold)
        test = tuple(e for e in examples.examples if folds[e.person] == fold)
    return Split(train, tuple(e for e in test if e.variant == 0))
