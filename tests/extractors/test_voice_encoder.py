"""The first layers of the encoder, computed here, against the library that computes them all."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import layer_norm

from assets.errors import ModelFileError
from extractors.features import SAMPLE_RATE
from extractors.voice_encoder import VoiceEncoder, read_weights

Models = Callable[[str], Path]


def test_with_all_layers_it_gives_what_the_library_gives(models: Models) -> None:
    from faster_whisper import WhisperModel

    folder = models("whisper-tiny.en")
    model = WhisperModel(str(folder), device="cpu", compute_type="float32", cpu_threads=1)
    sound = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE).astype(np.float32) / 20
    mel = model.feature_extractor(sound, padding=0)[:, :200]
    wanted = np.asarray(model.encode(mel))[0]

    weights = read_weights(folder / "model.bin")
    states = VoiceEncoder(weights, (2, 4))(mel)
    assert states.shape == (100, 768)
    assert states.dtype == np.float32
    last = [
        torch.from_numpy(weights[f"layer_norm/{p}"].astype(np.float32)) for p in ("gamma", "beta")
    ]
    found = layer_norm(torch.from_numpy(states[:, 384:]), (384,), *last).numpy()
    assert np.abs(found - wanted).max() < 2e-3 * np.abs(wanted).max()


def test_a_file_that_is_no_model_is_named(models: Models, tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"no model", bytes(100))):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=rf"{number}\.bin|no weights"):
            VoiceEncoder(read_weights(path))
    short = tmp_path / "short.bin"
    shutil.copy(models("whisper-tiny.en") / "model.bin", short)
    with short.open("r+b") as file:
        file.truncate(100_000)
    with pytest.raises(ModelFileError, match=r"short\.bin is damaged"):
        read_weights(short)
