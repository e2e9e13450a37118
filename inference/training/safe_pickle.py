"""Pickles without the danger: arrays and plain containers are read, anything else is refused.

Reading a pickle runs whatever functions it names. This reader resolves a name only if it is one of
the few with which NumPy writes arrays, and never imports what a file asks for.
"""

import pickle
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy._core.multiarray import _reconstruct, scalar
from numpy._core.numeric import _frombuffer  # type: ignore[attr-defined]

from assets.errors import BadInput

__all__ = ["load_arrays"]


def _bytes_of(text: str, encoding: str) -> bytes:
    """`_codecs.encode`, with which Python 3 writes bytes into old pickles; Latin-1 alone."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


ADMITTED: Final[dict[tuple[str, str], Any]] = {
    ("_codecs", "encode"): _bytes_of,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{
        (f"numpy.{core}.{module}", name): value
        for core in ("core", "_core")
        for module, name, value in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", scalar),
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
