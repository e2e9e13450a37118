"""The bundled clip in the place of camera and microphone, with the real models: what live gives is
nearly what an analysis of the file gives."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import ASSETS
from extractors.live_speech import LiveSpeechStage
from extractors.sources import SourceChoice
from extractors.stream import SECOND, Overflow, SimulatedClock
from extractors.timeline import Timeline
from inference.live.branches import Stages, default_stages
from inference.live.interface import LiveState
from inference.live.session import LiveSession

CLIP = ASSETS / "sample" / "sample.mp4"
SECONDS = 11.6
PATIENCE = 120.0


def unhurried(models: Any, now: Callable[[], int]) -> Stages:
    """The stages of every session; but speech takes no notice of how long its passes last here."""

    @contextmanager
    def speech() -> Iterator[LiveSpeechStage]:
        yield LiveSpeechStage(models.speech(), models.voice(), clock=now, cost=lambda: 0)

    return replace(default_stages(models, now), speech=speech)


@pytest.fixture(scope="module")
def live(models: Callable[[str], Path]) -> Iterator[Any]:
    """The session after the clip, before its end; a simulated clock: nothing depends on speed."""
    from inference.models import SETS, Models

    for name in SETS:
        models(name)
    clock = SimulatedClock()
    clock.join()
    choice = SourceChoice("file", str(CLIP))
    session = LiveSession(
        choice, choice, lambda: Models("live", backend="eager"), clock=clock, stages=unhurried,
        overflow=Overflow.BLOCK,
    )  # fmt: skip
    session.start()
    until = time.monotonic() + PATIENCE
    while session.state is not LiveState.RUNNING:
        assert time.monotonic() < until, "the models are not loaded"
        time.sleep(0.01)
    clock.wait_until(clock.now() + round(SECONDS * SECOND), threading.Event())
    yield session
    session.stop()
    clock.leave()
    assert session.wait(PATIENCE)


def plain(words: Any) -> list[str]:
    return re.sub(r"[^a-z ]", "", " ".join(word.text for word in words).lower()).split()


def test_it_hears_what_is_said(live: Any) -> None:
    said = "good morning the station is ready and all systems are normal this is wonderful"
    heard = plain(live.words())
    assert heard[: len(said.split())] == said.split()


def test_rows_are_complete_and_every_modality_is_seen(live: Any) -> None:
    timeline = live.timeline()
    np.testing.assert_allclose(np.diff(timeline.time), 0.2)
    assert timeline.time[-1] > SECONDS - 1
    assert timeline.present.any(axis=0).all()
    assert timeline.present[:, 2].mean() > 0.9


def test_settled_rows_are_near_those_of_the_analysis(live: Any, tmp_path: Path) -> None:
    from inference.analysis import Analysis
    from inference.models import Models

    analysis = Analysis(CLIP, tmp_path / "session", Models("live"))
    analysis.start()
    analysis.finish()
    offline: Timeline = analysis.timeline()
    settled = live.timeline().time < live.timeline().time[-1] - live.grace - 1
    rows = int(settled.sum())
    difference = np.abs(live.timeline().emotions[:rows] - offline.emotions[:rows]).max(axis=1)
    assert np.median(difference) < 0.1
    strongest = live.timeline().emotions[:rows].argmax(axis=1)
    assert (strongest == offline.emotions[:rows].argmax(axis=1)).mean() > 0.8
