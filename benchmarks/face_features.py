"""What a regression reads of a face: from the blendshapes as they are, their roots, and measures.

    python benchmarks/face_features.py --examples runs/examples/ckplus

Six emotions of CK+, five folds by subject. It is what `FaceFeatures.vector` was decided by.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from extractors.features import BLENDSHAPES, FloatArray
from inference.training.example_files import load_examples
from inference.training.examples import LABELS, ExampleSet
from inference.training.split import FOLDS, split_by_person

SHAPES = len(BLENDSHAPES)
FORMS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "as they are": lambda face: face[:, :SHAPES],
    "roots": lambda face: np.sqrt(face[:, :SHAPES]),
    "third roots": lambda face: np.cbrt(face[:, :SHAPES]),
    "measures": lambda face: face[:, SHAPES:],
    "roots and measures": lambda face: np.hstack([np.sqrt(face[:, :SHAPES]), face[:, SHAPES:]]),
}
STRENGTHS = (0.01, 0.05, 0.2, 1.0)
"""Inverse strengths of the regularisation; each form is shown with all of them."""


def arrays(examples: ExampleSet, fold: int) -> tuple[npt.NDArray[np.float32], ...]:
    """Blendshapes and measures [n, 94] and emotions [n] to train on, then to test on."""
    split = split_by_person(examples, fold)
    found: list[npt.NDArray[np.float32]] = []
    for part in (split.train, split.test):
        known = [e for e in part if e.emotion != LABELS.index("contempt")]
        vectors = np.stack([e.samples["face"][0].data.vector for e in known])
        vectors[:, :SHAPES] = np.square(vectors[:, :SHAPES])
        found += [vectors, np.asarray([e.emotion for e in known])]
    return tuple(found)


def main() -> None:
    """Print accuracy and macro recall, means over folds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, required=True)
    folds = [arrays(load_examples(parser.parse_args().examples), k) for k in range(FOLDS)]
    for name, form in FORMS.items():
        for strength in STRENGTHS:
            accuracy, recall = [], []
            for train, train_labels, test, labels in folds:
                model = make_pipeline(
                    StandardScaler(),
                    LogisticRegression(C=strength, class_weight="balanced", max_iter=500),
                )
                model.fit(form(train), train_labels)
                right = model.predict(form(test)) == labels
                accuracy.append(right.mean())
                recall.append(np.mean([right[labels == e].mean() for e in np.unique(labels)]))
            print(
                f"{name:18} C {strength:<5} accuracy {np.mean(accuracy):.3f} "
                f"macro recall {np.mean(recall):.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
