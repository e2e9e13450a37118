"""Which layers of Whisper's encoders tell how something is said, one by one and added up.

    python benchmarks/voice_layers.py ../shared/data/ravdess
    python benchmarks/voice_layers.py ../shared/data/ravdess --variants 4 --shrinkage 0.1

Mean states of each clip where somebody speaks, seven emotions (calm counts as neutral). Each choice
of layers of one model is read by a linear discriminant analysis of its own; where two models are
named, their logits are added up, or one analysis reads both ("as one"). Means over `FOLDINGS` draws
of five folds by actor, with the deviation of these means. Made variants of the clips are learned of
too, and never told. It shows why the voice is described by these layers of this encoder
(`VOICE_SET`, `VOICE_LAYERS`), and what a second one would add. Some ten minutes on two cores, most
of them for the states, which are kept in --states; five times that with four variants.
"""

import argparse
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import recall_score

from assets.pretrained import path_of
from extractors.features import SAMPLE_RATE, VOICE_LAYERS, VOICE_SET, AudioBlock, FloatArray
from extractors.stream import SECOND, Sample
from extractors.utterances import UtteranceStage
from extractors.video_file import VideoFile
from extractors.voice_model import VoiceModel
from inference.training.corpora import read_corpus
from inference.training.discriminant import discriminant
from inference.training.sound_variants import with_variants

TINY, BASE = "whisper-tiny.en", "whisper-base"
DEPTHS = {TINY: 4, BASE: 6}
FOLDINGS = 6
Layers = tuple[str, tuple[int, ...]]
BOTH: tuple[Layers, ...] = ((TINY, (3,)), (BASE, (1, 3)))
CHOICES: tuple[tuple[Layers, ...], ...] = (
    *(((TINY, (layer,)),) for layer in range(1, 5)),
    ((TINY, (2, 3)),),
    *(((BASE, (layer,)),) for layer in range(1, 7)),
    ((VOICE_SET, VOICE_LAYERS),),
    ((BASE, (1, 2, 3)),),
    ((BASE, (2, 4)),),
    ((TINY, (2, 3)), (BASE, (3,))),
    ((TINY, (2, 3)), (BASE, (1, 3))),
    ((TINY, (2, 3)), (BASE, (2, 4))),
    ((TINY, (2, 3)), (BASE, (1, 2, 3))),
    ((TINY, (3,)), (BASE, (3,))),
    BOTH,
)

Strings = npt.NDArray[np.str_]
Logits = npt.NDArray[np.float64]


