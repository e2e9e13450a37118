"""Faces in pictures: landmarks, blendshapes and head pose of the one face that is followed."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.face_measures import face_measures
from extractors.face_result import FoundFaces, find_faces
from extractors.features import FaceFeatures, FloatArray, VideoFrame
from extractors.gpu_or_cpu import CPU, GaveWay, GpuOrCpu, ignore
from extractors.native_log import native_log_captured
from extractors.stream import SECOND, Sample

__all__ = ["Box", "FaceFollower", "FaceLandmarker", "FaceStage", "head_pose", "open_face_stage"]

MAX_FACES = 4
"""Faces looked for in a picture."""
SCOUT_EVERY = SECOND // 2
"""How often a face that seems to be alone is checked for company."""
CROWD_KEPT = 2 * SECOND
"""How long all faces are still looked for after the last picture with more than one."""
MILLISECOND = SECOND // 1000


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a face, in fractions of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, landmarks: FloatArray) -> "Box":
        """The smallest box around landmarks [478, 3]."""
        (left, top), (right, bottom) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
        return cls(float(left), float(top), float(right), float(bottom))

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        both = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        ).area
        union = self.area + other.area - both
        return both / union if union > 0 else 0.0


class FaceFollower:
    """Which of several faces is the one: the largest, held steadily.

    The face that was followed is followed on while one overlaps its last place by a fifth. Another
    takes over when it has been 1.5 times larger for a whole second, or when the followed one has
    been gone for half a second; then the largest is taken.
    """

    OVERLAP = 0.2
    LARGER = 1.5
    PATIENCE = SECOND
    GONE = SECOND // 2

    def __init__(self) -> None:
        self._box: Box | None = None
        self._seen = 0
        self._larger_since: int | None = None

    def choose(self, boxes: Sequence[Box], time: int) -> tuple[int | None, bool]:
        """The index of the face to follow, or None, and whether it is another than before."""
        largest = max(range(len(boxes)), key=lambda i: boxes[i].area, default=None)
        if self._box is None:
            return self._take(boxes, largest, time), False
        followed = max(range(len(boxes)), key=lambda i: boxes[i].overlap(self._last), default=None)
        if followed is None or boxes[followed].overlap(self._last) < self.OVERLAP:
            self._larger_since = None
            if time - self._seen < self.GONE:
                return None, False
            return self._take(boxes, largest, time), largest is not None
        assert largest is not None
        if boxes[largest].area < self.LARGER * boxes[followed].area:
            self._larger_since = None
        elif self._larger_since is None:
            self._larger_since = time
        elif time - self._larger_since >= self.PATIENCE:
            return self._take(boxes, largest, time), True
        self._box, self._seen = boxes[followed], time
        return followed, False

    @property
    def _last(self) -> Box:
        assert self._box is not None
        return self._box

    def _take(self, boxes: Sequence[Box], index: int | None, time: int) -> int | None:
        self._larger_since = None
        if index is not None:
            self._box, self._seen = boxes[index], time
        return index


def head_pose(matrix: npt.NDArray[Any]) -> FloatArray:
    """Pose [6], see `features.POSE`, from MediaPipe's facial transformation matrix [4, 4].

    The matrix takes the canonical face (centimetres, y up, z towards the camera) to the camera's
    coordinates. Angles are those of R = Rz(roll) Ry(yaw) Rx(pitch), in degrees; positive pitch
    looks down, positive yaw turns to the picture's right, positive roll leans to its left.
    """
    r = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0, keepdims=True)
    pitch = np.arctan2(r[2, 1], r[2, 2])
    yaw = np.arctan2(-r[2, 0], np.hypot(r[2, 1], r[2, 2]))
    roll = np.arctan2(r[1, 0], r[0, 0])
    angles = np.degrees([pitch, yaw, roll])
    return np.concatenate([angles, matrix[:3, 3]]).astype(np.float32)


class FaceCounter:
    """How many faces a picture has, by the detector inside the landmarker's bundle."""

    def __init__(self, bundle: bytes, confidence: float) -> None:
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision

        with zipfile.ZipFile(io.BytesIO(bundle)) as files:
            detector = files.read("face_detector.tflite")
        options = vision.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=detector),
            running_mode=vision.RunningMode.IMAGE,
            min_detection_confidence=confidence,
        )
        blank = mp.Image(mp.ImageFormat.SRGB, np.zeros((128, 128, 3), np.uint8))
        with native_log_captured():
            self._detector: Any = vision.FaceDetector.create_from_options(options)
            self._detector.detect(blank)  # the first picture makes it complain too

    def __call__(self, picture: Any) -> int:
        """Faces in a `mediapipe.Image`."""
        return len(self._detector.detect(picture).detections)

    def close(self) -> None:
        """Free the model."""
        with native_log_captured():
            self._detector.close()


