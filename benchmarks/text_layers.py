"""Which layers of MiniLM tell how something is said: what a regression reads of each.

    python benchmarks/text_layers.py ../shared/data/meld

Seven emotions of the utterances MELD trains on, five folds by dialogue: the dialogues of its `dev`
and `test` are not looked at. It is what `TEXT_LAYERS` was decided by.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assets.pretrained import path_of
from extractors.text import LAYERS, WIDTH, TextEncoder
from inference.training.item_features import LONGEST_WORDS

STRENGTH = 0.003
"""Inverse strength of the regularisation, the same for all."""
SETS: Sequence[tuple[int, ...]] = (*((layer,) for layer in range(1, LAYERS + 1)), (2, 4), (3, 6))


def states(folder: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.str_], list[str]]:
    """Mean states of all layers [n, 6 x 384], emotions [n] and dialogues."""
    encoder = TextEncoder(
        path_of("minilm/model.onnx"),
        path_of("minilm/tokenizer.json"),
        layers=range(1, LAYERS + 1),
        threads=2,
    )
    with (folder / "train_sent_emo.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Utterance"].split()]
    means = [encoder(row["Utterance"].split()[-LONGEST_WORDS:]).mean(axis=0) for row in rows]
    emotions = np.asarray([row["Emotion"] for row in rows])
    return np.stack(means), emotions, [row["Dialogue_ID"] for row in rows]


def main() -> None:
    """Print weighted and macro F1 of every set of layers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="MELD's folder of .csv files")
    found, emotions, dialogues = states(parser.parse_args().folder)
    for layers in SETS:
        columns = np.concatenate([np.arange(WIDTH) + WIDTH * (layer - 1) for layer in layers])
        model = make_pipeline(
            StandardScaler(),
            LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=200),
        )
        told = cross_val_predict(
            model, found[:, columns], emotions, groups=dialogues, cv=GroupKFold(5)
        )
        weighted, macro = (f1_score(emotions, told, average=kind) for kind in ("weighted", "macro"))
        print(f"layers {layers}: weighted F1 {weighted:.3f}, macro F1 {macro:.3f}", flush=True)


if __name__ == "__main__":
    main()
