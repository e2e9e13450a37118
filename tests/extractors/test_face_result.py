"""Faces as arrays: the same as MediaPipe's own result, however they are read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.face_result import find_faces


class Public:
    """What MediaPipe promises of a landmarker, and nothing of what lies inside."""

    def __init__(self, landmarker: Any) -> None:
        self.detect = landmarker.detect
        self.detect_for_video = landmarker.detect_for_video


@pytest.fixture(scope="module", params=["picture", "video"])
def pair(request: pytest.FixtureRequest, models: Callable[[str], Path]) -> Iterator[Any]:
    """Two landmarkers of MediaPipe alike, for up to four faces, and whether they track."""
    from mediapipe.tasks.python import BaseOptions, vision

    video = request.param == "video"
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(models("face-landmarker"))),
        running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
        num_faces=4,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    make = vision.FaceLandmarker.create_from_options
    with make(options) as one, make(options) as other:
        yield one, other, video


def picture(faces: int) -> Any:
    import mediapipe as mp
    from skimage import data

    face = data.astronaut()[:300, 80:380]
    tiles = [face] * faces + [np.zeros_like(face)] * (2 - faces)
    return mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(np.concatenate(tiles, axis=1)))


def test_they_are_those_of_the_public_result(pair: Any) -> None:
    one, other, video = pair
    for index, faces in enumerate((0, 1, 2)):
        shown, time = picture(faces), 2000 * index if video else None
        found, public = find_faces(one, shown, time), find_faces(Public(other), shown, time)
        for kind in ("landmarks", "blendshapes", "matrices"):
            mine, theirs = getattr(found, kind), getattr(public, kind)
            assert len(mine) == len(theirs) == faces
            for ours, public_ones in zip(mine, theirs, strict=True):
                assert ours.dtype == np.float32
                assert np.array_equal(ours, public_ones)
        assert [mesh.shape for mesh in found.landmarks] == [(478, 3)] * faces
        assert [shapes.shape for shapes in found.blendshapes] == [(52,)] * faces


def test_they_outlive_the_result_of_the_library(pair: Any) -> None:
    one, _, video = pair
    found = find_faces(one, picture(1), 10_000 if video else None)
    before = [found.landmarks[0].copy(), found.blendshapes[0].copy(), found.matrices[0].copy()]
    for index in range(3):
        find_faces(one, picture(2), 11_000 + index if video else None)
    after = [found.landmarks[0], found.blendshapes[0], found.matrices[0]]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
