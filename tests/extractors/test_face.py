"""Landmarks, blendshapes and head pose of real pictures; pose against matrices made by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.face import FaceLandmarker, FaceStage, head_pose, open_face_stage
from extractors.features import BLENDSHAPES, LANDMARKS, FaceFeatures, VideoFrame
from extractors.stream import SECOND, Sample
from extractors.video_file import VideoFile

Image = npt.NDArray[np.uint8]
MS = SECOND // 1000
LEFT_CHEEK, RIGHT_CHEEK = 234, 454  # as seen in the picture
NOSE, FOREHEAD, CHIN = 1, 10, 152


@pytest.fixture(scope="module")
def astronaut() -> Image:
    from skimage import data

    image: Image = data.astronaut()
    return image


@pytest.fixture(scope="module")
def landmarker(models: Callable[[str], Path]) -> Iterator[FaceLandmarker]:
    with FaceLandmarker(models("face-landmarker"), video=False) as opened:
        yield opened


def turned(image: Image, degrees: float) -> Image:
    """The picture turned anticlockwise."""
    from skimage.transform import rotate

    result: Image = (rotate(image, degrees, mode="edge") * 255).astype(np.uint8)
    return result


def pose(features: FaceFeatures) -> npt.NDArray[np.float32]:
    assert features.pose is not None
    return features.pose


def about(axis: str, degrees: float) -> npt.NDArray[np.float64]:
    """The right-handed rotation about one axis, written out."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[axis])


angles = st.floats(-80, 80)


@given(angles, angles, angles, st.floats(0.5, 2))
def test_pose_takes_composed_rotations_apart(
    pitch: float, yaw: float, roll: float, scale: float
) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = scale * about("z", roll) @ about("y", yaw) @ about("x", pitch)
    matrix[:3, 3] = [3, -4, -60]
    assert head_pose(matrix) == pytest.approx([pitch, yaw, roll, 3, -4, -60], abs=1e-3)


def test_pose_signs_are_those_of_the_words() -> None:
    """With y up and z towards the camera: where nose and crown go for a positive angle."""
    nose, crown = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert (about("x", 20) @ nose)[1] < 0  # pitch: looks down
    assert (about("y", 20) @ nose)[0] > 0  # yaw: to the picture's right
    assert (about("z", 20) @ crown)[0] < 0  # roll: leans to the picture's left


def test_the_astronaut_smiles(landmarker: FaceLandmarker, astronaut: Image) -> None:
    features = landmarker(astronaut)
    assert features.faces == 1
    assert features.present
    assert not features.switched
    assert features.landmarks is not None
    assert features.landmarks.shape == (LANDMARKS, 3)
    assert features.landmarks[:, :2].mean(axis=0) == pytest.approx([0.44, 0.23], abs=0.04)
    assert features.blendshapes is not None
    assert features.blendshapes.shape == (len(BLENDSHAPES),)
    assert features.vector is not None
    roots = features.vector[: len(BLENDSHAPES)]
    np.testing.assert_allclose(np.square(roots), features.blendshapes, rtol=1e-5)
    assert features.measures is not None
    np.testing.assert_array_equal(features.vector[len(BLENDSHAPES) :], features.measures)
    score = dict(zip(BLENDSHAPES, features.blendshapes.tolist(), strict=True))
    assert score["mouthSmileLeft"] > 0.7
    assert score["mouthSmileRight"] > 0.7
    assert score["mouthFrownLeft"] < 0.2
    assert 40 < -pose(features)[5] < 100  # centimetres in front of the camera


def test_blendshapes_are_named_in_the_order_of_the_model(
    models: Callable[[str], Path], astronaut: Image
) -> None:
    with FaceLandmarker(models("face-landmarker"), video=False) as opened:
        raw: Any = opened._landmarker.model if opened._landmarker else None
        import mediapipe as mp

        result = raw.detect(mp.Image(mp.ImageFormat.SRGB, astronaut))
    assert tuple(shape.category_name for shape in result.face_blendshapes[0]) == BLENDSHAPES


@pytest.mark.parametrize("degrees", [-25, 25])
def test_roll_follows_the_picture(
    landmarker: FaceLandmarker, astronaut: Image, degrees: float
) -> None:
    change = pose(landmarker(turned(astronaut, degrees))) - pose(landmarker(astronaut))
    assert change[2] == pytest.approx(degrees, abs=2)
    assert np.abs(change[:2]).max() < 3


def test_a_mirrored_face_turns_and_leans_the_other_way(
    landmarker: FaceLandmarker, astronaut: Image
) -> None:
    there, mirrored = pose(landmarker(astronaut)), pose(landmarker(astronaut[:, ::-1]))
    sign = np.array([1, -1, -1, -1, 1, 1])
    assert mirrored == pytest.approx(there * sign, abs=2)


def test_pitch_and_yaw_follow_a_moving_head(shared: Path, models: Callable[[str], Path]) -> None:
    """Against the landmarks alone: the nose goes where the head turns."""
    rows = []
    with FaceLandmarker(models("face-landmarker")) as opened:
        frames = VideoFile(shared / "media" / "talking_head_speech_8s.mp4").frames()
        for number, sample in enumerate(frames):
            if number % 5:
                continue
            features = opened(sample.data.image, sample.start)
            assert features.landmarks is not None
            points = features.landmarks
            right = points[NOSE, 0] - (points[LEFT_CHEEK, 0] + points[RIGHT_CHEEK, 0]) / 2
            down = points[NOSE, 1] - (points[FOREHEAD, 1] + points[CHIN, 1]) / 2
            rows.append((*pose(features)[:2], down, right))
    pitch, yaw, down, right = np.array(rows).T
    assert np.corrcoef(pitch, down)[0, 1] > 0.9
    assert np.corrcoef(yaw, right)[0, 1] > 0.9


