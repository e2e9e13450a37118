"""Which backend is taken, why, and what is said when it cannot be."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from assets.errors import BadInput, ModelFileError
from inference import nvidia_gpu
from inference.backends import engine_cache, opening
from inference.backends.eager import TorchEngine
from inference.backends.exchange import ExchangeableEngine
from inference.backends.interface import Backend, BackendMissing, Engine, in_batches
from inference.backends.opening import (
    BACKENDS,
    backend,
    choose,
    noise,
    open_engine,
    runs_in_torch,
)
from inference.backends.source import Source
from inference.nvidia_gpu import NvidiaGpu
from tests.inference.backends.small_checkpoint import Steady, Written, small_checkpoint, small_file

H100 = NvidiaGpu("NVIDIA H100", "9.0", "580.65.06")


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(tmp_path / "engines"))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(small_file(tmp_path))


def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "nvidia_gpu", lambda: None)


def with_gpu(monkeypatch: pytest.MonkeyPatch, *runs: str, engine: Engine | None = None) -> None:
    """A computer with a GPU on which these backends run, as this engine; nothing needs CUDA."""
    monkeypatch.setattr(opening, "nvidia_gpu", lambda: H100)
    real = opening.backend

    def fake(name: str) -> Backend:
        if name not in opening.ON_GPU:
            return real(name)
        made = Written(engine=engine)
        made.__class__ = type(name, (Written,), {"name": name, "on_gpu": True})
        if name not in runs:
            made.missing = lambda: f"{name} is not installed"  # type: ignore[method-assign]
        return made

    monkeypatch.setattr(opening, "backend", fake)


def test_without_a_gpu_and_without_an_engine_eager_starts_at_once(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_gpu(monkeypatch)
    engine, reason = open_engine(source)
    assert engine.backend == "eager"
    assert reason == (
        "there is no NVIDIA GPU; the engine of onnxruntime is not built "
        "(affectscope compile builds it)"
    )


def test_what_compile_would_build_without_a_gpu(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    without_gpu(monkeypatch)
    choice = choose("auto", source, 1)
    assert (choice.backend.name, choice.reason) == ("onnxruntime", "there is no NVIDIA GPU")


def test_pytorch_is_needed_until_there_is_an_engine_or_where_there_is_a_gpu(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_gpu(monkeypatch)
    assert source.path is not None
    assert runs_in_torch(source.path)
    entry = engine_cache.entry_of(backend("onnxruntime"), source, 1, False)
    engine_cache.build(entry, lambda file: file.write_text("built") and None)
    assert not runs_in_torch(source.path)
    with_gpu(monkeypatch)
    assert runs_in_torch(source.path)
    with pytest.raises(ModelFileError, match="no checkpoint"):
        runs_in_torch("none")


def test_whether_pytorch_is_needed_is_found_out_without_it() -> None:
    code = (
        "import sys; from inference.backends.opening import runs_in_torch; runs_in_torch('live')\n"
        "assert not {'torch', 'onnxruntime'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_with_a_gpu_tensorrt_comes_first(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpu(monkeypatch, "tensorrt", "ort-cuda")
    choice = choose("auto", source, 1)
    assert (choice.backend.name, choice.reason) == ("tensorrt", "the GPU is an NVIDIA H100")


def test_with_a_gpu_the_next_best_says_what_the_best_lacks(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpu(monkeypatch, "ort-cuda")
    choice = choose("auto", source, 1)
    assert choice.backend.name == "ort-cuda"
    assert "tensorrt is not installed; ort-tensorrt is not installed" in choice.reason


@pytest.mark.parametrize("name", [name for name in BACKENDS if backend(name).packages])
def test_a_backend_that_is_not_installed_says_how_to_install_it(
    name: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.backends.interface.find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match=r"needs \w+, which is not installed: pip ") as raised:
        open_engine(source, name)
    assert "\n" not in str(raised.value)


def test_what_only_building_needs_is_named_too(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.util import find_spec

    monkeypatch.setattr(
        "inference.backends.interface.find_spec",
        lambda name: None if name == "onnxscript" else find_spec(name),
    )
    with pytest.raises(BackendMissing, match=r"onnxscript.*pip install 'affectscope\[onnx\]'"):
        open_engine(source, "onnxruntime")


def test_unknown_names_and_precisions_are_bad_input(source: Source) -> None:
    with pytest.raises(BadInput, match='there is no backend "xla"; take one of auto, eager'):
        open_engine(source, "xla")
    with pytest.raises(BadInput, match="openvino computes in float32 only"):
        open_engine(source, "openvino", half=True)


def test_a_network_without_a_lean_form_is_refused_by_what_needs_one() -> None:
    off = dict.fromkeys(("decoupling", "homogeneous", "heterogeneous", "dictionary"), False)
    late = Source(small_checkpoint(fusion="late", **off))
    with pytest.raises(BackendMissing, match="late fusion runs in eager alone"):
        choose("onnxruntime", late, 1)
    with pytest.raises(ModelFileError, match="late fusion"):
        late.lean()


def test_a_gpu_without_memory_gives_way_to_the_cpu(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpu(monkeypatch, "tensorrt")
    gpu = opening.backend("tensorrt")
    opening.compiled(gpu, source, 1)

    def full(*_: object) -> Engine:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(Written, "open", full)
    engine, reason = open_engine(source)
    assert engine.backend == "eager"
    assert "tensorrt failed (RuntimeError: CUDA out of memory), so the CPU goes on" in reason
    with pytest.raises(RuntimeError, match="out of memory"):
        open_engine(source, "tensorrt")  # who asks for it by name is told


def test_a_gpu_that_fails_later_gives_way_to_the_cpu(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpu(monkeypatch, "tensorrt")
    opening.compiled(opening.backend("tensorrt"), source, 1)
    failing = Steady(error=RuntimeError("CUDA out of memory"), backend="tensorrt", device="H100")
    with_gpu(monkeypatch, "tensorrt", engine=failing)
    engine, _ = open_engine(source)
    assert engine.backend == "tensorrt"
    window = list(noise(source, 1))[-1]
    eager, _ = open_engine(source, "eager")
    assert in_batches(engine, window).emotion.tolist() == eager(window).emotion.tolist()
    assert isinstance(engine, ExchangeableEngine)
    assert engine.backend == "eager"
    assert engine.remarks == [
        "tensorrt (H100) failed, eager (CPU) goes on: RuntimeError: CUDA out of memory"
    ]


class Driver:
    """The part of CUDA's driver library that is asked."""

    def __init__(self, works: bool = True) -> None:
        self.works = works

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return 100 * (not self.works) + flags

    def cuDeviceGet(self, device: object, ordinal: int) -> int:  # noqa: N802
        del device
        return ordinal

    def cuDeviceGetAttribute(self, number, attribute: int, device: object) -> int:  # type: ignore[no-untyped-def]  # noqa: N802
        del device
        number._obj.value = {75: 9, 76: 0}[attribute]
        return 0

    def cuDeviceGetName(self, name: ctypes.Array[ctypes.c_char], size: int, device: object) -> int:  # noqa: N802
        del size, device
        name.value = b"NVIDIA H100"
        return 0

    def cuDriverGetVersion(self, number) -> int:  # type: ignore[no-untyped-def]  # noqa: N802
        number._obj.value = 13010
        return 0


