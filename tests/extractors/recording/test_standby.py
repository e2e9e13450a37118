"""What waits for a slow disk outlives the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from extractors import Session
from extractors.recording import Recorder, disk, standby
from extractors.recording.disk import Disk, OperatingSystem
from extractors.recording.repair import repair
from extractors.recording.standby import ROOT, Standby, take_over
from extractors.session_layout import STANDBY
from extractors.stream import SECOND
from tests.extractors.recording import killed
from tests.extractors.recording.test_disk_trouble import Still
from tests.extractors.recording.test_killed import CHECKOUT, MOST_LOST, kept

pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="no memory with names on this system")


@pytest.mark.parametrize("writes", [0, 60, 200])
def test_a_process_that_is_killed_while_the_disk_stands_still_loses_two_seconds_at_most(
    tmp_path: Path, writes: int
) -> None:
    folder = tmp_path / "take"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.extractors.recording.standing_still", folder, str(writes)],
        cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "recorded\n"
        child.kill()
    place = Path((folder / STANDBY).read_text(encoding="utf-8"))
    assert place.stat().st_mode & 0o077 == 0, "for this user only"
    on_disk = sum(path.stat().st_size for path in folder.rglob("*") if path.name != ".reserve")
    assert on_disk < 1_000_000 < sum(path.stat().st_size for path in place.iterdir())
    repair(folder)
    session = Session(folder)
    assert session.problems == ()
    for stream, end in kept(session).items():
        told = max(s.end for s in killed.samples() if s.stream == stream) / SECOND
        assert end >= told - MOST_LOST, stream
    assert not place.exists()
    assert not (folder / STANDBY).exists()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits is kept."""
    monkeypatch.setattr(disk, "BEHIND", -1.0)


def test_what_the_disk_takes_at_once_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "BEHIND", 1e9)
    system = Still()
    taken = Recorder(tmp_path / "take", system=system)
    for sample in killed.samples()[:300]:
        taken.add(sample)
    assert taken.waiting
    place = Path((tmp_path / "take" / STANDBY).read_text(encoding="utf-8"))
    assert list(place.iterdir()) == []
    system.released.set()
    taken.finish()
    assert not place.exists()


@pytest.mark.usefixtures("at_once")
def test_nothing_is_left_where_the_disk_keeps_up_again(tmp_path: Path) -> None:
    system = Still()
    taken = Recorder(tmp_path / "take", system=system)
    for sample in killed.samples():
        taken.add(sample)
    place = Path((tmp_path / "take" / STANDBY).read_text(encoding="utf-8"))
    assert list(place.iterdir())
    system.released.set()
    taken.finish()
    assert not place.exists()
    assert not (tmp_path / "take" / STANDBY).exists()


def test_what_is_on_the_disk_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "SEGMENT", 1000)
    aside = Standby(tmp_path)
    place = Path((tmp_path / STANDBY).read_text(encoding="utf-8"))
    numbers = [aside.keep(tmp_path / "file", 400 * i, b"x" * 400) for i in range(9)]
    assert numbers == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    for number in numbers[:4]:
        aside.release(number)
    assert sorted(path.name for path in place.iterdir()) == ["00000002", "00000003"]
    for number in numbers[4:]:
        aside.release(number)
    assert list(place.iterdir()) == []
    assert aside.keep(tmp_path / "file", 0, b"y") == 4
    aside.remove()
    assert not place.exists()


def test_writes_are_taken_over_in_order_up_to_a_torn_one(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    file = tmp_path / "features" / "file"
    file.write_bytes(b"....")
    aside = Standby(tmp_path)
    outside = tmp_path.parent / "outside"
    outside.write_bytes(b"mine")
    aside.keep(file, 2, b"abcdef")
    aside.keep(file, 0, b"12345")
    aside.keep(tmp_path / ".." / "outside", 0, b"theirs")
    aside.keep(tmp_path / "gone", 0, b"what")
    aside.keep(file, 0, b"torn")
    place = Path((tmp_path / STANDBY).read_text(encoding="utf-8"))
    (segment,) = place.iterdir()
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-1])
    take_over(tmp_path)
    assert file.read_bytes() == b"12345def"
    assert outside.read_bytes() == b"mine", "a session writes into its own folder alone"
    assert not (tmp_path / "gone").exists()
    assert not place.exists()
    take_over(tmp_path)
    aside.remove()


def test_a_folder_that_names_another_place_is_not_believed(tmp_path: Path) -> None:
    other = tmp_path / "affectscope-other"
    other.mkdir()
    (other / "00000001").write_bytes(b"")
    session = tmp_path / "take"
    session.mkdir()
    for named in (str(other), "", "\xff"):
        (session / STANDBY).write_text(named, encoding="latin-1")
        take_over(session)
        assert (other / "00000001").exists()
        assert not (session / STANDBY).exists() or named == "\xff"


@pytest.mark.usefixtures("at_once")
def test_without_room_in_memory_nothing_stays_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int, _data: bytes) -> int:
        raise OSError("no room")

    system: OperatingSystem = Still()
    writing = Disk(system, standby=Standby(tmp_path))
    place = Path((tmp_path / STANDBY).read_text(encoding="utf-8"))
    file = writing.open(tmp_path / "file")
    file.write(b"a")
    file.write(b"b")
    assert list(place.iterdir())
    monkeypatch.setattr(standby.os, "write", full)
    file.write(b"c")
    assert not place.exists(), "a part would be older than what the disk has"
    file.write(b"d")
    monkeypatch.undo()
    assert isinstance(system, Still)
    system.released.set()
    assert writing.close(10.0)
    assert (tmp_path / "file").read_bytes() == b"abcd"


def test_without_such_memory_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "ROOT", tmp_path / "none")
    taken = Recorder(tmp_path / "take")
    for sample in killed.samples()[:200]:
        taken.add(sample)
    assert not (tmp_path / "take" / STANDBY).exists()
    assert Session(taken.finish()).problems == ()