def mean_states(models: Sequence[VoiceModel], sound: FloatArray) -> FloatArray | None:
    """Mean where somebody speaks: float32 [layers * width of all models], or None."""
    stage = UtteranceStage()
    end = len(sound) * SECOND // SAMPLE_RATE
    pieces = stage.process(Sample("sound", 0, end, end, AudioBlock(sound)))
    found = []
    for piece in [*pieces, *stage.finish()]:
        for interval in piece.data.spoken:
            start, end = ((t - piece.start) * SAMPLE_RATE // SECOND for t in interval)
            sound = piece.data.samples[start:end]
            found.append(np.concatenate([model.states(sound) for model in models], axis=1))
    return np.concatenate(found).mean(axis=0) if found else None


@dataclass(frozen=True, slots=True)
class Clips:
    """States of n sounds, variants among them."""

    rows: FloatArray
    """[n, layers * width of all models]"""
    labels: Strings
    people: Strings
    variants: npt.NDArray[np.int64]
    """0 is the clip itself."""


def extracted(corpus: Path, variants: int) -> Clips:
    models = [VoiceModel(path_of(name), range(1, depth + 1)) for name, depth in DEPTHS.items()]
    rows, labels, people, numbers = [], [], [], []
    for item in read_corpus(corpus, "ravdess"):
        assert item.path is not None
        clip = np.concatenate([block.data.samples for block in VideoFile(item.path).audio()])
        for number, sound in enumerate(with_variants(clip, variants)):
            row = mean_states(models, sound)
            if row is not None:
                rows.append(row)
                labels.append("neutral" if item.emotion == "calm" else item.emotion)
                people.append(item.person)
                numbers.append(number)
    return Clips(
        np.stack(rows), np.asarray(labels), np.asarray(people), np.asarray(numbers, np.int64)
    )


def of_layers(rows: FloatArray, chosen: Layers) -> npt.NDArray[np.float64]:
    name, layers = chosen
    tiny = 384 * DEPTHS[TINY]
    part, width = (rows[:, :tiny], 384) if name == TINY else (rows[:, tiny:], 512)
    blocks = [part[:, width * (number - 1) : width * number] for number in layers]
    return np.concatenate(blocks, axis=1, dtype=np.float64)


def logits(
    x: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    clips: npt.NDArray[np.bool_],
    shrinkage: float,
) -> Logits:
    """What is said of each fold by an analysis of the others: [n, 7].

    As in training, features are standardised by the clips alone.
    """
    count = int(classes.max()) + 1
    found = np.zeros((len(x), count))
    for fold in range(5):
        rest = folds != fold
        plain = x[rest & clips]
        mean, spread = plain.mean(axis=0), plain.std(axis=0) + 1e-9
        weight, bias = discriminant((x[rest] - mean) / spread, classes[rest], count, shrinkage)
        found[~rest] = (x[~rest] - mean) / spread @ weight + bias
    return found


def named(choice: Sequence[Layers]) -> str:
    return " + ".join(f"{name} {','.join(map(str, layers))}" for name, layers in choice)


def main() -> None:
    """Print accuracy and macro recall of each choice of layers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ravdess", type=Path)
    parser.add_argument("--states", type=Path, help="a .npz file of states, read or written")
    parser.add_argument("--variants", type=int, default=0, help="of each clip (default 0)")
    parser.add_argument("--shrinkage", type=float, default=0.3, help="of analyses (default 0.3)")
    args = parser.parse_args()
    if args.states is not None and args.states.is_file():
        try:
            with np.load(args.states) as kept:
                known = Clips(*(kept[field.name] for field in fields(Clips)))
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            parser.error(f"{args.states} is no file of states ({error}); name another")
        if (there := int(known.variants.max())) != args.variants:
            parser.error(f"{args.states} has {there} variants of each clip, not {args.variants}")
    else:
        known = extracted(args.ravdess, args.variants)
        if args.states is not None:
            np.savez(args.states, **{f.name: getattr(known, f.name) for f in fields(Clips)})
    classes = np.unique(known.labels, return_inverse=True)[1].astype(np.int64)
    clips = known.variants == 0
    generator = np.random.default_rng(0)
    actors, who = np.unique(known.people, return_inverse=True)
    foldings = [(generator.permutation(len(actors)) % 5)[who] for _ in range(FOLDINGS)]

    def show(name: str, said: Sequence[npt.NDArray[np.float64]]) -> None:
        told = [one.argmax(axis=1) for one in said]
        right = [float((one == classes)[clips].mean()) for one in told]
        recall = [float(recall_score(classes[clips], one[clips], average="macro")) for one in told]
        print(
            f"{name}: accuracy {np.mean(right):.3f} +- {np.std(right):.3f}, "
            f"macro recall {np.mean(recall):.3f}",
            flush=True,
        )

    def of_folds(x: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]) -> Logits:
        return logits(x, classes, folds, clips, args.shrinkage)

    for choice in CHOICES:
        parts = [of_layers(known.rows, layers) for layers in choice]
        show(named(choice), [np.sum([of_folds(x, f) for x in parts], axis=0) for f in foldings])
    both = np.concatenate([of_layers(known.rows, layers) for layers in BOTH], axis=1)
    show(f"{named(BOTH)}, as one", [of_folds(both, folds) for folds in foldings])


if __name__ == "__main__":
    main()
