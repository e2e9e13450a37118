"""Whisper's decoder, made for sound that grows: what was decoded before is read, not decoded.

A pass over growing sound finds mostly the words of the pass before. CTranslate2 takes given words
a token at a time; here they pass through the network at once, and so do those that are expected:
they are kept as far as the network itself would have chosen them, so the outcome is that of
decoding them one by one (speculative decoding, Leviathan et al. 2023, arXiv:2211.17192, greedy).
The attention that tells when a word was said comes with it.

The network is that of Radford et al. 2022 (arXiv:2212.04356): learned positions, pre-LayerNorm
layers with attention to the tokens so far and to the sound. Weights are those of the CTranslate2
file; products with them are in 8-bit integers, as CTranslate2 has them, and all else in floats.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.errors import ModelFileError
from extractors.features import FloatArray
from extractors.onnx_graph import Graph
from extractors.voice_encoder import HEAD_WIDTH, read_weights

__all__ = ["Decoded", "WordDecoder", "runs_on"]

DECODER = "decoder/"
LONGEST_LOOP = 12
"""Tokens of the longest phrase that is looked at for repetition."""
IMPOSSIBLE = -1e9
"""A logit; finite, so that 0 times it is 0."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Tokens after the prompt, and where the network looked when it chose each."""

    tokens: tuple[int, ...]
    """Given and chosen ones, without the end."""
    probabilities: FloatArray
    """[tokens] of each; of those that were given it is not computed and stands as 1."""
    attention: FloatArray
    """[heads, tokens + 1, positions]: where the heads that follow the sound looked for each token,
    and for what follows the last one. Every row sums to 1."""


