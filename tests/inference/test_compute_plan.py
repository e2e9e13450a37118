"""Threads add up to no more than there are cores, and a GPU is used only by who can use it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.compute_plan import ComputePlan, Machine, compute_plan, this_machine, usable_cores


@pytest.mark.parametrize(("cores", "speech"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4), (16, 4)])
def test_speech_gets_half_the_cores_up_to_four(cores: int, speech: int) -> None:
    plan = compute_plan(Machine(cores))
    assert plan.speech_threads == speech
    assert (plan.text_threads, plan.network_threads) == (1, 1)
    assert (plan.speech_device, plan.speech_type) == ("cpu", "int8")
    assert (plan.text_device, plan.face_device) == ("cpu", "cpu")


@pytest.mark.parametrize("cores", [2, 4, 8, 16, 64])
def test_what_runs_all_the_time_leaves_no_core_asked_twice(cores: int) -> None:
    plan = compute_plan(Machine(cores))
    face = 1
    assert face + plan.speech_threads <= cores


def test_on_a_gpu_speech_is_half_precision_and_needs_one_thread() -> None:
    plan = compute_plan(Machine(16, speech_gpu=True, text_gpu=True, face_gpu=True))
    assert (plan.speech_device, plan.speech_type, plan.speech_threads) == ("cuda", "float16", 1)
    assert (plan.text_device, plan.face_device) == ("cuda", "gpu")
    only_speech = compute_plan(Machine(16, speech_gpu=True))
    assert (only_speech.speech_device, only_speech.text_device) == ("cuda", "cpu")


def no_one_asks() -> Any:
    raise AssertionError("a library was loaded on a machine without a GPU")


def test_without_a_gpu_no_library_is_asked() -> None:
    machine = this_machine(lambda: 4, lambda: False, no_one_asks, no_one_asks)
    assert machine == Machine(4)


@pytest.mark.parametrize(
    ("types", "providers", "platform", "expected"),
    [
        ({"float16", "int8"}, ["CUDAExecutionProvider"], "linux", Machine(8, True, True, True)),
        ({"float32"}, ["CPUExecutionProvider"], "linux", Machine(8, False, False, True)),
        (set(), ["CUDAExecutionProvider"], "win32", Machine(8, False, True, False)),
    ],
)
def test_each_library_says_whether_it_can_use_the_gpu(
    types: set[str], providers: list[str], platform: str, expected: Machine
) -> None:
    assert (
        this_machine(lambda: 8, lambda: True, lambda: types, lambda: providers, platform)
        == expected
    )


def test_this_process_has_a_core() -> None:
    assert usable_cores() >= 1


ON_GPU = ComputePlan("cuda", "float16", 1, "cuda", 1, "gpu", 1)


def test_a_gpu_that_is_not_there_leaves_speech_to_the_cpu(models: Callable[[str], Path]) -> None:
    from extractors.speech import SpeechModel

    folder = models("whisper-tiny.en")
    model = SpeechModel(folder, device=ON_GPU.speech_device, compute_type=ON_GPU.speech_type)
    on_gpu = model.device == "cuda"
    assert model.whisper.model.model.device == model.device
    assert model.compute_type == ("float16" if on_gpu else "int8_float32")


class Session:
    """Stands in for a session of ONNX Runtime that takes what it is given, or the CPU alone."""

    def __init__(self, has_gpu: bool) -> None:
        self._has_gpu = has_gpu

    def __call__(
        self, _model: str, _options: Any, providers: list[str], enable_fallback: int
    ) -> "Session":
        assert not enable_fallback
        self._providers = providers if self._has_gpu else ["CPUExecutionProvider"]
        return self

    def get_providers(self) -> list[str]:
        return self._providers


@pytest.mark.parametrize(
    ("wanted", "there", "taken"),
    [("cuda", True, "cuda"), ("cuda", False, "cpu"), ("cpu", True, "cpu")],
)
def test_the_text_model_says_which_device_it_took(
    monkeypatch: pytest.MonkeyPatch, models: Callable[[str], Path], wanted: str, there: bool,
    taken: str,
) -> None:  # fmt: skip
    import onnxruntime

    from extractors.text import TextEncoder

    folder = models("minilm")
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session(there))
    encoder = TextEncoder(folder / "model.onnx", folder / "tokenizer.json", device=wanted)
    assert encoder.device == taken


def test_a_face_without_gpu_is_found_on_the_cpu(models: Callable[[str], Path]) -> None:
    from extractors.face import FaceLandmarker

    opened: list[str] = []

    class OnCpu(FaceLandmarker):
        def _open_on(self, device: str) -> Any:
            opened.append(device)
            if device == "gpu":
                raise RuntimeError("no EGL display")
            return super()._open_on(device)

    with OnCpu(models("face-landmarker"), device=ON_GPU.face_device) as landmarker:
        assert landmarker.device == "cpu"
    assert opened == ["gpu", "cpu"]
