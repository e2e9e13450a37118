"""A GPU that fails gives way to the CPU, and what it was given is not lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from extractors.face import FaceLandmarker
from extractors.features import SAMPLE_RATE, AudioBlock
from extractors.gpu_or_cpu import GpuOrCpu
from extractors.live_speech import PACES, LiveSpeechStage
from extractors.speech import SpeechModel
from extractors.stream import SECOND, Sample
from extractors.text import TextEncoder
from extractors.voice_model import VoiceModel
from tests.extractors.failing_gpu import (
    WHISPER_ERROR,
    full_gpu_for_text,
    full_gpu_for_whisper,
)

FloatArray = npt.NDArray[np.float32]


class Adder:
    """A model that adds, and on the GPU fails when it is told to."""

    def __init__(self, device: str) -> None:
        self.device, self.broken, self.freed = device, False, False

    def __call__(self, a: int, b: int) -> int:
        if self.broken:
            raise RuntimeError("CUDA failed with\nerror out of memory")
        return a + b


def test_what_fails_is_done_again_on_the_cpu_and_what_follows_at_once() -> None:
    told: list[str] = []
    made: list[Adder] = []

    def make(device: str) -> Adder:
        assert not made or made[0].freed, "the GPU's memory was not free before the CPU's turn"
        made.append(Adder(device))
        return made[-1]

    def free(model: Adder) -> None:
        model.freed = True
        raise RuntimeError("CUDA failed again")

    model = GpuOrCpu(make, "cuda", told.append, free=free)
    assert (model.device, model(lambda add: add(1, 2))) == ("cuda", 3)
    model.model.broken = True
    assert (model(lambda add: add(2, 3)), model.device, model.model) == (5, "cpu", made[1])
    assert model(lambda add: add(3, 4)) == 7
    assert [adder.device for adder in made] == ["cuda", "cpu"]
    assert told == ["RuntimeError: CUDA failed with error out of memory"]


def test_what_the_cpu_raises_is_raised() -> None:
    model = GpuOrCpu(Adder, "cpu")
    model.model.broken = True
    with pytest.raises(RuntimeError, match="out of memory"):
        model(lambda add: add(1, 2))


def test_a_gpu_that_cannot_take_the_model_leaves_it_to_the_cpu() -> None:
    told: list[str] = []

    def make(device: str) -> Adder:
        if device != "cpu":
            raise ValueError("no kernel image is available")
        return Adder(device)

    model = GpuOrCpu(make, "cuda", told.append)
    assert (model.device, model(lambda add: add(1, 2))) == ("cpu", 3)
    assert told == ["ValueError: no kernel image is available"]


def test_two_threads_that_it_fails_at_once_load_one_model_for_the_cpu() -> None:
    told: list[str] = []
    made: list[str] = []
    both = threading.Barrier(2, timeout=10)

    def make(device: str) -> Adder:
        made.append(device)
        return Adder(device)

    def work(add: Adder) -> int:
        if add.device == "cuda":
            both.wait()
            raise RuntimeError("CUDA failed with error out of memory")
        return add(1, 2)

    model = GpuOrCpu(make, "cuda", told.append)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: model(work), range(2))) == [3, 3]
    assert (made, len(told)) == (["cuda", "cpu"], 1)


@pytest.mark.parametrize("fails", [0, 1, 2], ids=["encoding", "decoding", "aligning"])
def test_words_are_transcribed_anew_on_the_cpu(
    models: Callable[[str], Path],
    speech: SpeechModel,
    jfk: FloatArray,
    monkeypatch: pytest.MonkeyPatch,
    fails: int,
) -> None:
    """CTranslate2 runs out of memory at different points of the same piece."""
    told: list[str] = []
    loaded = full_gpu_for_whisper(monkeypatch, fails)
    model = SpeechModel(
        models("whisper-tiny.en"), device="cuda", compute_type="float16", threads_on_cpu=2,
        gave_way=told.append,
    )  # fmt: skip
    sound = jfk[: 4 * SAMPLE_RATE]
    assert model.device == "cuda"
    assert model.words(sound) == speech.words(sound) != []
    assert (model.device, model.compute_type) == ("cpu", "int8_float32")
    assert told == [WHISPER_ERROR]
    assert [(x["device"], x["compute_type"], x["cpu_threads"]) for x in loaded] == [
        ("cuda", "float16", 1),
        ("cpu", "int8", 2),
    ]


def heard(model: SpeechModel, voice_model: VoiceModel, sound: FloatArray) -> list[Any]:
    """What a live stage publishes while it hears `sound`."""
    stage = LiveSpeechStage(model, voice_model, clock=lambda: 0, cost=lambda: 0)
    stage.step = len(PACES) - 1
    block, found = SAMPLE_RATE // 5, []
    for first in range(0, len(sound), block):
        start, end = (x * SECOND // SAMPLE_RATE for x in (first, first + block))
        data = AudioBlock(sound[first : first + block])
        found += stage.process(Sample("audio", start, end, end, data))
    found += stage.finish()
    return [s.data for s in found if s.stream in ("word", "tentative") and s.data is not None]


@pytest.fixture(scope="module")
def heard_on_cpu(speech: SpeechModel, voice_model: VoiceModel, jfk: FloatArray) -> list[Any]:
    return heard(speech, voice_model, jfk[: 3 * SAMPLE_RATE])


@pytest.mark.parametrize("fails", [0, 1, 2], ids=["silence", "first pass", "second pass"])
def test_live_speech_goes_on_with_the_same_words(
    models: Callable[[str], Path],
    voice_model: VoiceModel,
    heard_on_cpu: list[Any],
    jfk: FloatArray,
    monkeypatch: pytest.MonkeyPatch,
    fails: int,
) -> None:
    """Live sound is encoded on the GPU; its words are always decoded on the CPU."""
    told: list[str] = []
    full_gpu_for_whisper(monkeypatch, fails)
    model = SpeechModel(models("whisper-tiny.en"), device="cuda", gave_way=told.append)
    assert heard(model, voice_model, jfk[: 3 * SAMPLE_RATE]) == heard_on_cpu != []
    assert told == [WHISPER_ERROR]
    assert model.device == "cpu"


def test_what_lies_on_a_gpu_is_fetched_before_it_is_read(
    models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An array cannot be made of a view of CUDA's memory."""
    model = SpeechModel(models("whisper-tiny.en"))
    asked: list[bool] = []

    class Recorder:
        def encode(self, features: Any, to_cpu: bool = False) -> Any:
            asked.append(to_cpu)
            return features

    monkeypatch.setattr(model.whisper.model, "model", Recorder())
    model.encode(np.zeros(SAMPLE_RATE, np.float32))
    assert asked == [True]


