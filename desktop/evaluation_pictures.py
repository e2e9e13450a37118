"""Pictures of an evaluation: who is taken for whom, and how right the sure ones are."""

from pathlib import Path

import numpy as np

from assets.errors import BadInput
from desktop.palette import LIGHT
from inference.training.evaluation import Evaluation

__all__ = ["draw_evaluation"]


def draw_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Draw `confusion.png` and `calibration.png` into `folder`; none without emotions.

    Raises BadInput if the folder cannot be written.
    """
    if evaluation.reliability is None:
        return []
    import matplotlib as mpl

    mpl.use("Agg")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [
            _confusion(evaluation, folder / "confusion.png"),
            _calibration(evaluation, folder / "calibration.png"),
        ]
    except OSError as error:
        raise BadInput(f"cannot write pictures to {folder}: {error.strerror}") from error


def _confusion(evaluation: Evaluation, path: Path) -> Path:
    """Counts, shaded by their part of the row: the recall stands on the diagonal."""
    from matplotlib import pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    counts = evaluation.confusion
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = len(evaluation.emotions)
    figure, axes = plt.subplots(figsize=(1.6 + 0.8 * size, 1.2 + 0.7 * size), layout="constrained")
    shades = LinearSegmentedColormap.from_list("shades", ["white", LIGHT.accent])
    axes.imshow(share, cmap=shades, vmin=0, vmax=1, aspect="auto")
    for row in range(size):
        for column in range(size):
            if counts[row, column]:
                axes.text(
                    column, row, f"{counts[row, column]}\n{share[row, column]:.0%}",
                    ha="center", va="center", fontsize=8,
                    color="white" if share[row, column] > 0.6 else LIGHT.text,
                )  # fmt: skip
    axes.set_xticks(range(size), evaluation.emotions, rotation=40, ha="right")
    axes.set_yticks(range(size), evaluation.emotions)
    axes.set(xlabel="taken for", ylabel="labelled")
    axes.set_title(f"n = {int(counts.sum())}, per cent of each row", loc="left")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.savefig(path, dpi=100)
    plt.close(figure)
    return path


def _calibration(evaluation: Evaluation, path: Path) -> Path:
    """Accuracy against confidence; below them how many predictions are how sure."""
    from matplotlib import pyplot as plt

    found = evaluation.reliability
    assert found is not None
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6, 6.4), sharex=True, height_ratios=[4, 1], layout="constrained"
    )
    top.plot([0, 1], [0, 1], color=LIGHT.muted, linestyle="--", linewidth=1)
    top.plot(found.confidence, found.accuracy, color=LIGHT.accent, marker="o", linewidth=2)
    top.set(ylim=(0, 1), ylabel="part that is right")
    top.set_title(f"ECE {evaluation.metrics['ece']:.3f}", loc="left")
    bottom.bar(found.confidence, found.count, width=0.03, color=LIGHT.accent)
    bottom.set(xlim=(0, 1), xlabel="confidence", ylabel="predictions")
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=LIGHT.faint)
        axes.set_axisbelow(True)
    figure.savefig(path, dpi=100)
    plt.close(figure)
    return path