def test_the_driver_is_asked_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia_gpu, "driver", lambda: None)
    assert nvidia_gpu.ask(Driver()) == NvidiaGpu("NVIDIA H100", "9.0", "CUDA 13.1")  # type: ignore[arg-type]
    assert nvidia_gpu.ask(Driver(works=False)) is None  # type: ignore[arg-type]
    monkeypatch.setattr(nvidia_gpu, "driver", lambda: "580.65.06")
    found = nvidia_gpu.ask(Driver())  # type: ignore[arg-type]
    assert found is not None
    assert found.driver == "580.65.06"


@pytest.mark.parametrize(
    "library", ["torch-tensorrt", "tensorrt", "torch-tensorrt-rtx", "tensorrt-rtx"]
)
def test_an_engine_of_tensorrt_depends_on_the_library_that_is_installed(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorRT for RTX comes in packages of other names, and under the same module."""
    monkeypatch.setattr("inference.backends.tensorrt.gpu_identity", dict)
    monkeypatch.setattr("inference.backends.interface.metadata.version", {library: "1"}.get)
    assert backend("tensorrt").made_for()[library] == "1"


def test_an_engine_of_the_compiler_depends_on_where_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = backend("aotinductor")
    monkeypatch.setattr("inference.backends.aotinductor.gpu_identity", lambda: {"gpu": "H100"})
    monkeypatch.setattr("inference.backends.aotinductor.place", lambda: "cpu")
    assert "gpu" not in made.made_for()
    monkeypatch.setattr("inference.backends.aotinductor.place", lambda: "cuda")
    assert made.made_for()["gpu"] == "H100"


def test_pytorch_on_a_gpu_keeps_all_bits_of_a_float(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default its convolutions round to ten of the 23."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    assert TorchEngine("eager", list, 1, 1, "cpu").device == "CPU"
    assert torch.backends.cudnn.allow_tf32
    assert TorchEngine("eager", list, 1, 1, "cuda").device == "NVIDIA H100"
    assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.benchmark


def test_onnx_runtime_names_a_tensorrt_that_is_not_installed(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As onnxruntime-gpu does on a computer with a GPU: the next best is taken, not an error."""
    onnx_runtime = "inference.backends.onnx_runtime"
    providers = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)
    for module in (onnx_runtime, "inference.backends.opening"):
        monkeypatch.setattr(f"{module}.nvidia_gpu", lambda: H100)
    monkeypatch.setattr(f"{onnx_runtime}.find_spec", lambda _: None)
    monkeypatch.setattr(f"{onnx_runtime}.find_library", lambda _: None)
    pytest.importorskip("onnxscript")
    choice = choose("auto", source, 1)
    assert choice.backend.name == "ort-cuda"
    assert "ort-tensorrt needs TensorRT, which is not installed: pip install" in choice.reason
    monkeypatch.setattr(f"{onnx_runtime}.find_library", lambda _: "libnvinfer.so.10")
    assert choose("auto", source, 1).backend.name == "ort-tensorrt"
