import json
import threading
from pathlib import Path

import pytest

from assets.errors import AffectscopeError, BadInput
from inference.backends import engine_cache
from inference.backends.engine_cache import RECORD, entry_of, find
from inference.backends.interface import Engine
from inference.backends.opening import compiled
from inference.backends.source import Source
from tests.inference.backends.small_checkpoint import Steady, Written, small_file

GPU = {"gpu": "NVIDIA A", "capability": "9.0", "driver": "580.65", "tensorrt": "11.0"}


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "engines"
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(small_file(tmp_path))


def test_it_is_built_once(source: Source) -> None:
    backend = Written()
    first = compiled(backend, source, 1)
    assert first is not None
    assert compiled(backend, source, 1) == first
    assert compiled(Written(), source, 1) == first
    assert backend.builds == 1


@pytest.mark.parametrize("what", sorted(GPU))
def test_another_gpu_driver_or_library_means_another_engine(what: str, source: Source) -> None:
    before = Written(GPU)
    first = compiled(before, source, 1)
    after = Written({**GPU, what: "another"})
    second = compiled(after, source, 1)
    assert after.builds == 1
    assert first != second
    assert compiled(before, source, 1) == first
    assert before.builds == 1


def test_batch_precision_and_network_mean_another_engine(tmp_path: Path, source: Source) -> None:
    files = {
        compiled(Written(), source, 1),
        compiled(Written(), source, 2),
        compiled(Written(), source, 1, half=True),
        compiled(Written(), Source(small_file(tmp_path, seed=1)), 1),
    }
    assert len(files) == 4


def test_a_change_of_the_lean_form_means_another_engine(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = tmp_path / "lean.py"
    form.write_text("another form")
    assert source.path is not None
    before = source.sha256
    monkeypatch.setattr("inference.backends.source.FORMS", (form,))
    assert Source(source.path).sha256 != before


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "no record", "broken record"])
def test_a_damaged_engine_is_built_again(damage: str, source: Source) -> None:
    backend = Written()
    file = compiled(backend, source, 1)
    assert file is not None
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif damage == "flipped":
        file.write_bytes(b"F" + file.read_bytes()[1:])
    elif damage == "gone":
        file.unlink()
    elif damage == "no record":
        (file.parent / RECORD).unlink()
    else:
        (file.parent / RECORD).write_text("[1,")
    assert find(entry_of(backend, source, 1, False)) is None
    assert compiled(backend, source, 1) == file
    assert backend.builds == 2
    assert file.read_text() == "for 1"


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_what_an_engine_keeps_beside_its_file_counts_too(damage: str, source: Source) -> None:
    """As TensorRT's engine, which ONNX Runtime writes when it first opens the file."""

    class Beside(Written):
        def open(
            self, source: Source, batch: int, half: bool, file: Path | None, threads: int
        ) -> Engine:
            assert file is not None
            kept = file.parent / "tensorrt" / "a.engine"
            kept.parent.mkdir(exist_ok=True)
            kept.write_text("machine code")
            return super().open(source, batch, half, file, threads)

    backend = Beside()
    file = compiled(backend, source, 1)
    assert file is not None
    assert compiled(backend, source, 1) == file
    assert backend.builds == 1
    beside = file.parent / "tensorrt" / "a.engine"
    if damage == "flipped":
        beside.write_text("Machine code")
    else:
        beside.unlink()
    assert compiled(backend, source, 1) == file
    assert backend.builds == 2
    assert beside.read_text() == "machine code"


def test_an_engine_put_in_from_another_computer_is_not_loaded(source: Source) -> None:
    """Its record says what it was made for, wherever it lies."""
    theirs, ours = Written(GPU), Written({**GPU, "capability": "8.9"})
    foreign = compiled(theirs, source, 1)
    assert foreign is not None
    place = entry_of(ours, source, 1, False).folder
    foreign.parent.rename(place)
    assert find(entry_of(ours, source, 1, False)) is None
    compiled(ours, source, 1)
    assert ours.builds == 1
    record = json.loads((place / RECORD).read_text())
    assert record["made_for"]["capability"] == "8.9"


def test_an_engine_that_says_something_else_never_gets_in(source: Source, empty: Path) -> None:
    wrong = Written(engine=Steady(5.0))
    with pytest.raises(AffectscopeError, match="is not used: its emotion differs from eager's by"):
        compiled(wrong, source, 1)
    assert list(empty.iterdir()) == []


def test_nan_is_not_within_the_tolerance(source: Source) -> None:
    with pytest.raises(AffectscopeError, match="differs"):
        compiled(Written(engine=Steady(float("nan"))), source, 1)


def test_a_build_that_fails_leaves_nothing(source: Source, empty: Path) -> None:
    class Failing(Written):
        def build(self, source: Source, batch: int, half: bool, file: Path) -> None:
            super().build(source, batch, half, file)
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        compiled(Failing(), source, 1)
    assert list(empty.iterdir()) == []


def test_a_place_that_cannot_be_written(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(blocked / "engines"))
    with pytest.raises(BadInput, match="cannot write the engine to"):
        compiled(Written(), source, 1)


def test_two_that_build_the_same_end_with_one(source: Source, empty: Path) -> None:
    both = threading.Barrier(2)

    class Slow(Written):
        def build(self, source: Source, batch: int, half: bool, file: Path) -> None:
            super().build(source, batch, half, file)
            both.wait(10)

    files: list[Path | None] = []
    threads = [
        threading.Thread(target=lambda: files.append(compiled(Slow(), source, 1))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files[0] == files[1]
    assert [path.parent for path in empty.glob(f"*/{RECORD}")] == list(empty.iterdir())


def test_the_engines_unused_for_longest_go(
    source: Source, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setattr(engine_cache, "KEPT", 2)
    files = [compiled(Written(), source, batch) for batch in (1, 2)]
    for age, file in enumerate(files):
        assert file is not None
        os.utime(file.parent / RECORD, (1000 + age, 1000 + age))
    assert find(entry_of(Written(), source, 1, False)), "used now"
    compiled(Written(), source, 3)
    left = [entry_of(Written(), source, batch, False).folder.exists() for batch in (1, 2, 3)]
    assert left == [True, False, True]
    assert len(list(empty.iterdir())) == 2


def test_what_killed_processes_left_goes_after_a_day(source: Source, empty: Path) -> None:
    import os
    import time

    for name, age in ((".left", engine_cache.LONGEST_BUILD + 60), (".at work", 60)):
        (empty / name).mkdir(parents=True)
        os.utime(empty / name, (time.time() - age,) * 2)
    compiled(Written(), source, 1)
    assert sorted(path.name for path in empty.glob(".*")) == [".at work"]
