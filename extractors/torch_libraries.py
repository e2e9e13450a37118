"""PyTorch's large libraries, loaded while other threads go on."""

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

__all__ = ["load_torch_libraries"]

LIBRARIES = (("libtorch_global_deps.so", os.RTLD_GLOBAL), ("libtorch.so", 0)) if (
    sys.platform == "linux"
) else ()  # fmt: skip
"""With how they are loaded, which is as PyTorch does it."""


def load_torch_libraries() -> None:
    """Load what `import torch` would load with the interpreter held, which stops every thread.

    Nothing happens where PyTorch is there already, or where its libraries are called otherwise; a
    library that does not load is left to the import, which says why. No other thread should import
    compiled modules meanwhile: it would wait with the interpreter held.
    """
    if "torch" in sys.modules or not LIBRARIES:
        return
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        return
    dlopen = ctypes.CDLL(None).dlopen  # a call of a function lets the interpreter go
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name, flags in LIBRARIES:
        dlopen(os.fsencode(Path(torch.origin).with_name("lib") / name), os.RTLD_NOW | flags)
