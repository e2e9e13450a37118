"""The labelled corpora as they lie on disk: what carries which label."""

import csv
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from assets.errors import BadInput
from extractors.features import FloatArray
from inference.training.labelled_item import LabelledItem
from inference.training.own_videos import read_own_videos

__all__ = ["CORPORA", "MELD_SENTIMENT", "NORM_SPREAD", "VALENCE", "read_corpus", "sentiment_spread"]

VALENCE = {
    "neutral": 0.0,
    "calm": 0.0,
    "happy": 3 * 0.81,
    "sad": 3 * -0.63,
    "angry": 3 * -0.51,
    "fearful": 3 * -0.64,
    "disgust": 3 * -0.60,
    "surprised": 3 * 0.40,
}
"""Pleasure of each emotion in [-3, 3]: Russell and Mehrabian 1977, J. Res. Personality 11, 273-294.

Their means lie in [-1, 1]. Neutral and calm are zero by our choice. Contempt has no norm here: its
sentiment is unknown."""
NORM_SPREAD = 3 * 0.30
"""Standard deviation of single people's judgements about these norms: the largest that the same
source has for one of them. The smallest is 3 * 0.20, so an interval made of this is rather too wide
than too narrow."""
NORMED = frozenset({"ckplus", "ravdess"})
"""Corpora whose sentiment is such a norm."""

MELD_SENTIMENT = {"negative": -2.0, "neutral": 0.0, "positive": 2.0}
"""MELD's three classes on the scale of CMU-MOSI, where +-2 is named plainly so."""

