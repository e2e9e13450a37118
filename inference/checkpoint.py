"""A trained network in one safetensors file: weights, normaliser, labels, windows, origin."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets import ASSETS
from assets.errors import ModelFileError
from extractors.features import EMOTIONS, MODALITIES, FloatArray
from extractors.stream.window import Window, WindowSpec

if TYPE_CHECKING:
    from inference.model import DHMD, DHMDConfig

__all__ = [
    "FORMAT",
    "Checkpoint",
    "Normaliser",
    "checkpoint_path",
    "load_checkpoint",
    "save_checkpoint",
]

FORMAT = "affectscope-dhmd-1"
"""Name and version of the layout of the metadata."""
LARGEST = 5.0
"""Normalised features are held within this many standard deviations."""
NORMALISER = "normaliser."


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Mean and standard deviation of each feature over the valid steps of the training people."""

    mean: Mapping[str, FloatArray]
    deviation: Mapping[str, FloatArray]

    def __call__(
        self, modality: str, features: FloatArray, valid: npt.NDArray[np.bool_]
    ) -> FloatArray:
        """Features [..., steps, n] as the network takes them; steps that are not valid are 0."""
        scaled = (features - self.mean[modality]) / self.deviation[modality]
        held = np.clip(scaled, -LARGEST, LARGEST)
        return np.where(valid[..., None], held, 0).astype(np.float32)

    @classmethod
    def fitted(cls, windows: Mapping[str, list[Window]]) -> "Normaliser":
        """The normaliser of the valid steps of each modality in its windows."""
        mean: dict[str, FloatArray] = {}
        deviation: dict[str, FloatArray] = {}
        for name, found in windows.items():
            rows = np.concatenate([w.features[name][w.valid[name]] for w in found]).astype(
                np.float64
            )
            mean[name] = rows.mean(axis=0).astype(np.float32)
            # a feature that never moves carries nothing and must not be blown up later
            deviation[name] = np.maximum(rows.std(axis=0), 1e-3).astype(np.float32)
        return cls(mean, deviation)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is needed to predict as the trainer did, and where the weights came from."""

    config: "DHMDConfig"
    windows: WindowSpec
    normaliser: Normaliser
    weights: Mapping[str, FloatArray]
    temperature: float
    """Divides the emotion logits before the softmax (fitted on held-out people)."""
    origin: Mapping[str, Any]
    """Data, licence, seed, measured numbers: plain JSON."""

    def model(self) -> "DHMD":
        """The network with these weights, ready to predict.

        Raises ModelFileError if the weights do not fit the configuration.
        """
        import torch

        from inference.model import DHMD

        model = DHMD(self.config)
        try:
            model.load_state_dict({k: torch.from_numpy(v) for k, v in self.weights.items()})
        except RuntimeError as error:
            line = " ".join(str(error).split())
            raise ModelFileError(f"the weights do not fit their configuration: {line}") from error
        return model.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint; a file that is there is replaced only by a whole one."""
    from safetensors.numpy import save_file

    tensors = {f"weights.{name}": np.ascontiguousarray(v) for name, v in checkpoint.weights.items()}
    for name in MODALITIES:
        tensors[f"{NORMALISER}{name}.mean"] = checkpoint.normaliser.mean[name]
        tensors[f"{NORMALISER}{name}.deviation"] = checkpoint.normaliser.deviation[name]
    metadata = {
        "format": FORMAT,
        "config": json.dumps(asdict(checkpoint.config)),
        "emotions": json.dumps(checkpoint.config.emotions),
        "windows": json.dumps(checkpoint.windows.to_dict()),
        "temperature": repr(checkpoint.temperature),
        "origin": json.dumps(checkpoint.origin),
    }
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata)
    partial.replace(path)


def checkpoint_path(which: str | Path) -> Path:
    """The file of a checkpoint: a path, or the name of one that comes with the program ("live").

    Raises ModelFileError if there is none.
    """
    named = ASSETS / f"{Path(which).name}.safetensors"
    for path in (Path(which), *([named] if str(which) == Path(which).name else [])):
        if path.is_file():
            return path
    raise ModelFileError(f"there is no checkpoint {which}; give a .safetensors file, or live")


def load_checkpoint(which: str | Path) -> Checkpoint:
    """Read a checkpoint, see `checkpoint_path`.

    Raises ModelFileError if there is none, or if it is damaged or of another version.
    """
    from safetensors import SafetensorError, safe_open

    path = checkpoint_path(which)
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"the checkpoint {path} is damaged: {error}") from error
    if metadata.get("format") != FORMAT:
        raise ModelFileError(
            f"the checkpoint {path} has format {metadata.get('format')}, not {FORMAT}; "
            "it was made by another version of Affectscope"
        )
    try:
        return _assemble(metadata, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"the checkpoint {path} is damaged at {error}") from error


def _assemble(metadata: Mapping[str, str], tensors: Mapping[str, FloatArray]) -> Checkpoint:
    from inference.model import DHMDConfig, ModalityConfig

    values = json.loads(metadata["config"])
    for name in MODALITIES:
        values[name] = ModalityConfig(**values[name])
    values["emotions"] = tuple(values["emotions"])
    normaliser = Normaliser(
        {name: tensors[f"{NORMALISER}{name}.mean"] for name in MODALITIES},
        {name: tensors[f"{NORMALISER}{name}.deviation"] for name in MODALITIES},
    )
    prefix = "weights."
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name}, which is not finite")
    checkpoint = Checkpoint(
        config=DHMDConfig(**values),
        windows=WindowSpec.from_dict(json.loads(metadata["windows"])),
        normaliser=normaliser,
        weights=weights,
        temperature=float(metadata["temperature"]),
        origin=json.loads(metadata["origin"]),
    )
    _check_fit(checkpoint)
    return checkpoint


def _check_fit(checkpoint: Checkpoint) -> None:
    """Raises ValueError if the parts of a checkpoint contradict each other."""
    config, windows = checkpoint.config, checkpoint.windows
    if tuple(config.emotions) != EMOTIONS:
        raise ValueError(f"its emotions, which are {', '.join(config.emotions)}")
    if windows.hop <= 0 or not 0 < checkpoint.temperature < np.inf:
        raise ValueError("its hop or temperature, which must be above 0")
    for name, window in windows.modalities.items():
        network = config.modalities[name]
        if (window.features, window.steps) != (network.features, network.steps):
            raise ValueError(f"the windows of {name}, which the network does not take")
        mean, deviation = checkpoint.normaliser.mean[name], checkpoint.normaliser.deviation[name]
        if mean.shape != (window.features,) or deviation.shape != mean.shape:
            raise ValueError(f"the normaliser of {name}, which does not fit its windows")
        if not (deviation > 0).all():
            raise ValueError(f"the normaliser of {name}, whose deviations must be above 0")
