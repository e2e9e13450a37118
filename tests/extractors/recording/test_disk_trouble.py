"""A disk that is full, stands still, is read-only, or loses what was not synced."""

import errno
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assets.errors import SessionError
from extractors import Session
from extractors.features import BLENDSHAPES
from extractors.recording import Recorder, recorder
from extractors.recording.disk import Disk, OperatingSystem
from extractors.recording.repair import repair, repair_all, unfinished
from extractors.session_layout import RESERVE
from extractors.stream import SECOND, Sample
from tests.extractors import sessions
from tests.extractors.recording import killed
from tests.extractors.recording.test_killed import kept

MADE = killed.samples()


def drain(taken: Recorder) -> None:
    """Wait for the disk's thread, which in real time has far longer."""
    while taken.waiting:
        time.sleep(0.0005)


def fill(taken: Recorder) -> dict[str, float]:
    """Add samples until the disk takes no more. Returns what was taken of each stream."""
    told = dict.fromkeys(killed.STREAMS, 0.0)
    for sample in MADE:
        drain(taken)
        if taken._disk.error is not None:
            break
        taken.add(sample)
        told[sample.stream] = sample.end / SECOND
    with pytest.raises(SessionError, match="No space left on device; what was recorded is kept"):
        taken.add(MADE[-1])
    return told


def check_interrupted(folder: Path, told: dict[str, float]) -> None:
    session = Session(folder)
    assert session.problems == ()
    assert session.manifest["state"] == "interrupted"
    assert session.manifest["interruption"]["reason"] == "No space left on device"
    for stream, end in kept(session).items():
        assert end >= told[stream] - 2.0, stream
    assert told["video"] > 2.5, "the disk filled up too early to tell"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1100k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let the tests mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_file_system_keeps_what_was_recorded(small_disk: Path) -> None:
    taken = Recorder(small_disk / "take")
    told = fill(taken)
    with pytest.raises(SessionError, match="No space left on device; what was recorded is kept"):
        taken.finish({"model": "m"})
    check_interrupted(small_disk / "take", told)
    assert Session(small_disk / "take").manifest["model"] == "m"


