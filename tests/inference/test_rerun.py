"""A session predicted again from its features: as before, or as another checkpoint sees it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assets import ASSETS
from extractors.session import Session
from extractors.timeline import Timeline
from inference.models import SETS, Models
from inference.rerun import predict_again


@pytest.fixture(scope="module")
def session(models: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Session:
    from inference.analysis import Analysis

    for name in SETS:
        models(name)
    folder = tmp_path_factory.mktemp("rerun") / "session"
    analysis = Analysis(ASSETS / "sample" / "sample.mp4", folder, Models("live"))
    analysis.start()
    analysis.finish()
    return Session(folder)


def test_the_same_checkpoint_says_the_same(session: Session) -> None:
    again = Timeline.joined(list(predict_again(session, Models("live"))))
    was = session.timeline
    assert np.array_equal(again.time, was.time)
    assert np.array_equal(again.present, was.present)
    assert np.abs(again.emotions - was.emotions).max() < 1e-3
    assert np.abs(again.sentiment - was.sentiment).max() < 1e-3


def test_another_checkpoint_says_something_else(session: Session, checkpoint_file: Path) -> None:
    other = Timeline.joined(list(predict_again(session, Models(checkpoint_file))))
    assert len(other) == len(session.timeline)
    assert np.abs(other.emotions - session.timeline.emotions).mean() > 0.05


def test_twice_it_gives_the_same_bytes(session: Session) -> None:
    first, second = (
        Timeline.joined(list(predict_again(session, Models("live")))) for _ in range(2)
    )
    assert first.emotions.tobytes() == second.emotions.tobytes()
    assert first.homogeneous.tobytes() == second.homogeneous.tobytes()
