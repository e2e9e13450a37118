"""The network that a backend runs: a checkpoint, and what identifies it."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assets.errors import ModelFileError
from inference.checkpoint import Checkpoint, load_checkpoint

if TYPE_CHECKING:
    from inference.lean import LeanDHMD

__all__ = ["Source"]

HERE = Path(__file__).parent
FORMS = (HERE.parent / "model.py", HERE.parent / "lean.py")
"""The files that say what the weights mean: a change of these makes other engines."""


class Source:
    """A checkpoint file, or a checkpoint that is only in memory."""

    def __init__(self, checkpoint: Checkpoint | Path) -> None:
        if isinstance(checkpoint, Path):
            self.path: Path | None = checkpoint
        else:
            self.path = None
            self.checkpoint = checkpoint

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Raises ModelFileError if there is none or if it is damaged."""
        assert self.path is not None
        return load_checkpoint(self.path)

    @cached_property
    def sha256(self) -> str:
        """Of the checkpoint file and of the code that gives its weights a meaning."""
        if self.path is None:
            raise ValueError("a checkpoint that is not in a file has no engines in the cache")
        digest = hashlib.sha256()
        for path in (self.path, *FORMS):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def lean(self, half: bool = False) -> "LeanDHMD":
        """The network for prediction alone.

        Raises ModelFileError if the checkpoint's weights do not fit its configuration, or if its
        configuration has no form for prediction alone.
        """
        from inference.lean import LeanDHMD

        network = self.checkpoint.model()
        try:
            return LeanDHMD(network, half=half)
        except (ValueError, AttributeError) as error:
            raise ModelFileError(
                f"the checkpoint {self.path or ''} has no form for prediction alone: {error}"
            ) from error
