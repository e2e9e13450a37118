from pathlib import Path

import numpy as np
import pytest

from assets.errors import SessionError
from extractors.features import LANDMARKS
from extractors.landmark_file import (
    FLUSHED,
    LandmarkWriter,
    declared_rows,
    read_landmarks,
    read_row,
)


def rows(count: int) -> "np.ndarray[tuple[int, int, int], np.dtype[np.float32]]":
    return np.random.default_rng(0).random((count, LANDMARKS, 3), np.float32)


@pytest.mark.parametrize("count", [0, 1, FLUSHED, 3 * FLUSHED + 5])
def test_numpy_reads_what_was_appended(tmp_path: Path, count: int) -> None:
    path, expected = tmp_path / "landmarks.npy", rows(count)
    with LandmarkWriter(path) as writer:
        for row in expected:
            writer.append(row)
    assert writer.rows == count
    found = np.load(path)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, atol=0.00025)
    np.testing.assert_array_equal(read_landmarks(path), found)


def test_a_growing_file_gives_the_rows_it_has(tmp_path: Path) -> None:
    path, expected = tmp_path / "landmarks.npy", rows(FLUSHED + 1)
    assert read_row(path, 0) is None
    with LandmarkWriter(path) as writer:
        assert read_row(path, 0) is None
        for row in expected:
            writer.append(row)
        last = read_row(path, FLUSHED - 1)
        assert last is not None
        np.testing.assert_allclose(last, expected[FLUSHED - 1], atol=0.00025)
        assert read_row(path, FLUSHED + 1) is None


def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    writer = LandmarkWriter(tmp_path / "landmarks.npy")
    writer.append(rows(1)[0])
    writer.close()
    writer.close()
    assert len(read_landmarks(tmp_path / "landmarks.npy")) == 1


def test_a_full_disk_is_told_and_leaves_no_open_file() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left"):
        LandmarkWriter(Path("/dev/full")).close()  # an open file left behind would warn: an error


def garbage(path: Path) -> None:
    path.write_bytes(b"not an array")


def foreign(path: Path) -> None:
    np.save(path, np.zeros((3, 2)))


def test_a_file_that_is_cut_off_gives_its_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.npy"
    with LandmarkWriter(path) as writer:
        for row in rows(3):
            writer.append(row)
    path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_allclose(read_landmarks(path), rows(3)[:2], atol=0.00025)
    assert declared_rows(path) == 3


@pytest.mark.parametrize("damage", [garbage, foreign, Path.unlink])
def test_a_damaged_file_is_named(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "landmarks.npy"
    with LandmarkWriter(path) as writer:
        for row in rows(3):
            writer.append(row)
    assert callable(damage)
    damage(path)
    with pytest.raises(SessionError, match=r"landmarks\.npy"):
        read_landmarks(path)
