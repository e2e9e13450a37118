"""MMSA's pickles: what is in them, and what must never come out of them."""

import io
import os
import pickle
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets.errors import BadInput
from extractors.features import MODALITIES
from inference.training.mmsa import read_mmsa
from inference.training.safe_pickle import load_arrays
from inference.training.sequence_files import load_data, save_sequences
from inference.training.sequences import Sequences

COUNTS = {"train": 6, "valid": 3, "test": 4}
SHAPES = {"text": (4, 5), "audio": (4, 3), "vision": (4, 2)}


def made(**values: Any) -> dict[str, Any]:
    """Three parts as MMSA has them; `values` replace fields of the part `valid`, None removes."""
    generator = np.random.default_rng(0)
    data: dict[str, Any] = {}
    for split, count in COUNTS.items():
        fields = {n: generator.normal(size=(count, *shape)) for n, shape in SHAPES.items()}
        mask = np.arange(4) < np.arange(1, count + 1)[:, None]
        data[split] = {
            **fields,
            "text_bert": np.stack([mask * 7.0, mask, mask * 0], axis=1),
            "regression_labels": np.linspace(-3, 3, count),
            "id": np.asarray([f"video{i // 2}$_${i}" for i in range(count)], object),
            "raw_text": ["oh"] * count,
        }
    data["valid"] |= values
    data["valid"] = {name: v for name, v in data["valid"].items() if v is not None}
    return data


def written(folder: Path, data: Any, protocol: int = 4) -> Path:
    file = folder / "made.pkl"
    file.write_bytes(pickle.dumps(data, protocol))
    return file


def with_value(field: str, index: tuple[int, ...], value: float) -> Any:
    array = made()["valid"][field].copy()
    array[index] = value
    return {field: array}


@pytest.mark.parametrize("protocol", range(6))
def test_everything_comes_back_from_every_protocol(tmp_path: Path, protocol: int) -> None:
    data = made()
    found = read_mmsa(written(tmp_path, data, protocol), "mosi")
    assert found.splits == ("train",) * 6 + ("valid",) * 3 + ("test",) * 4
    assert found.people[:3] == ("mosi video0", "mosi video0", "mosi video1")
    assert found.sentiment.tolist()[:6] == pytest.approx([-3, -1.8, -0.6, 0.6, 1.8, 3])
    assert (found.emotion == -1).all()
    np.testing.assert_allclose(found.features["face"][9:], data["test"]["vision"], rtol=1e-6)
    assert found.valid["text"][6:9].sum(axis=1).tolist() == [1, 2, 3]
    assert found.features["voice"].dtype == np.float32


def test_steps_are_valid_by_length_or_where_something_is(tmp_path: Path) -> None:
    data = made()
    for split, count in COUNTS.items():
        data[split]["audio_lengths"] = [2] * count
        data[split]["vision"][:, :1] = 0.0
    found = read_mmsa(written(tmp_path, data), "mosi")
    assert found.valid["voice"][0].tolist() == [True, True, False, False]
    assert found.valid["face"][0].tolist() == [False, True, True, True]


def test_acoustic_minus_infinity_is_silence(tmp_path: Path) -> None:
    data = made(**with_value("audio", (1, 2, 0), -np.inf))
    assert read_mmsa(written(tmp_path, data), "mosi").features["voice"][7, 2, 0] == 0.0


def test_converted_once_it_is_the_same_when_read(tmp_path: Path) -> None:
    whole = read_mmsa(written(tmp_path, made()), "mosi")
    save_sequences(tmp_path / "out", whole)
    found = load_data(tmp_path / "out")
    assert isinstance(found, Sequences)
    for name in ("kind", "ids", "people", "splits", "origin"):
        assert getattr(found, name) == getattr(whole, name)
    for name in MODALITIES:
        np.testing.assert_array_equal(found.features[name], whole.features[name])
        np.testing.assert_array_equal(found.valid[name], whole.valid[name])
    np.testing.assert_array_equal(found.sentiment, whole.sentiment)


