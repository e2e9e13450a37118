"""The portrait, its landmarks and the mesh over both."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from assets.errors import BadInput
from scripts.sample_clip.score import SIZE

__all__ = ["INNER_LIPS", "LEFT_EYE", "OVAL", "RIGHT_EYE", "Portrait", "load_portrait"]

CROP = (123, 2, 208)
"""Left, top and side, in pixels of scikit-image's astronaut: the face takes half of the height."""

# Closed contours by number of MediaPipe's face mesh (468 points); "right" is the person's right.
# fmt: off
INNER_LIPS = (
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)
RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on
MESH_POINTS = 468


@dataclass(frozen=True)
class Portrait:
    """The still picture and its mesh.

    `picture` is (SIZE, SIZE, 3) uint8 RGB. `points` (V, 2) are pixels: the 468 landmarks first,
    then a grid over hair and background. `depth` (V,) is in pixels, negative towards the camera.
    `triangles` (T, 3) leave out the mouth and the eyes, which have layers of their own.
    """

    picture: NDArray[np.uint8]
    points: NDArray[np.float64]
    depth: NDArray[np.float64]
    triangles: NDArray[np.int64]


def load_portrait(model: str) -> Portrait:
    """Crop and enlarge the portrait, find its landmarks with the model file, span the mesh.

    Raises:
        BadInput: no face is found, which happens only with another model file.
    """
    picture = enlarged_portrait()
    landmarks = find_landmarks(picture, model)
    outside = grid_outside(landmarks[list(OVAL), :2])
    points = np.vstack([landmarks[:, :2], outside])
    depth = np.concatenate([landmarks[:, 2], depth_outside(outside, landmarks[list(OVAL)])])
    triangles = Delaunay(points).simplices.astype(np.int64)
    centres = points[triangles].mean(axis=1)
    holes = [landmarks[list(ring), :2] for ring in (INNER_LIPS, RIGHT_EYE, LEFT_EYE)]
    solid = np.ones(len(triangles), bool)
    for hole in holes:
        contour = hole.astype(np.float32)
        solid &= np.array([cv2.pointPolygonTest(contour, c, False) < 0 for c in centres.tolist()])
    return Portrait(picture, points, depth, triangles[solid])


def enlarged_portrait() -> NDArray[np.uint8]:
    """The cropped portrait at SIZE, Lanczos and a light unsharp mask, since it grows 2.5 times."""
    from skimage.data import astronaut

    left, top, side = CROP
    crop = np.ascontiguousarray(astronaut()[top : top + side, left : left + side])
    large = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_LANCZOS4).astype(np.float32)
    sharp = large + 0.45 * (large - cv2.GaussianBlur(large, (0, 0), 2.0))
    picture: NDArray[np.uint8] = np.clip(sharp, 0, 255).astype(np.uint8)
    return picture


def find_landmarks(picture: NDArray[np.uint8], model: str) -> NDArray[np.float64]:
    """The 468 landmarks (468, 3) of the face mesh in pixels."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=model))
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        found = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture))
    if not found.face_landmarks:
        raise BadInput(f"no face found in the portrait; is {model} the face landmarker?")
    points = found.face_landmarks[0][:MESH_POINTS]
    return np.array([[p.x, p.y, p.z] for p in points], dtype=np.float64) * SIZE


def grid_outside(oval: NDArray[np.float64], spacing: int = 20) -> NDArray[np.float64]:
    """Grid points (G, 2) beside the face, reaching past the picture's edge on all sides."""
    line = np.arange(-spacing, SIZE + spacing + 1, spacing, dtype=np.float64)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    contour = oval.astype(np.float32)
    near = [cv2.pointPolygonTest(contour, p, True) for p in grid.tolist()]
    return grid[np.array(near) < -0.5 * spacing]


def depth_outside(points: NDArray[np.float64], oval: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth (G,) beside the face, continued smoothly from its outline (inverse distances)."""
    away = np.linalg.norm(points[:, None] - oval[None, :, :2], axis=2)
    share = 1.0 / np.maximum(away, 1.0) ** 2
    depth: NDArray[np.float64] = (share @ oval[:, 2]) / share.sum(axis=1)
    return depth