_RAVDESS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry", "06": "fearful",
    "07": "disgust", "08": "surprised",
}  # fmt: skip
_CKPLUS = {
    "anger": "angry", "contempt": "contempt", "disgust": "disgust", "fear": "fearful",
    "happy": "happy", "sadness": "sad", "surprise": "surprised",
}  # fmt: skip
_MELD = {
    "neutral": "neutral", "joy": "happy", "sadness": "sad", "anger": "angry", "fear": "fearful",
    "disgust": "disgust", "surprise": "surprised",
}  # fmt: skip
_MELD_COLUMNS = ("Utterance", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")
ACTION_UNITS = 35
_RAVDESS_NAME = re.compile(r"\d\d-\d\d-(\d\d)-\d\d-\d\d-\d\d-(\d\d)")
_CKPLUS_NAME = re.compile(r"(S\d+)_.+")


def sentiment_spread(kind: str) -> float:
    """How far single people's judgements lie from the sentiment of items of these kinds, which are
    joined by " and ": as standard deviation, 0 where every label is a judgement itself."""
    return 0.0 if NORMED.isdisjoint(kind.split(" and ")) else NORM_SPREAD


def read_ravdess(folder: Path) -> Iterator[LabelledItem]:
    """RAVDESS speech clips, named modality-channel-emotion-intensity-statement-repetition-actor.

    Sentiment is the norm of the emotion. Action units, pooled over each clip's video, are taken
    along if they lie beside the folder: `clip` and `au` [clips, 35] in an archive named like it
    with `_action_units.npz` behind.
    Raises BadInput for a name that does not tell emotion and actor.
    """
    units = read_action_units(folder.with_name(f"{folder.name}_action_units.npz"))
    for path in sorted([*folder.rglob("*.flac"), *folder.rglob("*.wav")]):
        name = _RAVDESS_NAME.fullmatch(path.stem)
        if name is None or name[1] not in _RAVDESS:
            raise BadInput(f"{path} is not named like a RAVDESS clip; move it elsewhere")
        emotion = _RAVDESS[name[1]]
        yield LabelledItem(
            path.stem,
            f"ravdess {name[2]}",
            emotion,
            VALENCE[emotion],
            path,
            action_units=units.get(path.stem),
        )


def read_action_units(path: Path) -> dict[str, FloatArray]:
    """Action units float32 [35] by clip; empty without the file.

    17 intensities 0 to 5, then 18 presences 0 or 1, as OpenFace gives them. The sound of the video
    01-... is 03-... . Raises BadInput, naming file and field, if the archive does not fit.
    """
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            clips, units = archive["clip"], archive["au"]
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is damaged or lacks a field: {error}") from error
    if units.dtype.kind != "f" or units.shape != (len(clips), ACTION_UNITS):
        raise BadInput(
            f"{path} field au is {units.dtype} {list(units.shape)}, not [{len(clips)}, "
            f"{ACTION_UNITS}]"
        )
    if not np.isfinite(units).all():
        raise BadInput(f"{path} field au is not finite everywhere")
    names = ["03" + str(clip)[2:] for clip in clips]
    return dict(zip(names, units.astype(np.float32), strict=True))


def read_ckplus(folder: Path) -> Iterator[LabelledItem]:
    """CK+ face crops in a folder per emotion.

    Raises BadInput for a name that does not begin with the subject, such as `S010_`.
    """
    for name, emotion in _CKPLUS.items():
        for path in sorted((folder / name).glob("*.png")):
            known = _CKPLUS_NAME.fullmatch(path.stem)
            if known is None:
                # without its subject a picture could be tested on who was trained on
                raise BadInput(f"{path} is not named like a CK+ picture; move it elsewhere")
            yield LabelledItem(
                path.stem, f"ckplus {known[1]}", emotion, VALENCE.get(emotion, math.nan), path
            )


def read_meld(folder: Path) -> Iterator[LabelledItem]:
    """MELD's utterances; the person is the dialogue, since speakers recur in train and dev.

    Raises BadInput, naming file, line and column, for what cannot be read.
    """
    for split in ("train", "dev"):
        path = folder / f"{split}_sent_emo.csv"
        if not path.is_file():
            continue
        try:
            # a byte order mark, as spreadsheets write it, is no part of the first column's name
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _utterances(csv.DictReader(file, strict=True), path, split)
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadInput(f"{path} is not a CSV file in UTF-8: {error}") from error


def _utterances(rows: "csv.DictReader[str]", path: Path, split: str) -> Iterator[LabelledItem]:
    for column in _MELD_COLUMNS:
        if column not in (rows.fieldnames or ()):
            raise BadInput(f"{path} has no column {column}")
    for row in rows:
        where = f"{path} line {rows.line_num}"
        for column in _MELD_COLUMNS:
            if row[column] is None:
                raise BadInput(f"{where} ends before the column {column}")
        for column, labels in (("Emotion", _MELD), ("Sentiment", MELD_SENTIMENT)):
            if row[column] not in labels:
                known = ", ".join(labels)
                raise BadInput(f"{where}: {column} is {row[column]!r}; known are {known}")
        dialogue = row["Dialogue_ID"]
        yield LabelledItem(
            id=f"{split}-{dialogue}-{row['Utterance_ID']}",
            person=f"meld {split} {dialogue}",
            emotion=_MELD[row["Emotion"]],
            sentiment=MELD_SENTIMENT[row["Sentiment"]],
            text=row["Utterance"],
            split=split,
        )


CORPORA: dict[str, Callable[[Path], Iterator[LabelledItem]]] = {
    "ravdess": read_ravdess,
    "ckplus": read_ckplus,
    "meld": read_meld,
    "folder": read_own_videos,
}
"""Readers by kind; `mmmo` comes as features already, see `inference.training.mmmo`."""


def read_corpus(folder: Path, kind: str) -> list[LabelledItem]:
    """All items of the corpus in `folder`, in a fixed order.

    Raises BadInput for an unknown kind, if the folder is missing or holds no item of that kind, or
    for an item whose label cannot be told.
    """
    if kind not in CORPORA:
        raise BadInput(f"unknown kind of corpus {kind}; known are {', '.join(CORPORA)}")
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    try:
        items = list(CORPORA[kind](folder))
    except OSError as error:
        raise BadInput(f"cannot read {error.filename}: {error.strerror}") from error
    if not items:
        raise BadInput(f"{folder} holds nothing of a corpus of kind {kind}")
    return items
