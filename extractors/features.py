"""What the extractors give: one frozen dataclass per stream, with its units.

Every array that enters a window is float32. Times are session nanoseconds.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from extractors.stream.sample import SECOND
from extractors.stream.window import ContextWindow, StepWindow, WindowSpec

__all__ = [
    "BLENDSHAPES",
    "EMOTIONS",
    "FACE_FEATURES",
    "LANDMARKS",
    "LIVE_WINDOWS",
    "MEASURES",
    "MODALITIES",
    "ON_THE_WAY",
    "POSE",
    "PROSODY",
    "SAMPLE_RATE",
    "TEXT_LAYERS",
    "TEXT_STATES",
    "VOICE_LAYERS",
    "VOICE_SET",
    "VOICE_STATES",
    "WORDS_SET",
    "AudioBlock",
    "FaceFeatures",
    "TextContext",
    "Utterances",
    "VideoFrame",
    "VoiceFeatures",
    "Word",
    "prosody_inputs",
]

FloatArray = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
"""Sound inside the program is mono float32 in [-1, 1] at this rate, in hertz."""

ON_THE_WAY = "on the way"
"""Stream of pictures that a decoder has passed on its way to the one that is wanted."""

MODALITIES = ("text", "voice", "face")
"""The modalities in the order of the paper: language, acoustic, vision."""

EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""The emotions of the preset `live`, in the order of the logits."""

LANDMARKS = 478
"""Points of the face mesh of MediaPipe's Face Landmarker, irises included."""

BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft",
    "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""The 52 blendshapes in the order of MediaPipe, each 0 (absent) to 1 (full)."""

MEASURES = (
    "eye_opening_right", "eye_opening_left", "eye_opening_inner_right",
    "eye_opening_inner_left", "eye_opening_outer_right", "eye_opening_outer_left",
    "eye_width_right", "eye_width_left", "brow_inner_to_eye_right", "brow_inner_to_eye_left",
    "brow_middle_to_eye_right", "brow_middle_to_eye_left", "brow_outer_to_eye_right",
    "brow_outer_to_eye_left", "brow_inner_to_bridge_right", "brow_inner_to_bridge_left",
    "nose_wing_to_eye_right", "nose_wing_to_eye_left", "cheek_to_eye_right",
    "cheek_to_eye_left", "cheek_to_mouth_right", "cheek_to_mouth_left",
    "mouth_corner_to_eye_right", "mouth_corner_to_eye_left", "mouth_corner_to_nose_right",
    "mouth_corner_to_nose_left", "mouth_corner_to_chin_right", "mouth_corner_to_chin_left",
    "mouth_corner_to_upper_lip_right", "mouth_corner_to_upper_lip_left",
    "mouth_corner_to_lower_lip_right", "mouth_corner_to_lower_lip_left", "brow_to_brow",
    "nose_width", "nose_to_upper_lip", "mouth_width", "mouth_width_inner", "mouth_height",
    "mouth_opening", "upper_lip", "lower_lip", "chin",
)  # fmt: skip
"""Distances within the face in units of that of the eyes, see `extractors.face_measures`."""

FACE_FEATURES = len(BLENDSHAPES) + len(MEASURES)
"""Width of `FaceFeatures.vector`."""

POSE = ("pitch", "yaw", "roll", "x", "y", "z")
"""Head pose: rotation in degrees and position in centimetres, in the camera's coordinates."""

PROSODY = ("f0", "intensity", "voicing", "harmonicity", "jitter", "tilt")
"""Columns of the prosody, see `extractors.prosody`."""

WORDS_SET = "whisper-tiny.en"
"""The pretrained set that words are read with."""

VOICE_SET = "whisper-base"
"""That whose encoder describes the voice; it need not be the same."""

VOICE_LAYERS = (1, 3)
"""Its layers, of six, whose states do (benchmarks/voice_layers.py)."""

VOICE_STATES = 512 * len(VOICE_LAYERS)
"""The states of those layers side by side."""

TEXT_LAYERS = (2, 4)
"""Layers of MiniLM-L6, of six, whose states describe the words.

The last ones are made for what a sentence is about; how it is said is read better from those in the
middle, see `benchmarks/text_layers.py`."""

