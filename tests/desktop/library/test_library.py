"""The library: its index follows the folders, whatever happens to either."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from assets.errors import BadInput, SessionError
from desktop.cli import main
from desktop.library import (
    Entry,
    Hit,
    Library,
    Query,
    index_file,
    move_to_trash,
    notes_of,
    rename,
    write_notes,
)
from desktop.library.index import peaks
from extractors.folder_lock import lock_folder
from extractors.session import Session
from extractors.session_writer import SessionWriter
from extractors.stream import SECOND
from tests.desktop.export.made_sessions import MARKS, made_session
from tests.extractors import sessions

CHECKOUT = Path(__file__).resolve().parents[3]


def spoken(text: str, start: float = 0.0) -> list[tuple[str, int, int]]:
    words = text.split()
    first = round(start * SECOND)
    return [
        (w, first + i * SECOND // 4, first + (i + 1) * SECOND // 4) for i, w in enumerate(words)
    ]


def dated(folder: Path, began: str) -> Path:
    """Give a session the date of its timeline, as an analysed file has it."""
    seconds = datetime.fromisoformat(began).timestamp()
    os.utime(folder / "timeline.parquet", (seconds, seconds))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sessions"
    place.mkdir()
    monday = made_session(place / "monday", words=spoken("I love this view. Say it again."))
    dated(monday, "2026-03-02T10:00:00+00:00")
    tuesday = made_session(
        place / "tuesday", words=spoken("Nothing to say. Déjà vu?", 1.0), marks=MARKS, rows=8
    )
    dated(tuesday, "2026-03-03T10:00:00+00:00")
    return place


@pytest.fixture
def library(folder: Path, tmp_path: Path) -> Iterator[Library]:
    with Library(folder, tmp_path / "index" / "i.sqlite") as opened:
        opened.refresh()
        yield opened


def names(found: list[Entry]) -> list[str]:
    return [entry.folder.name for entry in found]


def test_sessions_are_listed_newest_first(library: Library) -> None:
    found = library.find()
    assert names(found) == ["tuesday", "monday"]
    tuesday, monday = found
    assert (tuesday.title, tuesday.duration, tuesday.words, tuesday.markers) == (
        "tuesday", 4.0, 5, 2,
    )  # fmt: skip
    assert monday.began == datetime.fromisoformat("2026-03-02T10:00:00+00:00")
    assert (monday.strongest, monday.hits, monday.problem) == ("neutral", (), None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query("say"), ["tuesday", "monday"]),
        (Query("SAY nothing"), ["tuesday"]),
        (Query("love again"), []),  # not within one sentence
        (Query("noth"), ["tuesday"]),
        (Query("thing"), []),
        (Query("deja"), ["tuesday"]),
        (Query('"*'), ["tuesday", "monday"]),
        (Query("say OR view"), []),
        (Query('view"'), ["monday"]),
        (Query(since=date(2026, 3, 3)), ["tuesday"]),
        (Query(until=date(2026, 3, 2)), ["monday"]),
        (Query(since=date(2026, 3, 2), until=date(2026, 3, 3)), ["tuesday", "monday"]),
        (Query(marker="END"), ["tuesday"]),
        (Query(marker="%"), []),
        (Query("say", marker="begin"), ["tuesday"]),
        (Query("view", marker="begin"), []),
        (Query(emotion="sad", least=0.1), []),
    ],
)
def test_search(query: Query, expected: list[str], library: Library) -> None:
    assert names(library.find(query)) == expected


def test_hits_tell_where(library: Library) -> None:
    (entry,) = library.find(Query("vu", marker="begin"))
    assert entry.hits == (Hit(0.5, "begin"), Hit(1.75, "Déjà vu?"))


def test_peaks_are_the_highest_points_of_stretches(folder: Path, library: Library) -> None:
    timeline = sessions.timeline(9)
    timeline.emotions[:] = 0.1
    timeline.emotions[1:4, 1] = [0.6, 0.9, 0.7]
    timeline.emotions[7:, 1] = 0.8
    timeline.emotions[5, 2] = 0.5
    timeline.present[8] = False
    found = [
        (peak.emotion, round(peak.time, 1), round(peak.probability, 2)) for peak in peaks(timeline)
    ]
    assert found == [("happy", 0.6, 0.9), ("happy", 1.6, 0.8)]
    assert library.peaks_of(folder / "monday") == ()  # none is above a half
    assert library.find(Query(emotion="happy")) == []


def test_peaks_of_a_session_are_found(folder: Path, tmp_path: Path) -> None:
    strong = sessions.timeline(5)
    emotions = strong.emotions.copy()
    emotions[2] = [0.05, 0.9, 0.01, 0.01, 0.01, 0.01, 0.01]
    with SessionWriter(folder / "peak") as writer:
        writer.add_timeline(replace(strong, emotions=emotions), sessions.activations(5))
        writer.finish({"duration": 1.0, "media": {"path": None}})
    with Library(folder, tmp_path / "i.sqlite") as library:
        library.refresh()
        (entry,) = library.find(Query(emotion="happy", least=0.8))
        assert entry.folder.name == "peak"
        assert entry.hits == (Hit(pytest.approx(0.6), "happy 90 %"),)
        assert library.find(Query(emotion="happy", least=0.95)) == []
        assert [peak.emotion for peak in library.peaks_of(folder / "peak")] == ["happy"]


def test_only_what_changed_is_read_again(folder: Path, library: Library) -> None:
    assert library.refresh() == 0
    write_notes(folder / "monday", "see minute 2")
    assert library.refresh() == 1
    assert library.find()[1].notes == "see minute 2"
    rename(folder / "monday", "  A view\nof the sea ")
    assert library.refresh() == 1
    assert library.find()[1].title == "A view of the sea"
    assert Session(folder / "monday").title == "A view of the sea"
    assert names(library.find(Query("view"))) == ["monday"]
    shutil.rmtree(folder / "monday")
    made_session(folder / "wednesday", words=())
    assert library.refresh() == 1
    assert sorted(names(library.find())) == ["tuesday", "wednesday"]
    assert library.find(Query("view")) == []


def test_a_rebuilt_index_is_the_same(folder: Path, library: Library, tmp_path: Path) -> None:
    before = library.find(), library.find(Query("say")), library.find(Query(marker="n"))
    assert library.rebuild() == 2
    assert (library.find(), library.find(Query("say")), library.find(Query(marker="n"))) == before
    with Library(folder, tmp_path / "other.sqlite") as other:
        other.refresh()
        assert other.find() == before[0]


@pytest.mark.parametrize("damage", ["garbage", "cut", "other version", "other tables"])
def test_a_damaged_index_is_made_anew(damage: str, folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "i.sqlite"
    with Library(folder, index) as library:
        library.refresh()
        before = library.find()
    if damage == "garbage":
        index.write_bytes(b"no index" * 100)
    elif damage == "cut":
        index.write_bytes(index.read_bytes()[:3000])
    else:
        with sqlite3.connect(index) as base:
            base.execute(
                "PRAGMA user_version = 99" if damage == "other version" else "DROP TABLE session"
            )
        base.close()
    with Library(folder, index) as library:
        library.refresh()
        assert library.find() == before


def test_a_damaged_session_is_listed_with_what_is_wrong(folder: Path, library: Library) -> None:
    (folder / "monday" / "timeline.parquet").write_text("x")
    (folder / "tuesday" / "words.jsonl").unlink()
    (folder / "not a session").mkdir()
    (folder / "file").write_text("x")
    library.refresh()
    monday, tuesday = sorted(library.find(), key=lambda entry: entry.title)
    assert "timeline.parquet" in (monday.problem or "")
    assert "words.jsonl" in (tuesday.problem or "")
    assert (monday.words, tuesday.markers) == (7, 2)


def test_names_that_are_not_utf_8(folder: Path, library: Library) -> None:
    name = os.fsdecode(b"odd \xff")
    made_session(folder / name)
    library.refresh()
    assert name in names(library.find())
    (folder / name).rename(folder / "even")
    library.refresh()
    assert name not in names(library.find())


def test_a_folder_that_is_not_there_is_an_empty_library(tmp_path: Path) -> None:
    with Library(tmp_path / "none", tmp_path / "i.sqlite") as library:
        assert library.refresh() == 0
        assert library.find() == []
    (tmp_path / "file").write_text("")
    with (
        Library(tmp_path / "file", tmp_path / "i.sqlite") as library,
        pytest.raises(BadInput, match="cannot be read"),
    ):
        library.refresh()


def test_notes_and_titles_are_kept_in_the_folder(folder: Path) -> None:
    session = folder / "monday"
    assert notes_of(session) == ""
    write_notes(session, "Grüße\n")
    assert (session / "notes.txt").read_text(encoding="utf-8") == "Grüße\n"
    write_notes(session, "  ")
    assert not (session / "notes.txt").exists()
    with pytest.raises(SessionError, match="needs a title"):
        rename(session, "  ")
    with pytest.raises(SessionError, match="is not a session"):
        rename(folder, "x")
    with pytest.raises(SessionError, match="is not a session"):
        write_notes(folder, "x")


def test_the_trash_can_give_back(folder: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "desktop.cli", "library", "trash", str(folder / "monday")]
    data = {"XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}
    subprocess.run(words, check=True, env={**os.environ, **data})
    assert not (folder / "monday").exists()
    assert len(Session(tmp_path / "Trash" / "files" / "monday").words) == 7
    assert "monday" in (tmp_path / "Trash" / "info" / "monday.trashinfo").read_text()


def test_what_is_being_recorded_is_not_touched(folder: Path) -> None:
    lock = lock_folder(folder / "monday")
    try:
        for change in (move_to_trash, lambda session: rename(session, "x")):
            with pytest.raises(SessionError, match="is being recorded"):
                change(folder / "monday")
        write_notes(folder / "monday", "while it runs")
    finally:
        os.close(lock)
    assert notes_of(folder / "monday") == "while it runs"


def test_the_default_index_lies_in_the_cache_and_depends_on_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one, other = index_file(tmp_path / "a"), index_file(tmp_path / "b")
    assert one != other
    assert tmp_path / "cache" in one.parents


def test_from_the_command_line(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AFFECTSCOPE_SESSIONS", str(folder))

    def lines(*words: str) -> list[str]:
        assert main(["library", *words]) == 0
        return capsys.readouterr().out.splitlines()

    assert len(lines("list")) == 2
    (found,) = map(json.loads, lines("search", "view", "--json"))
    assert found["session"] == str(folder / "monday")
    assert found["hits"] == [{"time": 0.0, "text": "I love this view."}]
    assert lines("search", "--marker", "begin", "--until", "2026-03-03")[1].endswith("  begin")
    assert lines("search", "elephant") == [f"no such session in {folder}"]
    assert lines("notes", str(folder / "monday"), "look again") == []
    assert lines("notes", str(folder / "monday")) == ["look again"]
    assert lines("notes", "monday") == ["look again"], "in the library the name will do"
    lines("rename", "monday", "Sea")
    assert lines("rebuild") == [f"2 sessions in {folder}"]
    assert json.loads(lines("list", "--json")[1])["title"] == "Sea"
    assert len(lines("list", "--folder", str(folder))) == 2
    assert main(["library", "search", "--emotion", "joy"]) == 2
    assert "choose from neutral, happy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "--since", "2026-99-01"], "'2026-99-01' is no day; write it as 2026-03-01"),
        (["search", "--emotion", "sad", "--least", "3"], "'3' is no probability from 0 to 1"),
        (["search", "--emotion", "sad", "--least", "x"], "'x' is no probability from 0 to 1"),
        (["search", "--least", "0.7"], "--least goes with --emotion; name one, or drop it"),
        (["keep", "talk", "0"], "'0' is no number of days, 1 or more"),
        (["keep", "talk", "soon"], "'soon' is no number of days, 1 or more"),
        (["list", "--folder", "not here"], "there is no folder not here"),
        (["trash", "not here"], "not here is not a session, nor is"),
        (["keep", "not here", "3"], "not here is not a session, nor is"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:  # the parser leaves so, the command returns
        sys.exit(main(["library", *words]))
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_markers_are_found_in_any_case(tmp_path: Path) -> None:
    made_session(tmp_path / "s" / "talk", marks=[{"time": 1.0, "label": "Ängstliche Straße"}])
    with Library(tmp_path / "s", tmp_path / "index") as library:
        library.refresh()
        for part in ("ÄNGST", "äng", "STRASSE"):
            assert [e.title for e in library.find(Query(marker=part))] == ["talk"], part