def test_the_text_model_reads_the_same_words_on_the_cpu(
    models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: list[str] = []
    files = models("minilm/model.onnx"), models("minilm/tokenizer.json")
    on_cpu = TextEncoder(*files)
    full_gpu_for_text(monkeypatch, 1)
    encoder = TextEncoder(*files, device="cuda", gave_way=told.append)
    for words in (["I", "am", "happy"], ["and", "you"]):
        assert encoder(words).tolist() == on_cpu(words).tolist()
    assert encoder.device == "cpu"
    assert told == ["RuntimeException: BFCArena: Failed to allocate memory for requested buffer"]
    assert capsys.readouterr().out == ""


class FullGpu:
    """MediaPipe on a GPU that fails its second picture, and cannot even be closed then."""

    def __init__(self, landmarker: Any) -> None:
        self._on_cpu: Any = landmarker
        self._handle: Any = "open"
        self.left = 1

    def detect_for_video(self, picture: Any, time: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("Failed to create texture: out of memory")
        return self._on_cpu.detect_for_video(picture, time)

    def close(self) -> None:
        self._on_cpu.close()
        if self.left < 0:
            raise RuntimeError("Graph has errors")


def test_a_face_is_found_in_the_picture_that_the_gpu_failed(
    models: Callable[[str], Path], shared: Path
) -> None:
    from extractors.video_file import VideoFile

    told: list[str] = []
    opened: list[Any] = []

    class Landmarker(FaceLandmarker):
        def _open_on(self, device: str) -> Any:
            real = super()._open_on("cpu")
            opened.append(FullGpu(real) if device == "gpu" else real)
            return opened[-1]

    pictures = []
    for sample in VideoFile(shared / "media" / "talking_head_speech_8s.mp4").frames():
        pictures.append(sample)
        if len(pictures) == 3:
            break
    with Landmarker(
        models("face-landmarker"), max_faces=1, device="gpu", gave_way=told.append
    ) as landmarker:
        found = [landmarker(sample.data.image, sample.start) for sample in pictures]
        assert landmarker.device == "cpu"
    assert [features.faces for features in found] == [1, 1, 1]
    assert told == ["RuntimeError: Failed to create texture: out of memory"]
    assert len(opened) == 2
    assert opened[0]._handle is None, "it would be closed again at the end"
