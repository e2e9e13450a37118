"""Windows see tentative voice for as long as nothing better is there."""

import numpy as np

from extractors.features import LIVE_WINDOWS, PROSODY, VOICE_STATES, VoiceFeatures
from extractors.stream import SECOND, Sample
from inference.live.engine import LiveEngine

TENTH = SECOND // 10


def voice(step: int, value: float) -> Sample[VoiceFeatures]:
    states = np.full(VOICE_STATES, value, np.float32)
    features = VoiceFeatures(np.zeros(len(PROSODY), np.float32), states)
    return Sample("voice", step * TENTH, (step + 1) * TENTH, 0, features)


def tentative(first: int, *values: float) -> Sample[tuple[Sample[VoiceFeatures], ...]]:
    samples = tuple(voice(first + i, value) for i, value in enumerate(values))
    return Sample("tentative voice", samples[0].start, samples[-1].end, 0, samples)


def seen(engine: LiveEngine, now: int) -> list[float]:
    """The first state of each valid tenth of the newest window."""
    window = engine.due(now).fresh[-1]
    return window.features["voice"][window.valid["voice"], 0].tolist()


def test_tentative_voice_is_seen_until_it_is_replaced_or_settled() -> None:
    engine = LiveEngine(LIVE_WINDOWS, patience=0)
    engine.due(0)
    engine.add(tentative(0, 1, 2))
    assert seen(engine, 2 * TENTH) == [1, 2]
    engine.add(tentative(0, 3, 4, 5, 6))
    assert seen(engine, 4 * TENTH) == [3, 4, 5, 6]
    engine.add(voice(0, 7))
    engine.add(voice(1, 8))
    assert seen(engine, 6 * TENTH) == [7, 8, 5, 6]
    engine.add(tentative(2, 9))
    assert seen(engine, 8 * TENTH) == [7, 8, 9]
    engine.interrupt()
    engine.due(8 * TENTH)
    assert seen(engine, 10 * TENTH) == []
