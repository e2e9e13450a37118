"""MiniLM taught by labelled utterances to hear how something is said: a text adapter.

Only the narrow matrices of `extractors.text_adapter` are learned, with a linear head for emotion
and sentiment that is thrown away afterwards. The layers are those that are read of each word; the
head sees their mean over the tokens of the utterance.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assets.errors import BadInput, ModelFileError
from extractors.features import TEXT_LAYERS, TEXT_STATES, FloatArray
from extractors.text import MOST_TOKENS, WIDTH
from extractors.text_adapter import TextAdapter, linear_weights
from inference.training.examples import LABELS
from inference.training.item_features import LONGEST_WORDS
from inference.training.labelled_item import LabelledItem
from inference.training.losses import emotion_loss, sentiment_loss

__all__ = ["Adaptation", "AdaptationSettings", "AdaptedEncoder", "trained_on"]

HEADS = 12
"""Heads of MiniLM's attention."""
INNER = "inner."
LAYER_NORM_EPS = 1e-12
BUCKET = 20
"""Batches that are sorted by length together, so that little is padded."""


@dataclass(frozen=True, slots=True)
class AdaptationSettings:
    """How an adapter is trained; chosen on the utterances that MELD itself holds out (`dev`)."""

    rank: int = 8
    epochs: int = 2
    batch: int = 32
    learning_rate: float = 1e-3
    warmup: int = 100
    """Steps in which the learning rate rises; then it falls linearly to a fiftieth."""
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    label_smoothing: float = 0.05
    sentiment: float = 0.3
    """What the loss of the sentiment counts beside that of the emotion."""
    seed: int = 0


class AdaptedLinear(nn.Module):
    """x [..., in] @ (W + down @ up) + bias; W and the bias are fixed, the change begins at zero."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: FloatArray, bias: FloatArray, rank: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("bias", torch.from_numpy(bias))
        inside, outside = weight.shape
        self.down = nn.Parameter(torch.randn(inside, rank) / math.sqrt(inside))
        self.up = nn.Parameter(torch.zeros(rank, outside))

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        return F.linear(x, (self.weight + self.down @ self.up).T, self.bias)


class AdaptedLayer(nn.Module):
    """A layer of BERT (Devlin et al. 2019), normalised after each half, with adapted maps."""

    def __init__(self, weights: "_Weights", number: int, settings: AdaptationSettings) -> None:
        super().__init__()
        name = f"{INNER}encoder.layer.{number}."
        self.linear_maps: dict[str, AdaptedLinear] = {}
        """Those of this layer by their name in the file."""

        def linear(part: str) -> AdaptedLinear:
            found = weights.linear(f"{name}{part}", settings.rank)
            self.linear_maps[f"{name}{part}"] = found
            return found

        self.query = linear("attention.self.query")
        self.key = linear("attention.self.key")
        self.value = linear("attention.self.value")
        self.out = linear("attention.output.dense")
        self.attention_norm = weights.norm(f"{name}attention.output.LayerNorm")
        self.wide = linear("intermediate.dense")
        self.narrow = linear("output.dense")
        self.norm = weights.norm(f"{name}output.LayerNorm")
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """x [B, T, 384] and bool [B, T] -> [B, T, 384]."""
        query, key, value = (
            part(x).unflatten(2, (HEADS, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, valid[:, None, None])
        x = self.attention_norm(x + self.dropout(self.out(mixed.transpose(1, 2).flatten(2))))
        result: Tensor = self.norm(x + self.dropout(self.narrow(F.gelu(self.wide(x)))))
        return result


class AdaptedEncoder(nn.Module):
    """MiniLM up to the last layer that is read, as `extractors.text.TextEncoder` computes it."""

    words: Tensor
    positions: Tensor

    def __init__(self, model: bytes, settings: AdaptationSettings) -> None:
        """`model` is the ONNX file. Raises ModelFileError if it is not laid out as expected."""
        super().__init__()
        try:
            weights = _Weights(model)
            self.register_buffer("words", weights.constant("embeddings.word_embeddings.weight"))
            positions = weights.constant("embeddings.position_embeddings.weight")
            kind = weights.constant("embeddings.token_type_embeddings.weight")[0]
            self.register_buffer("positions", positions + kind)
            self.norm = weights.norm(f"{INNER}embeddings.LayerNorm")
            self.layers = nn.ModuleList(
                AdaptedLayer(weights, number, settings) for number in range(max(TEXT_LAYERS))
            )
        except (KeyError, ValueError) as error:
            raise ModelFileError(
                f"the text model is not laid out as expected ({error}); "
                "run: affectscope models verify"
            ) from error
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, ids: Tensor, valid: Tensor) -> Tensor:
        """Tokens int64 [B, T] and bool [B, T] -> states of `TEXT_LAYERS` side by side."""
        x = F.embedding(ids, self.words) + self.positions[: ids.shape[1]]
        x = self.dropout(self.norm(x))
        kept = []
        for number, layer in enumerate(self.layers, 1):
            x = layer(x, valid)
            if number in TEXT_LAYERS:
                kept.append(x)
        return torch.cat(kept, dim=2)

    def _adapted(self) -> Iterator[AdaptedLayer]:
        for layer in self.layers:
            assert isinstance(layer, AdaptedLayer)
            yield layer

    def adapter(self) -> TextAdapter:
        """What has been learned."""
        maps = {name: map_ for layer in self._adapted() for name, map_ in layer.linear_maps.items()}
        return TextAdapter(
            {name: map_.down.detach().numpy().copy() for name, map_ in maps.items()},
            {name: map_.up.detach().numpy().copy() for name, map_ in maps.items()},
        )


class _Weights:
    """The arrays of MiniLM's ONNX file, of 8 bits as of 32."""

    def __init__(self, model: bytes) -> None:
        import onnx
        from onnx import numpy_helper

        graph = onnx.load_model_from_string(model).graph
        self._arrays = {array.name: numpy_helper.to_array(array) for array in graph.initializer}
        self._linear = linear_weights(graph)

    def constant(self, name: str) -> Tensor:
        """An array by its name; where it has 8 bits, times its scale."""
        name = f"{INNER}{name}"
        values = self._arrays.get(name)
        if values is None:
            values = self._arrays[f"{name}_q"] * self._arrays[f"{name}_scale"]
        return torch.tensor(np.asarray(values, np.float32))

    def linear(self, name: str, rank: int) -> AdaptedLinear:
        bias = np.array(self._arrays[f"{name}.bias"], np.float32)
        return AdaptedLinear(np.array(self._linear[name], np.float32), bias, rank)

    def norm(self, name: str) -> nn.LayerNorm:
        norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPS)
        for part in ("weight", "bias"):
            getattr(norm, part).data = torch.tensor(self._arrays[f"{name}.{part}"])
        return norm.requires_grad_(False)


