"""The pictures of an evaluation are there, and show what was counted."""

from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from desktop.evaluation_pictures import draw_evaluation
from extractors.features import EMOTIONS
from inference.training.evaluation import Evaluation
from inference.training.metrics import Reliability


def made(emotions: tuple[str, ...] = EMOTIONS) -> Evaluation:
    count = len(emotions)
    confusion = np.diag(np.arange(10, 10 + count)) + np.eye(count, k=1, dtype=np.int64) * 4
    found = Reliability(
        np.asarray([0.3, 0.5, 0.9], np.float32),
        np.asarray([0.25, 0.6, 0.85], np.float32),
        np.asarray([10, 20, 60]),
    )
    return Evaluation({"n": 90, "ece": 0.05}, {}, emotions, confusion, found if count else None)


def test_both_pictures_are_drawn(tmp_path: Path) -> None:
    from matplotlib import image

    paths = draw_evaluation(made(), tmp_path / "new")
    assert [path.name for path in paths] == ["confusion.png", "calibration.png"]
    for path in paths:
        assert image.imread(path).std() > 0.05


def test_without_emotions_there_is_none_and_a_full_place_is_told(tmp_path: Path) -> None:
    assert draw_evaluation(made(()), tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    (tmp_path / "taken").touch()
    with pytest.raises(BadInput, match="cannot write pictures"):
        draw_evaluation(made(), tmp_path / "taken")