class FaceLandmarker:
    """MediaPipe Face Landmarker with blendshapes and head pose.

    In video mode pictures come in the order of time and the face is tracked from one to the next;
    otherwise each picture stands alone. Used by one thread at a time; a context manager.

    While it looks for more faces than it finds, MediaPipe searches every picture anew, which costs
    a sixth of the time (benchmarks/face_cost.py). So in a video it tracks a single face while a
    detector, asked twice a second, sees no other, and up to `max_faces` from then on.
    """

    def __init__(
        self,
        model: Path,
        *,
        video: bool = True,
        max_faces: int = MAX_FACES,
        confidence: float = 0.5,
        device: str = "cpu",
        gave_way: GaveWay = ignore,
    ) -> None:
        """Load `face_landmarker.task`. `confidence` 0 to 1: what counts as a face.

        `device` is "cpu" or "gpu"; where MediaPipe finds no GPU, or it fails later, it is the CPU;
        `device` then says so, and `gave_way` why.
        """
        self._gave_way = gave_way
        self._bundle = model.read_bytes()
        self._video = video
        self._max_faces = max_faces
        self._confidence = confidence
        self._follower = FaceFollower()
        self._scout = FaceCounter(self._bundle, confidence) if video and max_faces > 1 else None
        self._scout_at = 0
        self._crowd_until = 0
        self._last = 0
        self._last_ms = -1
        self._looked_for = 1 if video else max_faces
        self._landmarker: GpuOrCpu[Any] | None = self._opened(device)

    @property
    def device(self) -> str:
        """Where it runs: "cpu" or "gpu"."""
        return CPU if self._landmarker is None else self._landmarker.device

    def _opened(self, device: str) -> GpuOrCpu[Any]:
        """A landmarker of MediaPipe that has seen nothing yet, for `_looked_for` faces."""
        return GpuOrCpu(self._open_on, device, self._gave_way, free=_freed)

    def _open_on(self, device: str) -> Any:
        from mediapipe.tasks.python import BaseOptions, vision

        delegate = BaseOptions.Delegate.GPU if device == "gpu" else BaseOptions.Delegate.CPU
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=self._bundle, delegate=delegate),
            running_mode=vision.RunningMode.VIDEO if self._video else vision.RunningMode.IMAGE,
            num_faces=self._looked_for,
            min_face_detection_confidence=self._confidence,
            min_face_presence_confidence=self._confidence,
            min_tracking_confidence=self._confidence,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with native_log_captured():
            return vision.FaceLandmarker.create_from_options(options)

    def __call__(self, image: npt.NDArray[np.uint8], time: int = 0) -> FaceFeatures:
        """Features of the followed face in `image` uint8 [height, width, 3] RGB.

        `time` in session nanoseconds must not go back in video mode (ValueError). Without it
        tracking and the choice between faces make no sense, so pictures that stand alone always
        give the largest face.
        """
        import mediapipe as mp

        picture = mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(image))
        aspect = image.shape[1] / image.shape[0]
        if not self._video:
            return self._features(self._found(picture), 0, FaceFollower(), aspect)
        if time < self._last:
            raise ValueError(f"picture at {time} ns comes after one at {self._last} ns")
        self._last = time
        self._look_around(picture, time)
        # MediaPipe counts whole milliseconds and wants each picture later than the last
        self._last_ms = max(time // MILLISECOND, self._last_ms + 1)
        found = self._found(picture, self._last_ms)
        if len(found.landmarks) > 1:
            self._crowd_until = time + CROWD_KEPT
        return self._features(found, time, self._follower, aspect)

    def _found(self, picture: Any, *time: int) -> FoundFaces:
        assert self._landmarker is not None, "it is closed"
        return self._landmarker(lambda landmarker: find_faces(landmarker, picture, *time))

    def _look_around(self, picture: Any, time: int) -> None:
        """Decide how many faces to look for in this picture."""
        if self._scout is None:
            return
        if time >= max(self._scout_at, self._crowd_until):
            self._scout_at = time + SCOUT_EVERY
            if self._scout(picture) > 1:
                self._crowd_until = time + CROWD_KEPT
        wanted = self._max_faces if time < self._crowd_until else 1
        self._look_for(wanted)

    def _look_for(self, faces: int) -> None:
        if faces != self._looked_for and self._landmarker is not None:
            device = self._landmarker.device
            self._landmarker.model.close()
            self._looked_for = faces
            self._landmarker = self._opened(device)

    @staticmethod
    def _features(
        found: FoundFaces, time: int, follower: FaceFollower, aspect: float
    ) -> FaceFeatures:
        chosen, switched = follower.choose([Box.around(mesh) for mesh in found.landmarks], time)
        if chosen is None:
            return FaceFeatures(len(found.landmarks))
        return FaceFeatures(
            faces=len(found.landmarks),
            landmarks=found.landmarks[chosen],
            blendshapes=found.blendshapes[chosen],
            measures=face_measures(found.landmarks[chosen], aspect),
            pose=head_pose(found.matrices[chosen]),
            switched=switched,
        )

    def close(self) -> None:
        """Free the models. Calling it twice does no harm."""
        if self._landmarker is not None:
            self._landmarker.model.close()
            self._landmarker = None
        if self._scout is not None:
            self._scout.close()
            self._scout = None

    def __enter__(self) -> "FaceLandmarker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FaceStage:
    """Pictures to `FaceFeatures`, at most `max_rate` a second; pictures between are passed over."""

    def __init__(self, landmarker: FaceLandmarker, max_rate: float = 30.0) -> None:
        self.max_rate = max_rate
        """May be changed while it runs."""
        self._landmarker = landmarker
        self._last: int | None = None
        self.passed_over = 0

    @property
    def device(self) -> str:
        """Where the landmarker runs: "cpu" or "gpu"."""
        return self._landmarker.device

    def process(self, sample: Sample[VideoFrame]) -> Iterator[Sample[FaceFeatures]]:
        # a tenth of tolerance: time stamps of 30 pictures a second jitter by a millisecond
        distance = round(0.9 * SECOND / self.max_rate)
        if self._last is not None and sample.start - self._last < distance:
            self.passed_over += 1
            return
        self._last = sample.start
        features = self._landmarker(sample.data.image, sample.start)
        yield Sample("face", sample.start, sample.end, sample.published, features)

    def finish(self) -> Iterator[Sample[FaceFeatures]]:
        return iter(())


def _freed(landmarker: Any) -> None:
    """End a landmarker of MediaPipe that has failed: closing it may raise that error again."""
    try:
        landmarker.close()
    finally:
        landmarker._handle = None  # or it would be closed once more when nobody holds it


@contextmanager
def open_face_stage(
    model: Path, *, device: str = "cpu", gave_way: GaveWay = ignore
) -> Iterator[FaceStage]:
    """The stage with a landmarker of its own in video mode; options as for the landmarker."""
    with FaceLandmarker(model, device=device, gave_way=gave_way) as landmarker:
        yield FaceStage(landmarker)
