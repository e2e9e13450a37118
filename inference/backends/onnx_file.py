"""The network as an ONNX file, which four backends read."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

from extractors.features import MODALITIES
from inference.backends.interface import Backend, Outputs
from inference.backends.source import Source

__all__ = ["FromOnnx", "input_names", "write_onnx"]

INSTALL = "pip install 'affectscope[onnx]'"


def input_names() -> list[str]:
    """Names of the inputs, in their order."""
    return [*MODALITIES, *(f"{name}_valid" for name in MODALITIES)]


def write_onnx(source: Source, batch: int, half: bool, file: Path) -> None:
    """Export the network. Needs the extra `onnx`."""
    import torch

    from inference.lean import export

    program = export(source.lean(half), batch)
    log = logging.getLogger("torch.onnx")
    level = log.level
    # It speaks of every library that it could also have used.
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(
                program,
                f=str(file),
                dynamo=True,
                optimize=True,
                external_data=False,
                verbose=False,
                input_names=input_names(),
                output_names=list(Outputs._fields),
            )
    finally:
        log.setLevel(level)


class FromOnnx(Backend):
    """A backend that reads the ONNX file. The file depends on the network alone."""

    file = "network.onnx"
    form = "onnx"
    builder_packages = {"onnx": INSTALL, "onnxscript": INSTALL}  # noqa: RUF012

    def build(self, source: Source, batch: int, half: bool, file: Path) -> None:
        write_onnx(source, batch, half, file)
