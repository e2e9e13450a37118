"""The models of a run, each loaded once, when and where it is first needed."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from assets.manifest import manifest
from assets.pretrained import path_of
from inference.compute_plan import ComputePlan, compute_plan, this_machine

if TYPE_CHECKING:
    from extractors.speech import SpeechModel
    from extractors.text import TextEncoder
    from inference.checkpoint import Checkpoint
    from inference.predictor import Predictor

__all__ = ["Models"]

T = TypeVar("T")
SETS = ("whisper-tiny.en", "face-landmarker", "minilm")


class _Once(Generic[T]):
    """A value made by the first thread that asks for it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


class Models:
    """Pretrained models and the checkpoint, shared by all recordings of a run.

    Raises ModelFileError at once if a pretrained file is missing or damaged, or there is no such
    checkpoint; `checkpoint` raises it if that is damaged.
    """

    def __init__(
        self,
        checkpoint: str | Path = "live",
        *,
        backend: str = "auto",
        half: bool = False,
        plan: ComputePlan | None = None,
    ) -> None:
        """`backend` as in inference/backends; "auto" takes the best that is ready.

        `plan`: devices and threads; by default those that suit this machine.
        """
        from inference.checkpoint import checkpoint_path, load_checkpoint

        self.plan = plan or compute_plan(this_machine())

        self.face: Path = path_of("face-landmarker")
        self.folders = {name: path_of(name) for name in SETS}
        self.checkpoint_path = checkpoint_path(checkpoint)
        self.checkpoint: Callable[[], Checkpoint] = _Once(
            lambda: load_checkpoint(self.checkpoint_path)
        )
        self.speech: Callable[[], SpeechModel] = _Once(self._load_speech)
        self.text: Callable[[], TextEncoder] = _Once(self._load_text)
        self.predictor: Callable[[], Predictor] = _Once(self._load_predictor)
        self._backend, self._half = backend, half
        self._engine: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        """What was used, with hashes, for a session's manifest."""
        known = manifest()
        return {
            "checkpoint": self.checkpoint_path.name,
            "checkpoint_sha256": hashlib.sha256(self.checkpoint_path.read_bytes()).hexdigest(),
            **self._engine,
            "compute": self.plan.to_dict(),
            "pretrained": {file.key: file.sha256 for name in SETS for file in known.of(name).files},
        }

    def _load_speech(self) -> "SpeechModel":
        from extractors.speech import SpeechModel

        plan = self.plan
        return SpeechModel(
            self.folders["whisper-tiny.en"],
            threads=plan.speech_threads,
            device=plan.speech_device,
            compute_type=plan.speech_type,
        )

    def _load_text(self) -> "TextEncoder":
        from extractors.text import TextEncoder

        folder = self.folders["minilm"]
        return TextEncoder(
            folder / "model.onnx",
            folder / "tokenizer.json",
            threads=self.plan.text_threads,
            device=self.plan.text_device,
        )

    def _load_predictor(self) -> "Predictor":
        from inference.backends.opening import open_engine
        from inference.backends.source import Source
        from inference.predictor import Predictor

        source = Source(self.checkpoint_path, self.checkpoint)
        engine, reason = open_engine(
            source, self._backend, half=self._half, threads=self.plan.network_threads
        )
        self._engine = {"backend": engine.backend, "device": engine.device, "chosen": reason}
        return Predictor(self.checkpoint(), engine)
