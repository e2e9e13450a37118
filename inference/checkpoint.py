"""A trained network in one safetensors file: weights, normaliser, labels, windows, origin."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets import ASSETS
from assets.errors import BadInput, ModelFileError
from extractors.features import EMOTIONS, LIVE_WINDOWS, MODALITIES, FloatArray
from extractors.stream.window import Window, WindowSpec
from inference.network_configuration import DHMDConfig, ModalityConfig
from inference.whole_file import require_writable, whole_file

if TYPE_CHECKING:
    from inference.model import DHMD

__all__ = [
    "FORMAT",
    "Checkpoint",
    "Normaliser",
    "checkpoint_path",
    "load_checkpoint",
    "require_place",
    "save_checkpoint",
]

CHECKPOINT = "the checkpoint"
FORMAT = "affectscope-dhmd-4"
"""Name and version of the layout of the metadata."""
LARGEST = 5.0
"""Normalised features are held within this many standard deviations."""
DIGEST = "sha256"
NORMALISER = "normaliser."
REST = "rest."


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
    def fitted(cls, windows: Mapping[str, Iterable[Window]]) -> "Normaliser":
        """The normaliser of the valid steps of each modality in its windows, one at least."""
        mean: dict[str, FloatArray] = {}
        deviation: dict[str, FloatArray] = {}
        for name, found in windows.items():
            rows = np.concatenate([w.features[name][w.valid[name]] for w in found])
            rows = rows.astype(np.float64)
            mean[name] = rows.mean(axis=0).astype(np.float32)
            # a feature that never moves carries nothing and must not be blown up later
            deviation[name] = np.maximum(rows.std(axis=0), 1e-3).astype(np.float32)
        return cls(mean, deviation)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is needed to predict as the trainer did, and where the weights came from."""

    config: DHMDConfig
    windows: WindowSpec | None
    """How windows are cut; None if it was trained on sequences that have no clock."""
    normaliser: Normaliser
    weights: Mapping[str, FloatArray]
    temperature: Mapping[str, float]
    """By modality, what divides the emotion logits before the softmax; see `temperatures`."""
    origin: Mapping[str, Any]
    """Data, licence, seed, measured numbers: plain JSON."""
    rest: Mapping[str, FloatArray] = field(default_factory=dict)
    """By modality, mean features of the people trained on while they were neutral; a checkpoint
    that has it can be fitted to a person, see `inference.resting_person`."""
    file: Path | None = field(default=None, compare=False)
    """Where it was read from, for what is said of it."""

    def temperatures(self, present: npt.NDArray[np.bool_]) -> FloatArray:
        """The temperature [n] of samples with these modalities [n, 3]: the geometric mean of those
        of what is present, 1 where nothing is."""
        logs = np.log([self.temperature[name] for name in MODALITIES])
        mean = (present * logs).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
        return np.asarray(np.exp(mean), np.float32)

    def live_windows(self) -> WindowSpec:
        """The windows, if inputs and labels are those of the app. Raises BadInput if not."""
        sizes = {name: m.features for name, m in LIVE_WINDOWS.modalities.items()}
        if self.windows is None or self.config.emotions != EMOTIONS:
            raise BadInput("the checkpoint does not predict what the app shows; take live")
        if {name: m.features for name, m in self.windows.modalities.items()} != sizes:
            raise BadInput("the checkpoint was not trained on what the app senses; take live")
        return self.windows

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
            where = "" if self.file is None else f"the checkpoint {self.file} is damaged: "
            raise ModelFileError(
                f"{where}the weights do not fit their configuration: {line}"
            ) from error
        return model.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint; a file that is there is replaced only by a whole one.

    Equal checkpoints give equal bytes. Raises BadInput if it cannot be written.
    """
    from safetensors.numpy import save

    tensors = {f"weights.{name}": np.ascontiguousarray(v) for name, v in checkpoint.weights.items()}
    for name in MODALITIES:
        tensors[f"{NORMALISER}{name}.mean"] = checkpoint.normaliser.mean[name]
        tensors[f"{NORMALISER}{name}.deviation"] = checkpoint.normaliser.deviation[name]
    for name, mean in checkpoint.rest.items():
        tensors[f"{REST}{name}"] = mean
    metadata = {
        "format": FORMAT,
        "config": json.dumps(asdict(checkpoint.config)),
        "emotions": json.dumps(checkpoint.config.emotions),
        "windows": json.dumps(checkpoint.windows and checkpoint.windows.to_dict()),
        "temperature": json.dumps(checkpoint.temperature),
        "origin": json.dumps(checkpoint.origin, allow_nan=False),
    }
    metadata[DIGEST] = _digest(metadata, tensors)
    with whole_file(path, CHECKPOINT) as partial:
        partial.write_bytes(_in_order(save(tensors, metadata)))


def _digest(metadata: Mapping[str, str], tensors: Mapping[str, FloatArray]) -> str:
    """The hash of everything in a checkpoint but the hash itself."""
    found = hashlib.sha256()
    for key in sorted(metadata.keys() - {DIGEST}):
        found.update(f"{key}\0{metadata[key]}\0".encode())
    for name in sorted(tensors):
        array = tensors[name]
        found.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _in_order(content: bytes) -> bytes:
    """The bytes of a safetensors file with its metadata sorted, which come in a random order.

    The file is the length of its header (8 bytes, little-endian), the header as JSON, and the
    numbers, whose places count from the end of the header: https://github.com/huggingface/safetensors
    """
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the numbers stay aligned
    return len(text).to_bytes(8, "little") + text + content[begin:]


def require_place(path: Path) -> None:
    """Raise BadInput unless a checkpoint can be written to `path`, before long work is done."""
    if path.suffix != ".safetensors":
        raise BadInput(f"the checkpoint {path} must end in .safetensors")
    require_writable(path, CHECKPOINT)


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
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise ModelFileError(f"the checkpoint {path} is damaged: {error}") from error
    if metadata.get("format") != FORMAT:
        raise ModelFileError(
            f"the checkpoint {path} has format {metadata.get('format')}, not {FORMAT}; "
            "it was made by another version of Affectscope; make it anew with this one"
        )
    try:
        checkpoint = _assemble(metadata, tensors)
        if metadata[DIGEST] != _digest(metadata, tensors):
            raise ValueError(f"{DIGEST}, which is not that of what it holds; get it again")
        return replace(checkpoint, file=path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"the checkpoint {path} is damaged at {error}") from error


def _assemble(metadata: Mapping[str, str], tensors: Mapping[str, FloatArray]) -> Checkpoint:
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
        windows=_windows(json.loads(metadata["windows"])),
        normaliser=normaliser,
        weights=weights,
        temperature={name: float(json.loads(metadata["temperature"])[name]) for name in MODALITIES},
        origin=json.loads(metadata["origin"]),
        rest={n: tensors[f"{REST}{n}"] for n in MODALITIES if f"{REST}{n}" in tensors},
    )
    _require_fit(checkpoint)
    return checkpoint


def _windows(values: Any) -> WindowSpec | None:
    return None if values is None else WindowSpec.from_dict(values)


def _require_fit(checkpoint: Checkpoint) -> None:
    """Raise ValueError unless labels, windows, normaliser and temperature fit the network."""
    emotions = checkpoint.config.emotions
    if len(set(emotions)) < len(emotions) or not all(isinstance(e, str) for e in emotions):
        raise ValueError(f"emotions, which are {', '.join(map(str, emotions))}")
    if checkpoint.windows is not None and checkpoint.windows.hop <= 0:
        raise ValueError(f"windows, whose hop is {checkpoint.windows.hop}")
    for name, temperature in checkpoint.temperature.items():
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature of {name}, which is {temperature}")
    for name, wanted in checkpoint.config.modalities.items():
        window = None if checkpoint.windows is None else checkpoint.windows.modalities[name]
        if window and (window.features, window.steps) != (wanted.features, wanted.steps):
            raise ValueError(f"windows, where {name} does not fit the network")
        rest = checkpoint.rest.get(name)
        if rest is not None and rest.shape != (wanted.features,):
            raise ValueError(f"{REST}{name}, whose shape is {rest.shape}")
        deviation = checkpoint.normaliser.deviation[name]
        for array in (checkpoint.normaliser.mean[name], deviation):
            if array.shape != (wanted.features,):
                raise ValueError(f"{NORMALISER}{name}, whose shape is {array.shape}")
        if (deviation <= 0).any():
            raise ValueError(f"{NORMALISER}{name}.deviation, which is not positive")
