"""What linear models read from the same windows: the records that DHMD is held against.

    python benchmarks/baseline_results.py --examples runs/examples

Trained on made variants of a clip too, as DHMD is, and standardised. A logistic regression,
C = 0.003, reads mean and deviation over the valid steps of each modality; a linear discriminant
analysis the mean. Where the preset has a teacher of what is read, the analysis is shrunk as that
and takes all emotions as equally likely: the teacher, but for how features are standardised;
elsewhere it is shrunk as Ledoit and Wolf 2004 have it. Records go to the file of
benchmarks/dhmd_results.py.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from extractors.features import MODALITIES, FloatArray
from inference.training.batches import class_of_label
from inference.training.configuration import read_settings, taught_subsets, windows
from inference.training.metrics import emotion_metrics
from inference.training.plan import Data
from inference.training.prepare import prepared_examples
from inference.training.sequence_files import load_data
from inference.training.sequences import Sequences, per_person, sequences_of
from inference.training.split import parts_by_person

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "results.json"
PARTS = (
    # what is read, preset, corpus, name of what is held out, normalised by person, folds
    ("face", "live", "ckplus", "face", False, 5),
    ("voice", "live", "ravdess", "voice", False, 5),
    ("words", "live", "meld", "text", False, 1),
    ("ravdess", "ravdess", "ravdess", "test", False, 5),
    ("ravdess, normalised by person", "ravdess", "ravdess", "test", True, 5),
)
KINDS = ("regression", "discriminant")
LINES = tuple(
    (f"{kind}, {name}", preset, corpus, held, by_person, folds)
    for kind in KINDS
    for name, preset, corpus, held, by_person, folds in PARTS
)


def classifier_of(line: str, shrinkage: float | None, emotions: int) -> Pipeline:
    """The linear model of a line with so many emotions; `shrinkage` is that of a teacher."""
    if line.startswith("discriminant"):
        model = (
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            if shrinkage is None
            else LinearDiscriminantAnalysis(
                solver="lsqr", shrinkage=shrinkage, priors=[1 / emotions] * emotions
            )
        )
    else:
        model = LogisticRegression(C=0.003, max_iter=300)
    return make_pipeline(StandardScaler(), model)


def pooled(items: Sequences, deviation: bool) -> FloatArray:
    """Mean (and deviation) of every feature of every modality over its valid steps: [n, ...]."""
    columns = []
    for name in MODALITIES:
        mask = items.valid[name][..., None]
        if not mask.any():
            continue
        count = np.maximum(mask.sum(axis=1), 1)
        mean = np.where(mask, items.features[name], 0).sum(axis=1) / count
        gap = np.where(mask, items.features[name] - mean[:, None], 0)
        columns += [mean, np.sqrt(np.square(gap).sum(axis=1) / count)] if deviation else [mean]
    return np.concatenate(columns, axis=1).astype(np.float32)


def records(data: Data, line: tuple[str, str, str, str, bool, int]) -> Sequence[dict[str, Any]]:
    """A record for each fold."""
    name, preset, _, held, by_person, folds = line
    settings = read_settings(preset)
    spec = windows(settings)
    assert spec is not None
    assert not isinstance(data, Sequences)
    prepared = prepared_examples(data, settings)
    items = sequences_of(prepared.kind, prepared.examples, spec)
    values = pooled(per_person(items) if by_person else items, name.startswith("regression"))
    labels = class_of_label(settings.labels.emotions)[items.emotion]
    read = tuple(modality for modality in MODALITIES if items.valid[modality].any())
    taught = set(read) in map(set, taught_subsets(settings))
    shrinkage = settings.teachers.shrinkage if taught else None
    found = []
    for fold in range(folds):
        parts = parts_by_person(items.people, items.splits, fold)
        test = parts.test & (items.variants == 0)
        count = len(set(labels[parts.train]))
        classifier = classifier_of(name, shrinkage, count)
        classifier.fit(values[parts.train], labels[parts.train])
        chance = np.zeros((test.sum(), len(settings.labels.emotions)), np.float32)
        chance[:, classifier.classes_] = classifier.predict_proba(values[test])
        metrics = asdict(emotion_metrics(labels[test], chance))
        found.append({"line": name, "seed": 0, "fold": fold, "held_out": {held: metrics}})
    return found


def main() -> None:
    """Replace the records of lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--only", action="append", default=[], choices=[line[0] for line in LINES])
    args = parser.parse_args()
    for line in [line for line in LINES if not args.only or line[0] in args.only]:
        found = records(load_data(args.examples / line[2]), line)
        known = json.loads(args.records.read_text()) if args.records.is_file() else []
        kept = [r for r in known if r["line"] != line[0]]
        text = json.dumps([*kept, *found], indent=1, allow_nan=False)
        args.records.write_text(text + "\n", encoding="utf-8")
        accuracy = [r["held_out"][line[3]]["accuracy"] for r in found]
        print(line[0], [round(a, 3) for a in accuracy], flush=True)


if __name__ == "__main__":
    main()
