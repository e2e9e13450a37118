"""When tokens were said, by attention made by hand."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from extractors.word_times import cheapest_path, token_starts

FloatArray = npt.NDArray[np.float32]


def all_paths(rows: int, columns: int) -> list[list[tuple[int, int]]]:
    """Every way from the first cell to the last by steps down, right or both."""
    paths = [[(0, 0)]]
    done = []
    while paths:
        path = paths.pop()
        row, column = path[-1]
        if (row, column) == (rows - 1, columns - 1):
            done.append(path)
            continue
        for down, right in ((0, 1), (1, 0), (1, 1)):
            if row + down < rows and column + right < columns:
                paths.append([*path, (row + down, column + right)])
    return done


@pytest.mark.parametrize("seed", range(6))
def test_no_path_is_cheaper(seed: int) -> None:
    cost = np.random.default_rng(seed).standard_normal((4, 5))
    best = min(all_paths(4, 5), key=lambda path: sum(cost[cell] for cell in path))
    wanted = [min(column for r, column in best if r == row) for row in range(4)]
    assert cheapest_path(cost).tolist() == wanted


def test_more_tokens_than_sound() -> None:
    starts = cheapest_path(np.zeros((5, 2)))
    assert len(starts) == 5
    assert starts[0] == 0
    assert (np.diff(starts) >= 0).all()
    assert starts.max() <= 1


def looking(*ends: int, heads: int = 2, positions: int = 80) -> FloatArray:
    """Attention of tokens that end so, each to all of its own sound, and a little everywhere."""
    rows = []
    for start, end in itertools.pairwise((0, *ends)):
        row = np.full(positions, 0.01)
        row[start:end] += 1
        rows.append(row / row.sum())
    return np.repeat(np.asarray([rows], np.float32), heads, axis=0)


def test_a_token_starts_where_it_is_looked_for() -> None:
    assert token_starts(looking(10, 25, 40, 60), 60) == pytest.approx([0, 10, 25, 40], abs=1)


def test_what_is_behind_the_sound_does_not_count() -> None:
    clean = looking(10, 25, 40, 60)
    noisy = clean.copy()
    noisy[:, 1, 60:] = 5  # silence, to which a token may look as much as it likes
    assert token_starts(noisy, 60).tolist() == token_starts(clean, 60).tolist()


def test_one_head_that_looks_away_for_a_moment_changes_nothing() -> None:
    steady = looking(10, 25, 40, 60)
    jumping = steady.copy()
    jumping[0, 0, 50:52] = 0.5  # shorter than the median sees
    assert token_starts(jumping, 60) == pytest.approx(token_starts(steady, 60), abs=1)


def test_little_sound_has_times_too() -> None:
    assert token_starts(looking(1, 2, positions=80), 2).tolist() == [0, 1]
