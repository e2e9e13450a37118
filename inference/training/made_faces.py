"""What is made of the faces of a corpus of stills: faces at rest, and faces that move.

A face is a vector as `FaceFeatures` gives it, roots of 52 blendshapes and then measures. Whatever
changes the blendshapes moves the measures along, as they go together in the faces that are known.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from extractors.features import BLENDSHAPES, EMOTIONS, FloatArray
from extractors.stream import Sample
from inference.training.examples import Example, Row

__all__ = ["enlivened", "measure_slopes", "rest_face", "resting_faces", "wander", "with_shapes"]

SHAPES = len(BLENDSHAPES)
BLINK = [BLENDSHAPES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
BLINKS = 1.2
"""Mean number in a window of 4 s: people blink about 17 times a minute."""
SPEECH = ("jawOpen", "mouthFunnel", "mouthLowerDown", "mouthPress", "mouthPucker", "mouthRoll",
          "mouthUpperUp")  # fmt: skip
SPOKEN = [index for index, name in enumerate(BLENDSHAPES) if name.startswith(SPEECH)]
LOOKS = [
    [BLENDSHAPES.index(f"eyeLook{name}") for name in both]
    for both in (
        ("OutLeft", "InRight"),
        ("UpLeft", "UpRight"),
        ("InLeft", "OutRight"),
        ("DownLeft", "DownRight"),
    )
]
"""What rises when the eyes look to the left, up, to the right, down."""
GAZE = 0.9
"""Correlation of where the eyes look from one tenth of a second to the next."""
SYLLABLES = 0.5
"""Correlation of mouth shapes from one tenth of a second to the next."""
RIDGE = 3.0
"""Against slopes from blendshapes that hardly vary: what their sum of squares must outweigh."""


def wander(shape: tuple[int, ...], memory: float, generator: np.random.Generator) -> FloatArray:
    """Noise [..., steps, features] of unit variance with correlation `memory` between steps."""
    noise = generator.standard_normal(shape, np.float32)
    for step in range(1, shape[-2]):
        fresh = (1 - memory**2) ** 0.5 * noise[..., step, :]
        noise[..., step, :] = memory * noise[..., step - 1, :] + fresh
    return noise


def last_seen(face: Example) -> FloatArray:
    """An example's face where it is seen last, float32 [52 + measures]."""
    seen = (s.data.vector for s in reversed(face.samples["face"]) if s.data.vector is not None)
    return next(seen)


def measure_slopes(faces: Sequence[Example]) -> FloatArray:
    """How measures change with blendshapes, float32 [52, measures]: a ridge within each person.

    What tells people apart (a wide mouth, narrow eyes) is taken out before, with each one's mean.
    """
    vectors = np.stack([last_seen(e) for e in faces]).astype(np.float64)
    vectors[:, :SHAPES] **= 2
    people = np.asarray([e.person for e in faces])
    for person in np.unique(people):
        vectors[people == person] -= vectors[people == person].mean(axis=0)
    shapes, measures = vectors[:, :SHAPES], vectors[:, SHAPES:]
    inner = shapes.T @ shapes + RIDGE * np.eye(SHAPES)
    return np.asarray(np.linalg.solve(inner, shapes.T @ measures), np.float32)


def with_shapes(vectors: FloatArray, roots: FloatArray, slopes: FloatArray) -> FloatArray:
    """Faces [..., 52 + measures] with blendshapes of other `roots` [..., 52], measures moved along.

    `slopes` as of `measure_slopes`; nobody's proportions change but for that.
    """
    change = np.square(roots) - np.square(vectors[..., :SHAPES])
    measures = np.maximum(vectors[..., SHAPES:] + change @ slopes, 0)
    return np.concatenate([roots, measures], axis=-1).astype(np.float32)


def rest_face(faces: FloatArray, emotions: npt.NDArray[np.int64]) -> FloatArray:
    """A face at rest, float32 [52], estimated from expressions float32 [n, 52] of emotions [n].

    CK+ as given here has no neutral pictures. A blendshape that an expression does not use is at
    rest, and few expressions use any one of them: so rest is the lower quartile, over emotions, of
    the median of each emotion.
    """
    medians = [np.median(faces[emotions == emotion], axis=0) for emotion in np.unique(emotions)]
    return np.asarray(np.quantile(medians, 0.25, axis=0), np.float32)


def resting_faces(
    faces: Sequence[Example], most: float, generator: np.random.Generator
) -> list[Example]:
    """Made faces for the emotion neutral: each real face drawn back towards rest.

    Between 0 and `most` of the expression is kept. As many as a sixth of the real ones, which have
    six emotions.
    """
    vectors = np.stack([last_seen(e) for e in faces])
    emotions = np.asarray([e.emotion for e in faces])
    rest, slopes = rest_face(vectors[:, :SHAPES], emotions), measure_slopes(faces)
    chosen = generator.choice(len(faces), len(faces) // 6, replace=False)
    made = []
    for index in chosen:
        kept = generator.uniform(0, most)
        roots = (rest + kept * (vectors[index, :SHAPES] - rest)).astype(np.float32)
        vector = with_shapes(vectors[index], roots, slopes)
        shown = tuple(
            s if s.data.vector is None else replace(s, data=Row(vector))
            for s in faces[index].samples["face"]
        )
        neutral = EMOTIONS.index("neutral")
        samples: dict[str, tuple[Sample[Row], ...]] = {"face": shown}
        made.append(replace(faces[index], emotion=neutral, sentiment=0.0, samples=dict(samples)))
    return made


def enlivened(
    vectors: FloatArray, slopes: FloatArray, generator: np.random.Generator
) -> FloatArray:
    """A still face [steps, 52 + measures] that blinks, looks about and, every second one, speaks.

    None of that is an emotion.
    """
    face = np.square(vectors[:, :SHAPES])
    steps = len(face)
    for _ in range(int(generator.poisson(BLINKS))):
        at = int(generator.integers(steps))
        closed = generator.uniform(0.2, 0.8)
        face[at : at + 2, BLINK] = np.maximum(face[at : at + 2, BLINK], closed)
    gaze = wander((steps, 2), GAZE, generator) * generator.uniform(0, 0.2)
    for towards, shapes in zip((*gaze.T, *-gaze.T), LOOKS, strict=True):
        face[:, shapes] += np.maximum(towards, 0)[:, None]
    if generator.random() < 0.5:
        moves = np.abs(wander((steps, len(SPOKEN)), SYLLABLES, generator))
        face[:, SPOKEN] += generator.uniform(0, 0.2) * moves
    return with_shapes(vectors, np.sqrt(np.clip(face, 0, 1)), slopes)
