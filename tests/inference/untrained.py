"""A checkpoint with random weights."""

import numpy as np

from extractors.features import LIVE_WINDOWS
from inference.checkpoint import Checkpoint, Normaliser

__all__ = ["untrained"]


def untrained(temperature: float = 1.0) -> Checkpoint:
    """The network of the preset `live` as it is before training."""
    import torch

    from inference.model import DHMD
    from inference.training.configuration import network, read_settings

    config = network(read_settings("live"))
    torch.manual_seed(0)
    weights = {name: tensor.numpy() for name, tensor in DHMD(config).state_dict().items()}
    sizes = {name: window.features for name, window in LIVE_WINDOWS.modalities.items()}
    normaliser = Normaliser(
        {name: np.zeros(size, np.float32) for name, size in sizes.items()},
        {name: np.ones(size, np.float32) for name, size in sizes.items()},
    )
    temperatures = dict.fromkeys(sizes, temperature)
    return Checkpoint(config, LIVE_WINDOWS, normaliser, weights, temperatures, {"seed": 0})
