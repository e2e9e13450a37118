"""The change of the text model: where it goes in, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from assets.errors import ModelFileError
from extractors.features import TEXT_LAYERS
from extractors.text import TextEncoder
from extractors.text_adapter import (
    TEXT_ADAPTER,
    TextAdapter,
    adapted,
    linear_weights,
    read_text_adapter,
    write_text_adapter,
)

WORDS = ["I", "could", "not", "believe", "it!"]
QUERY = "inner.encoder.layer.0.attention.self.query"
DENSE = "inner.encoder.layer.3.output.dense"


def adapter_of(up: float, name: str = QUERY, shape: tuple[int, int] = (384, 384)) -> TextAdapter:
    generator = np.random.default_rng(0)
    down = generator.normal(size=(shape[0], 2)).astype(np.float32)
    wide = up * generator.normal(size=(2, shape[1])).astype(np.float32)
    return TextAdapter({name: down}, {name: wide})


def written(folder: Path, adapter: TextAdapter) -> Path:
    path = folder / "adapter.safetensors"
    write_text_adapter(path, adapter, {"kind": "made"})
    return path


@pytest.fixture
def states(models: Callable[[str], Path]) -> Callable[[Path | None], NDArray[np.float32]]:
    files = models("minilm/model.onnx"), models("minilm/tokenizer.json")
    return lambda adapter: TextEncoder(*files, adapter=adapter)(WORDS)


def test_a_change_of_zero_changes_nothing(
    states: Callable[[Path | None], NDArray[np.float32]], tmp_path: Path
) -> None:
    assert np.allclose(states(written(tmp_path, adapter_of(0.0))), states(None), atol=1e-5)


def test_a_late_change_is_not_seen_by_the_layers_before_it(
    states: Callable[[Path | None], NDArray[np.float32]], tmp_path: Path
) -> None:
    changed, plain = states(written(tmp_path, adapter_of(0.1, DENSE, (1536, 384)))), states(None)
    assert TEXT_LAYERS == (2, 4)
    assert np.allclose(changed[:, :384], plain[:, :384], atol=1e-5)
    assert np.abs(changed[:, 384:] - plain[:, 384:]).max() > 0.01


def test_the_product_is_added_to_the_weight(models: Callable[[str], Path]) -> None:
    model = models("minilm/model.onnx").read_bytes()
    adapter = adapter_of(0.5)
    graph = onnx.load_model_from_string(adapted(model, adapter)).graph
    before, after = linear_weights(onnx.load_model_from_string(model).graph), linear_weights(graph)
    assert before.keys() == after.keys()
    assert len(before) == 36  # six linear maps in each of six layers
    for name, weight in after.items():
        wanted = before[name] + (adapter.change(QUERY) if name == QUERY else 0.0)
        assert np.array_equal(weight, wanted)


def test_the_shipped_one_changes_every_layer_that_is_read(
    states: Callable[[Path | None], NDArray[np.float32]],
) -> None:
    found = read_text_adapter(TEXT_ADAPTER)
    layers = {int(name.split(".")[3]) for name in found.down}
    assert layers == set(range(max(TEXT_LAYERS)))
    changed, plain = states(TEXT_ADAPTER), states(None)
    for half in (slice(0, 384), slice(384, 768)):
        assert np.abs(changed[:, half] - plain[:, half]).max() > 0.01


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    adapter = adapter_of(0.5)
    path = written(tmp_path, adapter)
    found = read_text_adapter(path)
    assert np.array_equal(found.change(QUERY), adapter.change(QUERY))
    first = path.read_bytes()
    origin = {name: name for name in "abcdefgh"}
    write_text_adapter(path, adapter, origin)
    again = path.read_bytes()
    for _ in range(5):
        write_text_adapter(path, adapter, origin)
        assert path.read_bytes() == again != first


@pytest.mark.parametrize("wrong", ["name", "shape"])
def test_one_that_does_not_fit_the_model_is_refused(
    wrong: str, states: Callable[[Path | None], NDArray[np.float32]], tmp_path: Path
) -> None:
    adapter = adapter_of(0.1, "other") if wrong == "name" else adapter_of(0.1, QUERY, (384, 12))
    with pytest.raises(ModelFileError, match="there is no linear map"):
        states(written(tmp_path, adapter))


@pytest.mark.parametrize("wrong", ["absent", "cut", "format", "origin", "not finite", "half"])
def test_a_damaged_one_is_refused_by_name(wrong: str, tmp_path: Path) -> None:
    path = written(tmp_path, adapter_of(0.1))
    tensors = load_file(path)
    if wrong == "absent":
        path.unlink()
    elif wrong == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    elif wrong == "format":
        save_file(tensors, path, {"origin": '{"format": "something else"}'})
    elif wrong == "origin":
        save_file(tensors, path, {"origin": "[}"})
    elif wrong == "not finite":
        write_text_adapter(path, adapter_of(np.nan), {})
    else:
        del tensors[f"{QUERY}.up"]
        save_file(tensors, path, {"origin": '{"format": "affectscope-text-adapter-1"}'})
    with pytest.raises(ModelFileError, match=r"text adapter .*adapter\.safetensors"):
        read_text_adapter(path)
