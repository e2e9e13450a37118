import subprocess
import sys

CODE = """
import ctypes, sys, threading
from extractors.native_memory import few_arenas
if sys.argv[1] == "few":
    few_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ready = threading.Barrier(9)
def work():
    libc.malloc(ctypes.c_size_t(1000))
    ready.wait()
    ready.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
ready.wait()
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
ready.wait()
"""


def heaps(which: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CODE, which], capture_output=True, text=True, check=True
    )
    return done.stdout.count("<heap nr=")


def test_threads_share_two_arenas() -> None:
    assert heaps("few") <= 2 < heaps("many")
