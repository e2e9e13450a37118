"""ONNX Runtime is told where pip has put CUDA's libraries before anything is opened on a GPU."""

from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from extractors import cuda_libraries
from extractors.cuda_libraries import load_cuda_libraries
from extractors.text import TextEncoder
from inference.backends.opening import backend
from inference.backends.source import Source
from tests.inference.backends.small_checkpoint import small_checkpoint


class Stop(Exception):
    """A session would be opened now."""


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ONNX Runtime was asked for, in its order; no session is ever opened."""
    done: list[str] = []

    def load() -> None:
        print("Failed to load libcublas.so.13")
        done.append("libraries")

    def session(*_: Any, **options: Any) -> None:
        provider = options["providers"][0]
        done.append(provider if isinstance(provider, str) else provider[0])
        raise Stop

    monkeypatch.setattr(cuda_libraries, "_asked", False)
    monkeypatch.setattr(onnxruntime, "preload_dlls", load, raising=False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    return done


def test_they_are_loaded_once_and_in_silence(
    happened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    load_cuda_libraries()
    load_cuda_libraries()
    assert happened == ["libraries"]
    assert capsys.readouterr().out == ""


def test_a_build_that_cannot_load_them_is_left_alone(
    happened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(onnxruntime, "preload_dlls")
    load_cuda_libraries()
    assert happened == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ort-cuda", ["libraries", "CUDAExecutionProvider"]),
        ("ort-tensorrt", ["libraries", "TensorrtExecutionProvider"]),
        ("onnxruntime", ["CPUExecutionProvider"]),
    ],
)
def test_the_network(name: str, wanted: list[str], happened: list[str], tmp_path: Path) -> None:
    with pytest.raises(Exception, match="cannot open"):
        backend(name).open(Source(small_checkpoint()), 1, False, tmp_path / "network.onnx", 1)
    assert happened == wanted


def test_the_text_model(
    happened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractors.text.with_outputs", lambda model, _: model)
    (tmp_path / "model.onnx").touch()
    with pytest.raises(Exception, match="cannot be read"):
        TextEncoder(tmp_path / "model.onnx", tmp_path / "tokenizer.json", device="cuda")
    assert happened == ["libraries", "CUDAExecutionProvider", "CPUExecutionProvider"]
