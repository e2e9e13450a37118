"""ONNX files that also give what lies inside them."""

from collections.abc import Sequence

__all__ = ["with_outputs"]

MODEL_GRAPH = 7
"""Number of `ModelProto.graph` in onnx.proto."""
GRAPH_OUTPUT = 12
"""Number of `GraphProto.output`."""
VALUE_NAME = 1
"""Number of `ValueInfoProto.name`."""


def with_outputs(model: bytes, names: Sequence[str]) -> bytes:
    """The serialised ONNX `model` with the values `names` of its graph as further outputs.

    Two protobuf messages written one behind the other are one message in which repeated fields are
    appended and embedded ones merged; so nothing of the model is read or written anew, and the
    package `onnx` is not needed. Types and shapes are inferred by who loads it; a name that the
    graph lacks is found out there.
    """
    outputs = b"".join(_field(GRAPH_OUTPUT, _field(VALUE_NAME, name.encode())) for name in names)
    return model + _field(MODEL_GRAPH, outputs)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
