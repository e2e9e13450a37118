"""The shape of a face as distances between its landmarks, in units of its eyes' distance.

Blendshapes are what a network makes of the landmarks, and it was made to drive avatars: a brow that
is knit or lips that are pressed show less in them than in the landmarks themselves. On CK+ a
regression reads two points more of both than of the blendshapes, see `benchmarks/face_features.py`.
"""

import numpy as np

from extractors.features import MEASURES, FloatArray

__all__ = ["face_measures"]

_EYE_CORNERS = {"right": (33, 133), "left": (263, 362)}
"""Outer and inner corner of each eye in MediaPipe's face mesh; right and left as the person's."""

_PAIRED = {
    "eye_opening": ((159, 145), (386, 374)),
    "eye_opening_inner": ((158, 153), (385, 380)),
    "eye_opening_outer": ((160, 144), (387, 373)),
    "eye_width": ((33, 133), (263, 362)),
    "brow_inner_to_eye": ((107, 133), (336, 362)),
    "brow_middle_to_eye": ((105, 159), (334, 386)),
    "brow_outer_to_eye": ((70, 33), (300, 263)),
    "brow_inner_to_bridge": ((107, 168), (336, 168)),
    "nose_wing_to_eye": ((129, 133), (358, 362)),
    "cheek_to_eye": ((50, 145), (280, 374)),
    "cheek_to_mouth": ((50, 61), (280, 291)),
    "mouth_corner_to_eye": ((61, 33), (291, 263)),
    "mouth_corner_to_nose": ((61, 129), (291, 358)),
    "mouth_corner_to_chin": ((61, 152), (291, 152)),
    "mouth_corner_to_upper_lip": ((61, 0), (291, 0)),
    "mouth_corner_to_lower_lip": ((61, 17), (291, 17)),
}
_SINGLE = {
    "brow_to_brow": (107, 336),
    "nose_width": (129, 358),
    "nose_to_upper_lip": (2, 0),
    "mouth_width": (61, 291),
    "mouth_width_inner": (78, 308),
    "mouth_height": (0, 17),
    "mouth_opening": (13, 14),
    "upper_lip": (0, 13),
    "lower_lip": (14, 17),
    "chin": (17, 152),
}
_PAIRS = {
    **{
        f"{name}_{side}": pair
        for name, both in _PAIRED.items()
        for side, pair in zip(("right", "left"), both, strict=True)
    },
    **_SINGLE,
}
_ENDS = np.asarray([_PAIRS[name] for name in MEASURES])


def face_measures(landmarks: FloatArray, aspect: float) -> FloatArray:
    """`MEASURES` float32 [42] of landmarks [478, 3] in a picture of `aspect`, width by height.

    Landmarks are as in `FaceFeatures`: x and z in units of the picture's width, y of its height.
    Distances are taken in space, so that a head may turn, and divided by the distance between the
    middles of the eyes, so that it may be near or far.
    """
    points = landmarks * np.asarray([1.0, 1.0 / aspect, 1.0], np.float32)
    right, left = (points[list(corners)].mean(axis=0) for corners in _EYE_CORNERS.values())
    unit = max(float(np.linalg.norm(left - right)), 1e-6)
    distances = np.linalg.norm(points[_ENDS[:, 0]] - points[_ENDS[:, 1]], axis=1)
    return np.asarray(distances / unit, np.float32)