# --------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (with_value("audio", (1, 2, 0), np.inf), "valid.audio of item 1 is inf at step 2"),
        (with_value("audio", (1, 2, 0), np.nan), "valid.audio of item 1 is nan at step 2"),
        (with_value("vision", (0, 0, 1), -np.inf), "valid.vision of item 0 is -inf"),
        (with_value("regression_labels", (2,), 3.5), "regression_labels of item 2 is 3.5: not in"),
        (with_value("regression_labels", (2,), np.nan), "regression_labels of item 2 is nan"),
        ({"regression_labels": None}, "valid.regression_labels is missing"),
        ({"regression_labels": np.zeros((3, 7))}, r"regression_labels is float64 \[3, 7\]"),
        ({"regression_labels": np.zeros(0)}, "valid has no items"),
        ({"text": None}, "valid.text is missing; token numbers"),
        ({"audio": np.zeros((3, 4))}, r"valid.audio is float64 \[3, 4\], not \[3, steps"),
        ({"audio": np.zeros((2, 4, 3))}, r"valid.audio is float64 \[2, 4, 3\]"),
        ({"audio": np.ones((3, 5, 3))}, "field audio has other steps or features in each part"),
        ({"vision": np.zeros((3, 4, 2))}, "valid.vision is empty throughout"),
        ({"text_bert": np.zeros((3, 3, 9))}, r"valid.text_bert is float64 \[3, 3, 9\], not"),
        ({"text_bert": np.full((3, 3, 4), "a")}, "valid.text_bert is <U1"),
        ({"vision_lengths": [9, 9, 9]}, "valid.vision_lengths does not fit"),
        ({"id": ["a"]}, "valid.id has 1 items"),
    ],
)
def test_what_does_not_fit_is_told_by_file_and_field(
    tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput, match=told) as error:
        read_mmsa(written(tmp_path, made(**values)), "mosi")
    assert "made.pkl" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [[], {"train": {}}, {"train": 3, "valid": {}, "test": {}}])
def test_other_contents_are_told(tmp_path: Path, data: Any) -> None:
    with pytest.raises(BadInput, match=r"made\.pkl (holds no dictionary|field train)"):
        read_mmsa(written(tmp_path, data), "mosi")


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(made())[:-50]])
def test_damage_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "made.pkl").write_bytes(content)
    with pytest.raises(BadInput, match=r"made\.pkl is no pickle of arrays, or damaged"):
        load_arrays(tmp_path / "made.pkl")
    with pytest.raises(BadInput, match="cannot read"):
        load_arrays(tmp_path / "none.pkl")


# --------------------------------------------------------------------------------------- attacks


class Reduced:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def attacks(ran: Path) -> dict[str, tuple[Any, str]]:
    touch = f"touch {ran}"
    return {
        "system": (Reduced(os.system, touch), "posix.system"),
        "eval": (Reduced(eval, f"__import__('os').system({touch!r})"), "builtins.eval"),
        "exec": (Reduced(exec, f"open({str(ran)!r}, 'w')"), "builtins.exec"),
        "getattr": (Reduced(getattr, "text", "upper"), "builtins.getattr"),
        "open": (Reduced(io.open, str(ran), "w"), "io.open"),
        "in an array": (np.asarray([Reduced(os.system, touch)], object), "posix.system"),
        "load": (Reduced(np.load, str(ran)), "numpy.load"),
        "another class": (Fraction(1, 3), "fractions.Fraction"),
        "another container": (OrderedDict(a=1), "collections.OrderedDict"),
    }


@pytest.mark.parametrize("name", list(attacks(Path())))
def test_a_malicious_pickle_is_refused_by_name_and_does_not_run(tmp_path: Path, name: str) -> None:
    ran = tmp_path / "ran"
    attack, told = attacks(ran)[name]
    for data in (attack, made() | {"train": {"text": attack}}):
        file = written(tmp_path, data)
        with pytest.raises(BadInput) as error:
            read_mmsa(file, "mosi")
        assert f"{file} holds {told}, which is no array" in str(error.value).replace("_io.", "io.")
        assert not ran.exists()