TEXT_STATES = 384 * len(TEXT_LAYERS)
"""The states of those layers side by side."""


def prosody_inputs(prosody: FloatArray) -> FloatArray:
    """Prosody [..., 6] as the network takes it: the same shape, every number finite.

    f0 in semitones above 100 Hz and 0 without voice; jitter in per cent; what is undefined is 0.
    """
    inputs = prosody.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        inputs[..., 0] = 12 * np.log2(inputs[..., 0] / 100)
    inputs[..., 4] *= 100
    return np.nan_to_num(inputs, nan=0.0, posinf=0.0, neginf=0.0)


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A picture, upright: `image` uint8 [height, width, 3] RGB."""

    image: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A piece of sound: `samples` float32 [n] in [-1, 1], mono, at `SAMPLE_RATE`."""

    samples: FloatArray


@dataclass(frozen=True, slots=True)
class Utterances:
    """A piece of sound that ends in silence, and where someone speaks in it.

    `samples` float32 [n]; `spoken` intervals in session nanoseconds, in order, without overlap.
    """

    samples: FloatArray
    spoken: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FaceFeatures:
    """The followed face in one picture; arrays are None when no face is there."""

    faces: int
    """How many faces were seen."""
    landmarks: FloatArray | None = None
    """[478, 3]: x and y as fractions of the picture's width and height, z in units of its width."""
    blendshapes: FloatArray | None = None
    """[52], see `BLENDSHAPES`."""
    pose: FloatArray | None = None
    """[6], see `POSE`."""
    measures: FloatArray | None = None
    """[42], see `MEASURES`."""
    switched: bool = False
    """Whether another face than before is followed from this picture on."""
    _vector: FloatArray | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def present(self) -> bool:
        return self.blendshapes is not None

    @property
    def vector(self) -> FloatArray | None:
        """[94]: square roots of the blendshapes, then the measures; None when no face is there.

        Most blendshapes crowd near 0, where small differences tell more than near 1: with the root
        a regression on CK+ reads a point more, see `benchmarks/face_features.py`.
        Pose is recorded but not given to the network: where the head is and how it is turned tells
        of the camera first, and the corpora show only heads that look ahead.
        """
        if self.blendshapes is None or self.measures is None:
            return None
        if self._vector is None:  # some forty windows look at it
            roots = np.sqrt(np.maximum(self.blendshapes, 0))
            object.__setattr__(self, "_vector", np.concatenate([roots, self.measures]))
        return self._vector


@dataclass(frozen=True, slots=True)
class VoiceFeatures:
    """A tenth of a second of voice."""

    prosody: FloatArray
    """[6], see `PROSODY`; measured always, also in silence."""
    states: FloatArray | None = None
    """[1024] mean encoder states, see `VOICE_LAYERS`; None where nobody speaks."""
    _vector: FloatArray | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def present(self) -> bool:
        return self.states is not None

    @property
    def vector(self) -> FloatArray | None:
        """[1030]: states, then prosody as the network takes it; None where nobody speaks."""
        if self.states is None:
            return None
        if self._vector is None:  # some forty windows look at it
            inputs = prosody_inputs(self.prosody)
            object.__setattr__(self, "_vector", np.concatenate([self.states, inputs]))
        return self._vector


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word; `start` and `end` in session nanoseconds, `probability` 0 to 1."""

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class TextContext:
    """The newest word with the words before it, and their states in this context.

    `states` float32 [words, 768], see `TEXT_LAYERS`.
    """

    words: tuple[Word, ...]
    states: FloatArray

    @property
    def ends(self) -> tuple[int, ...]:
        return tuple(word.end for word in self.words)


LIVE_WINDOWS = WindowSpec(
    hop=SECOND // 5,
    text=ContextWindow(features=TEXT_STATES, steps=24, span=8 * SECOND),
    voice=StepWindow(features=VOICE_STATES + len(PROSODY), steps=40, step=SECOND // 10),
    face=StepWindow(features=FACE_FEATURES, steps=40, step=SECOND // 10),
)
"""Windows of the preset `live`: 4 s of face and voice in tenths, the last words within 8 s."""
