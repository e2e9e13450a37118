"""What can be proven of TensorRT without a GPU: its converters, its parser, its builder.

`tensorrt_operators.txt` holds the operators of ATen for which torch-tensorrt 2.13.0 registers a
converter, read from its registry (torch_tensorrt.dynamo.conversion). TensorRT for RTX is NVIDIA's
smaller build of TensorRT; it parses and builds without a GPU, and only loading an engine needs one.
It stands in for the classic TensorRT and is no proof of it.
"""

import operator
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from assets import ASSETS
from inference.backends.onnx_file import write_onnx
from inference.backends.source import Source
from inference.lean import export
from tests.inference.backends.small_checkpoint import small_checkpoint
from tests.inference.test_lean import SWITCHES

# PyTorch's own, while it copies the graph
pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")

LIST = Path(__file__).with_name("tensorrt_operators.txt")

BUILD = """
import sys
import tensorrt_rtx as trt
log = trt.Logger(trt.Logger.ERROR)
builder = trt.Builder(log)
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
parser = trt.OnnxParser(network, log)
with open(sys.argv[1], "rb") as file:
    if not parser.parse(file.read()):
        sys.exit("; ".join(str(parser.get_error(i)) for i in range(parser.num_errors)))
types = {str(network.get_layer(i).get_output(0).dtype) for i in range(network.num_layers)}
engine = builder.build_serialized_network(network, builder.create_builder_config())
if engine is None:
    sys.exit("no engine")
names = [network.get_output(i).name for i in range(network.num_outputs)]
print(engine.nbytes, "DataType.HALF" in types, *names)
"""


def with_converter() -> set[str]:
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line and not line.startswith("#")}


def operators(program: ExportedProgram) -> set[str]:
    """Of the graph after decomposition, as far as something comes of them.

    Attention stays whole, as torch-tensorrt keeps it: it has a converter of its own.
    """
    table = torch.export.default_decompositions()
    del table[torch.ops.aten.scaled_dot_product_attention.default]
    found = set()
    for node in program.run_decompositions(table).graph.nodes:
        if node.op == "call_function" and node.users:
            name = str(node.target)
            known = getattr(operator, getattr(node.target, "__name__", ""), None)
            found.add(f"operator.{node.target.__name__}" if known else f"torch.ops.{name}")
    return found


def test_every_operator_of_the_shipped_network_has_a_converter() -> None:
    source = Source(ASSETS / "live.safetensors")
    found = operators(export(source.lean(), 1))
    assert len(found) > 30
    assert found - with_converter() == set()
    assert operators(export(source.lean(half=True), 1)) - with_converter() == set()


@pytest.mark.parametrize("values", [v for v in SWITCHES if "emotions" not in v], ids=str)
def test_every_operator_of_every_configuration_has_one(values: dict[str, object]) -> None:
    source = Source(small_checkpoint(**values))
    assert operators(export(source.lean(), 2)) - with_converter() == set()


class Unconvertible(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = torch.linalg.svd(x).S.relu()
        return result


def test_an_operator_without_a_converter_is_found() -> None:
    """What the two tests above would say of a network that TensorRT cannot run."""
    program = torch.export.export(Unconvertible(), (torch.ones(2, 3, 3),), strict=False)
    missing = operators(program) - with_converter()
    assert missing == {"torch.ops.aten._linalg_svd.default"}


def build(file: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the library keeps threads and memory."""
    pytest.importorskip(
        "tensorrt_rtx", reason="pip install tensorrt_rtx==1.7.1.116 builds engines without a GPU"
    )
    command = [sys.executable, "-c", BUILD, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
def test_tensorrt_parses_the_onnx_file_and_builds_an_engine(half: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("tensorrt_rtx", reason="pip install tensorrt_rtx==1.7.1.116")
    file = tmp_path / "network.onnx"
    write_onnx(Source(ASSETS / "live.safetensors"), 1, half, file)
    done = build(file)
    assert done.returncode == 0, done.stderr
    size, has_half, *outputs = done.stdout.split()
    assert int(size) > 2_000_000
    assert has_half == str(half)
    assert outputs[:2] == ["emotion", "sentiment"]
    assert len(outputs) == 6


def test_tensorrt_refuses_what_it_cannot_run(tmp_path: Path) -> None:
    """A file of the same kind with an operator that no TensorRT has."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2, 2]) for n in ("x", "y")]
    node = helper.make_node("Det2", ["x"], ["y"], domain="nowhere")
    graph = helper.make_graph([node], "none", value[:1], value[1:])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("nowhere", 1)]
    file = tmp_path / "none.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets), file)
    done = build(file)
    assert done.returncode != 0
    assert "Det2" in done.stderr
