"""Pickles without the danger: arrays and plain containers are read, anything else is refused.

Reading a pickle runs whatever functions it names. This reader resolves a name only if it is one of
the few with which NumPy writes arrays, and never imports what a file asks for. Nor does NumPy see
what the file says of an array before it is checked: NumPy believes the state of a dtype, and with
one that calls raw bytes objects they would be followed as addresses.
"""

import math
import pickle
from pathlib import Path
from typing import Any, Final

import numpy as np

from assets.errors import BadInput

__all__ = ["load_arrays"]

NUMBERS_AND_TEXT = "biufcSU"
"""Kinds of dtype whose arrays are plain bytes."""
NDARRAY: Final = object()
"""What `numpy.ndarray` stands for: the kind of array to be made, and nothing that can be called."""


def _bytes_of(text: str, encoding: str) -> bytes:
    """`_codecs.encode`, with which Python 3 writes bytes into old pickles; Latin-1 alone."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


class _Dtype:
    """`numpy.dtype`, of numbers, text and objects alone: nothing with fields of its own."""

    def __init__(self, name: str, *_: bool) -> None:
        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in f"{NUMBERS_AND_TEXT}O" or self.dtype.names is not None:
            raise Refused(f"an array of {name}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """The order of bytes is all that the name does not say."""
        _, order, *inside = state
        if len(state) != 8 or any(part is not None for part in inside[:3]):
            raise Refused("an array of fields")
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"bytes in the order {order}")
        self.dtype = self.dtype.newbyteorder(order)


def _plain(dtype: Any, raw: Any) -> tuple[np.dtype[Any], bytes | bytearray]:
    """A dtype of plain bytes, and bytes."""
    if not isinstance(dtype, _Dtype) or dtype.dtype.kind not in NUMBERS_AND_TEXT:
        raise Refused("an object in place of numbers")
    if isinstance(raw, str):  # bytes of Python 2
        raw = raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray):
        raise Refused("numbers that are no bytes")
    return dtype.dtype, raw


class _Array(np.ndarray[Any, Any]):
    """An array whose state is checked before NumPy takes it over."""

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, fortran, raw = state
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise pickle.UnpicklingError(f"an array of shape {shape}")
        items = math.prod(shape)
        if isinstance(dtype, _Dtype) and dtype.dtype.kind == "O":
            if not isinstance(raw, list):
                raise Refused("objects that are no list")
            made, needed = dtype.dtype, items
        else:
            made, raw = _plain(dtype, raw)
            needed = items * made.itemsize
            raw = bytes(raw)
        if len(raw) != needed:
            raise pickle.UnpicklingError(f"{len(raw)} for an array of shape {shape}")
        checked: Any = (version, shape, made, bool(fortran), raw)
        super().__setstate__(checked)


def _reconstruct(kind: Any, *_: Any) -> _Array:
    """An empty array, whose state comes next."""
    if kind is not NDARRAY:
        raise Refused("an array of another class")
    return np.ndarray.__new__(_Array, (0,), np.dtype("b"))


def _scalar(dtype: Any, raw: Any) -> Any:
    made, content = _plain(dtype, raw)
    return np.frombuffer(content, made, count=1)[0]


def _frombuffer(raw: Any, dtype: Any, shape: Any, order: Any) -> Any:
    made, content = _plain(dtype, raw)
    return np.frombuffer(content, made).reshape(shape, order=order)


ADMITTED: Final[dict[tuple[str, str], Any]] = {
    ("_codecs", "encode"): _bytes_of,
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): _Dtype,
    **{
        (f"numpy.{core}.{module}", name): value
        for core in ("core", "_core")
        for module, name, value in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _frombuffer),
        )
    },
}
"""What a name in a pickle stands for. NumPy 1 called `numpy._core` `numpy.core`."""


class Refused(pickle.UnpicklingError):
    """A pickle names something that is not admitted."""


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ADMITTED[module, name]
        except KeyError:
            raise Refused(f"{module}.{name}") from None


def load_arrays(path: Path) -> Any:
    """What a pickle of arrays, texts, numbers, lists, tuples and dictionaries holds.

    Raises BadInput, naming the file and what is refused, for any other thing, without running it,
    and for a file that is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            # Python 2 wrote the bytes of arrays as text
            return _ArraysOnly(file, encoding="latin1").load()
    except Refused as error:
        raise BadInput(f"{path} holds {error}, which is no array: it is not read") from error
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # what a damaged pickle raises is anyone's guess
        raise BadInput(f"{path} is no pickle of arrays, or damaged: {error}") from error
