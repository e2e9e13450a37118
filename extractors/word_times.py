"""When tokens were said, from where the decoder looked. Pure functions.

As Radford et al. 2022 (arXiv:2212.04356) time words, in openai/whisper: attention is compared
between tokens, smoothed in time, averaged over heads, and the cheapest monotonic path through it
(dynamic time warping, Sakoe and Chiba 1978) says when each token begins.
"""

import numpy as np
import numpy.typing as npt

from extractors.features import FloatArray

__all__ = ["cheapest_path", "token_starts"]

SMOOTHED = 7
"""States over which the median is taken."""


def token_starts(attention: FloatArray, frames: int) -> npt.NDArray[np.int64]:
    """First state of each row's token, of attention float32 [heads, rows, positions] of which the
    first `frames` positions are sound: int [rows], not decreasing."""
    looks = attention[:, :, :frames]
    looks = looks / np.maximum(looks.sum(axis=2, keepdims=True), 1e-9)
    deviation = looks.std(axis=1, keepdims=True)
    looks = (looks - looks.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-9)
    return cheapest_path(-_median(looks).mean(axis=0))


def cheapest_path(cost: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Column at which a path enters each row of `cost` [rows, columns]: int [rows].

    The path goes from the first cell to the last, a step down, right or both at a time, and the sum
    of its cells is the least.
    """
    rows, columns = cost.shape
    total = np.empty((rows, columns))
    total[0] = np.cumsum(cost[0])
    for row in range(1, rows):
        # sums along the row from its beginning: entering at k and going on to j costs their
        # difference, so the best way to enter is a running minimum
        along = np.cumsum(cost[row])
        enter = total[row - 1].copy()
        enter[1:] = np.minimum(enter[1:], total[row - 1, :-1])
        enter[1:] -= along[:-1]
        total[row] = along + np.minimum.accumulate(enter)
    starts = np.zeros(rows, np.int64)
    row, column = rows - 1, columns - 1
    while row:
        before = total[row - 1, column]
        across = total[row - 1, column - 1] if column else np.inf
        beside = total[row, column - 1] if column else np.inf
        if beside < min(before, across):
            column -= 1
            continue
        starts[row] = column
        row -= 1
        if across <= before:
            column -= 1
    return starts


def _median(values: FloatArray) -> FloatArray:
    """Running median along the last axis, mirrored at the ends."""
    half = SMOOTHED // 2
    if values.shape[-1] <= half:
        return values
    padded = np.pad(values, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHED, axis=-1)
    middle: FloatArray = np.sort(windows, axis=-1)[..., half]
    return middle
