"""Large compiled libraries, loaded while other threads go on."""

import ctypes
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path

__all__ = ["load_large_libraries"]

MODULE = EXTENSION_SUFFIXES[0]
LIBRARIES = {
    "torch": (
        ("lib/libtorch_global_deps.so", os.RTLD_GLOBAL),
        ("lib/libtorch.so", 0),
        ("lib/libtorch_python.so", 0),
    ),
    "cv2": (("cv2.abi3.so", 0),),
    "ctranslate2": ((f"_ext{MODULE}", 0),),
    "mediapipe": (("tasks/c/libmediapipe.so", 0),),
    "onnxruntime": ((f"capi/onnxruntime_pybind11_state{MODULE}", 0),),
    "parselmouth": ((f"parselmouth{MODULE}", 0),),
    "pyarrow": ((f"lib{MODULE}", 0),),
} if sys.platform == "linux" else {}  # fmt: skip
"""By package: files beside its first one, and how they are loaded, which is as their import does
it."""


def load_large_libraries(*, torch: bool = False) -> None:
    """Load what imports would load with the interpreter held, which stops every thread.

    `torch`: PyTorch's too, the largest, which only some ways to run the network need.

    Nothing happens for a package that is there already, or whose libraries are called otherwise; a
    library that does not load is left to the import, which says why. No other thread should import
    compiled modules meanwhile: it would wait with the interpreter held.
    """
    if not LIBRARIES:
        return
    dlopen = ctypes.CDLL(None).dlopen  # a call of a function lets the interpreter go
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for package, libraries in LIBRARIES.items():
        left_out = package in sys.modules or (package == "torch" and not torch)
        found = None if left_out else PathFinder.find_spec(package)
        if found is None or found.origin is None:
            continue
        for name, flags in libraries:
            dlopen(os.fsencode(Path(found.origin).parent / name), os.RTLD_NOW | flags)
