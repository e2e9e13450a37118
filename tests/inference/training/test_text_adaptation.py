"""The text model taught by utterances: it computes what the app computes, and it learns."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from assets.errors import BadInput, ModelFileError
from extractors.text import TextEncoder
from extractors.text_adapter import TextAdapter, write_text_adapter
from inference.training.labelled_item import LabelledItem
from inference.training.text_adaptation import (
    Adaptation,
    AdaptationSettings,
    AdaptedEncoder,
    trained_on,
)

SHORT = AdaptationSettings(epochs=4, batch=8, warmup=2, learning_rate=3e-3, dropout=0.0)


def utterance(number: int, text: str, emotion: str | None, split: str = "train") -> LabelledItem:
    sentiment = {"happy": 2.0, "angry": -2.0}.get(emotion or "", math.nan)
    return LabelledItem(f"u{number}", f"p{number}", emotion, sentiment, text=text, split=split)


UTTERANCES = [
    utterance(i, f"{'what a lovely day' if i % 2 else 'get out of my sight'} number {i}", emotion)
    for i in range(24)
    for emotion in [("happy" if i % 2 else "angry")]
]


@pytest.fixture
def files(models: Callable[[str], Path]) -> tuple[Path, Path]:
    return models("minilm/model.onnx"), models("minilm/tokenizer.json")


def test_the_app_computes_what_was_trained(files: tuple[Path, Path], tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = AdaptedEncoder(files[0].read_bytes(), AdaptationSettings()).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("up"):
                parameter.normal_(std=0.02)
    path = tmp_path / "adapter.safetensors"
    write_text_adapter(path, network.adapter(), {})
    encoder = TextEncoder(*files, adapter=path)
    words = ["what", "are", "you", "doing"]  # each a token of its own
    encoding = encoder._tokenizer.encode(words, is_pretokenized=True)
    assert encoding.word_ids == [None, 0, 1, 2, 3, None]
    ids = torch.tensor([[*encoding.ids, 0, 0]])  # what fills up is not looked at
    with torch.inference_mode():
        trained = network(ids, torch.tensor([[True] * 6 + [False] * 2]))
    assert np.allclose(encoder(words), trained[0, 1:5].numpy(), atol=1e-4)
    assert np.abs(encoder(words) - TextEncoder(*files)(words)).max() > 0.01


def test_it_learns_and_the_same_run_gives_the_same(files: tuple[Path, Path]) -> None:
    def run() -> tuple[list[float], TextAdapter]:
        losses: list[float] = []
        adapter = Adaptation(UTTERANCES, *files, SHORT).run(lambda _, loss: losses.append(loss))
        return losses, adapter

    losses, adapter = run()
    assert len(losses) == 4 * 3
    assert np.mean(losses[-3:]) < 0.6 * np.mean(losses[:3])
    again = run()[1]
    assert all(np.array_equal(adapter.up[name], again.up[name]) for name in adapter.up)
    assert all(np.abs(up).max() > 0 for up in adapter.up.values())


def test_what_the_corpus_holds_out_is_not_trained_on() -> None:
    items = [
        utterance(0, "yes", "happy"),
        utterance(1, "no", "angry", "dev"),
        utterance(2, "maybe", None),
        utterance(3, "  ", "sad"),
        utterance(4, "sure", "sad", ""),
    ]
    assert [item.id for item in trained_on(items)] == ["u0", "u4"]
    with pytest.raises(BadInput, match="no utterance with words and an emotion"):
        trained_on(items[1:4])


def test_another_network_than_minilm_is_refused(files: tuple[Path, Path]) -> None:
    import onnx

    model = onnx.load_model_from_string(files[0].read_bytes())
    for array in model.graph.initializer:
        if array.name.endswith("LayerNorm.weight"):
            array.name = "other"
    with pytest.raises(ModelFileError, match="not laid out as expected"):
        AdaptedEncoder(model.SerializeToString(), AdaptationSettings())
