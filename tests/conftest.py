"""Fixtures that every folder of tests shares."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests build, and what they find built, is theirs alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTSCOPE_ENGINES", str(tmp_path_factory.mktemp("engines")))
        yield


@pytest.fixture(scope="module", autouse=True)
def no_landmarker_left_open() -> Iterator[None]:
    """Fails after the module that leaves a model of MediaPipe open.

    One that is still open when the interpreter ends cannot be freed any more and says so.
    """
    yield
    if open_landmarkers():
        gc.collect()  # what only waits to be collected is not left
    left = open_landmarkers()
    assert not left, f"models left open: {left}"


def open_landmarkers() -> list[str]:
    """Classes of MediaPipe's face models that are open in this process, one for each model."""
    vision = "mediapipe.tasks.python.vision"
    if f"{vision}.face_landmarker" not in sys.modules:
        return []
    models = tuple(
        getattr(sys.modules[f"{vision}.{module}"], name)
        for module, name in (
            ("face_landmarker", "FaceLandmarker"),
            ("face_detector", "FaceDetector"),
        )
    )
    found = (thing for thing in gc.get_objects() if type(thing) in models)
    return [type(thing).__name__ for thing in found if thing._handle]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the clips and labelled data, which are not in the repository."""
    folder = Path(os.environ.get("AFFECTSCOPE_SHARED") or CHECKOUT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder}: set AFFECTSCOPE_SHARED to where it is")
    return folder


@pytest.fixture(scope="session")
def models() -> Callable[[str], Path]:
    """`assets.pretrained.path_of`, but a model file that is not here skips the test."""
    from assets.errors import ModelFileError
    from assets.pretrained import path_of

    def present(key: str) -> Path:
        try:
            return path_of(key)
        except ModelFileError as error:
            pytest.skip(str(error))

    return present


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the preset `live` that was never trained: right in all but what it says."""
    from inference.checkpoint import save_checkpoint
    from tests.inference.untrained import untrained

    path = tmp_path_factory.mktemp("checkpoint") / "untrained.safetensors"
    save_checkpoint(path, untrained())
    return path
