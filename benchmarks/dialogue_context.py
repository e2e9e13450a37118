"""Whether what was said before an utterance helps to tell its emotion, by regressions.

    python benchmarks/dialogue_context.py ../shared/data/meld

Mean states of `TEXT_LAYERS` over the utterances MELD trains on, seven emotions, five folds by
dialogue: the dialogues of its `dev` and `test` are not looked at. What was said before is what the
app could give too: words heard earlier, whoever said them.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assets.pretrained import path_of
from extractors.features import FloatArray
from extractors.text import CONTEXT_WORDS, TextEncoder
from inference.training.item_features import LONGEST_WORDS

STRENGTH = 0.003
"""Inverse strength of the regularisation, as in `benchmarks/text_layers.py`."""


def main() -> None:
    """Print weighted and macro F1 with every kind of context."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="MELD's folder of .csv files")
    path = parser.parse_args().folder / "train_sent_emo.csv"
    encoder = TextEncoder(path_of("minilm/model.onnx"), path_of("minilm/tokenizer.json"))
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Utterance"].split()]
    emotions = np.asarray([row["Emotion"] for row in rows])
    dialogues = [row["Dialogue_ID"] for row in rows]

    said: dict[str, list[str]] = defaultdict(list)
    spoken: dict[str, list[FloatArray]] = defaultdict(list)
    alone, last, all_before, in_context, run_together = [], [], [], [], []
    for row in rows:
        words, key = row["Utterance"].split()[-LONGEST_WORDS:], row["Dialogue_ID"]
        own = encoder(words).mean(axis=0)
        before = spoken[key]
        alone.append(own)
        last.append(before[-1] if before else np.zeros_like(own))
        all_before.append(np.mean(before, axis=0) if before else np.zeros_like(own))
        together = encoder([*said[key], *words][-max(CONTEXT_WORDS, len(words)) :])
        in_context.append(together[-len(words) :].mean(axis=0))
        run_together.append(together.mean(axis=0))
        before.append(own)
        said[key] = [*said[key], *words][-CONTEXT_WORDS:]

    kinds = {
        "the utterance alone": [alone],
        "and the utterance before": [alone, last],
        "and the mean of all before": [alone, all_before],
        f"its words, encoded with up to {CONTEXT_WORDS} words": [in_context],
        f"the last {CONTEXT_WORDS} words, its own among them": [run_together],
        "alone, and encoded with those before": [alone, in_context],
    }
    for name, parts in kinds.items():
        found = np.concatenate([np.stack(part) for part in parts], axis=1)
        model = make_pipeline(
            StandardScaler(),
            LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=200),
        )
        told = cross_val_predict(model, found, emotions, groups=dialogues, cv=GroupKFold(5))
        weighted, macro = (f1_score(emotions, told, average=kind) for kind in ("weighted", "macro"))
        print(f"{name}: weighted F1 {weighted:.3f}, macro F1 {macro:.3f}", flush=True)


if __name__ == "__main__":
    main()
