"""A checkpoint on disk: whole or not there, and damage is told in one line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from assets.errors import BadInput, ModelFileError
from extractors.features import EMOTIONS, MODALITIES
from extractors.stream.window import Window
from inference.checkpoint import (
    FORMAT,
    Checkpoint,
    Normaliser,
    checkpoint_path,
    load_checkpoint,
    require_place,
    save_checkpoint,
)
from inference.model import DHMD
from inference.predictor import Predictor
from inference.training.configuration import network
from tests.inference.training.made_examples import SMALL_WINDOWS, made_sets, settings

TEMPERATURE = {"text": 1.25, "voice": 0.75, "face": 2.0}


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    config = network(settings())
    sets = dict(zip(MODALITIES, made_sets(people=1), strict=True))
    normaliser = Normaliser.fitted(
        {m: [e.window(SMALL_WINDOWS) for e in sets[m].examples] for m in MODALITIES}
    )
    weights = {name: tensor.numpy() for name, tensor in DHMD(config).state_dict().items()}
    origin = {"licence": "Zoë's"}
    rest = {"face": np.full(SMALL_WINDOWS.face.features, 0.5, np.float32)}
    return Checkpoint(config, SMALL_WINDOWS, normaliser, weights, TEMPERATURE, origin, rest)


@pytest.fixture
def file(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "a.safetensors", checkpoint)
    return tmp_path / "a.safetensors"


def test_everything_comes_back(checkpoint: Checkpoint, file: Path) -> None:
    loaded = load_checkpoint(file)
    for name in ("config", "windows", "temperature", "origin"):
        assert getattr(loaded, name) == getattr(checkpoint, name)
    assert list(loaded.rest) == ["face"]
    np.testing.assert_array_equal(loaded.rest["face"], checkpoint.rest["face"])
    assert loaded.weights.keys() == checkpoint.weights.keys()
    for name, array in checkpoint.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    for name in MODALITIES:
        for part in ("mean", "deviation"):
            np.testing.assert_array_equal(
                getattr(loaded.normaliser, part)[name], getattr(checkpoint.normaliser, part)[name]
            )
    assert list(file.parent.iterdir()) == [file]


def test_equal_checkpoints_are_equal_bytes(checkpoint: Checkpoint, file: Path) -> None:
    """Five times, for the order of six entries is a matter of chance in safetensors."""
    for number in range(5):
        again = file.with_name(f"{number}.safetensors")
        save_checkpoint(again, checkpoint)
        assert again.read_bytes() == file.read_bytes()


def window(valid: bool) -> Window:
    shapes = SMALL_WINDOWS.modalities.items()
    return Window(
        10**9,
        {n: np.ones((m.steps, m.features), np.float32) for n, m in shapes},
        {n: np.full(m.steps, valid) for n, m in shapes},
    )


def test_temperature_divides_the_logits_and_nothing_present_is_unknown(
    checkpoint: Checkpoint,
) -> None:
    windows = [window(True), window(False)]
    plain, hot = (
        Predictor(replace(checkpoint, temperature=dict.fromkeys(MODALITIES, t)))(windows).timeline
        for t in (1.0, 2.0)
    )
    squared = np.log(plain.emotions[0]) / 2
    expected = np.exp(squared) / np.exp(squared).sum()
    np.testing.assert_allclose(hot.emotions[0], expected, rtol=1e-5)
    np.testing.assert_allclose(plain.emotions[1], 1 / len(EMOTIONS))
    assert np.isfinite(plain.sentiment[0])
    assert np.isnan(plain.sentiment[1])
    assert plain.known.tolist() == [True, False]
    assert plain.time.tolist() == [1.0, 1.0]


def test_the_temperature_of_several_modalities_is_their_geometric_mean(
    checkpoint: Checkpoint,
) -> None:
    warm = replace(checkpoint, temperature={"text": 2.0, "voice": 8.0, "face": 0.5})
    present = np.array([[True, True, False], [False, False, True], [False, False, False]])
    np.testing.assert_allclose(warm.temperatures(present), [4.0, 0.5, 1.0])


def test_the_normaliser_by_hand() -> None:
    a, b = window(True), window(True)
    a.features["voice"][:, 0], b.features["voice"][:, 0] = 1.0, 5.0
    b.features["voice"][3] = 1e9
    b.valid["voice"][3] = False
    a.valid["voice"][1:] = b.valid["voice"][1:] = False
    fitted = Normaliser.fitted({"voice": iter([a, b]), "face": [a], "text": [a]})
    assert fitted.mean["voice"][:2].tolist() == [3.0, 1.0]
    assert fitted.deviation["voice"][0] == 2.0
    assert fitted.deviation["voice"][1] == np.float32(1e-3)  # it never moved
    rows = np.array([[5, 1, 1, 1, 1, 1], [999, 1, 1, 1, 1, 1], [5, 1, 1, 1, 1, 1]], np.float32)
    scaled = fitted("voice", rows, np.array([True, True, False]))
    assert scaled[:, 0].tolist() == [1.0, 5.0, 0.0]
    assert scaled.dtype == np.float32


# ------------------------------------------------------------------------------------ writing


def test_a_file_that_is_there_stays_when_writing_fails(
    checkpoint: Checkpoint, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BadInput, match=r"cannot write the checkpoint .*: No space left"):
        save_checkpoint(file, checkpoint)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_told(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write the checkpoint"):
        save_checkpoint(tmp_path / "none" / "a.safetensors", checkpoint)


def test_numbers_that_json_does_not_know_are_not_written(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(
            tmp_path / "a.safetensors", replace(checkpoint, origin={"corr": float("nan")})
        )


def test_places_that_cannot_be_written_are_known_beforehand(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    (tmp_path / "folder.safetensors").mkdir()
    for path, told in (
        (tmp_path / "a.pt", r"a\.pt must end in \.safetensors"),
        (tmp_path / "taken" / "a.safetensors", "cannot write the checkpoint"),
        (tmp_path / "folder.safetensors", "it is a folder"),
    ):
        with pytest.raises(BadInput, match=told):
            require_place(path)
    require_place(tmp_path / "new" / "a.safetensors")
    assert list((tmp_path / "new").iterdir()) == []


# ------------------------------------------------------------------------------------- damage


def metadata_of(file: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(file, framework="np") as opened:
        return dict(opened.metadata())


def rewrite(file: Path, metadata: dict[str, Any] | None = None, **tensors: Any) -> None:
    """The file again with some metadata and tensors replaced; None takes them out."""
    told = metadata_of(file) | (metadata or {})
    arrays = load_file(file) | {name.replace("__", "."): a for name, a in tensors.items()}
    save_file(
        {name: a for name, a in arrays.items() if a is not None},
        file,
        {name: value for name, value in told.items() if value is not None},
    )


def test_a_checkpoint_that_is_not_there() -> None:
    for which in ("dead", "dead.safetensors"):
        with pytest.raises(ModelFileError, match=f"no checkpoint {which}; "):
            checkpoint_path(which)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "long header"])
def test_a_file_that_is_no_checkpoint(file: Path, damage: str) -> None:
    whole = file.read_bytes()
    file.write_bytes(
        {
            "empty": b"",
            "text": b"not a checkpoint, just a text of some length",
            "cut": whole[: len(whole) // 2],
            "long header": b"\xff" * 8 + whole[8:],
        }[damage]
    )
    with pytest.raises(ModelFileError) as told:
        load_checkpoint(file)
    assert f"the checkpoint {file} is damaged" in str(told.value)
    assert "\n" not in str(told.value)


def test_another_version_is_told(file: Path) -> None:
    rewrite(file, {"format": "affectscope-dhmd-9"})
    with pytest.raises(ModelFileError, match=f"has format affectscope-dhmd-9, not {FORMAT}"):
        load_checkpoint(file)


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"config": "{"}, "damaged at"),
        ({"config": None}, "'config'"),
        ({"config": "[]"}, "damaged at"),
        ({"windows": "{}"}, "'hop'"),
        ({"origin": "x"}, "damaged at"),
        (
            {"temperature": '{"text": 1, "voice": 0, "face": 1}'},
            "temperature of voice, which is 0.0",
        ),
        (
            {"temperature": '{"text": NaN, "voice": 1, "face": 1}'},
            "temperature of text, which is nan",
        ),
    ],
)
def test_damaged_metadata_is_told(file: Path, metadata: dict[str, str | None], told: str) -> None:
    rewrite(file, metadata)
    with pytest.raises(ModelFileError) as error:
        load_checkpoint(file)
    assert str(file) in str(error.value)
    assert told in str(error.value)


def test_labels_and_windows_of_another_network_are_told(file: Path) -> None:
    config = json.loads(metadata_of(file)["config"])
    rewrite(file, {"config": json.dumps(config | {"emotions": ["joy", "joy"]})})
    with pytest.raises(ModelFileError, match="emotions, which are joy, joy"):
        load_checkpoint(file)
    windows = json.loads(metadata_of(file)["windows"])
    windows["voice"]["steps"] = 11
    rewrite(file, {"config": json.dumps(config), "windows": json.dumps(windows)})
    with pytest.raises(ModelFileError, match="voice does not fit the network"):
        load_checkpoint(file)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"normaliser__voice__mean": None}, "normaliser.voice.mean"),
        ({"normaliser__voice__mean": np.zeros(3, np.float32)}, "normaliser.voice, whose shape"),
        ({"normaliser__voice__deviation": np.zeros(6, np.float32)}, "which is not positive"),
        ({"normaliser__face__mean": np.full(52, np.nan, np.float32)}, "which is not finite"),
    ],
)
def test_damaged_tensors_are_told(file: Path, tensors: dict[str, Any], told: str) -> None:
    rewrite(file, **tensors)
    with pytest.raises(ModelFileError) as error:
        load_checkpoint(file)
    assert told in str(error.value)


@pytest.mark.parametrize("place", [-1, -40_000, -80_000])
def test_a_bit_that_flipped_is_noticed(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=f"{file} is damaged at sha256, which is not that"):
        load_checkpoint(file)


def test_numbers_that_were_changed_by_hand_are_noticed(file: Path) -> None:
    rewrite(file, {"temperature": json.dumps(TEMPERATURE | {"face": 2.5})})
    with pytest.raises(ModelFileError, match="damaged at sha256"):
        load_checkpoint(file)
    rewrite(file, {"sha256": None})
    with pytest.raises(ModelFileError, match="damaged at 'sha256'"):
        load_checkpoint(file)


def test_weights_that_do_not_fit_are_one_line(checkpoint: Checkpoint, file: Path) -> None:
    name = next(iter(checkpoint.weights))
    fewer = {n: array for n, array in checkpoint.weights.items() if n != name}
    save_checkpoint(file, replace(checkpoint, weights=fewer))
    with pytest.raises(ModelFileError, match="do not fit their configuration") as told:
        Predictor(load_checkpoint(file))
    assert "\n" not in str(told.value)
    assert f"{file} is damaged" in str(told.value)
    assert name in str(told.value)
