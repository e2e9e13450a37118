"""Faces at rest, and faces that move: what changes with what."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from extractors.features import EMOTIONS
from inference.training.examples import Example, Row
from inference.training.made_faces import (
    BLINK,
    LOOKS,
    SHAPES,
    SPOKEN,
    enlivened,
    measure_slopes,
    rest_face,
    resting_faces,
    with_shapes,
)
from tests.inference.training.made_examples import steps_of

JAW, PRESS = SPOKEN[0], SPOKEN[1]


def face(shapes: npt.NDArray[np.float32], width: float, person: str, emotion: int = 1) -> Example:
    """Somebody whose mouth opens by 0.8 of the jaw's opening and is so wide."""
    measures = [0.1 + 0.8 * shapes[JAW], width]
    vector = np.concatenate([np.sqrt(shapes), measures]).astype(np.float32)
    return Example(person, person, emotion, 0.0, samples={"face": steps_of("face", [vector] * 40)})


def several() -> list[Example]:
    generator = np.random.default_rng(1)
    return [
        face(generator.uniform(0, 1, SHAPES).astype(np.float32), 0.5 + person / 10, str(person))
        for person in range(8)
        for _ in range(60)
    ]


def test_slopes_are_what_a_person_changes_and_not_what_tells_people_apart() -> None:
    slopes = measure_slopes(several())
    assert slopes.shape == (SHAPES, 2)
    assert slopes[JAW, 0] == pytest.approx(0.8, abs=0.1)
    others = [index for index in range(SHAPES) if index != JAW]
    assert np.abs(slopes[others, 0]).max() < 0.1
    assert np.abs(slopes[:, 1]).max() < 1e-4


def test_measures_move_along_with_blendshapes_and_stay_above_zero() -> None:
    slopes = measure_slopes(several())
    closed, opened = np.zeros(SHAPES, np.float32), np.zeros(SHAPES, np.float32)
    opened[JAW] = 0.5**0.5
    vector = np.concatenate([closed, [0.1, 0.7]]).astype(np.float32)
    moved = with_shapes(vector, opened, slopes)
    assert moved[:SHAPES] == pytest.approx(opened)
    assert moved[SHAPES:] == pytest.approx([0.1 + 0.5 * slopes[JAW, 0], 0.7], abs=1e-4)
    np.testing.assert_allclose(with_shapes(vector, closed, slopes), vector, atol=1e-6)
    assert with_shapes(vector, opened, -slopes)[SHAPES] == 0


def test_rest_is_what_most_emotions_do_not_use() -> None:
    vectors, emotions = [], []
    # many smiles weigh no more than few frowns, and each uses a blendshape of its own
    for emotion, count in {1: 20, 2: 3, 3: 3, 4: 3}.items():
        vector = np.full(SHAPES, 0.1, np.float32)
        vector[emotion] = 0.9
        vectors += [vector] * count
        emotions += [emotion] * count
    rest = rest_face(np.stack(vectors), np.asarray(emotions))
    np.testing.assert_allclose(rest, 0.1, atol=1e-6)


def test_resting_faces_lie_between_rest_and_the_real_one_and_keep_their_proportions() -> None:
    faces = [replace(e, emotion=1 + i % 3, id=str(i)) for i, e in enumerate(several())]
    whole = {e.id: e.samples["face"][0].data.vector for e in faces}
    at_rest = resting_faces(faces, 0.0, np.random.default_rng(0))
    rest = at_rest[0].samples["face"][0].data.vector[:SHAPES]
    made = resting_faces(faces, 0.4, np.random.default_rng(0))
    assert len(made) == len(faces) // 6
    kept = []
    for example in made:
        assert (EMOTIONS[example.emotion], example.sentiment) == ("neutral", 0.0)
        vectors = [sample.data.vector for sample in example.samples["face"]]
        np.testing.assert_array_equal(vectors[0], vectors[-1])
        towards = whole[example.id][:SHAPES] - rest
        moved = vectors[0][:SHAPES] - rest
        share = float(moved @ towards / (towards @ towards))
        np.testing.assert_allclose(moved, share * towards, atol=1e-5)
        assert 0 <= share <= 0.4
        kept.append(share)
        assert vectors[0][SHAPES + 1] == pytest.approx(0.5 + int(example.person) / 10, abs=1e-3)
    assert max(kept) - min(kept) > 0.02


def test_a_face_that_is_not_there_at_first_is_taken_where_it_is_seen() -> None:
    seen = [replace(e, emotion=1 + i % 3) for i, e in enumerate(several())]
    faces = []
    for face in seen:
        first, *others = face.samples["face"]
        faces.append(replace(face, samples={"face": (replace(first, data=Row(None)), *others)}))
    np.testing.assert_array_equal(measure_slopes(faces), measure_slopes(seen))
    made, whole = (resting_faces(e, 0.2, np.random.default_rng(0)) for e in (faces, seen))
    for example, other in zip(made, whole, strict=True):
        first, *others = example.samples["face"]
        assert first.data.vector is None  # none is made where none was seen
        for sample, same in zip(others, other.samples["face"][1:], strict=True):
            np.testing.assert_array_equal(sample.data.vector, same.data.vector)


def windows(count: int = 40) -> list[npt.NDArray[np.float32]]:
    still = np.concatenate([np.full(SHAPES, 0.1), [0.3, 0.6]]).astype(np.float32)
    slopes = np.zeros((SHAPES, 2), np.float32)
    slopes[BLINK, 0], slopes[SPOKEN, 1] = -0.1, 0.5
    generator = np.random.default_rng(3)
    return [enlivened(np.tile(still, (40, 1)), slopes, generator) for _ in range(count)]


def test_a_still_face_blinks_looks_about_and_speaks_in_those_blendshapes_alone() -> None:
    rows = np.concatenate(windows())
    moving = set(np.flatnonzero(np.ptp(rows[:, :SHAPES], axis=0) > 1e-6))
    assert moving == {*BLINK, *SPOKEN, *(shape for shapes in LOOKS for shape in shapes)}
    assert rows[:, :SHAPES].max() <= 1.0
    assert rows.dtype == np.float32


def test_its_measures_follow_what_moves() -> None:
    rows = np.concatenate(windows())
    squares = np.square(rows[:, :SHAPES])
    blinks = (squares[:, BLINK] - 0.01).sum(axis=1)
    np.testing.assert_allclose(rows[:, SHAPES], 0.3 - 0.1 * blinks, atol=1e-5)
    assert np.ptp(rows[:, SHAPES + 1]) > 0.05


def test_eyes_look_one_way_at_a_time() -> None:
    still = np.zeros((40, SHAPES), np.float32)
    generator = np.random.default_rng(3)
    none = np.zeros((SHAPES, 0), np.float32)
    rows = np.concatenate([enlivened(still, none, generator) for _ in range(40)])
    left, up, right, down = (rows[:, shapes] for shapes in LOOKS)
    assert left.max() > 0.2
    assert down.max() > 0.2
    np.testing.assert_array_equal(left[:, 0], left[:, 1])
    assert not (left * right).any()
    assert not (up * down).any()
