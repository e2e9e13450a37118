"""Which chunks tenths come from, when they are settled, and that they are then those of a file."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.features import SAMPLE_RATE
from extractors.live_voice import BEHIND, LiveVoice, chunks, settled_until
from extractors.spectrogram import STATE_RATE
from extractors.voice_model import CHUNK, MARGIN

FloatArray = npt.NDArray[np.float32]
TENTH = SAMPLE_RATE // 10
PER_STATE = SAMPLE_RATE // STATE_RATE


def test_up_to_a_chunk_there_is_one_chunk() -> None:
    assert chunks(800, 800, 800 + CHUNK) == [(800, 800, 800 + CHUNK)]


def test_of_a_chunk_inside_longer_speech_the_middle_is_taken() -> None:
    end = 9 * SAMPLE_RATE
    second = CHUNK - 2 * MARGIN
    assert chunks(0, 0, end) == [
        (0, 0, CHUNK - MARGIN),
        (second, CHUNK - MARGIN, second + CHUNK - MARGIN),
        (2 * second, second + CHUNK - MARGIN, end),
    ]


@given(st.integers(0, 20 * SAMPLE_RATE), st.integers(0, 200), st.integers(1, 200))
def test_chunks_give_everything_once_and_end_on_states(since: int, begin: int, more: int) -> None:
    first = since + begin * TENTH
    end = first + more * TENTH
    found = chunks(since, first, end)
    assert found[0][1] == first
    assert found[-1][2] == end
    assert all(one[2] == other[1] for one, other in itertools.pairwise(found))
    for chunk, a, b in found:
        assert (a - chunk) % PER_STATE == 0
        assert chunk <= a < b <= chunk + CHUNK
        assert chunk == since or a >= chunk + MARGIN


@given(st.integers(0, 40 * SAMPLE_RATE), st.integers(0, 40 * SAMPLE_RATE))
def test_more_sound_does_not_change_what_is_settled(heard: int, more: int) -> None:
    until = settled_until(0, heard)
    assert until <= heard
    assert until <= settled_until(0, heard + more)

    def states(end: int) -> dict[int, tuple[int, int]]:
        return {
            position: (chunk, min(chunk + CHUNK, end))
            for chunk, a, b in chunks(0, 0, end)
            for position in range(a, min(b, until), PER_STATE)
        }

    assert states(heard) == states(heard + more)


def test_at_most_a_chunk_of_speech_is_not_settled() -> None:
    for heard in range(0, 30 * SAMPLE_RATE, 1000):
        assert heard - settled_until(0, heard) <= CHUNK
    assert settled_until(None, 10 * SAMPLE_RATE) == 10 * SAMPLE_RATE - BEHIND
    assert settled_until(None, 0) == 0


class Passes:
    """A voice that hears a sound bit by bit; the states say which piece was encoded."""

    def __init__(self, seconds: int) -> None:
        self.sound = np.random.default_rng(0).standard_normal(seconds * SAMPLE_RATE)
        self.sound = 0.1 * self.sound.astype(np.float32)
        self.voice = LiveVoice()
        self.encoded: list[tuple[int, int]] = []
        self.next = 0

    def hear(self, now: int, *, ended: bool = False) -> tuple[list[float], list[float]]:
        steps = self.voice.steps(
            self.next, 0, now, lambda a, b: self.sound[a:b], self._encode, ended=ended
        )
        assert steps.first == self.next
        self.next += len(steps.settled)
        settled, tentative = (
            [np.nan if row.states is None else float(row.states[0]) for row in rows]
            for rows in (steps.settled, steps.tentative)
        )
        return settled, tentative

    def _encode(self, begin: int, end: int) -> FloatArray:
        self.encoded.append((begin, end))
        count = -(-(end - begin) // PER_STATE)
        return np.full((count, 1), begin / SAMPLE_RATE, np.float32)


def test_speech_is_tentative_until_its_chunk_is_whole_and_silence_is_soon_settled() -> None:
    passes = Passes(12)
    settled, tentative = passes.hear(SAMPLE_RATE)
    assert (len(settled), len(tentative)) == (7, 3)
    assert np.isnan(settled + tentative).all()
    assert passes.encoded == []
    passes.voice.open(SAMPLE_RATE)
    settled, tentative = passes.hear(3 * SAMPLE_RATE)
    assert len(settled) == 3  # the silence before
    assert tentative == [1.0] * 20
    settled, tentative = passes.hear(5 * SAMPLE_RATE + TENTH)
    assert settled == [1.0] * 35
    assert tentative == [4.0] * 6
    passes.voice.close(6 * SAMPLE_RATE)
    settled, tentative = passes.hear(7 * SAMPLE_RATE)
    assert settled[:15] == [4.0] * 15
    assert np.isnan(settled[15:] + tentative).all()
    assert len(tentative) == 3
    settled, tentative = passes.hear(7 * SAMPLE_RATE + 100, ended=True)
    assert (len(settled), len(tentative)) == (4, 0)
    assert passes.next == 71


def test_the_cost_does_not_grow_with_the_length_of_speech() -> None:
    passes = Passes(30)
    passes.voice.open(0)
    lengths = []
    for now in range(3 * TENTH, 30 * SAMPLE_RATE, 3 * TENTH):
        passes.encoded.clear()
        passes.hear(now)
        lengths.append(sum(end - begin for begin, end in passes.encoded))
    assert max(lengths) <= 2 * CHUNK
    assert np.mean(lengths) < 0.9 * CHUNK
    assert len(passes.voice._rows) <= 45
    assert len(passes.voice._peaks) <= 101


def test_prosody_is_near_that_of_the_whole_sound() -> None:
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    passes = Passes(6)
    passes.sound = (0.3 * np.sin(2 * np.pi * 200 * time) * (time % 2 < 1.5)).astype(np.float32)
    rows = []
    for now in range(3 * TENTH, 6 * SAMPLE_RATE + 1, 3 * TENTH):
        steps = passes.voice.steps(
            len(rows), 0, now, lambda a, b: passes.sound[a:b], passes._encode,
            ended=now == 6 * SAMPLE_RATE,
        )  # fmt: skip
        rows += [row.prosody for row in steps.settled]
    from extractors.prosody import prosody

    whole = prosody(passes.sound)
    assert len(rows) == len(whole)
    measured = np.stack(rows)
    assert measured[:, 1] == pytest.approx(whole[:, 1], abs=0.1)
    voiced = whole[:, 2] == 1
    assert voiced.sum() > 30
    assert measured[voiced, 0] == pytest.approx(whole[voiced, 0], abs=1)
