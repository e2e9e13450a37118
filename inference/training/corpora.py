"""The labelled corpora as they lie on disk: what carries which label."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.errors import BadInput

__all__ = ["CORPORA", "MELD_SENTIMENT", "VALENCE", "LabelledItem", "read_corpus"]

VALENCE = {
    "neutral": 0.0,
    "happy": 3 * 0.81,
    "sad": 3 * -0.63,
    "angry": 3 * -0.51,
    "fearful": 3 * -0.64,
    "disgust": 3 * -0.60,
    "surprised": 3 * 0.40,
}
"""Pleasure of each emotion in [-3, 3]: Russell and Mehrabian 1977, J. Res. Personality 11, 273-294.

Their means lie in [-1, 1]; standard deviations are 0.20 to 0.30 there, so 0.6 to 0.9 here."""

MELD_SENTIMENT = {"negative": -2.0, "neutral": 0.0, "positive": 2.0}
"""MELD's three classes on the scale of CMU-MOSI, where +-2 is named plainly so."""

_RAVDESS = {
    "01": "neutral", "02": "neutral", "03": "happy", "04": "sad", "05": "angry", "06": "fearful",
    "07": "disgust", "08": "surprised",
}  # fmt: skip
_CKPLUS = {
    "anger": "angry", "disgust": "disgust", "fear": "fearful", "happy": "happy", "sadness": "sad",
    "surprise": "surprised",
}  # fmt: skip
_MELD = {
    "neutral": "neutral", "joy": "happy", "sadness": "sad", "anger": "angry", "fear": "fearful",
    "disgust": "disgust", "surprise": "surprised",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One labelled clip, picture or utterance.

    `person` is whom a split keeps together; `split` names the corpus's own split, if it has one.
    """

    id: str
    person: str
    emotion: str
    sentiment: float
    path: Path | None = None
    text: str = ""
    split: str = ""


def read_ravdess(folder: Path) -> Iterator[LabelledItem]:
    """RAVDESS speech clips, named modality-channel-emotion-intensity-statement-repetition-actor.

    Calm counts as neutral: the app does not tell them apart. Sentiment is the norm of the emotion.
    """
    for path in sorted(folder.glob("*.flac")) + sorted(folder.glob("*.wav")):
        parts = path.stem.split("-")
        if len(parts) != 7 or parts[2] not in _RAVDESS:
            raise BadInput(f"{path.name} is not named like a RAVDESS clip; move it elsewhere")
        emotion = _RAVDESS[parts[2]]
        yield LabelledItem(path.stem, f"ravdess {parts[6]}", emotion, VALENCE[emotion], path)


def read_ckplus(folder: Path) -> Iterator[LabelledItem]:
    """CK+ face crops in a folder per emotion; contempt is left out, the app does not name it."""
    for name, emotion in _CKPLUS.items():
        for path in sorted((folder / name).glob("*.png")):
            person = f"ckplus {path.name.split('_')[0]}"
            yield LabelledItem(path.stem, person, emotion, VALENCE[emotion], path)


def read_meld(folder: Path) -> Iterator[LabelledItem]:
    """MELD's utterances; the person is the dialogue, since speakers recur in train and dev."""
    for split in ("train", "dev"):
        path = folder / f"{split}_sent_emo.csv"
        if not path.is_file():
            continue
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    dialogue, number = row["Dialogue_ID"], row["Utterance_ID"]
                    emotion, sentiment = _MELD[row["Emotion"]], MELD_SENTIMENT[row["Sentiment"]]
                    text = row["Utterance"]
                except KeyError as error:
                    raise BadInput(f"{path} has no column or label {error}") from error
                key = f"{split}-{dialogue}-{number}"
                person = f"meld {split} {dialogue}"
                yield LabelledItem(key, person, emotion, sentiment, None, text, split)


CORPORA: dict[str, Callable[[Path], Iterator[LabelledItem]]] = {
    "ravdess": read_ravdess,
    "ckplus": read_ckplus,
    "meld": read_meld,
}
"""Readers by kind."""


def read_corpus(folder: Path, kind: str) -> list[LabelledItem]:
    """All items of the corpus in `folder`, in a fixed order.

    Raises BadInput for an unknown kind, or if the folder is missing or holds no item of that kind.
    """
    if kind not in CORPORA:
        raise BadInput(f"unknown kind of corpus {kind}; known are {', '.join(CORPORA)}")
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    items = list(CORPORA[kind](folder))
    if not items:
        raise BadInput(f"{folder} holds nothing of a corpus of kind {kind}")
    return items
