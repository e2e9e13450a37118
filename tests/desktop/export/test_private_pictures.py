from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from desktop.export import ExportOptions, Face
from desktop.export.pictures_and_sound import PicturesAndSound
from desktop.export.private_pictures import CELLS, FaceCover, draw_landmarks, mosaic
from extractors.features import FaceFeatures
from extractors.session import Session
from extractors.session_writer import SessionWriter
from extractors.stream import SECOND, Sample
from extractors.video_file import VideoFile
from tests.desktop.export.made_sessions import made_session
from tests.extractors import sessions
from tests.extractors.clips import Pictures, every, write_clip

Picture = npt.NDArray[np.uint8]
SAMPLE = Path(__file__).resolve().parents[3] / "assets" / "sample" / "sample.mp4"


def noise(height: int = 160, width: int = 160) -> Picture:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def with_face(folder: Path, faces: list[FaceFeatures]) -> Session:
    """A session with a picture every tenth of a second."""
    with SessionWriter(folder) as writer:
        for number, face in enumerate(faces):
            time = number * SECOND // 10
            writer.add_face(Sample("face", time, time, time, face))
        writer.add_timeline(sessions.timeline(1), sessions.activations(1))
        writer.finish({"duration": 2.0, "media": {"path": None}})
    return Session(folder)


def small_face(faces: int = 1) -> FaceFeatures:
    """A face in the middle: landmarks from 0.4 to 0.6."""
    face = sessions.face(0, 1).data
    assert face.landmarks is not None
    landmarks = face.landmarks.copy()
    landmarks[:, :2] = 0.4 + 0.2 * np.linspace(0, 1, len(landmarks))[:, None]
    return FaceFeatures(faces, landmarks, face.blendshapes, face.pose)


def test_only_the_averages_of_a_few_squares_are_left_by_a_mosaic() -> None:
    image = noise()
    size = 160 // CELLS
    # the same pixels in another order inside each square: nothing tells the two apart
    squares = image.reshape(CELLS, size, CELLS, size, 3).transpose(0, 2, 1, 3, 4)
    turned = squares[:, :, ::-1, ::-1].transpose(0, 2, 1, 3, 4).reshape(image.shape).copy()
    assert (image != turned).any()
    mosaic(image, 0, 0, 160, 160)
    mosaic(turned, 0, 0, 160, 160)
    np.testing.assert_array_equal(image, turned)


def test_a_mosaic_of_a_part_leaves_the_rest() -> None:
    image, before = noise(), noise()
    mosaic(image, 40, 20, 100, 90)
    changed = (image != before).any(axis=2)
    assert changed[20:90, 40:100].mean() > 0.95
    changed[20:90, 40:100] = False
    assert not changed.any()
    mosaic(image, 50, 50, 50, 60)


def test_one_face_all_around_is_covered_alone(tmp_path: Path) -> None:
    image = noise()
    cover = FaceCover(with_face(tmp_path / "s", [small_face()] * 20))
    covered = cover.cover(image, 1.0)
    changed = (covered != image).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    for found in (rows, columns):
        assert found[0] == pytest.approx(160 * (0.4 - 0.35 * 0.2), abs=2)
        assert found[-1] == pytest.approx(160 * (0.6 + 0.35 * 0.2), abs=2)


@pytest.mark.parametrize(
    ("faces", "time"),
    [
        ([], 0.5),
        ([small_face()], 0.0),
        ([small_face(2)] * 20, 1.0),
        ([FaceFeatures(0)] * 20, 1.0),
        ([small_face()] * 9 + [FaceFeatures(0)] + [small_face()] * 10, 1.0),
        ([small_face()] * 9 + [small_face(2)] + [small_face()] * 10, 1.3),
        ([small_face()] * 20, 2.3),
        ([small_face()] * 20, 3.0),
    ],
)  # fmt: skip
def test_the_whole_picture_is_covered_where_it_is_not_certain(
    faces: list[FaceFeatures], time: float, tmp_path: Path
) -> None:
    image = noise()
    covered = FaceCover(with_face(tmp_path / "s", faces)).cover(image, time)
    assert (covered != image).any(axis=2).mean() > 0.95


def test_the_whole_picture_is_covered_without_features(tmp_path: Path) -> None:
    session = with_face(tmp_path / "s", [small_face()] * 20)
    (tmp_path / "s" / "features" / "face.parquet").unlink()
    image = noise()
    assert (FaceCover(session).cover(image, 1.0) != image).any(axis=2).mean() > 0.95


def test_no_face_is_found_any_more(tmp_path: Path, models: Callable[[str], Path]) -> None:
    from extractors.face import FaceLandmarker

    pictures = [sample.data.image for sample in VideoFile(SAMPLE).frames()][::60]
    with FaceLandmarker(models("face-landmarker"), video=False) as landmarker:
        for number, picture in enumerate(pictures):
            face = landmarker(picture)
            assert face.present
            session = with_face(tmp_path / str(number), [face] * 10)
            covered = FaceCover(session).cover(picture, 0.5)
            assert (covered[:8] == picture[:8]).all()  # not the whole picture
            assert landmarker(covered).faces == 0


def test_landmarks_show_no_pixel_of_the_picture(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Pictures(every(100, 1000), flash=0))
    session = Session(made_session(tmp_path / "talk", media=clip))
    source = PicturesAndSound(session, ExportOptions(face=Face.LANDMARKS), 640)
    shown = [picture for _, picture in source.pictures()]
    assert source.size == (160, 120)
    drawn = draw_landmarks(session.landmarks_at(0.0), 160, 120)
    assert (drawn.max(axis=2) > 150).any()
    for picture in shown:
        np.testing.assert_array_equal(picture, drawn)


def test_pictures_that_are_blurred_keep_their_times(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Pictures(every(100, 1000)))
    session = Session(made_session(tmp_path / "talk", media=clip))
    shown, blurred = (
        list(PicturesAndSound(session, ExportOptions(face=face), 640).pictures())
        for face in (Face.SHOWN, Face.BLURRED)
    )
    assert [time for time, _ in blurred] == [time for time, _ in shown]
    assert all((a != b).any() for (_, a), (_, b) in zip(shown, blurred, strict=True))  # type: ignore[union-attr]
