import fcntl
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.errors import BadInput, ModelFileError
from assets.fetching import FetchProgress, fetch
from assets.manifest import Part
from tests.assets.small_models import (
    CONTENT,
    OTHER,
    TINY,
    TINY_TAIL,
    Hub,
    manifest_of,
    model_file,
    running_hub,
    write_wheel,
)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model folder, and a pip that sees the wheels of the test alone."""
    models = tmp_path / "mödels and more"
    monkeypatch.setenv("AFFECTSCOPE_MODELS", str(models))
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (tmp_path / "wheels").as_uri())
    return models


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_file_comes_from_its_address_and_is_not_asked_for_again(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    known = manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a"))
    seen: list[FetchProgress] = []
    assert [file.key for file in fetch(known=known, progress=seen.append)] == ["tiny/a.bin"]
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT
    assert (seen[-1].done, seen[-1].total) == (len(CONTENT), len(CONTENT))
    assert fetch(known=known) == []
    assert hub.asked == [("/a", None)]


def test_an_interrupted_fetch_goes_on_where_it_stopped(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny/a.bin.part").write_bytes(CONTENT[:1000])
    fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT
    assert hub.asked == [("/a", "bytes=1000-")]


def test_a_broken_connection_is_taken_up_again_in_the_same_run(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    hub.break_after = 700
    fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT
    assert hub.asked == [("/a", None), ("/a", "bytes=700-")]


def test_a_server_without_ranges_sends_the_file_from_its_start(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    hub.knows_ranges = False
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny/a.bin.part").write_bytes(CONTENT[:1000])
    fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT


def test_a_draft_with_wrong_bytes_is_begun_anew(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny/a.bin.part").write_bytes(b"x" * 1000)
    fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT
    assert hub.asked == [("/a", "bytes=1000-"), ("/a", None)]


def test_a_damaged_file_is_replaced(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny/a.bin").write_bytes(b"x" * len(CONTENT))
    assert fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT


def test_wrong_bytes_from_the_address_make_the_package_the_source(
    hub: Hub, folder: Path, tmp_path: Path
) -> None:
    hub.files["/a"] = b"x" * len(CONTENT)
    write_wheel(tmp_path / "wheels", TINY, {"tiny/a.bin": CONTENT})
    file = model_file("a.bin", CONTENT, f"{hub.address}/a", parts=(Part(TINY, "tiny/a.bin"),))
    told: list[str] = []
    fetch(known=manifest_of(file), tell=told.append)
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT
    assert "wrong bytes" in told[0]
    assert told[1].endswith("from package affectscope-test-tiny")


def test_parts_of_two_packages_are_joined_in_order(folder: Path, tmp_path: Path) -> None:
    write_wheel(tmp_path / "wheels", TINY, {"data/a.part1": CONTENT[:5000], "data/b": OTHER})
    write_wheel(tmp_path / "wheels", TINY_TAIL, {"data/a.part2": CONTENT[5000:]})
    parts = (Part(TINY, "data/a.part1"), Part(TINY_TAIL, "data/a.part2"))
    known = manifest_of(
        model_file("a.bin", CONTENT, parts=parts),
        model_file("b.bin", OTHER, parts=(Part(TINY, "data/b"),)),
    )
    fetch(known=known)
    assert (folder / "tiny/a.bin").read_bytes() == CONTENT
    assert (folder / "tiny/b.bin").read_bytes() == OTHER
    assert {name for name in left_in(folder) if not name.startswith(".")} == {"a.bin", "b.bin"}


def test_bytes_that_are_wrong_everywhere_are_an_error_and_not_kept(
    hub: Hub, folder: Path, tmp_path: Path
) -> None:
    wrong = b"x" * len(CONTENT)
    hub.files["/a"] = wrong
    write_wheel(tmp_path / "wheels", TINY, {"tiny/a.bin": OTHER})
    file = model_file("a.bin", CONTENT, f"{hub.address}/a", parts=(Part(TINY, "tiny/a.bin"),))
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny/a.bin").write_bytes(b"damaged")
    with pytest.raises(ModelFileError) as caught:
        fetch(known=manifest_of(file))
    text = str(caught.value)
    got = (model_file("", wrong).sha256, model_file("", OTHER).sha256)
    assert all(word in text for word in ("tiny/a.bin", file.sha256, *got))
    assert "\n" not in text
    assert left_in(folder) == set()


def test_a_file_longer_than_it_should_be_is_refused(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT * 50
    with pytest.raises(ModelFileError, match="more than"):
        fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))
    assert hub.asked == [("/a", None)]
    assert left_in(folder) == set()


def test_a_host_that_does_not_answer_is_asked_once(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    write_wheel(tmp_path / "wheels", TINY, {"a": CONTENT, "b": OTHER})
    known = manifest_of(
        model_file("a.bin", CONTENT, f"{address}/a", parts=(Part(TINY, "a"),)),
        model_file("b.bin", OTHER, f"{address}/b", parts=(Part(TINY, "b"),)),
    )
    told: list[str] = []
    assert len(fetch(known=known, tell=told.append)) == 2
    assert sum("cannot be reached" in line for line in told) == 1


def test_an_error_names_every_source_that_failed(hub: Hub) -> None:
    file = model_file("a.bin", CONTENT, f"{hub.address}/a", parts=(Part(TINY, "a"),))
    with pytest.raises(ModelFileError, match=r"tiny/a\.bin.*404.*affectscope-test-tiny==1\.0"):
        fetch(known=manifest_of(file))


def test_a_full_disk_is_named(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny/a.bin.part").symlink_to("/dev/full")
    with pytest.raises(ModelFileError, match="is full: make room"):
        fetch(known=manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a")))


def test_a_disk_that_pip_fills_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = tmp_path / "python"
    told = "ERROR: Exception:\nTraceback:\nOSError: [Errno 28] No space left on device"
    pip.write_text(f"#!/bin/sh\necho '{told}' >&2\nexit 2\n")
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip))
    with pytest.raises(ModelFileError, match="is full: make room"):
        fetch(known=manifest_of(model_file("a.bin", CONTENT, parts=(Part(TINY, "a"),))))


def test_a_model_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(ModelFileError, match=r"cannot be written.*AFFECTSCOPE_MODELS"):
        fetch(known=manifest_of(model_file("a.bin", CONTENT)))


def test_a_second_fetch_waits_for_the_first_and_uses_its_files(hub: Hub, folder: Path) -> None:
    hub.files["/a"] = CONTENT
    known = manifest_of(model_file("a.bin", CONTENT, f"{hub.address}/a"))
    waiting = threading.Event()
    brought: list[object] = []
    folder.mkdir()
    second = threading.Thread(
        target=lambda: brought.extend(fetch(known=known, tell=lambda _: waiting.set()))
    )
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second.start()
        assert waiting.wait(30)
        (folder / "tiny").mkdir()
        (folder / "tiny/a.bin").write_bytes(CONTENT)
    second.join(30)
    assert brought == []
    assert hub.asked == []


def test_an_unknown_set_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"'whisper-huge'; known sets: whisper-tiny\.en, "):
        fetch(["whisper-huge"])
