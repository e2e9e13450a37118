"""Fixtures that every folder of tests shares."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

CHECKOUT = Path(__file__).resolve().parents[1]


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
