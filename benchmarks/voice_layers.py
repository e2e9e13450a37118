"""Which layers of Whisper's encoders tell how something is said, one by one and added up.

    python benchmarks/voice_layers.py ../shared/data/ravdess

Mean states of each clip where somebody speaks, seven emotions (calm counts as neutral). Each choice
of layers of one model is read by a linear discriminant analysis of its own; where two models are
named, their logits are added up, or one analysis reads both ("as one"). Means over `FOLDINGS` draws
of five folds by actor, with the deviation of these means. It shows why the voice is not described
by the last layer (`VOICE_LAYERS`), and what a second encoder would add. Some ten minutes on two
cores, most of them for the states, which are kept in --states.
"""

import argparse
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import recall_score

from assets.pretrained import path_of
from extractors.features import SAMPLE_RATE, VOICE_LAYERS, FloatArray
from extractors.stream import SECOND
from extractors.utterances import UtteranceStage
from extractors.video_file import VideoFile
from extractors.voice_model import VoiceModel
from inference.training.corpora import read_corpus
from inference.training.discriminant import discriminant

TINY, BASE = "whisper-tiny.en", "whisper-base"
DEPTHS = {TINY: 4, BASE: 6}
SHRINKAGE = 0.3
FOLDINGS = 6
Layers = tuple[str, tuple[int, ...]]
BOTH: tuple[Layers, ...] = ((TINY, (3,)), (BASE, (1, 3)))
CHOICES: tuple[tuple[Layers, ...], ...] = (
    *(((TINY, (layer,)),) for layer in range(1, 5)),
    ((TINY, VOICE_LAYERS),),
    *(((BASE, (layer,)),) for layer in range(1, 7)),
    ((BASE, (1, 3)),),
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


def mean_states(models: Sequence[VoiceModel], clip: Path) -> FloatArray | None:
    """Mean where somebody speaks: float32 [layers * width of all models], or None."""
    stage = UtteranceStage()
    pieces = [p for block in VideoFile(clip).audio() for p in stage.process(block)]
    found = []
    for piece in [*pieces, *stage.finish()]:
        for interval in piece.data.spoken:
            start, end = ((t - piece.start) * SAMPLE_RATE // SECOND for t in interval)
            sound = piece.data.samples[start:end]
            found.append(np.concatenate([model.states(sound) for model in models], axis=1))
    return np.concatenate(found).mean(axis=0) if found else None


def extracted(corpus: Path) -> tuple[FloatArray, Strings, Strings]:
    """States [n, layers * width], emotions [n] and actors [n]."""
    models = [VoiceModel(path_of(name), range(1, depth + 1)) for name, depth in DEPTHS.items()]
    rows, labels, people = [], [], []
    for item in read_corpus(corpus, "ravdess"):
        assert item.path is not None
        row = mean_states(models, item.path)
        if row is not None:
            rows.append(row)
            labels.append("neutral" if item.emotion == "calm" else item.emotion)
            people.append(item.person)
    return np.stack(rows), np.asarray(labels), np.asarray(people)


def of_layers(rows: FloatArray, chosen: Layers) -> npt.NDArray[np.float64]:
    name, layers = chosen
    tiny = 384 * DEPTHS[TINY]
    part, width = (rows[:, :tiny], 384) if name == TINY else (rows[:, tiny:], 512)
    blocks = [part[:, width * (number - 1) : width * number] for number in layers]
    return np.concatenate(blocks, axis=1, dtype=np.float64)


def logits(
    x: npt.NDArray[np.float64], classes: npt.NDArray[np.int64], folds: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """What is said of each fold by an analysis of the others: [n, 7]."""
    count = int(classes.max()) + 1
    found = np.zeros((len(x), count))
    for fold in range(5):
        rest = folds != fold
        mean, spread = x[rest].mean(axis=0), x[rest].std(axis=0) + 1e-9
        weight, bias = discriminant((x[rest] - mean) / spread, classes[rest], count, SHRINKAGE)
        found[~rest] = (x[~rest] - mean) / spread @ weight + bias
    return found


def named(choice: Sequence[Layers]) -> str:
    return " + ".join(f"{name} {','.join(map(str, layers))}" for name, layers in choice)


def main() -> None:
    """Print accuracy and macro recall of each choice of layers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ravdess", type=Path)
    parser.add_argument("--states", type=Path, help="a .npz file of states, read or written")
    args = parser.parse_args()
    if args.states is not None and args.states.is_file():
        try:
            with np.load(args.states) as kept:
                rows, labels, people = kept["rows"], kept["labels"], kept["people"]
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            parser.error(f"{args.states} is no file of states ({error}); name another")
    else:
        rows, labels, people = extracted(args.ravdess)
        if args.states is not None:
            np.savez(args.states, rows=rows, labels=labels, people=people)
    classes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    generator = np.random.default_rng(0)
    actors, who = np.unique(people, return_inverse=True)
    foldings = [(generator.permutation(len(actors)) % 5)[who] for _ in range(FOLDINGS)]

    def show(name: str, said: Sequence[npt.NDArray[np.float64]]) -> None:
        told = [one.argmax(axis=1) for one in said]
        right = [float((one == classes).mean()) for one in told]
        recall = [float(recall_score(classes, one, average="macro")) for one in told]
        print(
            f"{name}: accuracy {np.mean(right):.3f} +- {np.std(right):.3f}, "
            f"macro recall {np.mean(recall):.3f}",
            flush=True,
        )

    for choice in CHOICES:
        parts = [of_layers(rows, layers) for layers in choice]
        show(named(choice), [sum(logits(x, classes, f) for x in parts) for f in foldings])  # type: ignore[misc]
    both = np.concatenate([of_layers(rows, layers) for layers in BOTH], axis=1)
    show(f"{named(BOTH)}, as one", [logits(both, classes, folds) for folds in foldings])


if __name__ == "__main__":
    main()
