"""OpenVINO, Intel's runtime, on the CPU."""

from pathlib import Path
from typing import Any

from inference.backends.interface import Engine, Inputs, Outputs
from inference.backends.onnx_file import FromOnnx, input_names
from inference.backends.source import Source

__all__ = ["OpenVino"]


class _OpenVinoEngine:
    backend, device = "openvino", "CPU"

    def __init__(self, request: Any, batch: int) -> None:
        self.batch = batch
        self._request = request
        self._names = input_names()

    def __call__(self, inputs: Inputs) -> Outputs:
        found = self._request.infer(dict(zip(self._names, inputs, strict=True)))
        return Outputs(*(found[name].copy() for name in Outputs._fields))


class OpenVino(FromOnnx):
    name = "openvino"
    summary = "OpenVINO on the CPU"
    packages = {"openvino": "pip install 'affectscope[openvino]'"}  # noqa: RUF012

    def open(
        self, source: Source, batch: int, half: bool, file: Path | None, threads: int
    ) -> Engine:
        del source, half
        import openvino

        core = openvino.Core()
        compiled = core.compile_model(
            str(file),
            "CPU",
            {
                # Where the processor has bf16 it would take that without a word: errors of 2e-3.
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "ENABLE_CPU_PINNING": False,
            },
        )
        return _OpenVinoEngine(compiled.create_infer_request(), batch)
