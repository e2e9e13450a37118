"""`affectscope compile` and `affectscope doctor` as a person sees them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.cli import main
from tests.inference.backends.small_checkpoint import small_file


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "engines"
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(folder))
    return folder


def test_compile_builds_once_and_says_where(
    tmp_path: Path, engines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxscript")
    checkpoint = str(small_file(tmp_path))
    assert main(["compile", checkpoint, "--backend", "onnxruntime"]) == 0
    first, place = capsys.readouterr().out.splitlines()
    assert first == "onnxruntime: asked for"
    file = Path(place.partition(" (")[0])
    assert file.is_relative_to(engines)
    written = file.stat().st_mtime_ns
    assert main(["compile", checkpoint, "--backend", "onnxruntime"]) == 0
    assert file.stat().st_mtime_ns == written
    assert len(list(engines.iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backend", "xla"], 'there is no backend "xla"; take one of auto, eager'),
        (["--batch", "0"], "--batch must be 1 or more, not 0"),
        (["--backend", "openvino", "--half"], "openvino computes in float32 only"),
    ],
)
def test_what_cannot_be_compiled_is_one_line(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(small_file(tmp_path)), *words]) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_compile_of_what_needs_no_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(small_file(tmp_path)), "--backend", "eager"]) == 0
    assert "nothing to build" in capsys.readouterr().out


def test_doctor_runs_what_runs_and_says_what_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], models: Callable[[str], Path]
) -> None:
    models("face-landmarker")
    checkpoint = str(small_file(tmp_path))
    assert main(["doctor", "--checkpoint", checkpoint, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["parts"]) == {"torch", "onnxruntime", "ctranslate2", "mediapipe"}
    assert not [said for said in found["parts"].values() if said.startswith("does not load")]
    assert "the face landmarker opened on the " in found["parts"]["mediapipe"]
    eager = found["backends"]["eager"]
    assert eager["device"] == "CPU"
    assert eager["milliseconds"] > 0
    assert "is not built" in found["backends"]["onnxruntime"]["problem"]
    assert "torch_tensorrt" in found["backends"]["tensorrt"]["problem"] or found["gpu"]
    assert found["auto"]["backend"] in found["backends"]

    assert main(["doctor", "--checkpoint", checkpoint]) == 0
    printed = capsys.readouterr().out
    for name in found["backends"]:
        assert name in printed


def test_doctor_with_a_missing_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--checkpoint", str(tmp_path / "no.safetensors")]) == 2
    assert "there is no checkpoint" in capsys.readouterr().err
