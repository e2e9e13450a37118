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


def settled(engine: LiveEngine, now: int) -> list[tuple[int, bool]]:
    """Ends in tenths of the windows that are settled now, and whether somebody speaks in them."""
    return [(w.end // TENTH, w.present("voice")) for w in engine.due(now).settled]


def heard_until_one_second() -> LiveEngine:
    engine = LiveEngine(LIVE_WINDOWS, patience=0)
    engine.due(0)
    for step in range(10):
        engine.add(voice(step, 1))
    engine.due(10 * TENTH)
    engine.due(20 * TENTH)
    return engine


def test_a_window_waits_for_a_voice_that_is_behind() -> None:
    engine = heard_until_one_second()
    assert settled(engine, 32 * TENTH) == [(end, True) for end in (6, 8, 10)]
    engine.add(tentative(10, *[2.0] * 20))
    late = settled(engine, 34 * TENTH)
    assert late == [(end, True) for end in (12, 14, 16, 18)], "it would have said that nobody spoke"


def test_a_voice_that_stays_away_is_not_waited_for_for_ever() -> None:
    engine = heard_until_one_second()
    settled(engine, 32 * TENTH)
    assert settled(engine, 51 * TENTH) == []
    assert settled(engine, 52 * TENTH) == [(12, True)], "of the second before it a part is known"
    assert settled(engine, 70 * TENTH)[-1] == (30, False)
    assert settled(engine, 88 * TENTH)[-1] == (72, False), "of these there is nothing to wait for"
