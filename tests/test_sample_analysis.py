"""The first thing that a new user sees: the bundled clip, analysed with the shipped checkpoint."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import ASSETS
from extractors.features import EMOTIONS
from extractors.session import Session
from extractors.timeline import Timeline

CLIP = ASSETS / "sample" / "sample.mp4"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    text = (ASSETS / "sample" / "timeline.json").read_text(encoding="utf-8")
    timeline: dict[str, Any] = json.loads(text)
    return timeline


@pytest.fixture(scope="module")
def session(models: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Session:
    from inference.analysis import Analysis
    from inference.models import SETS, Models

    for name in SETS:
        models(name)
    analysis = Analysis(CLIP, tmp_path_factory.mktemp("sample") / "session", Models("live"))
    analysis.start()
    analysis.finish()
    return Session(analysis.folder)


def during(timeline: Timeline, start: float, end: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (timeline.time >= start) & (timeline.time <= end)


def plain(text: str) -> list[str]:
    return re.sub(r"[^a-z ]", "", text.lower()).split()


def test_the_words_are_those_that_are_spoken(session: Session, told: dict[str, Any]) -> None:
    spoken = plain(" ".join(sentence["text"] for sentence in told["sentences"]))
    assert [*plain(" ".join(word.text for word in session.words))] == spoken


def test_each_word_lies_in_its_sentence(session: Session, told: dict[str, Any]) -> None:
    rest = list(session.words)
    for sentence in told["sentences"]:
        for _ in plain(sentence["text"]):
            word = rest.pop(0)
            assert sentence["start"] - 0.3 <= word.start / 1e9 < word.end / 1e9
            assert word.end / 1e9 <= sentence["end"] + 0.3


def test_the_happy_curve_rises_where_the_smile_is(session: Session, told: dict[str, Any]) -> None:
    timeline, smile = session.timeline, told["smile"]
    happy = timeline.emotions[:, EMOTIONS.index("happy")]
    held = during(timeline, smile["start"] + 0.6, smile["end"])
    before = during(timeline, 0.0, smile["start"] - smile["ramp"])
    assert happy[held].mean() > happy[before].mean() + 0.3
    assert (timeline.emotions[held].argmax(axis=1) == EMOTIONS.index("happy")).mean() > 0.8


def test_sentiment_is_higher_in_the_smile(session: Session, told: dict[str, Any]) -> None:
    timeline, smile = session.timeline, told["smile"]
    held = during(timeline, smile["start"] + 0.6, smile["end"])
    before = during(timeline, 0.0, smile["start"] - smile["ramp"])
    assert timeline.sentiment[held].mean() > timeline.sentiment[before].mean() + 1.0


def test_the_face_is_always_there_and_the_voice_where_it_speaks(session: Session) -> None:
    words, voice, face = session.timeline.present.T
    assert face.all()
    assert voice.any()
    assert not words[0]
    assert words[-1]
