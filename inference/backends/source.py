"""The network that a backend runs: a checkpoint, and what identifies it."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assets.errors import ModelFileError
from inference.checkpoint import Checkpoint, load_checkpoint

if TYPE_CHECKING:
    from inference.lean import LeanDHMD

__all__ = ["Source"]

HERE = Path(__file__).parent
FORMS = tuple(HERE.parent / name for name in ("network_configuration.py", "model.py", "lean.py"))
"""The files that say what the weights mean: a change of these makes other engines."""


class Source:
    """A checkpoint file, or a checkpoint that is only in memory."""

    def __init__(
        self, where: Path | Checkpoint, load: Callable[[], Checkpoint] | None = None
    ) -> None:
        """With `load` the checkpoint is that of someone who may have read the file already."""
        self.path = where if isinstance(where, Path) else None
        self._load = load or (lambda: load_checkpoint(where) if isinstance(where, Path) else where)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Raises ModelFileError if there is none or if it is damaged."""
        return self._load()

    @cached_property
    def sha256(self) -> str:
        """Of the checkpoint file and of the code that gives its weights a meaning."""
        if self.path is None:
            raise ValueError("a checkpoint that is not in a file has no engines in the cache")
        digest = hashlib.sha256()
        for path in (self.path, *FORMS):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def without_lean_form(self) -> str | None:
        """Why the network has no form for prediction alone; None if it has one."""
        fusion = self.checkpoint.config.fusion
        return None if fusion == "gated" else f"a network with {fusion} fusion runs in eager alone"

    def lean(self, half: bool = False) -> "LeanDHMD":
        """The network for prediction alone.

        Raises ModelFileError if the checkpoint's weights do not fit its configuration, or if it has
        no such form.
        """
        from inference.lean import LeanDHMD

        obstacle = self.without_lean_form()
        if obstacle:
            raise ModelFileError(f"{self.path or 'the checkpoint'}: {obstacle}")
        return LeanDHMD(self.checkpoint.model(), half=half)
