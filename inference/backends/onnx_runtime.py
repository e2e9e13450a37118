"""ONNX Runtime: on the CPU without PyTorch, and on a GPU through its CUDA or TensorRT provider."""

from collections.abc import Mapping
from ctypes.util import find_library
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from assets.errors import AffectscopeError
from extractors.cuda_libraries import load_cuda_libraries
from inference.backends.interface import BackendMissing, Engine, Inputs, Outputs, version_of
from inference.backends.onnx_file import FromOnnx, input_names
from inference.backends.source import Source
from inference.nvidia_gpu import gpu_identity, nvidia_gpu

__all__ = ["OnnxRuntime", "OnnxRuntimeCuda", "OnnxRuntimeTensorRT"]

GPU_INSTALL = (
    "pip uninstall onnxruntime and pip install onnxruntime-gpu, which must not lie beside it"
)

TENSORRT_INSTALL = "pip install tensorrt, in the version that onnxruntime-gpu was built for"


class _OnnxEngine:
    def __init__(self, backend: str, session: Any, batch: int, device: str) -> None:
        self.backend, self.batch, self.device = backend, batch, device
        self._session = session
        self._names = input_names()

    def __call__(self, inputs: Inputs) -> Outputs:
        feed = dict(zip(self._names, inputs, strict=True))
        return Outputs(*self._session.run(list(Outputs._fields), feed))


class OnnxRuntime(FromOnnx):
    name = "onnxruntime"
    summary = "ONNX Runtime on the CPU"
    packages = {"onnxruntime": "pip install onnxruntime"}  # noqa: RUF012
    provider: ClassVar[str] = "CPUExecutionProvider"

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        """Raises BackendMissing if the provider that was asked for does not run."""
        del source, half
        assert file is not None
        import onnxruntime

        if self.on_gpu:
            load_cuda_libraries()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin while they wait would take the cores of the extractors.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(
                str(file),
                options,
                providers=[(self.provider, self.provider_options(file))],
                enable_fallback=0,  # it would print on standard output, and not be told
            )
        except Exception as error:  # its errors have no common root
            raise AffectscopeError(f"ONNX Runtime cannot open {file}: {error}") from error
        # Without its libraries a GPU provider gives way to the CPU without a word.
        if session.get_providers()[0] != self.provider:
            raise BackendMissing(
                f"the backend {self.name} does not run here: ONNX Runtime took "
                f"{session.get_providers()[0]} instead of {self.provider}; are CUDA's libraries "
                "installed (pip install 'onnxruntime-gpu[cuda,cudnn]')?"
            )
        gpu = nvidia_gpu() if self.on_gpu else None
        return _OnnxEngine(self.name, session, batch, gpu.name if gpu else "CPU")

    def provider_options(self, file: Path) -> dict[str, str]:
        del file
        return {}


class OnnxRuntimeCuda(OnnxRuntime):
    name = "ort-cuda"
    summary = "ONNX Runtime on an NVIDIA GPU"
    on_gpu = True
    precisions = ("float32", "float16")
    packages = {"onnxruntime": GPU_INSTALL}  # noqa: RUF012
    provider = "CUDAExecutionProvider"

    def missing(self) -> str | None:
        missing = super().missing()
        if missing:
            return missing
        if nvidia_gpu() is None:
            return f"the backend {self.name} needs an NVIDIA GPU with its driver; none is here"
        import onnxruntime

        if self.provider not in onnxruntime.get_available_providers():
            return (
                f"the backend {self.name} needs {self.provider}, which this ONNX Runtime does not "
                f"have: {GPU_INSTALL}"
            )
        return None

    def provider_options(self, file: Path) -> dict[str, str]:
        del file
        # By default it may use TF32, which has ten bits of the 23.
        return {"use_tf32": "0"}


class OnnxRuntimeTensorRT(OnnxRuntimeCuda):
    """TensorRT builds its engine when the file is first opened, and keeps it beside the file."""

    name = "ort-tensorrt"
    summary = "ONNX Runtime with TensorRT on an NVIDIA GPU"
    form = "ort-tensorrt"
    provider = "TensorrtExecutionProvider"

    def missing(self) -> str | None:
        """ONNX Runtime names the provider whether or not TensorRT is installed."""
        missing = super().missing()
        if missing or find_spec("tensorrt") or find_library("nvinfer"):
            return missing
        return f"the backend {self.name} needs TensorRT, which is not installed: {TENSORRT_INSTALL}"

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        if find_spec("tensorrt"):
            import_module("tensorrt")  # loads its libraries, which ONNX Runtime would not find
        return super().open(source, batch, half, file, threads)

    def made_for(self) -> Mapping[str, str]:
        return {**gpu_identity(), **version_of("onnxruntime-gpu", "tensorrt")}

    def provider_options(self, file: Path) -> dict[str, str]:
        return {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(file.parent / "tensorrt"),
        }