def trained_on(items: Sequence[LabelledItem]) -> list[LabelledItem]:
    """The items with words and an emotion that are not held out by the corpus's own split.

    Raises BadInput if there is none.
    """
    found = [i for i in items if i.text.split() and i.emotion and i.split in ("", "train")]
    if not found:
        raise BadInput("there is no utterance with words and an emotion to train on")
    return found


class Adaptation:
    """One run on those of `items` that `trained_on` takes; the same run gives the same adapter."""

    def __init__(
        self,
        items: Sequence[LabelledItem],
        model: Path,
        tokenizer: Path,
        settings: AdaptationSettings | None = None,
    ) -> None:
        """Read MiniLM and the utterances. Raises ModelFileError and, without any, BadInput."""
        from tokenizers import Tokenizer

        self.settings = settings or AdaptationSettings()
        torch.manual_seed(self.settings.seed)
        self._encoder = AdaptedEncoder(model.read_bytes(), self.settings)
        self._head = nn.Linear(TEXT_STATES, len(LABELS) + 1)
        items = trained_on(items)
        self.utterances = len(items)
        reader: Any = Tokenizer.from_file(str(tokenizer))
        reader.no_padding()
        reader.enable_truncation(MOST_TOKENS, direction="left")
        self._tokens = [
            reader.encode(item.text.split()[-LONGEST_WORDS:], is_pretokenized=True).ids
            for item in items
        ]
        self._emotion = torch.tensor([LABELS.index(item.emotion or "") for item in items])
        self._sentiment = torch.tensor([item.sentiment for item in items], dtype=torch.float32)
        self.steps = self.settings.epochs * math.ceil(len(items) / self.settings.batch)

    def run(self, report: Callable[[int, float], None] = lambda *_: None) -> TextAdapter:
        """Train, and tell each step and its loss."""
        settings = self.settings
        learned = [p for p in self._encoder.parameters() if p.requires_grad]
        learned += self._head.parameters()
        optimiser = torch.optim.AdamW(
            learned, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate)
        self._encoder.train()
        for step, items in enumerate(self._batches(), 1):
            loss = self._loss(items)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            norm = nn.utils.clip_grad_norm_(learned, settings.clip)
            if not torch.isfinite(norm):
                raise BadInput(f"the adaptation diverges at step {step}")
            optimiser.step()
            schedule.step()
            report(step, loss.item())
        self._encoder.eval()
        return self._encoder.adapter()

    def _rate(self, step: int) -> float:
        return min(1.0, (step + 1) / self.settings.warmup) * max(0.02, 1 - step / self.steps)

    def _batches(self) -> Iterator[npt.NDArray[np.int64]]:
        """Every utterance once an epoch, those of a batch about as long as each other."""
        size = self.settings.batch
        lengths = np.asarray([len(tokens) for tokens in self._tokens])
        for epoch in range(self.settings.epochs):
            generator = np.random.default_rng([self.settings.seed, epoch])
            order = generator.permutation(len(lengths))
            found = []
            for first in range(0, len(order), BUCKET * size):
                some = order[first : first + BUCKET * size]
                some = some[np.argsort(lengths[some], kind="stable")]
                found += [some[i : i + size] for i in range(0, len(some), size)]
            for index in generator.permutation(len(found)):
                yield found[index]

    def _loss(self, items: npt.NDArray[np.int64]) -> Tensor:
        longest = max(len(self._tokens[i]) for i in items)
        ids = torch.zeros(len(items), longest, dtype=torch.int64)
        valid = torch.zeros(len(items), longest, dtype=torch.bool)
        for row, i in enumerate(items):
            tokens = self._tokens[i]
            ids[row, : len(tokens)] = torch.tensor(tokens)
            valid[row, : len(tokens)] = True
        states = self._encoder(ids, valid).masked_fill(~valid[..., None], 0.0)
        mean = states.sum(1) / valid.sum(1, keepdim=True)
        outputs = self._head(F.dropout(mean, self.settings.dropout))
        counts = torch.ones(len(items), dtype=torch.bool)
        smoothing = self.settings.label_smoothing
        emotion = emotion_loss(outputs[:, :-1], self._emotion[items], counts, smoothing)
        sentiment = sentiment_loss(outputs[:, -1], self._sentiment[items], counts)
        return emotion + self.settings.sentiment * sentiment
