"""Values inside an ONNX graph as further outputs."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from extractors.onnx_outputs import with_outputs


def model(inside: str) -> bytes:
    """y = 2 x + 1, where 2 x is called `inside`."""
    numbers = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, [1], [value])
        for name, value in (("two", 2.0), ("one", 1.0))
    ]
    nodes = [
        helper.make_node("Mul", ["x", "two"], [inside]),
        helper.make_node("Add", [inside, "one"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "g", [numbers], [result], constants)
    opset = helper.make_opsetid("", 17)
    made: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    return made


@pytest.mark.parametrize("inside", ["doubled", "a name of more than 127 bytes " * 20])
def test_what_lies_inside_is_given_beside_the_result(inside: str) -> None:
    session = onnxruntime.InferenceSession(
        with_outputs(model(inside), [inside]), providers=["CPUExecutionProvider"]
    )
    feed = {"x": np.asarray([1.0, -3.0], np.float32)}
    doubled, result = session.run([inside, "y"], feed)
    assert doubled.tolist() == [2.0, -6.0]
    assert result.tolist() == [3.0, -5.0]


def test_without_names_nothing_is_added() -> None:
    session = onnxruntime.InferenceSession(
        with_outputs(model("doubled"), []), providers=["CPUExecutionProvider"]
    )
    assert [output.name for output in session.get_outputs()] == ["y"]
