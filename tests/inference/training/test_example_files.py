"""Examples on disk: the same windows come back, and damage is named with its file and field."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets.errors import BadInput
from inference.training.example_files import load_examples, require_room, save_examples
from inference.training.examples import Example, ExampleSet
from tests.inference.training.made_examples import (
    SMALL_WINDOWS,
    TENTH,
    made_set,
    steps_of,
    words_of,
)


def gap_set() -> ExampleSet:
    """Examples with pauses, with two modalities at once, and with nothing but absence."""
    rows = list(np.random.default_rng(3).standard_normal((6, 6)).astype(np.float32))
    voice = steps_of("voice", [None, *rows[:2], None, *rows[2:], None])
    words = words_of(np.ones((3, 5), np.float32))
    silent = steps_of("voice", [None, None])
    return ExampleSet(
        "own",
        (
            Example("a", "Zoë", 1, 2.5, "train", 0, {"voice": voice, "text": words}),
            Example("b", "Bo", 2, -1.0, "dev", 1, {"voice": silent}),
        ),
        {"items": 2, "failed": 0},
    )


@pytest.mark.parametrize(
    "examples", [gap_set(), made_set("face", people=2), made_set("text", people=2)]
)
def test_what_is_saved_comes_back_with_the_same_windows(
    tmp_path: Path, examples: ExampleSet
) -> None:
    save_examples(tmp_path / "new" / "folder", examples)
    loaded = load_examples(tmp_path / "new" / "folder")
    assert (loaded.kind, loaded.origin) == (examples.kind, examples.origin)
    assert len(loaded.examples) == len(examples.examples)
    for before, after in zip(examples.examples, loaded.examples, strict=True):
        for name in ("id", "person", "emotion", "sentiment", "split", "variant", "end"):
            assert getattr(after, name) == getattr(before, name)
        assert after.samples.keys() == before.samples.keys()
        for end in (TENTH * 3, TENTH * 7 + 5, before.end):
            one, other = before.window(SMALL_WINDOWS, end), after.window(SMALL_WINDOWS, end)
            for name in SMALL_WINDOWS.modalities:
                np.testing.assert_array_equal(one.features[name], other.features[name])
                np.testing.assert_array_equal(one.valid[name], other.valid[name])


def test_the_window_ends_with_the_last_thing_that_was_there() -> None:
    voiced, silent = gap_set().examples
    assert voiced.end == TENTH * 8
    assert voiced.window(SMALL_WINDOWS).valid["voice"].tolist() == [
        *[False] * 3, True, True, False, *[True] * 4
    ]  # fmt: skip
    assert not silent.window(SMALL_WINDOWS).valid["voice"].any()


def test_only_whole_examples_are_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_examples(tmp_path, made_set("voice", people=1))

    def full(file: Any, **_: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(BadInput, match="No space left on device"):
        save_examples(tmp_path, made_set("voice", people=2))
    assert [path.name for path in tmp_path.iterdir()] == ["samples.npz"]
    with pytest.raises(BadInput, match=r"labels\.json is missing; run: affectscope extract"):
        load_examples(tmp_path)


def test_a_place_that_cannot_be_written_is_named_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot write examples to .*file/inside"):
        require_room(tmp_path / "file" / "inside")
    require_room(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_named(saved: Path) -> None:
    labels = saved / "labels.json"
    with pytest.raises(BadInput, match=r"labels\.json is a file; name the folder"):
        load_examples(labels)
    labels.unlink()
    labels.mkdir()
    with pytest.raises(BadInput, match=r"cannot read .*labels\.json: Is a directory"):
        load_examples(saved)


# ------------------------------------------------------------------------------------- damage


def edit_labels(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = folder / "labels.json"
    labels = json.loads(file.read_text())
    change(labels)
    file.write_text(json.dumps(labels))


def edit_samples(folder: Path, **changed: np.ndarray | None) -> None:
    file = folder / "samples.npz"
    with np.load(file) as archive:
        arrays = dict(archive)
    arrays |= {name.replace("__", "."): a for name, a in changed.items() if a is not None}
    for name in (name for name, array in changed.items() if array is None):
        del arrays[name.replace("__", ".")]
    np.savez(file, **arrays)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_examples(tmp_path, made_set("voice", people=1, emotions=("happy", "sad")))
    return tmp_path


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        (0, 7, "field id of 7"),
        (1, None, "field person of voice-0-sad-0"),
        (2, "bored", "field emotion of voice-0-sad-0 is bored"),
        (3, 3.5, "field sentiment of voice-0-sad-0 is 3.5"),
        (3, float("nan"), "field sentiment of voice-0-sad-0 is nan"),
        (3, "high", "field sentiment of voice-0-sad-0"),
        (5, 0.5, "field variant of voice-0-sad-0"),
        (5, True, "field variant of voice-0-sad-0"),
    ],
)
def test_a_wrong_label_is_named(saved: Path, column: int, value: object, field: str) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["examples"][1][column] = value

    edit_labels(saved, change)
    with pytest.raises(BadInput) as told:
        load_examples(saved)
    assert f"{saved / 'labels.json'} {field}" in str(told.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda labels: labels.update(version=99), "field version is 99, not 3"),
        (lambda labels: labels.pop("version"), "field version is None"),
        (lambda labels: labels.pop("kind"), "field kind"),
        (lambda labels: labels.update(origin=[]), "field origin"),
        (lambda labels: labels.pop("examples"), "field examples"),
        (lambda labels: labels.update(examples=[]), "field examples is empty"),
        (lambda labels: labels["examples"][1].pop(), "field examples[1]"),
        (lambda labels: labels["examples"].__setitem__(0, "x"), "field examples[0]"),
    ],
)
def test_wrong_labels_are_named(
    saved: Path, change: Callable[[dict[str, Any]], Any], field: str
) -> None:
    edit_labels(saved, change)
    with pytest.raises(BadInput) as told:
        load_examples(saved)
    assert f"{saved / 'labels.json'} {field}" in str(told.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"null"])
def test_labels_that_are_no_labels(saved: Path, content: bytes) -> None:
    (saved / "labels.json").write_bytes(content)
    with pytest.raises(BadInput, match=r"labels\.json is damaged"):
        load_examples(saved)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"voice__rows": np.full((20, 6), np.nan, np.float32)}, "voice.rows is not finite"),
        ({"voice__rows": np.zeros((19, 6), np.float32)}, "voice.rows does not fit"),
        ({"voice__rows": np.zeros(20, np.float32)}, "voice.rows is float32 [20]"),
        ({"voice__rows": np.zeros((20, 6), np.complex64)}, "voice.rows is complex64"),
        ({"voice__owner": np.full(20, 2)}, "voice.owner does not fit"),
        ({"voice__owner": np.full(20, -1)}, "voice.owner does not fit"),
        ({"voice__count": np.full(20, -1)}, "voice.count does not fit"),
        ({"voice__count": np.full(10, 2)}, "voice.count does not fit"),
        ({"voice__end": np.zeros(3, np.int64)}, "voice.end does not fit"),
        ({"voice__at": np.zeros(3, np.int64)}, "voice.at does not fit"),
        ({"voice__at": np.zeros(20, np.float64)}, "voice.at is float64"),
        ({"voice__at": None}, "voice.at is missing"),
        ({"voice__owner": None}, "voice.owner is missing"),
        ({"voice__rows": np.array([{}] * 20, object)}, "voice.rows is damaged"),
    ],
)
def test_a_wrong_array_is_named(
    saved: Path, changed: dict[str, np.ndarray | None], field: str
) -> None:
    edit_samples(saved, **changed)
    with pytest.raises(BadInput) as told:
        load_examples(saved)
    assert f"{saved / 'samples.npz'} field {field}" in str(told.value)


def test_an_example_without_samples_is_named(saved: Path) -> None:
    edit_samples(saved, voice__owner=np.zeros(20, np.int64))
    with pytest.raises(BadInput, match=r"samples\.npz has no sample of voice-0-sad-0"):
        load_examples(saved)


class Planted:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was executed",)


def damaged_bytes(whole: bytes) -> dict[str, bytes]:
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    return {
        "empty": b"",
        "text": b"no archive",
        "cut": whole[: len(whole) // 2],
        "flipped": bytes(flipped),
        "pickle": pickle.dumps(Planted()),
    }


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "pickle"])
def test_a_damaged_archive_is_named_and_no_pickle_is_read(saved: Path, damage: str) -> None:
    file = saved / "samples.npz"
    file.write_bytes(damaged_bytes(file.read_bytes())[damage])
    with pytest.raises(BadInput) as told:
        load_examples(saved)
    assert str(file) in str(told.value)
    assert "is damaged" in str(told.value)


@pytest.mark.parametrize("name", ["labels.json", "samples.npz"])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(BadInput, match=rf"{name} is missing; run: affectscope extract"):
        load_examples(saved)