class Full(OperatingSystem):
    """A disk that has room for so many bytes, and takes the part that fits."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, file: int, data: bytes, offset: int) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = data[: self.room]
        self.room -= len(part)
        return super().write(file, part, offset)


@pytest.mark.parametrize("room", [600_000, 700_001])
def test_a_disk_that_fills_up_keeps_what_was_recorded(tmp_path: Path, room: int) -> None:
    taken = Recorder(tmp_path / "take", system=Full(room))
    told = fill(taken)
    with pytest.raises(SessionError, match="No space left"):
        taken.finish()
    check_interrupted(tmp_path / "take", told)
    assert unfinished(tmp_path) == ()


def test_a_process_that_ends_on_a_full_disk_leaves_a_session_to_repair(tmp_path: Path) -> None:
    taken = Recorder(tmp_path / "take", system=Full(600_000))
    told = fill(taken)
    taken._unlock()  # as the end of the process does
    (repaired,) = repair_all(tmp_path)
    assert "is whole again" in str(repaired)
    for stream, end in kept(Session(tmp_path / "take")).items():
        assert end >= told[stream] - 2.0, stream
    taken._disk.discard(1.0)


class Still(OperatingSystem):
    """A disk that stands still until it is released."""

    def __init__(self, *, writing: bool = True) -> None:
        self.writing = writing
        self.released = threading.Event()

    def write(self, file: int, data: bytes, offset: int) -> int:
        if self.writing:
            self.released.wait(60)
        return super().write(file, data, offset)

    def sync(self, file: int) -> None:
        self.released.wait(60)
        super().sync(file)


def test_a_disk_that_stands_still_delays_nobody_and_loses_nothing(tmp_path: Path) -> None:
    system = Still()
    taken = Recorder(tmp_path / "take", system=system)
    for sample in MADE:
        taken.add(sample)
    assert taken.waiting > 100_000
    assert (tmp_path / "take" / "media.mkv").stat().st_size == 0
    system.released.set()
    session = Session(taken.finish())
    assert session.manifest["synchrony"]["dropped_frames"] == 0
    ends = kept(session)
    for sample in MADE:
        # words to the millisecond; what is not settled, only with some sound behind it
        late = 0.5 if sample.stream == "tentative voice" else 0.003
        assert ends[sample.stream] >= sample.end / SECOND - late - 1e-9


def test_a_slow_sync_delays_no_write(tmp_path: Path) -> None:
    """So that a killed process loses no more when the disk is slow."""
    system = Still(writing=False)
    disk = Disk(system, sync_seconds=0.001)
    file = disk.open(tmp_path / "file")
    for number in range(100):
        file.write(b"x" * 1000)
        while disk.waiting:
            time.sleep(0.0005)
        assert (tmp_path / "file").stat().st_size == 1000 * (number + 1)
    system.released.set()
    assert disk.close(10.0)


def test_pictures_are_left_out_and_counted_if_too_much_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_WAITING", 400_000)
    system = Still()
    taken = Recorder(tmp_path / "take", system=system)
    some = MADE[: len(MADE) * 3 // 4]
    for sample in some:
        taken.add(sample)
    assert 400_000 < taken.waiting < 1_600_000
    system.released.set()
    session = Session(taken.finish())
    written = session.table("pictures")["written"].to_pylist()
    assert written.count(None) == session.manifest["synchrony"]["dropped_frames"] > 10
    assert len(written) == sum(sample.stream == "video" for sample in some)
    assert len(session.table("face")) == sum(sample.stream == "face" for sample in some)
    assert [event["kind"] for event in session.events] == ["disk slow"]


def test_a_disk_that_never_takes_anything_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_WAITING", 50_000)
    system = Still()
    taken = Recorder(tmp_path / "take", system=system)
    for sample in MADE:
        if taken.waiting > 200_000:
            break
        taken.add(sample)
    with pytest.raises(SessionError, match="the disk does not take what is recorded"):
        taken.add(MADE[-1])
    system.released.set()
    taken.abort()


class PowerCut(OperatingSystem):
    """Remembers what was written and what was synced, in order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int, int, bytes]] = []
        self.paths: dict[int, Path] = {}
        self.taken = 0.0

    def open(self, path: Path) -> int:
        file = super().open(path)
        self.paths[file] = path
        return file

    def write(self, file: int, data: bytes, offset: int) -> int:
        self.log.append(("write", file, offset, data))
        return super().write(file, data, offset)

    def sync(self, file: int) -> None:
        self.log.append(("sync", file, round(self.taken * 1000), b""))

    def after(self, moment: int, chance: random.Random) -> dict[Path, bytes]:
        """The files if the power fails at a place in the log.

        What was synced is there. Of what was not, every write is there, not there, or its length
        is there and its bytes are 0.
        """
        synced = {f: i for i, (kind, f, _, _) in enumerate(self.log[:moment]) if kind == "sync"}
        found = {path: bytearray() for path in self.paths.values()}
        for index, (kind, file, offset, data) in enumerate(self.log[:moment]):
            if kind == "sync":
                continue
            fate = "there" if index < synced.get(file, -1) else chance.choice(["there", "", "0"])
            content = found[self.paths[file]]
            if fate:
                content.extend(bytes(max(0, offset + len(data) - len(content))))
                written = data if fate == "there" else bytes(len(data))
                content[offset : offset + len(data)] = written
        return {path: bytes(content) for path, content in found.items()}


