"""Running a session again by another checkpoint, from the window."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.comparison import compare_with, run_again
from desktop.main_window import MainWindow
from desktop.rerun import Rerun
from extractors.timeline import Timeline
from tests.desktop.fake_media import FakeMedia
from tests.desktop.fake_recording import FakeRecording, plain_timeline

OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def predicted(monkeypatch: pytest.MonkeyPatch) -> Timeline:
    """What the other checkpoint says; nothing is loaded for it."""

    class FakeSession:
        def __init__(self, _folder: Path) -> None:
            self.manifest = {"model": {"checkpoint": "old.safetensors"}}
            self.duration = 12.0

    other = plain_timeline(12.0, seed=9)

    def predict(*_: object) -> Iterator[Timeline]:
        yield other

    monkeypatch.setattr("extractors.session.Session", FakeSession)
    monkeypatch.setattr("inference.models.Models", lambda checkpoint: checkpoint)
    monkeypatch.setattr("inference.rerun.predict_again", predict)
    return other


def test_the_new_trajectory_is_drawn_through_and_the_old_one_dashed(
    open_window: OpenWindow, predicted: Timeline, tmp_path: Path
) -> None:
    window = open_window(FakeMedia(12.0))
    recording = FakeRecording(session=tmp_path)
    window.open_with(lambda: recording)
    run_again(window, tmp_path / "new.safetensors")
    page = window.page
    assert isinstance(page.other, Rerun)
    page.other._thread.join(3.0)
    window._refresh()
    assert [name.whole for name in page.legend.names] == ["new.safetensors", "old.safetensors"]
    assert (page.plot._timeline.emotions == predicted.emotions).all()
    assert (page.plot._emotions._other.emotions == recording.timeline().emotions).all()
    page.seek(6.0)
    page.end_comparison()
    assert (page.plot._timeline.emotions == recording.timeline().emotions).all()


def test_what_cannot_be_run_again_is_said(
    open_window: OpenWindow, tmp_path: Path, models: Callable[[str], Path]
) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)
    window = open_window(FakeMedia(12.0))
    compare_with(window, tmp_path)
    assert "Open a recording first" in window.message.text
    window.open_with(FakeRecording)
    run_again(window, tmp_path / "new.safetensors")
    assert "analysed" in window.message.text
    window.open_with(lambda: FakeRecording(session=tmp_path))
    run_again(window, tmp_path / "new.safetensors")
    if isinstance(window.page.other, Rerun):  # it has not failed yet
        window.page.other._thread.join(10.0)
        window._refresh()
    assert str(tmp_path) in window.message.text
    assert window.page.other is None
