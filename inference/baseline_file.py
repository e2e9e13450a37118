"""A person at rest in a file of their own, to be chosen again; and what names it, its hash."""

import hashlib
from pathlib import Path

import numpy as np

from assets.errors import BadInput
from inference.calibration import RestingPerson
from inference.whole_file import whole_file

__all__ = ["baseline_bytes", "baseline_sha256", "load_baseline", "save_baseline"]

FORMAT = "affectscope-baseline-1"
"""Name and version of the layout."""


def baseline_bytes(person: RestingPerson) -> bytes:
    """The content of the file, in the format of safetensors; equal people give equal bytes."""
    from safetensors.numpy import save

    means = {name: np.ascontiguousarray(person.mean[name]) for name in sorted(person.mean)}
    return bytes(save(means, {"format": FORMAT}))


def baseline_sha256(person: RestingPerson) -> str:
    """Of that content."""
    return hashlib.sha256(baseline_bytes(person)).hexdigest()


def save_baseline(path: Path, person: RestingPerson) -> None:
    """Write it; a file that is there is replaced only by a whole one. Raises BadInput."""
    with whole_file(path, "the baseline") as partial:
        partial.write_bytes(baseline_bytes(person))


def load_baseline(path: Path) -> RestingPerson:
    """Read it. Raises BadInput if there is none, or if it is damaged or of another version."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise BadInput(f"there is no baseline {path}")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            means = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise BadInput(f"the baseline {path} is damaged: {error}") from error
    if metadata.get("format") != FORMAT:
        raise BadInput(
            f"{path} has format {metadata.get('format')}, not {FORMAT}; take a new baseline"
        )
    for name, mean in means.items():
        if mean.dtype != np.float32 or mean.ndim != 1 or not np.isfinite(mean).all():
            raise BadInput(f"the baseline {path} is damaged at {name}")
    return RestingPerson(means)
