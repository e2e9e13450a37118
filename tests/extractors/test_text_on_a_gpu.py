"""MiniLM on a real GPU."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from extractors.text import TextEncoder

pytestmark = pytest.mark.gpu


def test_words_mean_the_same_there(models: Callable[[str], Path]) -> None:
    told: list[str] = []
    files = models("minilm/model.onnx"), models("minilm/tokenizer.json")
    on_gpu = TextEncoder(*files, device="cuda", gave_way=told.append)
    assert (on_gpu.device, told) == ("cuda", [])
    words = [
        "I",
        "never",
        "thought",
        "that",
        "I",
        "would",
        "be",
        "so",
        "happy",
        "to",
        "see",
        "it",
        "rain",
    ]
    found, wanted = on_gpu(words), TextEncoder(*files)(words)
    assert np.abs(found - wanted).max() < 1e-3 * np.abs(wanted).max()
    assert on_gpu.device == "cuda"
