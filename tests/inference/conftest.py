"""What all tests of the network share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inference.checkpoint import Checkpoint
    from tests.inference.real_windows import RealWindows


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors this small are slower on two threads, by far if another process has the cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def live() -> "Checkpoint":
    """The checkpoint that comes with the program."""
    from inference.checkpoint import load_checkpoint

    return load_checkpoint("live")


@pytest.fixture(scope="session")
def real(models: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> "RealWindows":
    """The windows of the bundled clip."""
    from inference.models import SETS
    from tests.inference.real_windows import real_windows

    for key in SETS:
        models(key)
    interval = sys.getswitchinterval()
    try:
        return real_windows(tmp_path_factory.mktemp("real") / "sample")
    finally:
        sys.setswitchinterval(interval)
