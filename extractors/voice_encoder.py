"""The first layers of Whisper's encoder, for the voice: what they know and the last one forgets.

CTranslate2 gives the last layer alone, which has learned to tell words whoever says them and
however. How something is said is plainer in the layers before (benchmarks/voice_layers.py), so
they are computed here from the weights in the same file. The network is that of Radford et al.
2022 (arXiv:2212.04356): two convolutions, sinusoidal positions, pre-LayerNorm transformer layers.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from assets.errors import ModelFileError
from extractors.features import VOICE_LAYERS, FloatArray

if TYPE_CHECKING:
    from torch import Tensor

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

        `threads` holds for all of PyTorch in this process: left alone it takes every core, and
        face and words wait. Raises ModelFileError if some weights are missing.
        """
        import torch

        torch.set_num_threads(threads)
        self.layers = tuple(layers)
        self._weights: dict[str, Tensor] = {
            name: torch.from_numpy(values.astype(np.float32)) for name, values in weights.items()
        }
        last = f"layer_{max(layers) - 1}/ffn/linear_1/weight"
        for name in ("conv1/weight", "position_encodings/encodings", last):
            if name not in self._weights:
                raise ModelFileError(
                    f"the speech model has no weights {name}; run: affectscope models verify"
                )

    def __call__(self, mel: FloatArray) -> FloatArray:
        """States of `mel` float32 [80, 2 n], 100 a second: float32 [n, layers * width], 50 a
        second, the layers side by side."""
        import torch

        with torch.inference_mode():
            x = self._positioned(torch.from_numpy(np.ascontiguousarray(mel, np.float32)))
            kept = []
            for number in range(1, max(self.layers) + 1):
                x = self._layer(f"layer_{number - 1}/", x)
                if number in self.layers:
                    kept.append(x)
            states: FloatArray = torch.cat(kept, dim=1).numpy()
        return states

    def _positioned(self, mel: "Tensor") -> "Tensor":
        """[80, 2 n] -> [n, width]: two convolutions, the second with stride 2, and positions."""
        from torch.nn.functional import conv1d, gelu

        w = self._weights
        x = gelu(conv1d(mel[None], w["conv1/weight"], w["conv1/bias"], padding=1))
        x = gelu(conv1d(x, w["conv2/weight"], w["conv2/bias"], stride=2, padding=1))[0].T
        return x + w["position_encodings/encodings"][: len(x)]

    def _layer(self, name: str, x: "Tensor") -> "Tensor":
        """x [n, width] + attention, then + feed-forward, each on its LayerNorm."""
        from torch.nn.functional import gelu, scaled_dot_product_attention

        heads = x.shape[1] // HEAD_WIDTH
        both = self._linear(
            f"{name}self_attention/linear_0", self._norm(f"{name}self_attention", x)
        )
        query, key, value = (
            part.reshape(-1, heads, HEAD_WIDTH).transpose(0, 1)[None]
            for part in both.contiguous().chunk(3, dim=1)
        )
        mixed = scaled_dot_product_attention(query, key, value)[0].transpose(0, 1).flatten(1)
        x = x + self._linear(f"{name}self_attention/linear_1", mixed)
        inner = gelu(self._linear(f"{name}ffn/linear_0", self._norm(f"{name}ffn", x)))
        return x + self._linear(f"{name}ffn/linear_1", inner)

    def _norm(self, name: str, x: "Tensor") -> "Tensor":
        from torch.nn.functional import layer_norm

        gamma, beta = (self._weights[f"{name}/layer_norm/{part}"] for part in ("gamma", "beta"))
        return layer_norm(x, gamma.shape, gamma, beta)

    def _linear(self, name: str, x: "Tensor") -> "Tensor":
        from torch.nn.functional import linear

        return linear(x, self._weights[f"{name}/weight"], self._weights[f"{name}/bias"])
