"""What the app's extractors make of one labelled item: samples, without the label."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from assets.pretrained import path_of
from extractors.features import (
    SAMPLE_RATE,
    VOICE_SET,
    WORDS_SET,
    AudioBlock,
    FloatArray,
    TextContext,
    Utterances,
)
from extractors.stream import SECOND, Sample, from_seconds
from inference.training.examples import Row, StatesOfWords
from inference.training.sound_variants import with_variants

if TYPE_CHECKING:
    from extractors.face import FaceLandmarker
    from extractors.speech import SpeechModel
    from extractors.text import TextEncoder
    from extractors.voice_model import VoiceModel

__all__ = ["FACE_SIZES", "Features", "face_features", "free_faces", "text_features",
           "video_features", "voice_features"]  # fmt: skip

Features = dict[str, tuple[Sample[Any], ...]]
"""Samples by modality."""

STILL_STEPS = 40
"""Tenths of a second for which a picture is shown: the length of the window of the face."""
FACE_SIZES = ((256, 96, False), (256, 96, True), (192, 64, False), (320, 160, True))
"""Side and border in pixels and mirroring of each variant of a face crop; the first is the item."""
LONGEST_WORDS = 24
LARGEST_SIDE = 1280
"""Larger pictures are scaled down, as in the analysis of a recording."""


@cache
def _speech() -> "SpeechModel":
    from extractors.speech import SpeechModel

    return SpeechModel(path_of(WORDS_SET))


@cache
def _voice_model() -> "VoiceModel":
    from extractors.voice_model import VoiceModel

    return VoiceModel(path_of(VOICE_SET))


@cache
def _text() -> "TextEncoder":
    from extractors.text import TextEncoder
    from extractors.text_adapter import TEXT_ADAPTER

    files = path_of("minilm/model.onnx"), path_of("minilm/tokenizer.json")
    return TextEncoder(*files, adapter=TEXT_ADAPTER)


@cache
def _faces() -> "FaceLandmarker":
    from extractors.face import FaceLandmarker

    # crops of 48 x 48 pixels are blurred: at the usual confidence a few of them show no face
    return FaceLandmarker(path_of("face-landmarker"), video=False, confidence=0.2)


def free_faces() -> None:
    """Close the face model of this process, if there is one; the next face opens it again.

    MediaPipe cannot free it any more once the interpreter takes itself apart.
    """
    if _faces.cache_info().currsize:
        _faces().close()
        _faces.cache_clear()


def _pieces(blocks: Iterable[Sample[AudioBlock]]) -> Iterator[Sample[Utterances]]:
    from extractors.utterances import UtteranceStage

    stage = UtteranceStage()
    for block in blocks:
        yield from stage.process(block)
    yield from stage.finish()


def _voice(pieces: Iterable[Sample[Utterances]]) -> tuple[Sample[Row], ...]:
    from extractors.voice import VoiceStage

    stage = VoiceStage(_voice_model())
    found = [sample for piece in pieces for sample in stage.process(piece)]
    return tuple(_row("voice", sample, sample.data.vector) for sample in found)


def _row(name: str, sample: Sample[Any], vector: FloatArray | None) -> Sample[Row]:
    return Sample(name, sample.start, sample.end, sample.published, Row(vector))


def voice_features(path: Path, variants: int = 0) -> list[Features]:
    """The voice of a sound file, and `variants` of it that `sound_variants` makes.

    Raises BadInput if it cannot be read or nobody speaks; a variant in which nobody is heard to
    speak is left out.
    """
    from extractors.video_file import VideoFile

    blocks = list(VideoFile(path).audio())
    sound = np.concatenate([block.data.samples for block in blocks] or [np.zeros(0, np.float32)])
    found = []
    for variant, changed in enumerate(with_variants(sound, variants)):
        end = len(changed) * SECOND // SAMPLE_RATE
        block = Sample("sound", 0, end, end, AudioBlock(changed))
        samples = _voice(_pieces(blocks if variant == 0 else [block]))
        if any(sample.data.vector is not None for sample in samples):
            found.append({"voice": samples})
        elif variant == 0:
            raise BadInput("nobody speaks in it")
    return [dict(features) for features in found]


def face_features(path: Path) -> list[Features]:
    """The face of a tight crop, shown for 4 s, in each of `FACE_SIZES` in which it is found.

    Raises BadInput if the file is no picture or there is no face in it.
    """
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise BadInput("not a picture")
    found: list[Features] = []
    for side, border, mirrored in FACE_SIZES:
        vector = _faces()(_framed(picture, side, border, mirrored)).vector
        if vector is not None:
            tenth = SECOND // 10
            times = range(tenth, (STILL_STEPS + 1) * tenth, tenth)
            found.append({"face": tuple(Sample("face", t, t, t, Row(vector)) for t in times)})
    if not found:
        raise BadInput("no face found")
    return found


def _framed(
    picture: npt.NDArray[Any], side: int, border: int, mirrored: bool
) -> npt.NDArray[np.uint8]:
    """A tight crop enlarged and given a border, so that the detector sees a face in a picture."""
    import cv2

    upright = picture[:, ::-1] if mirrored else picture
    large = cv2.resize(upright, (side, side), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8)


def text_features(text: str) -> list[Features]:
    """The words of a written utterance as if they had been spoken. Raises BadInput without any."""
    words = text.split()[-LONGEST_WORDS:]
    if not words:
        raise BadInput("no words")
    # four words a second, a usual rate of speech, puts the last words inside the window
    ends = tuple(from_seconds((i + 1) / 4) for i in range(len(words)))
    data = StatesOfWords(ends, _text()(words))
    return [{"text": (Sample("text", ends[-1], ends[-1], ends[-1], data),)}]


def video_features(path: Path) -> list[Features]:
    """Everything of a recording that the app would sense in it.

    Raises BadInput if it cannot be read or there is neither a face nor a voice in it.
    """
    from extractors.face import open_face_stage
    from extractors.speech import WordStage
    from extractors.text import TextStage
    from extractors.video_file import VideoFile

    video = VideoFile(path)
    face: list[Sample[Row]] = []
    with open_face_stage(path_of("face-landmarker")) as stage:
        for frame in video.frames(max_side=LARGEST_SIDE):
            face += [_row("face", s, s.data.vector) for s in stage.process(frame)]
    pieces = list(_pieces(video.audio()))
    voice = _voice(pieces)
    words, texts = WordStage(_speech()), TextStage(_text())
    said = [t for piece in pieces for word in words.process(piece) for t in texts.process(word)]
    text = tuple(
        Sample("text", s.start, s.end, s.published, StatesOfWords(s.data.ends, s.data.states))
        for s in said
        if isinstance(s.data, TextContext)
    )
    found: Features = {"text": text} if text else {}
    for name, samples in (("voice", voice), ("face", tuple(face))):
        if any(sample.data.vector is not None for sample in samples):
            found[name] = samples
    if not found:
        raise BadInput("neither a face nor a voice in it")
    return [found]
