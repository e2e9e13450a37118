"""Distances within a face: what they are of, and what they do not depend on."""

import numpy as np
import numpy.typing as npt
import pytest

from extractors.face_measures import face_measures
from extractors.features import LANDMARKS, MEASURES

FloatArray = npt.NDArray[np.float32]


def mesh() -> FloatArray:
    """Landmarks in a square picture: everything at the tip of the nose but for eyes and mouth."""
    points = np.full((LANDMARKS, 3), 0.5, np.float32)
    points[:, 2] = 0
    for corners, x in (((33, 133), 0.4), ((263, 362), 0.6)):
        points[corners[0]] = (x - np.sign(0.5 - x) * 0.03, 0.4, 0)
        points[corners[1]] = (x + np.sign(0.5 - x) * 0.03, 0.4, 0)
    points[61], points[291] = (0.45, 0.6, 0), (0.55, 0.6, 0)
    points[13], points[14] = (0.5, 0.59, 0), (0.5, 0.63, 0)
    return points


def measured(points: FloatArray, aspect: float = 1.0) -> dict[str, float]:
    return dict(zip(MEASURES, face_measures(points, aspect).tolist(), strict=True))


def test_distances_are_told_in_units_of_that_of_the_eyes() -> None:
    found = measured(mesh())
    assert found["mouth_width"] == pytest.approx(0.5, abs=1e-5)
    assert found["mouth_opening"] == pytest.approx(0.2, abs=1e-5)
    assert found["eye_width_left"] == pytest.approx(0.3, abs=1e-5)
    assert found["brow_to_brow"] == 0


def test_a_face_that_is_near_or_turned_measures_the_same() -> None:
    points = mesh()
    points[:, :2] -= 0.5
    angle = np.radians(30)
    turned = points.copy()
    turned[:, 0] = np.cos(angle) * points[:, 0] + np.sin(angle) * points[:, 2]
    turned[:, 2] = -np.sin(angle) * points[:, 0] + np.cos(angle) * points[:, 2]
    expected = face_measures(points, 1.0)
    np.testing.assert_allclose(face_measures(2 * turned + 0.3, 1.0), expected, atol=1e-5)


def test_the_form_of_the_picture_does_not_matter() -> None:
    wide = mesh()
    wide[:, 0] /= 2  # the same face in a picture twice as wide
    wide[:, 2] /= 2
    np.testing.assert_allclose(face_measures(wide, 2.0), face_measures(mesh(), 1.0), atol=1e-5)


def test_a_mesh_without_extent_gives_numbers() -> None:
    assert np.isfinite(face_measures(np.zeros((LANDMARKS, 3), np.float32), 1.0)).all()