class WordDecoder:
    """Greedy decoding of states of sound with silence behind. For one thread at a time."""

    def __init__(self, folder: Path, silence: FloatArray, prompt: Sequence[int], end: int) -> None:
        """Load the decoder of a CTranslate2 folder.

        `silence` float32 [positions, width] are the encoder's states of silence, `prompt` the
        tokens with which every decoding starts, `end` the token that ends it; tokens above it are
        no words. Raises ModelFileError if the folder holds no decoder of Whisper.
        """
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            heads = [(int(layer), int(head)) for layer, head in config["alignment_heads"]]
            barred = [_barred(config[name], end) for name in ("suppress_ids", "suppress_ids_begin")]
            weights = {
                name: values.astype(np.float32)
                for name, values in read_weights(folder / "model.bin", DECODER).items()
            }
            self._layers = sum(name.endswith("/ffn/linear_0/weight") for name in weights)
            names = [f"layer_{layer}/attention/linear_1" for layer in range(self._layers)]
            self._memory = [(weights[f"{n}/weight"].T, weights[f"{n}/bias"]) for n in names]
            self.session: Any = _network(weights, self._layers, heads, *barred).session()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelFileError(
                f"the speech model in {folder} has no decoder that can be read ({error}); "
                "run: affectscope models verify"
            ) from error
        self._prompt = tuple(prompt)
        self._end = end
        self._silence = self._keys_and_values(silence)
        self._keys, self._values = (part.copy() for part in self._silence)
        self._written = 0

    @property
    def positions(self) -> int:
        """States that the decoder sees: those of the sound, and behind them silence."""
        return int(self._keys.shape[-1])

    def __call__(
        self,
        states: FloatArray,
        said: Sequence[int] = (),
        expected: Sequence[int] = (),
        *,
        most: int,
        silence: int | None = None,
    ) -> Decoded:
        """Decode states float32 [n, width], n <= `positions`.

        `said` are tokens that it certainly begins with, `expected` ones that may follow. At most
        `most` tokens are chosen. `silence`: so many states of it are behind at most.
        """
        self._listen(states)
        count = self.positions if silence is None else len(states) + silence
        text = _Text(self.session, self._keys[..., :count], self._values[..., :count, :])
        given = (*self._prompt, *said)
        chosen: list[int] = []
        probabilities = [1.0] * len(said)
        draft = tuple(expected)[:most]
        reading: tuple[int, ...] = given
        while True:
            kept = text.count + len(reading)
            opens = not said and not chosen
            tokens, likely = text.read((*reading, *draft), len(draft) + 1, opens=opens)
            right = _common(tokens, draft)
            chosen += draft[:right]
            probabilities += likely[: right + 1]
            text.forget(kept + right)
            token = tokens[right]
            if token == self._end or len(chosen) >= most or runs_on(chosen):
                break
            chosen.append(token)
            reading, draft = (token,), _after(token, draft[right:])[: most - len(chosen)]
        rows = text.attention()[:, len(self._prompt) - 1 :]
        return Decoded(
            (*said, *chosen), np.asarray(probabilities[: len(said) + len(chosen)], np.float32), rows
        )

    def _listen(self, states: FloatArray) -> None:
        """Put keys and values of the states in front of those of silence."""
        n, before = len(states), self._written
        keys, values = self._silence
        if n < before:
            self._keys[..., n:before] = keys[..., n:before]
            self._values[..., n:before, :] = values[..., n:before, :]
        self._keys[..., :n], self._values[..., :n, :] = self._keys_and_values(states)
        self._written = n

    def _keys_and_values(self, states: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each layer's attention to the sound: [layers, heads, 64, n] and [.., heads, n, 64]."""
        x = np.asarray(states, np.float32)
        both = np.stack([x @ weight + bias for weight, bias in self._memory])
        both = both.reshape(self._layers, len(x), 2, -1, HEAD_WIDTH)
        keys, values = both[:, :, 0].transpose(0, 2, 3, 1), both[:, :, 1].transpose(0, 2, 1, 3)
        return np.ascontiguousarray(keys), np.ascontiguousarray(values)


class _Text:
    """The network over a growing row of tokens: keys and values of those that were read."""

    def __init__(self, session: Any, keys: FloatArray, values: FloatArray) -> None:
        self._session = session
        self.count = 0
        self._looked: list[FloatArray] = []
        self._sound: dict[str, FloatArray] = {}
        for layer, (key, value) in enumerate(zip(keys, values, strict=True)):
            self._sound[f"keys {layer}"] = np.ascontiguousarray(key)
            self._sound[f"values {layer}"] = np.ascontiguousarray(value)
        layers, heads = keys.shape[:2]
        self._past = [np.zeros((2, heads, 0, HEAD_WIDTH), np.float32)] * layers

    def read(
        self, tokens: Sequence[int], rows: int, *, opens: bool
    ) -> tuple[list[int], list[float]]:
        """The likeliest tokens after each of the last `rows` tokens, and how likely they are.

        `opens`: what follows the first of them is the first token of the text.
        """
        t = len(tokens)
        late = np.triu(np.ones((t, self.count + t), bool), self.count + 1)
        feed = {
            "tokens": np.asarray(tokens, np.int64),
            "positions": np.arange(self.count, self.count + t),
            "mask": np.where(late, np.float32(-np.inf), np.float32(0)),
            "first": np.asarray([t - rows], np.int64),
            "opening": np.asarray([[opens]] + [[False]] * (rows - 1), np.float32),
            **{f"past {layer}": past for layer, past in enumerate(self._past)},
            **self._sound,
        }
        chosen, likely, looked, *self._past = self._session.run(None, feed)
        self._looked.append(looked)
        self.count += t
        return chosen.tolist(), likely.tolist()

    def forget(self, count: int) -> None:
        """Keep the first tokens alone."""
        drop = self.count - count
        if drop:
            self._past = [np.ascontiguousarray(past[:, :, :count]) for past in self._past]
            self._looked[-1] = self._looked[-1][:, :-drop]
            self.count = count

    def attention(self) -> FloatArray:
        """[heads, tokens, positions] of all tokens read."""
        return np.concatenate(self._looked, axis=1)


def _common(tokens: Sequence[int], draft: Sequence[int]) -> int:
    """How many first tokens are those of the draft."""
    return next((i for i, (a, b) in enumerate(zip(tokens, draft, strict=False)) if a != b),
                len(draft))  # fmt: skip


def runs_on(tokens: Sequence[int]) -> bool:
    """Whether the tokens end with the same phrase three times over.

    Whoever really said it that often is heard on when the first of it is committed.
    """
    return any(
        len(tokens) >= 3 * size and tokens[-size:] == tokens[-2 * size : -size]
        and tokens[-size:] == tokens[-3 * size : -2 * size]
        for size in range(1, LONGEST_LOOP + 1)
    )  # fmt: skip


def _after(token: int, draft: tuple[int, ...]) -> tuple[int, ...]:
    """What may follow `token`, which came in the place of the first of the draft."""
    if token in draft:
        return draft[draft.index(token) + 1 :]
    return draft[1:]


def _barred(tokens: Sequence[int], end: int) -> FloatArray:
    """What to add to logits [end + 1] so that none of the tokens is chosen."""
    added = np.zeros(end + 1, np.float32)
    added[[token for token in tokens if token <= end]] = IMPOSSIBLE
    return added


def _network(
    weights: Mapping[str, FloatArray],
    layers: int,
    heads: Sequence[tuple[int, int]],
    barred: FloatArray,
    barred_first: FloatArray,
) -> Graph:
    """The decoder over t tokens behind p ones that were read, and s states of sound.

    Inputs: tokens [t] and their positions [t]; mask [t, p + t], minus infinity where a token must
    not look; first, the row from which on a choice is wanted; opening [t - first, 1], 1 where it is
    the first token of a text; of each layer past [2, heads, p, 64], keys [heads, 64, s] and values
    [heads, s, 64] of the sound.
    Outputs: chosen [t - first] and likely [t - first]; looked [alignment heads, t, s]; of each
    layer present [2, heads, p + t, 64].
    """
    g = Graph("decoder of words")
    w = weights
    tokens = g.input("tokens", ["t"], np.int64)
    positions = g.input("positions", ["t"], np.int64)
    mask = g.input("mask", ["t", "p+t"])
    first = g.input("first", [1], np.int64)
    opening = g.input("opening", ["r", 1])
    width = w["embeddings/weight"].shape[1]
    count = width // HEAD_WIDTH
    scale = g.constant(HEAD_WIDTH**-0.5)

    def norm(name: str, x: str) -> str:
        gamma, beta = (w[f"{name}layer_norm/{part}"] for part in ("gamma", "beta"))
        return g.layer_norm(x, gamma, beta)

    def product(name: str, x: str) -> str:
        return g.int8_product(x, w[f"{name}/weight"], w[f"{name}/bias"])

    def merged(x: str) -> str:  # [heads, t, 64] -> [t, width]
        return g.reshape(g("Transpose", x, perm=[1, 0, 2]), -1, width)

    embedded = g("Gather", g.constant(w["embeddings/weight"]), tokens)
    x = g("Add", embedded, g("Gather", g.constant(w["position_encodings/encodings"]), positions))
    looked, present = [], []
    for layer in range(layers):
        name = f"layer_{layer}/"
        past = g.input(f"past {layer}", [2, count, "p", HEAD_WIDTH])
        key = g.input(f"keys {layer}", [count, HEAD_WIDTH, "s"])
        value = g.input(f"values {layer}", [count, "s", HEAD_WIDTH])

        both = product(f"{name}self_attention/linear_0", norm(f"{name}self_attention/", x))
        both = g("Transpose", g.reshape(both, -1, 3, count, HEAD_WIDTH), perm=[1, 2, 0, 3])
        query, new = g.several("Split", both, g.constant([1, 2]), outputs=2, axis=0)
        present.append(g("Concat", past, new, axis=2))
        before, told = g.several("Split", present[-1], g.constant([1, 1]), outputs=2, axis=0)
        scores = g("MatMul", g("Mul", query, scale), g("Transpose", before, perm=[0, 1, 3, 2]))
        weight = g("Softmax", g("Add", scores, mask), axis=-1)
        mixed = g.reshape(g("MatMul", weight, told), count, -1, HEAD_WIDTH)
        x = g("Add", x, product(f"{name}self_attention/linear_1", merged(mixed)))

        query = product(f"{name}attention/linear_0", norm(f"{name}attention/", x))
        query = g("Transpose", g.reshape(query, -1, count, HEAD_WIDTH), perm=[1, 0, 2])
        looks = g("Softmax", g("MatMul", g("Mul", query, scale), key), axis=-1)
        chosen_heads = [head for of, head in heads if of == layer]
        if chosen_heads:
            looked.append(g("Gather", looks, g.constant(chosen_heads), axis=0))
        mixed = g("MatMul", looks, value)
        x = g("Add", x, product(f"{name}attention/linear_2", merged(mixed)))

        inner = product(f"{name}ffn/linear_0", norm(f"{name}ffn/", x))
        x = g("Add", x, product(f"{name}ffn/linear_1", g("Gelu", inner)))
    last = g("Slice", norm("", x), first, g.constant([np.iinfo(np.int64).max]), g.constant([0]))
    logits = g.int8_product(last, w["embeddings/weight"][: len(barred)])
    total = g("ReduceLogSumExp", logits, g.constant([1]), keepdims=0)
    allowed = g("Add", logits, g.constant(barred))
    allowed = g("Add", allowed, g("Mul", opening, g.constant(barred_first)))
    best = g("ReduceMax", allowed, g.constant([1]), keepdims=0)
    g.output("chosen", g("ArgMax", allowed, axis=1, keepdims=0), np.int64)
    g.output("likely", g("Exp", g("Sub", best, total)))
    g.output("looked", g("Concat", *looked, axis=0))
    for layer, value in enumerate(present):
        g.output(f"present {layer}", value)
    return g
