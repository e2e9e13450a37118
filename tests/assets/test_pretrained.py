import hashlib
import os
from pathlib import Path

import pytest

from assets.errors import ModelFileError
from assets.manifest import manifest
from assets.pretrained import SETTLED_NS, FileState, check, local_path, model_folder, path_of
from tests.assets.small_models import CONTENT, OTHER, manifest_of, model_file

FILE = model_file("a.bin", CONTENT)
SECOND = model_file("b.bin", OTHER)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder that holds both files; its checks are made long after the last change."""
    monkeypatch.setenv("AFFECTSCOPE_MODELS", str(tmp_path))
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/a.bin").write_bytes(CONTENT)
    (tmp_path / "tiny/b.bin").write_bytes(OTHER)
    changed = max(local_path(file).stat().st_ctime_ns for file in (FILE, SECOND))
    monkeypatch.setattr("assets.pretrained.time.time_ns", lambda: changed + 2 * SETTLED_NS)
    return tmp_path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose bytes were read."""
    names: list[str] = []
    digest = hashlib.file_digest

    def counting(stream: object, algorithm: str) -> object:
        names.append(Path(stream.name).name)  # type: ignore[attr-defined]
        return digest(stream, algorithm)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", counting)
    return names


def test_a_set_is_its_folder_and_a_file_or_a_set_of_one_file_is_that_file(folder: Path) -> None:
    both = manifest_of(FILE, SECOND)
    assert path_of("tiny", both) == folder / "tiny"
    assert path_of("tiny/b.bin", both) == folder / "tiny/b.bin"
    assert path_of("tiny", manifest_of(FILE)) == folder / "tiny/a.bin"


def test_bytes_are_read_once_until_the_file_changes(hashed: list[str]) -> None:
    for _ in range(3):
        assert check(FILE) is FileState.PRESENT
    assert hashed == ["a.bin"]
    os.utime(local_path(FILE))
    assert check(FILE) is FileState.PRESENT
    assert hashed == ["a.bin", "a.bin"]
    assert check(FILE, thorough=True) is FileState.PRESENT
    assert len(hashed) == 3


def test_a_check_made_within_a_clock_tick_of_the_change_is_not_trusted(
    hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = local_path(FILE).stat().st_ctime_ns
    monkeypatch.setattr("assets.pretrained.time.time_ns", lambda: changed + SETTLED_NS)
    check(FILE)
    check(FILE)
    assert hashed == ["a.bin", "a.bin"]


def test_damage_that_keeps_size_and_modification_time_is_found() -> None:
    path = local_path(FILE)
    assert check(FILE) is FileState.PRESENT
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(100)
        stream.write(b"damage")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert check(FILE) is FileState.DAMAGED
    with pytest.raises(ModelFileError, match=r"tiny/a\.bin is damaged.*`affectscope models fetch`"):
        path_of("tiny", manifest_of(FILE))


def test_a_cut_file_is_damaged_and_none_is_absent() -> None:
    local_path(FILE).write_bytes(CONTENT[:-1])
    assert check(FILE) is FileState.DAMAGED
    local_path(FILE).unlink()
    assert check(FILE) is FileState.ABSENT
    with pytest.raises(ModelFileError, match=r"tiny/a\.bin is missing.*`affectscope models fetch`"):
        path_of("tiny/a.bin", manifest_of(FILE))


def test_a_spoilt_stamp_just_means_reading_the_file_again(folder: Path) -> None:
    for text in ("", "[]", '{"checked_at": null}', '{"checked_at": 9e30}'):
        (folder / "tiny/.a.bin.checked").write_text(text)
        assert check(FILE) is FileState.PRESENT


def test_a_missing_optional_set_is_named_in_the_command() -> None:
    with pytest.raises(ModelFileError, match="`affectscope models fetch minilm-fp32`"):
        path_of("minilm-fp32")


def test_the_folder_is_in_the_cache_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTSCOPE_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert model_folder() == Path("/somewhere/affectscope/models")


def test_the_manifest_names_each_file_with_a_licence_and_a_source() -> None:
    known = manifest()
    files = [file for entry in known.sets for file in entry.files]
    assert known.default_keys == ("whisper-tiny.en", "face-landmarker", "minilm", "whisper-base")
    assert len({file.key for file in files}) == len(files)
    for file in files:
        assert len(file.sha256) == 64
        assert int(file.sha256, 16) >= 0
        assert file.licence in ("MIT", "Apache-2.0")
        assert file.parts
        assert all(address.startswith("https://") for address in file.addresses)
