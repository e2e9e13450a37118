"""Whatever happens to the files of a session, it opens, and says what is wrong."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from assets.errors import SessionError
from extractors import Session
from extractors.recording import Recorder
from extractors.recording.repair import repair
from extractors.session_layout import table_path
from extractors.session_tables import TABLES
from tests.extractors.recording import killed

MADE = killed.samples()[:700]
TIMES = 150


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recorder = Recorder(tmp_path_factory.mktemp("whole") / "take")
    for sample in MADE:
        recorder.add(sample)
    return recorder.finish()


@pytest.fixture(scope="module")
def open_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session whose process has died."""
    recorder = Recorder(tmp_path_factory.mktemp("open") / "take")
    for sample in MADE:
        recorder.add(sample)
    recorder._disk.close(10.0)
    recorder._unlock()
    return recorder.folder


def damage(path: Path, chance: random.Random) -> str:
    """Do something bad to a file. Returns what."""
    data = bytearray(path.read_bytes())
    what = chance.choice(["gone", "cut", "flipped", "zeroed", "random", "empty", "doubled"])
    at = chance.randrange(len(data)) if data else 0
    if what == "gone":
        path.unlink()
        return what
    if what == "cut":
        data = data[:at]
    elif what == "flipped" and data:
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif what == "zeroed":
        data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    elif what == "random":
        data = bytearray(chance.randbytes(chance.randint(1, 3000)))
    elif what == "empty":
        data = bytearray()
    elif what == "doubled":
        data = data[:at] + data
    path.write_bytes(data)
    return what


def read_everything(session: Session) -> None:
    _ = (session.title, session.began, session.duration, session.media)
    _ = (session.timeline, session.words, session.markers, session.events, session.health)
    for name in TABLES:
        assert session.table(name).schema.names == [column for column, _ in TABLES[name]]
    for time in (-1.0, 0.5, 2.0, 1e9):
        session.landmarks_at(time)
    for problem in session.problems:
        assert "\n" not in problem


def damaged(source: Path, target: Path, seed: int) -> tuple[Path, str]:
    shutil.copytree(source, target)
    chance = random.Random(seed)
    files = sorted(path for path in target.rglob("*") if path.is_file())
    file = chance.choice(files)
    return file, damage(file, chance)


def test_a_damaged_session_opens(whole: Path, tmp_path: Path) -> None:
    for seed in range(TIMES):
        folder = tmp_path / str(seed)
        file, what = damaged(whole, folder, seed)
        if file.name == "manifest.json" and what in ("flipped", "doubled"):
            with suppress(SessionError):  # it may say another format
                read_everything(Session(folder))
            continue
        session = Session(folder)
        read_everything(session)
        empty = what in ("empty", "gone") and file.suffix == ".parquet"
        if what == "gone" or empty:
            assert any(file.name in problem for problem in session.problems), (seed, file.name)


def test_a_damaged_session_that_was_cut_off_is_repaired(open_one: Path, tmp_path: Path) -> None:
    for seed in range(TIMES // 2):
        folder = tmp_path / str(seed)
        file, what = damaged(open_one, folder, seed)
        repair(folder)
        session = Session(folder)
        read_everything(session)
        if (file.name, what) != ("words.jsonl", "doubled"):  # words twice: told, and all kept
            assert session.problems == (), (seed, file.name, what)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("words", '{"word": "a", "start": "x", "end": 1.0, "probability": 1}'),
        ("words", '{"word": "a", "end": 1.0, "probability": 1}'),
        ("markers", '{"time": "1.0", "label": "x", "note": ""}'),
        ("health", '{"tjme": 1.0}'),
    ],
)
def test_a_line_that_is_json_and_makes_no_sense_is_left_out_by_repair(
    open_one: Path, tmp_path: Path, name: str, line: str
) -> None:
    folder = tmp_path / "take"
    shutil.copytree(open_one, folder)
    with (folder / f"{name}.jsonl").open("a") as file:
        file.write(line + "\n")
    repaired = repair(folder)
    assert f"1 damaged line of {name}.jsonl" in repaired.lost
    session = Session(folder)
    read_everything(session)
    assert session.problems == ()


@pytest.mark.parametrize("name", ["face", "voice", "timeline"])
def test_a_flipped_bit_never_becomes_a_number(whole: Path, tmp_path: Path, name: str) -> None:
    expected = Session(whole).table(name)
    path = table_path(tmp_path, name)
    path.parent.mkdir(exist_ok=True)
    data = table_path(whole, name).read_bytes()
    (tmp_path / "manifest.json").write_bytes((whole / "manifest.json").read_bytes())
    chance, noticed = random.Random(0), 0
    for _ in range(60):
        bad = bytearray(data)
        bad[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        session = Session(tmp_path)
        found = session.table(name)
        told = any(path.name in problem for problem in session.problems)
        assert told or found.equals(expected)
        noticed += told
    assert noticed > 10
