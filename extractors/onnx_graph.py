"""Networks written for ONNX Runtime by hand, node by node.

One call computes all of a network and lets other threads of Python run meanwhile. In a live session
half the time of a network of many small calls is waiting for the interpreter between them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.features import FloatArray

__all__ = ["Graph"]

OPSET = 20
IR_VERSION = 9
FLOAT, UINT8 = 1, 2
"""Kinds of number in onnx.proto."""
MOST = 127
ZERO = 128
"""What stands for 0 in weights of 8 bits. They are unsigned: sums of signed ones overflow where a
processor has no instruction for them (AVX2)."""


class Graph:
    """A network in the making. Values are named by strings, as in ONNX."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, shape: Sequence[int | str], kind: type = np.float32) -> str:
        """A value that is given with each call; sizes that may differ are named."""
        self._inputs.append(self._value(name, kind, shape))
        return name

    def output(self, name: str, value: str, kind: type = np.float32) -> None:
        """Give `value` back as `name`."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value(name, kind, None))

    def constant(self, values: npt.ArrayLike) -> str:
        """A constant array; integers are int64 and all else is float32, unless it is an array."""
        from onnx import numpy_helper

        array = np.asarray(values)
        if not isinstance(values, np.ndarray):
            array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        name = f"constant {len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, which is returned."""
        return self.several(operator, *inputs, outputs=1, **attributes)[0]

    def several(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs."""
        from onnx import helper

        names = [f"{operator} {len(self._nodes)} {i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def reshape(self, x: str, *shape: int) -> str:
        """`x` in another shape; 0 keeps a size, -1 is what remains."""
        return self("Reshape", x, self.constant(np.asarray(shape, np.int64)))

    def layer_norm(self, x: str, gamma: FloatArray, beta: FloatArray) -> str:
        """Normalised along the last axis."""
        return self("LayerNormalization", x, self.constant(gamma), self.constant(beta), axis=-1)

    def int8_product(self, x: str, weight: FloatArray, bias: FloatArray | None = None) -> str:
        """x [n, in] @ weight [out, in].T + bias [out], both factors rounded to 8 bits.

        Each row of the weight and each row of `x` has a scale of its own, so that no row's result
        depends on the rows beside it.
        """
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-12).astype(np.float32) / MOST
        rounded = (np.round(weight / scale[:, None]) + ZERO).astype(np.uint8)
        zero = self.constant(np.asarray(ZERO, np.uint8))
        largest = self("ReduceMax", self("Abs", x), self.constant([-1]), keepdims=1)
        x_scale = self("Max", self("Mul", largest, self.constant(1 / MOST)), self.constant(1e-12))
        shifted = self("Add", self("Round", self("Div", x, x_scale)), self.constant(float(ZERO)))
        total = self(
            "MatMulInteger",
            self("Cast", shifted, to=UINT8),
            self.constant(np.ascontiguousarray(rounded.T)),
            zero,
            zero,
        )
        # one scale after the other: of both at once ONNX Runtime makes one that holds for all rows
        product = self("Mul", self("Cast", total, to=FLOAT), x_scale)
        product = self("Mul", product, self.constant(scale))
        return product if bias is None else self("Add", product, self.constant(bias))

    def session(self, threads: int = 1) -> Any:
        """An `onnxruntime.InferenceSession` of the network on the CPU."""
        import onnxruntime
        from onnx import helper

        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._constants
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # several threads would spin on cores that others need
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def _value(self, name: str, kind: type, shape: Sequence[int | str] | None) -> Any:
        from onnx import helper

        return helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape
        )