class Stated:
    """Pickles as a call of `function` whose result is then given a state."""

    def __init__(self, function: Any, arguments: Any, state: Any) -> None:
        self.whole = function, arguments, state

    def __reduce__(self) -> Any:
        return self.whole


def disguised() -> Any:
    """A dtype of eight raw bytes that its state calls the address of an object."""
    fields = {"a": (np.dtype("O"), 0)}
    return Stated(np.dtype, ("V8", False, True), (3, "|", None, ("a",), fields, 8, 1, 0))


def named(name: str) -> Any:
    """A function of NumPy as pickles name it."""
    return getattr(np._core.multiarray, name)


AAAA = b"\x41" * 8
ADDRESSES = {
    "in an array": Stated(
        named("_reconstruct"), (np.ndarray, (0,), b"b"), (1, (1,), disguised(), False, AAAA)
    ),
    "in a scalar": Reduced(named("scalar"), disguised(), AAAA),
    "in a buffer": Reduced(np.ndarray, (1,), "O", AAAA),
    "in fewer objects than said": Stated(
        named("_reconstruct"), (np.ndarray, (0,), b"b"), (1, (9,), np.dtype("O"), False, ["a"])
    ),
    "as objects": Stated(
        named("_reconstruct"), (np.ndarray, (0,), b"b"), (1, (1,), np.dtype("O"), False, AAAA)
    ),
    "of another class": Reduced(named("_reconstruct"), np.dtype, (0,), b"b"),
    "behind a number": Stated(
        np.dtype, ("f8", False, True), (3, "<", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)
    ),
}
"""NumPy would follow bytes of the file as addresses, or read beyond them."""


@pytest.mark.parametrize("name", list(ADDRESSES))
def test_bytes_are_never_taken_for_addresses(tmp_path: Path, name: str) -> None:
    for protocol in (2, 4, 5):
        with pytest.raises(BadInput, match=r"made\.pkl (holds|is no pickle)"):
            load_arrays(written(tmp_path, {"train": ADDRESSES[name]}, protocol))


def test_every_plain_array_comes_back(tmp_path: Path) -> None:
    arrays = {
        "swapped": np.arange(6.0).reshape(2, 3).astype(">f4"),
        "text": np.asarray(["ab", "cde"]),
        "bytes": np.asarray([b"ab", b"c"]),
        "objects": np.asarray([["a", None], [1.5, "d"]], object, order="F"),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "single": np.float32(2.5),
        "truth": np.asarray([True, False]),
        "none": np.asarray(3),
    }
    for protocol in (2, 3, 4, 5):
        found = load_arrays(written(tmp_path, arrays, protocol))
        for key, array in arrays.items():
            np.testing.assert_array_equal(found[key], array)
            assert np.asarray(found[key]).dtype.kind == np.asarray(array).dtype.kind


def test_the_attacks_would_run_elsewhere(tmp_path: Path) -> None:
    """Or the test above could not fail."""
    attack, _ = attacks(tmp_path / "ran")["system"]
    pickle.loads(pickle.dumps(attack))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("module", ["numpy", "numpy.core.multiarray", "numpy._core.multiarray"])
def test_names_that_only_look_like_arrays_are_refused(tmp_path: Path, module: str) -> None:
    file = tmp_path / "made.pkl"
    # protocol 0: c MODULE NAME is a name, 0 pops it, N . is None
    file.write_bytes(f"c{module}\nfromfile\n0N.".encode())
    with pytest.raises(BadInput, match=rf"holds {module}\.fromfile"):
        load_arrays(file)


def test_an_encoding_that_is_none_of_numpys_is_refused(tmp_path: Path) -> None:
    import codecs

    file = written(tmp_path, Reduced(codecs.encode, "text", "rot13"))
    with pytest.raises(BadInput, match="bytes in rot13"):
        load_arrays(file)
