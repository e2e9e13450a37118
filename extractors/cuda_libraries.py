"""CUDA's libraries for ONNX Runtime, where pip has put them."""

import contextlib
import io
import threading

__all__ = ["load_cuda_libraries"]

_lock = threading.Lock()
_asked = False


def load_cuda_libraries() -> None:
    """Load them once in this process, before ONNX Runtime opens anything on a GPU.

    By itself it looks in the system's folders alone, and not into the packages of
    `onnxruntime-gpu[cuda,cudnn]`. What is missing shows when a session takes another provider.
    """
    global _asked
    import onnxruntime

    load = getattr(onnxruntime, "preload_dlls", None)  # not in every build
    with _lock:
        if _asked or load is None:
            return
        _asked = True
        with contextlib.redirect_stdout(io.StringIO()):  # where it says what it did not find
            load()
