"""Low-rank changes of MiniLM's layers that make it hear how something is said.

As published, MiniLM tells what a sentence is about. An adapter (LoRA, Hu et al. 2021,
arXiv:2106.09685, section 4.1) adds to the weight W [in, out] of each linear map of the layers that
are read a product of two narrow matrices, W + down [in, rank] @ up [rank, out]. It is less than a
hundredth of the network, and once it is added nothing costs more than before. `affectscope adapt`
makes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets import ASSETS
from assets.errors import ModelFileError
from extractors.features import FloatArray

__all__ = [
    "TEXT_ADAPTER",
    "TextAdapter",
    "adapted",
    "linear_weights",
    "read_text_adapter",
    "write_text_adapter",
]

TEXT_ADAPTER = ASSETS / "text_adapter.safetensors"
"""The one that comes with the program, and that its checkpoint was trained with."""
FORMAT = "affectscope-text-adapter-1"
ORIGIN = "origin"
DOWN, UP = ".down", ".up"
BIAS = ".bias"


@dataclass(frozen=True, slots=True)
class TextAdapter:
    """`down` float32 [in, rank] and `up` float32 [rank, out] by the name of the linear map."""

    down: Mapping[str, FloatArray]
    up: Mapping[str, FloatArray]

    def change(self, name: str) -> FloatArray:
        """What is added to the weight of this linear map, float32 [in, out]."""
        product: FloatArray = self.down[name] @ self.up[name]
        return product


def read_text_adapter(path: Path) -> TextAdapter:
    """Raises ModelFileError if there is none at `path`, or if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            found = json.loads((file.metadata() or {}).get(ORIGIN, "{}")).get("format")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError, ValueError) as error:
        raise ModelFileError(f"the text adapter {path} is damaged: {error}") from error
    if found != FORMAT:
        raise ModelFileError(f"the text adapter {path} has format {found}, not {FORMAT}")
    down = {k.removesuffix(DOWN): v for k, v in tensors.items() if k.endswith(DOWN)}
    up = {k.removesuffix(UP): v for k, v in tensors.items() if k.endswith(UP)}
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ModelFileError(f"the text adapter {path} is damaged at {name}: not finite")
    if down.keys() != up.keys() or any(down[n].shape[1] != up[n].shape[0] for n in down):
        raise ModelFileError(f"the text adapter {path} is damaged: its matrices do not fit")
    return TextAdapter(down, up)


def write_text_adapter(path: Path, adapter: TextAdapter, origin: Mapping[str, str]) -> None:
    """Write it with what it was made of, texts by name: equal adapters give equal bytes.

    Raises OSError.
    """
    from safetensors.numpy import save_file

    tensors = {f"{name}{DOWN}": array for name, array in adapter.down.items()}
    tensors |= {f"{name}{UP}": array for name, array in adapter.up.items()}
    # one entry: several come in a random order
    save_file(tensors, path, {ORIGIN: json.dumps({"format": FORMAT, **origin})})


def linear_weights(graph: Any) -> dict[str, FloatArray]:
    """Weights [in, out] of the linear maps that have a bias in an ONNX `GraphProto`, by name.

    The file holds them with 8 bits and a scale each; what is given is what it computes with.
    """
    return {name: weight for name, (_, weight) in _linear_maps(graph).items()}


def adapted(model: bytes, adapter: TextAdapter) -> bytes:
    """The serialised ONNX `model` with its linear maps changed.

    Raises ValueError if it has no linear map of a name in the adapter, or one of another shape.
    """
    import onnx
    from onnx import numpy_helper

    changed = onnx.load_model_from_string(model)
    maps = _linear_maps(changed.graph)
    for name in adapter.down:
        node, weight = maps.get(name, (None, None))
        change = adapter.change(name)
        if node is None or weight is None or weight.shape != change.shape:
            raise ValueError(f"there is no linear map {name} of shape {list(change.shape)}")
        node.input[1] = f"{name} adapted"
        changed.graph.initializer.append(
            numpy_helper.from_array(np.ascontiguousarray(weight + change), node.input[1])
        )
    serialised: bytes = changed.SerializeToString()
    return serialised


def _linear_maps(graph: Any) -> dict[str, tuple[Any, FloatArray]]:
    """The product of each linear map that has a bias, and its weight [in, out].

    Its name is that of the bias, for the weights have lost theirs in the file.
    """
    from onnx import numpy_helper

    arrays = {array.name: array for array in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}

    def value(name: str) -> FloatArray:
        """A constant; of 8 bits it is a cast, times a scale."""
        if name in arrays:
            return np.asarray(numpy_helper.to_array(arrays[name]), np.float32)
        node = made_by[name]
        if node.op_type == "Cast":
            return value(node.input[0])
        if node.op_type != "Mul":
            raise ValueError(f"{name} is not a constant")
        return value(node.input[0]) * value(node.input[1])

    found = {}
    for node in graph.node:
        bias = next((name for name in node.input if name.endswith(BIAS)), None)
        if node.op_type != "Add" or bias is None:
            continue
        product = made_by.get(next(name for name in node.input if name != bias))
        if product is not None and product.op_type == "MatMul":
            found[bias.removesuffix(BIAS)] = product, value(product.input[1])
    return found
