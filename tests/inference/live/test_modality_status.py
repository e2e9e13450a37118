"""Whether somebody speaks, where that is told late."""

from typing import Any

import numpy as np
import pytest

from extractors.features import PROSODY, VOICE_STATES, VoiceFeatures
from extractors.stream import SECOND, Sample
from inference.live.modality_status import LastHeard

TENTH = SECOND // 10


def tenth(end: int, *, spoken: bool) -> Sample[VoiceFeatures]:
    states = np.ones(VOICE_STATES, np.float32) if spoken else None
    return Sample(
        "voice", end - TENTH, end, end, VoiceFeatures(np.zeros(len(PROSODY), np.float32), states)
    )


def heard(spoken: range, silent: range, *, tentative: bool = False) -> LastHeard:
    """Tenths by their number."""
    found = LastHeard()
    tenths: list[Sample[Any]] = [tenth(i * TENTH, spoken=True) for i in spoken]
    tenths += [tenth(i * TENTH, spoken=False) for i in silent]
    if tentative:
        tenths = [Sample("tentative voice", 0, tenths[-1].end, 0, tuple(tenths))]
    for sample in tenths:
        found.add(sample)
    return found


@pytest.mark.parametrize("tentative", [False, True])
def test_who_spoke_when_it_was_last_known_speaks(tentative: bool) -> None:
    voice = heard(range(1, 31), range(31, 36), tentative=tentative)  # known until 3.5 s
    assert voice.speaking(39 * TENTH), "though a window that ended meanwhile did not hear it"
    assert not voice.speaking(4 * SECOND), "what a window sees is known"
    assert voice.speaking(5 * SECOND)
    assert not voice.speaking(9 * SECOND), "that is no news of now"


def test_who_was_silent_when_it_was_last_known_is_silent() -> None:
    assert not heard(range(1, 31), range(31, 45)).speaking(6 * SECOND)


def test_nothing_heard_is_silence() -> None:
    voice = LastHeard()
    assert not voice.speaking(0)
    voice.add(Sample("word", 0, SECOND, SECOND, None))
    assert not voice.speaking(3 * SECOND)
