"""Corpora to examples through the app's extractors: training sees what live use sees."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import AffectscopeError, BadInput
from assets.pretrained import path_of
from extractors.features import EMOTIONS, TextContext, Word
from extractors.stream import SECOND, Sample, from_seconds
from inference.training.corpora import LabelledItem, read_corpus
from inference.training.examples import Example, ExampleSet, Row

__all__ = ["Failed", "extract_corpus"]

STILL_STEPS = 40
"""Tenths of a second for which a picture is shown: the length of the window of the face."""
FACE_SIZES = ((256, 96, False), (256, 96, True), (192, 64, False), (320, 160, True))
"""Side and border in pixels and mirroring of each variant of a face crop; the first is the item."""
LONGEST_WORDS = 24


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that gave no example, and why."""

    id: str
    why: str


Progress = Callable[[int, int], None]


def extract_corpus(
    folder: Path, kind: str, progress: Progress | None = None
) -> tuple[ExampleSet, list[Failed]]:
    """Examples of the corpus in `folder`; `progress` is told items done and in all.

    An item that fails is listed and does not stop the others. Raises BadInput for an unknown kind
    or an empty folder and ModelFileError if a pretrained file is missing.
    """
    items = read_corpus(folder, kind)
    extract = {"ravdess": _voices, "ckplus": _faces, "meld": _texts}[kind]
    examples: list[Example] = []
    failed: list[Failed] = []
    for done, result in enumerate(extract(items), start=1):
        if isinstance(result, Failed):
            failed.append(result)
        else:
            examples.extend(result)
        if progress is not None:
            progress(done, len(items))
    if not examples:
        raise BadInput(f"nothing of {folder} could be used; the first: {failed[0].why}")
    return ExampleSet(kind, tuple(examples), {"items": len(items), "failed": len(failed)}), failed


def _example(
    item: LabelledItem, name: str, samples: Sequence[Sample[Any]], variant: int = 0
) -> Example:
    emotion = EMOTIONS.index(item.emotion)
    return Example(
        item.id, item.person, emotion, item.sentiment, item.split, variant, {name: tuple(samples)}
    )


def _voices(items: Sequence[LabelledItem]) -> Iterator[list[Example] | Failed]:
    from extractors.speech import SpeechModel
    from extractors.utterances import UtteranceStage
    from extractors.video_file import VideoFile
    from extractors.voice import VoiceStage

    model = SpeechModel(path_of("whisper-tiny.en"))
    for item in items:
        assert item.path is not None
        try:
            pieces, voice = UtteranceStage(), VoiceStage(model)
            found: list[Sample[Any]] = []
            for block in VideoFile(item.path).audio():
                found += pieces.process(block)
            found += pieces.finish()
            samples = [sample for piece in found for sample in voice.process(piece)]
        except AffectscopeError as error:
            yield Failed(item.id, str(error))
            continue
        if any(sample.data.present for sample in samples):
            yield [_example(item, "voice", samples)]
        else:
            yield Failed(item.id, "nobody speaks in it")


def _faces(items: Sequence[LabelledItem]) -> Iterator[list[Example] | Failed]:
    import cv2

    from extractors.face import FaceLandmarker

    # crops of 48 x 48 pixels are blurred: at the usual confidence a few of them show no face
    with FaceLandmarker(path_of("face-landmarker"), video=False, confidence=0.2) as landmarker:
        for item in items:
            picture = cv2.imread(str(item.path), cv2.IMREAD_COLOR_RGB)
            if picture is None:
                yield Failed(item.id, "not a picture")
                continue
            examples = []
            for variant, (side, border, mirrored) in enumerate(FACE_SIZES):
                vector = landmarker(_framed(picture, side, border, mirrored)).vector
                if vector is not None:
                    shown = [
                        Sample("face", t, t, t, Row(vector))
                        for t in range(SECOND // 10, (STILL_STEPS + 1) * SECOND // 10, SECOND // 10)
                    ]
                    examples.append(_example(item, "face", shown, variant))
            yield examples if examples else Failed(item.id, "no face found")


def _framed(
    picture: npt.NDArray[Any], side: int, border: int, mirrored: bool
) -> npt.NDArray[np.uint8]:
    """A tight crop enlarged and given a border, so that the detector sees a face in a picture."""
    import cv2

    upright = picture[:, ::-1] if mirrored else picture
    large = cv2.resize(upright, (side, side), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8)


def _texts(items: Sequence[LabelledItem]) -> Iterator[list[Example] | Failed]:
    from extractors.text import TextEncoder

    encoder = TextEncoder(path_of("minilm/model.onnx"), path_of("minilm/tokenizer.json"))
    for item in items:
        texts = item.text.split()[-LONGEST_WORDS:]
        if not texts:
            yield Failed(item.id, "no words")
            continue
        # four words a second, a usual rate of speech, puts the last words inside the window
        ends = [from_seconds((i + 1) / 4) for i in range(len(texts))]
        words = tuple(
            Word(text, end - SECOND // 4, end, 1.0) for text, end in zip(texts, ends, strict=True)
        )
        context = TextContext(words, encoder(texts))
        yield [_example(item, "text", [Sample("text", ends[-1], ends[-1], ends[-1], context)])]
