"""What a running session spares the threads of the process."""

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from inference.live.interpreter import Collection
from inference.live.interpreter import collection as shared
from tests.inference.live.stand_ins import Stage


@pytest.fixture
def collection() -> Iterator[Collection]:
    yield Collection()
    gc.unfreeze()
    gc.enable()


class Ring:
    """Refers to itself: only a look at all objects finds that nobody else does."""

    def __init__(self) -> None:
        self.me = self


def found(ring: "weakref.ref[Ring]") -> bool:
    gc.collect()
    return ring() is None


def test_a_running_session_leaves_out_what_was_there_before(collection: Collection) -> None:
    collection.loading("one")
    before = weakref.ref(Ring())
    assert not gc.isenabled()
    collection.running("one")
    after = weakref.ref(Ring())
    assert gc.isenabled()
    assert found(after)
    assert not found(before)
    collection.ended("one")
    assert found(before)


def test_a_session_that_ends_spares_those_that_still_load_or_run(collection: Collection) -> None:
    for session in ("one", "two", "three"):
        collection.loading(session)
    collection.running("one")
    collection.running("two")
    old = weakref.ref(Ring())
    collection.running("two")
    collection.ended("one")
    assert not found(old)
    assert not gc.isenabled()
    collection.ended("three")
    assert gc.isenabled()
    collection.ended("two")
    assert found(old)


def test_a_session_says_when_it_loads_runs_and_ends() -> None:
    one = Stage()
    try:
        one.running()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert shared._running == {one.session}
    finally:
        assert one.close()
    assert gc.get_freeze_count() == 0
    assert not shared._running


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyTorch is loaded by its import")
def test_the_libraries_of_torch_are_there_before_it_is_imported() -> None:
    code = (
        "import sys; from extractors.torch_libraries import load_torch_libraries\n"
        "loaded = lambda: 'libtorch_cpu' in open('/proc/self/maps').read()\n"
        "assert not loaded(); load_torch_libraries()\n"
        "assert loaded() and 'torch' not in sys.modules\n"
        "import torch; assert int(torch.ones(3).sum()) == 3\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
