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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere imports load them")
def test_large_libraries_are_there_before_they_are_imported() -> None:
    code = (
        "import sys; from extractors.large_libraries import LIBRARIES, load_large_libraries\n"
        "names = [name.rsplit('/')[-1] for files in LIBRARIES.values() for name, _ in files]\n"
        "missing = lambda: [n for n in names if n not in open('/proc/self/maps').read()]\n"
        "assert missing() == names; load_large_libraries()\n"
        "assert missing() == [name for name in names if 'torch' in name], missing()\n"
        "load_large_libraries(torch=True)\n"
        "assert not missing() and not LIBRARIES.keys() & sys.modules.keys()\n"
        "import torch; assert int(torch.ones(3).sum()) == 3\n"
        "import cv2, ctranslate2, mediapipe, onnxruntime, parselmouth, pyarrow\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