def test_there_is_no_face_in_noise(landmarker: FaceLandmarker) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    assert landmarker(noise) == FaceFeatures(0)
    assert landmarker(noise).vector is None


@pytest.mark.parametrize("large_first", [True, False])
def test_of_two_faces_the_larger_is_described(
    landmarker: FaceLandmarker, astronaut: Image, large_first: bool
) -> None:
    from skimage.transform import resize

    face = astronaut[:256, 100:356]
    small = (resize(face, (192, 192)) * 255).astype(np.uint8)
    both = np.full((256, 448, 3), 128, np.uint8)
    both[:, :256] = face
    both[64:, 256:] = small
    if not large_first:
        both = both[:, ::-1]
    features = landmarker(both)
    assert features.faces == 2
    assert features.landmarks is not None
    middle = features.landmarks[:, 0].mean()
    assert (middle < 0.5) == large_first


def test_in_video_mode_time_never_goes_back(
    models: Callable[[str], Path], astronaut: Image
) -> None:
    with FaceLandmarker(models("face-landmarker")) as opened:
        # several pictures of one millisecond are fine
        for time in (0, 300_000, 600_000, 900_000, 2 * MS, 40 * MS):
            assert opened(astronaut, time).faces == 1
        with pytest.raises(ValueError, match="picture at 39000000 ns comes after one at 40000000"):
            opened(astronaut, 39 * MS)
        assert opened(astronaut, 80 * MS).present
    opened.close()  # a second time


def test_a_second_face_is_seen_within_half_a_second_and_taken_when_it_stays(
    models: Callable[[str], Path], astronaut: Image
) -> None:
    from skimage.transform import resize

    face = astronaut[:256, 100:356]
    alone = np.full((400, 700, 3), 128, np.uint8)
    alone[:256, 444:] = face
    both = alone.copy()
    both[:, :400] = (resize(face, (400, 400)) * 255).astype(np.uint8)

    def shown(start: int, end: int, image: Image) -> list[tuple[int, int, bool, float]]:
        rows = []
        for time in range(start, end, 100 * MS):
            found = opened(image, time)
            assert found.landmarks is not None, f"lost at {time // MS} ms"
            middle = float(found.landmarks[:, 0].mean())
            rows.append((time // MS, found.faces, found.switched, middle))
        return rows

    with FaceLandmarker(models("face-landmarker")) as opened:
        before = shown(0, 1050 * MS, alone)
        during = shown(1100 * MS, 4050 * MS, both)
        after = shown(
            4100 * MS, 7050 * MS, np.pad(both[:, :400], ((0, 0), (0, 300), (0, 0)), mode="edge")
        )
    assert {faces for _, faces, _, _ in before} == {1}
    seen = next(time for time, faces, _, _ in during if faces == 2)
    assert seen <= 1600
    (switch,) = [time for time, _, switched, _ in before + during + after if switched]
    assert seen + 900 <= switch <= seen + 1200  # 1.5 times larger for a whole second
    assert all(middle > 0.5 for time, _, _, middle in before + during if time < switch)
    assert all(middle < 0.5 for time, _, _, middle in during if time >= switch)
    assert {faces for _, faces, _, _ in after} == {1}


class Looking:
    """Stands in for the landmarker and notes what it is shown."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def __call__(self, image: Image, time: int) -> FaceFeatures:
        self.times.append(time)
        return FaceFeatures(faces=int(image[0, 0, 0]))


@pytest.mark.parametrize(
    ("rate", "taken"),
    [(25, 25), (30, 30), (50, 25), (60, 30), (120, 30)],
)
def test_at_most_so_many_pictures_are_looked_at(rate: int, taken: int) -> None:
    looking = Looking()
    stage = FaceStage(looking, max_rate=30)  # type: ignore[arg-type]
    given_out: list[Sample[FaceFeatures]] = []
    for number in range(rate):
        time = round(number * 1000 / rate) * MS  # rounded to milliseconds, as containers do
        frame = VideoFrame(np.full((1, 1, 3), number, np.uint8))
        given_out += stage.process(Sample("frame", time, time, time + 5, frame))
    assert list(stage.finish()) == []
    assert len(given_out) == taken
    assert stage.passed_over == rate - taken
    assert [sample.start for sample in given_out] == looking.times
    first = given_out[1]
    assert first.stream == "face"
    assert first.published == first.end + 5
    assert round(first.end * rate / SECOND) == first.data.faces  # the features of that picture


def test_the_stage_opens_a_landmarker_of_its_own(
    models: Callable[[str], Path], astronaut: Image
) -> None:
    with open_face_stage(models("face-landmarker")) as stage:
        samples = [
            features
            for time in (0, 40 * MS)
            for features in stage.process(Sample("frame", time, time, 0, VideoFrame(astronaut)))
        ]
    assert [sample.data.faces for sample in samples] == [1, 1]
