"""A session predicted again from its features: as before, or as another checkpoint sees it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from assets import ASSETS
from extractors.session import Session
from extractors.session_writer import SessionWriter
from extractors.stream import SECOND
from extractors.timeline import Timeline
from inference.models import SETS, Models
from inference.rerun import _words as words_of
from inference.rerun import predict_again
from tests.extractors import sessions


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


@pytest.mark.parametrize("lost", ["a line", "a row", "nothing"])
def test_a_word_that_one_file_lacks_is_taken_from_the_other(lost: str, tmp_path: Path) -> None:
    """As after a recording that was cut off: lines reach the disk before rows of tables."""
    said = [("one", 0, 333_333_333), ("two", 400_000_001, SECOND), ("two", SECOND, 2 * SECOND)]
    with SessionWriter(tmp_path / "session") as writer:
        for last in range(len(said)):
            writer.add_text(sessions.text(*said[: last + 1]))
        writer.finish({"duration": 2.0, "media": {"name": "a", "path": None}})
    whole = Session(tmp_path / "session")
    if lost == "a line":
        lines = (whole.folder / "words.jsonl").read_bytes().splitlines(keepends=True)
        (whole.folder / "words.jsonl").write_bytes(lines[0] + lines[2])
    elif lost == "a row":
        rows = whole.table("text")
        pyarrow.parquet.write_table(rows[:-1], whole.folder / "features" / "text.parquet")
    words = words_of(Session(whole.folder))
    assert [(word.text, word.end) for word in words] == [(text, end) for text, _, end in said]
    assert words[1].start == (SECOND if lost == "a line" else 400_000_000)
