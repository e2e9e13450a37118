"""What holds for every test of this folder: no thread is left, no property depends on the clock."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

PATIENCE = 10.0
"""Seconds that an ending thread is given; a safety net, not part of any test."""


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fails the test after which a thread of Python still runs."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    leaked = [thread.name for thread in set(threading.enumerate()) - before]
    assert not leaked, f"threads left running: {leaked}"
