"""What MediaPipe finds in a picture, as arrays."""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.features import FloatArray

__all__ = ["FoundFaces", "find_faces"]


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """Of each face found: landmarks [478, 3], blendshapes [52], transformation matrix [4, 4]."""

    landmarks: list[FloatArray]
    blendshapes: list[FloatArray]
    matrices: list[npt.NDArray[Any]]


def find_faces(landmarker: Any, picture: Any, time_ms: int | None = None) -> FoundFaces:
    """Faces in a `mediapipe.Image` by a `vision.FaceLandmarker`; with a time in video mode.

    MediaPipe makes a Python object of every point, which takes the interpreter for a tenth of the
    time of a picture, while words and voice wait for it. So its result is copied from where the
    library left it; a MediaPipe that is built otherwise is asked the usual way.
    """
    try:
        from mediapipe.tasks.python.vision.face_landmarker import MpFaceLandmarkerResultC

        library, handle = landmarker._lib, landmarker._handle
        image, close = picture._image_ptr, library.MpFaceLandmarkerCloseResult
        detect = (
            library.MpFaceLandmarkerDetectImage
            if time_ms is None
            else library.MpFaceLandmarkerDetectForVideo
        )
    except (ImportError, AttributeError):
        return _found(
            landmarker.detect(picture)
            if time_ms is None
            else landmarker.detect_for_video(picture, time_ms)
        )
    result: Any = MpFaceLandmarkerResultC()
    times = () if time_ms is None else (time_ms,)
    detect(handle, image, None, *times, ctypes.byref(result))
    try:
        return _copied(result)
    finally:
        close(ctypes.byref(result))


def _copied(result: Any) -> FoundFaces:
    meshes = result.face_landmarks[: result.face_landmarks_count]
    shapes = result.face_blendshapes[: result.face_blendshapes_count]
    count = result.facial_transformation_matrixes_count
    return FoundFaces(
        [_numbers(mesh.landmarks, mesh.landmarks_count, "x", "y", "z") for mesh in meshes],
        [_numbers(kinds.categories, kinds.categories_count, "score")[:, 0] for kinds in shapes],
        [matrix.to_numpy() for matrix in result.facial_transformation_matrixes[:count]],
    )


def _numbers(pointer: Any, count: int, *fields: str) -> FloatArray:
    """A copy of some float fields of the structures at a ctypes pointer: [count, fields]."""
    kind = pointer._type_
    if count == 0:
        return np.zeros((0, len(fields)), np.float32)
    lies = np.frombuffer((kind * count).from_address(ctypes.addressof(pointer.contents)), np.uint8)
    rows = lies.reshape(count, ctypes.sizeof(kind))
    places = [getattr(kind, field).offset for field in fields]
    return np.concatenate(
        [rows[:, place : place + 4].copy().view(np.float32) for place in places], axis=1
    )


def _found(result: Any) -> FoundFaces:
    """The same from MediaPipe's own result."""
    return FoundFaces(
        [
            np.array([(point.x, point.y, point.z) for point in face], np.float32)
            for face in result.face_landmarks
        ],
        [
            np.array([shape.score for shape in shapes], np.float32)
            for shapes in result.face_blendshapes
        ],
        [np.asarray(matrix) for matrix in result.facial_transformation_matrixes],
    )
