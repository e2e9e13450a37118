"""How much of what sets a voice apart at rest is there in expression too.

    python benchmarks/rest_carried.py --examples runs/examples

Of each actor of RAVDESS the mean steps of a neutral voice in the first of the two sentences, and of
each emotion in the second, less the mean over the actors: how far the second goes with the first,
as the slope of a regression through 0 over all features and actors. 1: the whole difference is
there in that emotion too, and a baseline should take all of it away; 0: none of it.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.checkpoint import Normaliser
from inference.training.configuration import read_settings, windows
from inference.training.examples import LABELS
from inference.training.prepare import prepared_examples
from inference.training.sequence_files import load_data
from inference.training.sequences import Sequences, fitted_normaliser, sequences_of

SENTENCES = ("01", "02")


def apart(
    items: Sequences, normaliser: Normaliser, emotion: str, sentence: str
) -> npt.NDArray[np.float64]:
    """Mean normalised voice [actors, features] in an emotion and sentence, less that of all."""
    chosen = (items.emotion == LABELS.index(emotion)) & (
        np.asarray([name.split("-")[4] for name in items.ids]) == sentence
    )
    people = np.asarray(items.people)
    rows = []
    for person in np.unique(people):
        own = items.take(chosen & (people == person))
        steps = normaliser("voice", own.features["voice"], own.valid["voice"])
        rows.append(steps[own.valid["voice"]].astype(np.float64).mean(axis=0))
    means = np.stack(rows)
    return np.asarray(means - means.mean(axis=0))


def main() -> None:
    """Print the slope of each emotion, and their mean without neutral speech."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=Path, required=True)
    args = parser.parse_args()
    settings = read_settings("live")
    spec = windows(settings)
    data = load_data(args.examples / "ravdess")
    assert spec is not None
    assert not isinstance(data, Sequences)
    examples = [e for e in prepared_examples(data, settings).examples if e.variant == 0]
    items = sequences_of("ravdess", examples, spec)
    normaliser = fitted_normaliser(items, np.arange(len(items)))
    rest = apart(items, normaliser, "neutral", SENTENCES[0])
    slopes = {}
    for emotion in settings.labels.emotions:
        there = apart(items, normaliser, emotion, SENTENCES[1])
        slopes[emotion] = float((there * rest).sum() / np.square(rest).sum())
        print(f"{emotion:10} {slopes[emotion]:.2f}")
    print(f"expression {np.mean([s for e, s in slopes.items() if e != 'neutral']):.2f}")


if __name__ == "__main__":
    main()
