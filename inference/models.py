"""The models of a run, each loaded once, when and where it is first needed."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from assets.manifest import manifest
from assets.pretrained import path_of
from extractors.features import VOICE_SET, WORDS_SET
from extractors.gpu_or_cpu import CPU
from extractors.text_adapter import TEXT_ADAPTER
from inference.compute_plan import ComputePlan, Machine, compute_plan, this_machine, usable_cores

if TYPE_CHECKING:
    from extractors.face import FaceStage
    from extractors.speech import SpeechModel
    from extractors.text import TextEncoder
    from extractors.voice_model import VoiceModel
    from inference.backends.background_build import BackgroundBuild
    from inference.backends.exchange import ExchangeableEngine
    from inference.backends.source import Source
    from inference.checkpoint import Checkpoint
    from inference.predictor import Predictor

__all__ = ["Models"]

T = TypeVar("T")
PARTS = ("face", "speech", "text")
SETS = tuple(dict.fromkeys((WORDS_SET, VOICE_SET, "face-landmarker", "minilm")))
"""Pretrained sets of a run, each once."""


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
        self.voice: Callable[[], VoiceModel] = _Once(self._load_voice)
        self.text: Callable[[], TextEncoder] = _Once(self._load_text)
        self.predictor: Callable[[], Predictor] = _Once(self._load_predictor)
        """Its engine changes only if a GPU fails: the same file must give the same bytes."""
        self._backend, self._half = backend, half
        self._engine: ExchangeableEngine | None = None
        self._chosen = ""
        self._devices: dict[str, str] = {}
        self._speech_type: Callable[[], str] | None = None
        self._gave_way: dict[str, str] = {}
        self.on_fallback: Callable[[str, str], None] = _ignore
        """Told "face", "speech", "text" or "engine", in whose thread a GPU fails, and what happened
        in one line."""

    def live_predictor(
        self, on_change: Callable[[str], None]
    ) -> "tuple[Predictor, BackgroundBuild | None]":
        """The predictor at once, and what builds a better engine for it; its owner starts that.

        `on_change` is told when another engine goes on, or why a better one does not. There is
        nothing to build for an engine that was asked for by name.
        """
        from inference.backends.opening import AUTO, open_engine, open_while_building
        from inference.predictor import Predictor

        threads, build = self.plan.network_threads, None
        if self._backend == AUTO:
            engine, self._chosen, build = open_while_building(
                self._source(), half=self._half, threads=threads
            )
        else:
            engine, self._chosen = open_engine(
                self._source(), self._backend, half=self._half, threads=threads
            )
        self._engine = engine
        _tell_all(engine, on_change)
        return Predictor(self.checkpoint(), engine), build

    def engine_name(self) -> str:
        """What predicts now, "onnxruntime on CPU"; empty before there is a predictor."""
        engine = self._engine
        return "" if engine is None else f"{engine.backend} on {engine.device}"

    @contextmanager
    def face_stage(self) -> "Iterator[FaceStage]":
        """The stage that finds the face, where the plan wants it."""
        from extractors.face import open_face_stage

        with open_face_stage(
            self.face, device=self.plan.face_device, gave_way=self._fell_back("face")
        ) as stage:
            self._devices["face"] = stage.device
            if stage.device != CPU:
                self._gave_way.pop("face", None)
            yield stage

    def devices(self) -> dict[str, str]:
        """Where face, speech and text run now, of those that are loaded: "cpu", "gpu", "cuda"."""
        return {part: self._devices[part] for part in PARTS if part in self._devices}

    def gave_way(self) -> dict[str, str]:
        """Of those that run on the CPU because a GPU failed: its error in one line."""
        return {part: self._gave_way[part] for part in PARTS if part in self._gave_way}

    def mark(self) -> Sequence[int]:
        """A point in time, for `describe`."""
        return () if self._engine is None else self._engine.mark()

    def describe(self, since: Sequence[int] = ()) -> dict[str, Any]:
        """What was used, with hashes, for a session's manifest.

        "backend" and "device" are those at the end; "engines" are all that answered since the mark
        `since`, with the number of their windows. "compute" is what was planned, "devices" where
        the other models really run, "gave_way" why a GPU that was planned does not.
        """
        known, engine = manifest(), self._engine
        ran = {} if engine is None else {
            "backend": engine.backend, "device": engine.device, "chosen": self._chosen,
            "engines": engine.since(since),
        }  # fmt: skip
        devices = self.devices()
        if self._speech_type is not None:
            devices["speech_type"] = self._speech_type()
        pretrained = {file.key: file.sha256 for name in SETS for file in known.of(name).files}
        pretrained[TEXT_ADAPTER.name] = hashlib.sha256(TEXT_ADAPTER.read_bytes()).hexdigest()
        return {
            "checkpoint": self.checkpoint_path.name,
            "checkpoint_sha256": hashlib.sha256(self.checkpoint_path.read_bytes()).hexdigest(),
            **ran,
            "compute": self.plan.to_dict(),
            "devices": devices,
            "gave_way": self.gave_way(),
            "pretrained": pretrained,
        }

    def _load_speech(self) -> "SpeechModel":
        from extractors.speech import SpeechModel

        plan = self.plan
        model = SpeechModel(
            self.folders[WORDS_SET],
            threads=plan.speech_threads,
            device=plan.speech_device,
            compute_type=plan.speech_type,
            threads_on_cpu=compute_plan(Machine(usable_cores())).speech_threads,
            gave_way=self._fell_back("speech"),
        )
        self._devices["speech"] = model.device
        self._speech_type = lambda: model.compute_type
        return model

    def _load_voice(self) -> "VoiceModel":
        from extractors.voice_model import VoiceModel

        # of the cores of the speech model: words and voice take turns while somebody speaks
        return VoiceModel(self.folders[VOICE_SET], threads=self.plan.speech_threads)

    def _fell_back(self, part: str) -> Callable[[str], None]:
        def tell(error: str) -> None:
            self._devices[part] = CPU
            self._gave_way[part] = error
            self.on_fallback(part, f"{part}: the GPU failed, the CPU goes on: {error}")

        return tell

    def _load_text(self) -> "TextEncoder":
        from extractors.text import TextEncoder

        folder = self.folders["minilm"]
        encoder = TextEncoder(
            folder / "model.onnx",
            folder / "tokenizer.json",
            adapter=TEXT_ADAPTER,
            threads=self.plan.text_threads,
            device=self.plan.text_device,
            gave_way=self._fell_back("text"),
        )
        self._devices["text"] = encoder.device
        return encoder

    def _load_predictor(self) -> "Predictor":
        from inference.backends.opening import open_engine
        from inference.predictor import Predictor

        self._engine, self._chosen = open_engine(
            self._source(), self._backend, half=self._half, threads=self.plan.network_threads
        )
        _tell_all(self._engine, lambda text: self.on_fallback("engine", text))
        return Predictor(self.checkpoint(), self._engine)

    def _source(self) -> "Source":
        from inference.backends.source import Source

        return Source(self.checkpoint_path, self.checkpoint)


def _tell_all(engine: "ExchangeableEngine", tell: Callable[[str], None]) -> None:
    """What the engine has said already, while it was opened, and what it will say."""
    for text in engine.remarks:
        tell(text)
    engine.on_change = tell


def _ignore(*_: str) -> None:
    """Nobody wants to know."""
