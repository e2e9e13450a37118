"""The first layers of Whisper's encoder, for the voice: what they know and the last one forgets.

CTranslate2 gives the last layer alone, which has learned to tell words whoever says them and
however. How something is said is plainer in the layers before (benchmarks/voice_layers.py), so
they are computed here from the weights in the same file. The network is that of Radford et al.
2022 (arXiv:2212.04356): two convolutions, sinusoidal positions, pre-LayerNorm transformer layers.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from assets.errors import ModelFileError
from extractors.features import VOICE_LAYERS, FloatArray
from extractors.onnx_graph import Graph

__all__ = ["VoiceEncoder", "read_weights"]

ENCODER = "encoder/"
HEAD_WIDTH = 64
"""Of all sizes of Whisper."""
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
"""Kinds of number by the code that CTranslate2 writes."""


def read_weights(path: Path, prefix: str = ENCODER) -> dict[str, npt.NDArray[Any]]:
    """Arrays of a CTranslate2 model file whose names begin with `prefix`, by the rest of the name.

    The layout (CTranslate2, python/ctranslate2/specs/model_spec.py): version, name and revision of
    the model, number of variables; then of each its name, shape, kind of number, size and bytes.
    Raises ModelFileError if the file is not laid out like that.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    try:
        with path.open("rb") as file:
            _numbers(file, "I")
            _text(file)
            _, variables = _numbers(file, "II")
            for _ in range(variables):
                name = _text(file)
                (rank,) = _numbers(file, "B")
                shape = _numbers(file, "I" * rank)
                kind, size = _numbers(file, "BI")
                if name.startswith(prefix):
                    values = np.frombuffer(file.read(size), _TYPES[kind])
                    found[name.removeprefix(prefix)] = values.reshape(shape)
                else:
                    file.seek(size, 1)
    except (OSError, struct.error, IndexError, ValueError) as error:
        raise ModelFileError(
            f"the speech model {path} is damaged ({error}); run: affectscope models verify"
        ) from error
    return found


def _numbers(file: BinaryIO, kinds: str) -> tuple[int, ...]:
    layout = struct.Struct(f"<{kinds}")
    return layout.unpack(file.read(layout.size))


def _text(file: BinaryIO) -> str:
    (size,) = _numbers(file, "H")
    return file.read(size)[:-1].decode()


class VoiceEncoder:
    """Log-mel spectrogram to the states after each of some layers. Safe between threads."""

    def __init__(
        self,
        weights: Mapping[str, npt.NDArray[Any]],
        layers: Sequence[int] = VOICE_LAYERS,
        *,
        threads: int = 1,
    ) -> None:
        """Take weights as `read_weights` gives them; layers count from 1.

        Raises ModelFileError if some weights are missing.
        """
        self.layers = tuple(layers)
        floats = {name: values.astype(np.float32) for name, values in weights.items()}
        try:
            self._session: Any = _network(floats, self.layers).session(threads)
        except KeyError as error:
            raise ModelFileError(
                f"the speech model has no weights {error}; run: affectscope models verify"
            ) from error

    def __call__(self, mel: FloatArray) -> FloatArray:
        """States of `mel` float32 [80, 2 n], 100 a second: float32 [n, layers * width], 50 a
        second, the layers side by side."""
        states: FloatArray = self._session.run(None, {"mel": mel[None]})[0]
        return states


def _network(w: Mapping[str, FloatArray], layers: Sequence[int]) -> Graph:
    """The first layers of the encoder: mel [1, 80, 2 n] to states [n, layers * width]."""
    g = Graph("encoder of the voice")
    width = w["conv1/weight"].shape[0]
    heads = width // HEAD_WIDTH
    scale = g.constant(HEAD_WIDTH**-0.5)

    def convolved(x: str, name: str, stride: int) -> str:
        weight, bias = (g.constant(w[f"{name}/{part}"]) for part in ("weight", "bias"))
        return g("Gelu", g("Conv", x, weight, bias, pads=[1, 1], strides=[stride]))

    def norm(name: str, x: str) -> str:
        return g.layer_norm(x, *(w[f"{name}/layer_norm/{part}"] for part in ("gamma", "beta")))

    def product(name: str, x: str) -> str:
        weight, bias = w[f"{name}/weight"], w[f"{name}/bias"]
        return g("Add", g("MatMul", x, g.constant(np.ascontiguousarray(weight.T))),
                 g.constant(bias))  # fmt: skip

    x = convolved(g.input("mel", [1, 80, "2n"]), "conv1", 1)
    x = g("Transpose", g.reshape(convolved(x, "conv2", 2), width, -1), perm=[1, 0])
    count = g("Slice", g("Shape", x), g.constant([0]), g.constant([1]))
    positions = g.constant(w["position_encodings/encodings"])
    x = g("Add", x, g("Slice", positions, g.constant([0]), count, g.constant([0])))
    kept = []
    for number in range(1, max(layers) + 1):
        name = f"layer_{number - 1}/"
        both = product(f"{name}self_attention/linear_0", norm(f"{name}self_attention", x))
        both = g("Transpose", g.reshape(both, -1, 3, heads, HEAD_WIDTH), perm=[1, 2, 0, 3])
        query, key, value = (
            g.reshape(part, heads, -1, HEAD_WIDTH)
            for part in g.several("Split", both, outputs=3, axis=0, num_outputs=3)
        )
        scores = g("MatMul", g("Mul", query, scale), g("Transpose", key, perm=[0, 2, 1]))
        mixed = g("MatMul", g("Softmax", scores, axis=-1), value)
        mixed = g.reshape(g("Transpose", mixed, perm=[1, 0, 2]), -1, width)
        x = g("Add", x, product(f"{name}self_attention/linear_1", mixed))
        inner = g("Gelu", product(f"{name}ffn/linear_0", norm(f"{name}ffn", x)))
        x = g("Add", x, product(f"{name}ffn/linear_1", inner))
        if number in layers:
            kept.append(x)
    g.output("states", g("Concat", *kept, axis=1))
    return g