def test_a_power_cut_loses_only_what_was_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = PowerCut()
    disk = Disk
    monkeypatch.setattr(recorder, "Disk", lambda *a, **k: disk(*a, **k, sync_seconds=0.01))
    taken = Recorder(tmp_path / "take", system=system)
    began = time.monotonic()
    for sample in MADE:
        while taken.waiting or (time.monotonic() - began) * killed.SPEED < sample.end / SECOND:
            time.sleep(0.0005)
        taken.add(sample)
        system.taken = sample.end / SECOND
    first = len(system.log)
    shutil.copytree(tmp_path / "take", tmp_path / "at the end")
    taken.finish()
    (media,) = (file for file, path in system.paths.items() if path.name == "media.mkv")
    syncs = [
        i for i, (kind, file, _, _) in enumerate(system.log) if (kind, file) == ("sync", media)
    ]
    assert len(syncs) > 4
    expected = np.asarray(sessions.face(0, 1).data.blendshapes)
    chance = random.Random(0)
    for number in range(25):
        moment = chance.randrange(syncs[0] + 1, first)
        folder = tmp_path / f"cut {number}"
        shutil.copytree(tmp_path / "at the end", folder)
        for path, content in system.after(moment, chance).items():
            (folder / path.relative_to(tmp_path / "take")).write_bytes(content)
        repair(folder)
        session = Session(folder)
        assert session.problems == ()
        last = max(index for index in syncs if index < moment)
        durable = system.log[last][2] / 1000
        for stream, end in kept(session).items():
            assert end >= durable - 1.0, (number, stream)
        face = session.table("face")
        values = np.stack([face[name].to_numpy() for name in BLENDSHAPES], axis=1)
        np.testing.assert_array_equal(values, np.broadcast_to(expected, values.shape))
        assert np.load(folder / "features" / "landmarks.npy").any(axis=(1, 2)).all()


def test_the_disk_is_synced_every_second() -> None:
    """With a second of what is not yet handed over, that makes two."""
    assert recorder.FLUSH <= SECOND // 2
    disk = Disk()
    assert disk._seconds == 1.0
    disk.close(1.0)


def test_a_read_only_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    taken = Recorder(tmp_path / "disk" / "take")
    taken.add(MADE[0])
    taken._disk.discard(1.0)
    taken._unlock()  # a session that was cut off
    whole = Recorder(tmp_path / "disk" / "whole")
    for sample in MADE[:200]:
        whole.add(sample)
    whole.finish()
    bind = ["mount", "--bind", str(tmp_path / "disk"), str(tmp_path / "disk")]
    if os.geteuid() != 0 or subprocess.run(bind, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let the tests mount a file system")
    try:
        remount = ["mount", "-o", "remount,ro,bind", str(tmp_path / "disk")]
        subprocess.run(remount, check=True)
        assert Session(tmp_path / "disk" / "whole").problems == ()
        assert kept(Session(tmp_path / "disk" / "whole"))["video"] > 0.5
        (error,) = repair_all(tmp_path / "disk")
        assert "Read-only file system" in str(error)
        with pytest.raises(SessionError, match="Read-only file system"):
            Recorder(tmp_path / "disk" / "another")
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "disk")], check=True)
    (repaired,) = repair_all(tmp_path / "disk")
    assert not isinstance(repaired, SessionError)


def test_names_of_any_kind(tmp_path: Path) -> None:
    for name in ("ü" * 120, "今日は 😀", os.fsdecode(b"take \xff"), "a" * 255):
        taken = Recorder(tmp_path / name)
        for sample in MADE[:300]:
            taken.add(sample)
        session = Session(taken.finish())
        assert session.problems == ()
        assert session.title == name
        assert session.media is not None
        taken = Recorder(tmp_path / "cut" / name)
        for sample in MADE[:300]:
            taken.add(sample)
        drain(taken)
        taken._disk.discard(1.0)
        taken._unlock()
        repair(tmp_path / "cut" / name)
        assert Session(tmp_path / "cut" / name).problems == ()


def test_what_is_being_recorded_is_not_repaired(tmp_path: Path) -> None:
    taken = Recorder(tmp_path / "take")
    taken.add(MADE[0])
    assert unfinished(tmp_path) == ()
    with pytest.raises(SessionError, match="is still being recorded"):
        repair(tmp_path / "take")
    assert Session(tmp_path / "take").problems == ("manifest.json says that it is being recorded",)
    assert (tmp_path / "take" / RESERVE).exists()
    taken.finish()
    assert not (tmp_path / "take" / RESERVE).exists()


def test_a_sample_that_cannot_be_encoded_is_told(tmp_path: Path) -> None:
    taken = Recorder(tmp_path / "take")
    flat = Sample("video", 0, 0, 0, recorder.VideoFrame(np.zeros((4, 4), np.uint8)))
    with pytest.raises(ValueError, match="not RGB"):
        taken.add(flat)
    taken.abort()
