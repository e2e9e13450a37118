"""GPUs that run out of memory, with the errors that the libraries themselves raise.

Each stands in for the GPU and computes on the CPU, until a call that it fails.
"""

from typing import Any

import faster_whisper
import onnxruntime
import pytest

__all__ = ["WHISPER_ERROR", "full_gpu_for_text", "full_gpu_for_whisper"]

WHISPER_ERROR = "RuntimeError: CUDA failed with error out of memory"


class _Failing:
    """A model of CTranslate2 that fails its call number `fails`, counted from 0, and all after."""

    def __init__(self, model: Any, fails: int) -> None:
        self._model, self._left = model, fails

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._model, name)
        if name not in ("encode", "generate", "align"):
            return value

        def counted(*args: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise RuntimeError("CUDA failed with error out of memory")
            return value(*args, **options)

        return counted


def full_gpu_for_whisper(monkeypatch: pytest.MonkeyPatch, fails: int) -> list[dict[str, Any]]:
    """The options with which models are loaded from now on; those on "cuda" fail a call."""
    loaded: list[dict[str, Any]] = []
    real = faster_whisper.WhisperModel

    def load(path: str, **options: Any) -> Any:
        loaded.append(options)
        if options["device"] == "cpu":
            return real(path, **options)
        model = real(path, device="cpu", compute_type="int8", cpu_threads=1)
        model.model = _Failing(model.model, fails)
        return model

    monkeypatch.setattr(faster_whisper, "WhisperModel", load)
    return loaded


def full_gpu_for_text(monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    """Sessions of ONNX Runtime on CUDA fail their run number `fails`, counted from 0."""
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    real = onnxruntime.InferenceSession

    class OnGpu:
        def __init__(self, path: str, options: Any) -> None:
            self._session, self._left = real(path, options, ["CPUExecutionProvider"]), fails

        def get_providers(self) -> list[str]:
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]

        def run(self, *args: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise RuntimeException("BFCArena: Failed to allocate memory for requested buffer")
            return self._session.run(*args)

    def open_session(path: str, options: Any, providers: list[str], **more: Any) -> Any:
        if providers[0] == "CUDAExecutionProvider":
            return OnGpu(path, options)
        return real(path, options, providers, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", open_session)
