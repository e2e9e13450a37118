"""A network small enough for tests, and batches for it."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from extractors.features import EMOTIONS, LIVE_WINDOWS
from inference.checkpoint import Checkpoint, Normaliser
from inference.model import DHMD, DHMDConfig, ModalityConfig

SMALL = DHMDConfig(
    text=ModalityConfig(features=5, steps=6, kernel=3),
    voice=ModalityConfig(features=7, steps=9, kernel=5),
    face=ModalityConfig(features=4, steps=9, kernel=1),
    emotions=("neutral", "happy", "sad"),
    width=8,
    heads=2,
    layers=2,
    atoms=12,
    node_width=4,
    dropout=0.0,
    output_dropout=0.0,
)

Batch = tuple[dict[str, Tensor], dict[str, Tensor]]


def random_batch(config: DHMDConfig = SMALL, size: int = 4, seed: int = 0) -> Batch:
    """Features and masks with gaps anywhere, every modality present in every sample."""
    generator = torch.Generator().manual_seed(seed)
    features, valid = {}, {}
    for name, modality in config.modalities.items():
        shape = (size, modality.steps)
        features[name] = torch.randn(*shape, modality.features, generator=generator)
        valid[name] = torch.rand(shape, generator=generator) < 0.6
        valid[name][:, 2] = True
    return features, valid


def with_modalities(batch: Batch, present: Tensor) -> Batch:
    """The batch with modality m of sample b absent where present [B, 3] is false."""
    features, valid = batch
    return features, {
        name: mask & present[:, m, None] for m, (name, mask) in enumerate(valid.items())
    }


def changed(config: DHMDConfig = SMALL, **values: object) -> DHMDConfig:
    """The configuration with some values replaced."""
    return dataclasses.replace(config, **values)  # type: ignore[arg-type]


def small_live() -> Checkpoint:
    """Of a network that takes what the app's takes, and is small; never trained."""
    windows = LIVE_WINDOWS.modalities
    inputs = {name: ModalityConfig(m.features, m.steps) for name, m in windows.items()}
    config = changed(emotions=EMOTIONS, **inputs)
    torch.manual_seed(0)
    weights = {name: tensor.numpy() for name, tensor in DHMD(config).state_dict().items()}
    normaliser = Normaliser(
        {name: np.zeros(m.features, np.float32) for name, m in windows.items()},
        {name: np.ones(m.features, np.float32) for name, m in windows.items()},
    )
    return Checkpoint(config, LIVE_WINDOWS, normaliser, weights, dict.fromkeys(windows, 1.0), {})
