"""Every backend that runs here gives what eager gives, on windows of the bundled clip."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assets import ASSETS
from benchmarks.sample_windows import read_windows
from extractors.features import MODALITIES
from inference.backends.interface import Backend, Inputs, Outputs, in_batches
from inference.backends.opening import BACKENDS, backend, noise, open_engine
from inference.backends.source import Source
from inference.lean import LeanOutput
from inference.nvidia_gpu import nvidia_gpu
from tests.conftest import CHECKOUT
from tests.inference.backends.small_checkpoint import small_checkpoint, small_file

if TYPE_CHECKING:
    from tests.inference.real_windows import RealWindows

COMPILERS = ("torch-compile", "aotinductor")
"""They take minutes for the shipped network; `make test-slow` runs them."""
GPU = ("ort-cuda", "tensorrt", "ort-tensorrt", *COMPILERS)
"""What runs there if there is one, what builds for longest last."""


def here(name: str) -> Backend:
    found = backend(name)
    obstacle = found.missing() or (found.cannot_build() if found.file else None)
    if obstacle:
        pytest.skip(obstacle)
    return found


@pytest.fixture(scope="session")
def windows(request: pytest.FixtureRequest) -> Inputs:
    """Of the bundled clip, or of a file where what reads a clip is not installed."""
    saved = os.environ.get("AFFECTSCOPE_WINDOWS")
    if saved:
        return read_windows(Path(saved))
    real: RealWindows = request.getfixturevalue("real")
    return real.inputs


def apart(found: Outputs, wanted: Outputs) -> float:
    return max(float(np.abs(f - w).max()) for f, w in zip(found, wanted, strict=True))


def assert_same(name: str, windows: Inputs) -> str:
    """Returns where it ran."""
    here(name)
    source = Source(ASSETS / "live.safetensors")
    engine, reason = open_engine(source, name)
    assert (engine.backend, reason) == (name, "asked for")
    eager, _ = open_engine(source, "eager")
    assert len(windows[0]) > 40
    found, wanted = in_batches(engine, windows), in_batches(eager, windows)
    assert apart(found, wanted) < 1e-4
    np.testing.assert_array_equal(found.emotion.argmax(1), wanted.emotion.argmax(1))
    for window in noise(source, 1):  # every subset of the modalities, and none
        assert apart(engine(window), eager(window)) < 1e-4
    return engine.device


def assert_half(name: str, windows: Inputs) -> str:
    """Returns where it ran."""
    here(name)
    source = Source(ASSETS / "live.safetensors")
    half, _ = open_engine(source, name, half=True)
    full, _ = open_engine(source, "eager")
    found, wanted = in_batches(half, windows), in_batches(full, windows)
    assert apart(found, wanted) < 2e-2
    assert (found.emotion.argmax(1) == wanted.emotion.argmax(1)).mean() >= 0.99
    return half.device


def gpu_name() -> str:
    gpu = nvidia_gpu()
    assert gpu is not None, "there is no NVIDIA GPU with a driver here"
    return gpu.name


def test_the_table_and_the_interface_name_the_same() -> None:
    assert Outputs._fields == LeanOutput._fields
    for name in BACKENDS:
        assert backend(name).name == name


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_the_shipped_network(name: str, windows: Inputs) -> None:
    assert_same(name, windows)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILERS)
def test_the_shipped_network_compiled(name: str, windows: Inputs) -> None:
    assert_same(name, windows)


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "half"), [(name, half) for name in GPU for half in (False, True)])
def test_the_shipped_network_on_a_gpu(name: str, half: bool, windows: Inputs) -> None:
    check = assert_half if half else assert_same
    assert check(name, windows) == gpu_name()


def test_eager_in_half_precision(windows: Inputs) -> None:
    assert_half("eager", windows)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_full_batch_and_a_part_of_one(name: str, tmp_path: Path) -> None:
    """Windows that fill a batch up change nothing, and leave nothing behind."""
    here(name)
    source = Source(small_file(tmp_path))
    engine, _ = open_engine(source, name, batch=4)
    eager, _ = open_engine(source, "eager", batch=4)
    batches = list(noise(source, 4))
    inputs = [np.concatenate(column)[:7] for column in zip(*batches, strict=True)]
    found = in_batches(engine, inputs)
    assert [len(x) for x in found] == [7] * len(found)
    assert apart(found, in_batches(eager, inputs)) < 1e-4


def test_late_fusion_runs_in_eager_alone() -> None:
    """What has no form for prediction alone still predicts, as it was trained."""
    off = dict.fromkeys(("decoupling", "homogeneous", "heterogeneous", "dictionary"), False)
    late = small_checkpoint(fusion="late", **off)
    engine, reason = open_engine(Source(late))
    assert engine.backend == "eager"
    assert "not built" in reason
    network = late.model()
    import torch

    for window in noise(Source(late), 1):
        tensors = [torch.from_numpy(x) for x in window]
        features = dict(zip(MODALITIES, tensors[:3], strict=True))
        with torch.no_grad():
            wanted = network(features, dict(zip(MODALITIES, tensors[3:], strict=True)))
        np.testing.assert_array_equal(engine(window).emotion, wanted.emotion)


def test_onnxruntime_predicts_without_pytorch(tmp_path: Path) -> None:
    here("onnxruntime")
    path = small_file(tmp_path)
    open_engine(Source(path), "onnxruntime")  # built here, found there
    code = """
import sys
from pathlib import Path
from inference.backends.opening import open_engine
from inference.backends.source import Source
source = Source(Path(sys.argv[1]))
engine, reason = open_engine(source)
import numpy as np
sizes = source.checkpoint.config.modalities.values()
engine([np.ones((1, m.steps, m.features), np.float32) for m in sizes]
       + [np.ones((1, m.steps), bool) for m in sizes])
print(engine.backend, "torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert done.stdout.split() == ["onnxruntime", "False"]
