"""What the words mean: token states of MiniLM for each word in its context."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from assets.errors import ModelFileError
from extractors.cuda_libraries import load_cuda_libraries
from extractors.features import TEXT_LAYERS, FloatArray, TextContext, Word
from extractors.gpu_or_cpu import CPU, GaveWay, GpuOrCpu, ignore
from extractors.onnx_outputs import with_outputs
from extractors.stream import SECOND, Sample
from extractors.text_adapter import adapted, read_text_adapter

__all__ = ["CONTEXT_SPAN", "CONTEXT_WORDS", "TextEncoder", "TextStage", "open_text_stage"]

CONTEXT_WORDS = 24
CONTEXT_SPAN = 8 * SECOND
"""Words are read together with the words before them, as far back as the window looks."""
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
MOST_TOKENS = 512
"""Positions of the network, with the two marks at the ends."""
WIDTH = 384
"""Of a token's state in any layer."""
LAYERS = 6


def output_of(layer: int) -> str:
    """What the file calls the states behind a layer, 1 to 6: each has two normalisations."""
    return "last_hidden_state" if layer == LAYERS else f"layer_norm_{2 * layer}"


class TextEncoder:
    """all-MiniLM-L6-v2 through ONNX Runtime: contextual states, one row per word."""

    def __init__(
        self,
        model: Path,
        tokenizer: Path,
        *,
        adapter: Path | None = None,
        layers: Sequence[int] = TEXT_LAYERS,
        threads: int = 1,
        device: str = "cpu",
        gave_way: GaveWay = ignore,
    ) -> None:
        """Load the network and its tokenizer. Raises ModelFileError if a file is damaged.

        `adapter` is a file that changes the network, see `extractors.text_adapter`; without one it
        is as published.
        `layers`, 1 to 6, are those whose states are given, side by side; none behind the last of
        them is computed.
        `device` is "cpu" or "cuda"; a GPU that cannot take the network, or fails later, leaves it
        to the CPU; `device` then says so, and `gave_way` why.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._outputs = [output_of(layer) for layer in layers]
        change = None if adapter is None else read_text_adapter(adapter)

        def load(on: str) -> Any:
            provider = PROVIDERS[on]
            if on != CPU:
                load_cuda_libraries()
            # its own way back to the CPU prints on standard output and cannot be asked
            inside = [name for name in self._outputs if name != output_of(LAYERS)]
            network = model.read_bytes()
            if change is not None:
                network = adapted(network, change)
            session = onnxruntime.InferenceSession(
                with_outputs(network, inside),
                options,
                providers=[provider],
                enable_fallback=0,
            )
            taken = session.get_providers()[0]
            if taken != provider:  # without CUDA's libraries it takes the CPU and says nothing
                raise RuntimeError(f"ONNX Runtime took {taken} instead of {provider}")
            return session

        try:
            self._session: GpuOrCpu[Any] = GpuOrCpu(load, device, gave_way)
            self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # both libraries raise bare or private exception types
            raise ModelFileError(
                f"the text model {model.name} cannot be read ({error}); "
                "run: affectscope models verify"
            ) from error
        self._tokenizer.no_padding()
        # a word that the speech model repeats without end must not be longer than the network takes
        self._tokenizer.enable_truncation(MOST_TOKENS, direction="left")

    @property
    def device(self) -> str:
        """Where the network runs: "cpu" or "cuda"."""
        return self._session.device

    def __call__(self, words: Sequence[str]) -> FloatArray:
        """States of `words` in the context of each other: float32 [len(words), 384 x layers].

        A word's state is the mean over its tokens; a word without any token has a zero row. Of
        more than 512 tokens the last are read.
        """
        states = np.zeros((len(words), WIDTH * len(self._outputs)), np.float32)
        if not words:
            return states
        encoding = self._tokenizer.encode(list(words), is_pretokenized=True)
        ids = np.asarray([encoding.ids], np.int64)
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        hidden = self._session(lambda session: session.run(self._outputs, feed))
        tokens = np.concatenate([layer[0] for layer in hidden], axis=1)
        counts = np.zeros(len(words), np.int64)
        for token, word in zip(tokens, encoding.word_ids, strict=True):
            if word is not None:
                states[word] += token
                counts[word] += 1
        mean: FloatArray = (states / np.maximum(counts, 1)[:, None]).astype(np.float32)
        return mean


class TextStage:
    """Words to `TextContext`: with each word, the last words up to it and their states.

    None, which says that time has passed, is handed on.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._words: deque[Word] = deque(maxlen=CONTEXT_WORDS)

    def process(self, sample: Sample[Word | None]) -> Iterator[Sample[TextContext | None]]:
        if sample.data is None:
            yield Sample("text", sample.start, sample.end, sample.published, None)
            return
        self._words.append(sample.data)
        while self._words[0].end <= sample.end - CONTEXT_SPAN:
            self._words.popleft()
        words = tuple(self._words)
        context = TextContext(words, self._encoder([word.text for word in words]))
        yield Sample("text", sample.start, sample.end, sample.published, context)

    def finish(self) -> Iterator[Sample[TextContext | None]]:
        return iter(())


@contextmanager
def open_text_stage(encoder: Callable[[], TextEncoder]) -> Iterator[TextStage]:
    """The stage; the encoder is shared and stays with whoever gives it."""
    yield TextStage(encoder())
