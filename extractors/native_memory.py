"""How the C library hands out memory in this process."""

import ctypes

__all__ = ["few_arenas"]

M_ARENA_MAX = -8
"""Parameter of mallopt(3)."""
ARENAS = 2


def few_arenas() -> None:
    """Let all threads share two arenas of glibc, where there is one; call it before they start.

    By default every thread gets an arena that grows to 64 MiB and more and is seldom given back: a
    dozen threads that pass pictures and arrays on to each other hold hundreds of MiB of gaps.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
