"""A picture of the trajectories of a session, for where there is no window."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.palette import LIGHT
from extractors.features import EMOTIONS, MODALITIES
from extractors.session import Session
from extractors.stream import to_seconds

__all__ = ["draw_trajectories"]

LEAST_DISTANCE = 0.055
"""Of the labels at the right, in units of probability."""


def draw_trajectories(session: Session, path: Path) -> None:
    """Draw emotions, sentiment, presence and words over time into the PNG file `path`.

    Raises SessionError if the session cannot be read and OSError if the file cannot be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    timeline = session.timeline
    figure, (top, middle, bottom) = plt.subplots(
        3, 1, figsize=(12.8, 7.2), sharex=True, height_ratios=[6, 2, 1], layout="constrained"
    )
    title = session.title
    top.set_title(f"{title}: estimated expressed emotion", loc="left", weight="bold")
    known = timeline.known
    ends: list[tuple[float, int]] = []
    for index, _ in enumerate(EMOTIONS):
        values = np.where(known, timeline.emotions[:, index], np.nan)
        top.plot(timeline.time, values, color=LIGHT.emotions[index], linewidth=2)
        if known.any():
            ends.append((float(values[known][-1]), index))
    right = max(session.duration, 0.1)
    for height, index in _spread(ends):
        top.annotate(
            EMOTIONS[index], (right, height), (6, 0), textcoords="offset points",
            va="center", color=LIGHT.emotions[index], weight="bold", annotation_clip=False,
        )  # fmt: skip
    top.set(ylim=(0, 1), ylabel="probability")
    middle.axhline(0, color=LIGHT.border)
    middle.plot(timeline.time, timeline.sentiment, color=LIGHT.text, linewidth=2)
    middle.set(ylim=(-3, 3), yticks=[-3, 0, 3], ylabel="sentiment")
    for row in range(len(MODALITIES)):
        spans = _spans(timeline.time, timeline.present[:, row])
        bottom.broken_barh(spans, (2 - row + 0.2, 0.6), color=LIGHT.accent)
    bottom.set(ylim=(0, 3), yticks=[2.5, 1.5, 0.5], xlim=(0, right), xlabel="seconds")
    bottom.set_yticklabels(["words", "voice", "face"])
    for number, word in enumerate(session.words):
        height = (2.9, 1.4)[number % 2]
        middle.text(
            to_seconds(word.start), height, word.text, fontsize=7, rotation=60,
            va="top", ha="left", color=LIGHT.muted, parse_math=False,
        )  # fmt: skip
    for axes in (top, middle, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color=LIGHT.faint)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _spread(ends: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Heights of labels, moved apart just enough that none lies on another."""
    placed: list[tuple[float, int]] = []
    for height, index in sorted(ends):
        least = placed[-1][0] + LEAST_DISTANCE if placed else 0.0
        placed.append((max(height, least), index))
    wanted = [height for height, _ in sorted(ends)]
    raised = sum(at - height for (at, _), height in zip(placed, wanted, strict=True))
    down = min(raised / len(placed), placed[0][0]) if placed else 0.0
    return [(at - down, index) for at, index in placed]


def _spans(
    time: npt.NDArray[np.float64], present: npt.NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Stretches (start, length) in seconds in which a modality is present."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], present.astype(int), [0]])))
    step = float(time[1] - time[0]) if len(time) > 1 else 0.2
    pairs = list(pairwise(edges))[::2]
    return [(float(time[a]) - step, (b - a) * step) for a, b in pairs]
