import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.errors import SessionError
from desktop.cli import main
from desktop.library import delete_for_good, keep_for, look_after
from extractors import Session
from extractors.recording import Marker, Recorder, RecordingPlan
from extractors.stream import SECOND, Sample

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = BEGAN + timedelta(days=31)


def record(folder: Path, keep_days: int | None = None, *, finish: bool = True) -> Recorder:
    plan = RecordingPlan(features_only=True, began=BEGAN, keep_days=keep_days, then="delete")
    recorder = Recorder(folder, plan)
    recorder.add(Sample("marker", SECOND, SECOND, SECOND, Marker("begin")))
    if finish:
        recorder.finish()
    return recorder


def cut_off(recorder: Recorder) -> None:
    """What the end of its process does."""
    recorder._disk.close(10.0)
    recorder._unlock()


def test_a_session_that_was_cut_off_is_repaired_and_told(tmp_path: Path) -> None:
    cut_off(record(tmp_path / "take", finish=False))
    (line,) = look_after(tmp_path, BEGAN)
    assert line.startswith("take was cut off and is whole again")
    assert Session(tmp_path / "take").problems == ()
    assert [marker["label"] for marker in Session(tmp_path / "take").markers] == ["begin"]
    assert look_after(tmp_path, BEGAN) == ()


def test_only_what_asks_for_it_is_deleted_and_only_in_time(tmp_path: Path) -> None:
    record(tmp_path / "for ever")
    record(tmp_path / "a month", 30)
    record(tmp_path / "a year", 365)
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text((tmp_path / "a month/manifest.json").read_text())
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "format": "not ours"}))
    living = record(tmp_path / "living", 0, finish=False)
    (tmp_path / "link").symlink_to("a month")
    assert look_after(tmp_path, LATER - timedelta(days=2)) == ()
    assert look_after(tmp_path, LATER) == (
        "a month has been kept as long as was asked for, and is deleted",
    )
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"for ever", "a year", "other", "living", "link"}
    living.abort()


def test_expired_sessions_go_to_the_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thrown: list[Path] = []
    monkeypatch.setattr("desktop.library.upkeep.move_to_trash", thrown.append)
    record(tmp_path / "take")
    keep_for(tmp_path / "take", 30)
    assert look_after(tmp_path, LATER - timedelta(days=2)) == ()
    (line,) = look_after(tmp_path, LATER)
    assert line.endswith("is moved to the trash")
    assert thrown == [tmp_path / "take"]


def test_a_trash_that_cannot_be_reached_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise SessionError(f"cannot move {folder} to the trash: no trash")

    monkeypatch.setattr("desktop.library.upkeep.move_to_trash", refuse)
    record(tmp_path / "take")
    keep_for(tmp_path / "take", 0)
    assert look_after(tmp_path, LATER) == (
        f"cannot move {tmp_path / 'take'} to the trash: no trash",
    )
    assert (tmp_path / "take").exists()


def test_how_long_a_session_is_kept_can_be_changed(tmp_path: Path) -> None:
    record(tmp_path / "take", 30)
    assert main(["library", "keep", str(tmp_path / "take"), "forever"]) == 0
    assert look_after(tmp_path, LATER) == ()
    assert main(["library", "keep", str(tmp_path / "take"), "10", "--delete"]) == 0
    assert len(look_after(tmp_path, LATER)) == 1
    assert list(tmp_path.iterdir()) == []


def test_listing_the_library_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "sessions"
    cut_off(record(folder / "take", finish=False))
    assert main(["library", "list", "--folder", str(folder)]) == 0
    printed = capsys.readouterr()
    assert "take was cut off and is whole again" in printed.err
    assert "1 markers" in printed.out


def test_what_is_recorded_or_no_session_is_not_deleted(tmp_path: Path) -> None:
    living = record(tmp_path / "take", 0, finish=False)
    with pytest.raises(SessionError, match="is being recorded"):
        delete_for_good(tmp_path / "take")
    with pytest.raises(SessionError, match="is being recorded"):
        keep_for(tmp_path / "take", None)
    living.abort()
    (tmp_path / "mine").mkdir()
    with pytest.raises(SessionError, match="is not a session"):
        delete_for_good(tmp_path / "mine")


def test_a_deletion_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    (tmp_path / ".affectscope-deleted-x" / "session").mkdir(parents=True)
    assert look_after(tmp_path, BEGAN) == ()
    assert list(tmp_path.iterdir()) == []
