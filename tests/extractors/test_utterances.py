"""Sound cut into pieces: nothing lost, nothing twice, in pauses, never too long."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors import utterances
from extractors.features import SAMPLE_RATE, AudioBlock, Utterances
from extractors.stream import SECOND, Sample, to_seconds
from extractors.utterances import GRID, UtteranceStage, open_utterance_stage, spoken_intervals

FloatArray = npt.NDArray[np.float32]
PERIOD = SECOND // SAMPLE_RATE


def loud_intervals(samples: FloatArray) -> list[tuple[int, int]]:
    """Stands in for the voice activity detector: speech is what is not zero."""
    edges = np.flatnonzero(np.diff(samples != 0, prepend=False, append=False))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


@pytest.fixture
def loud_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utterances, "spoken_intervals", loud_intervals)


def sound(*parts: float) -> FloatArray:
    """Speech of so many seconds, or silence if negative; every sample of speech is different."""
    whole = np.concatenate(
        [np.full(round(abs(part) * SAMPLE_RATE), part > 0, np.float32) for part in parts]
    )
    return whole * np.linspace(0.5, 1, len(whole), dtype=np.float32)


def blocks(
    samples: FloatArray, start: int = 0, size: int = SAMPLE_RATE // 2
) -> list[Sample[AudioBlock]]:
    return [
        Sample("audio", start + first * PERIOD, start + (first + len(block)) * PERIOD, 0,
               AudioBlock(block))
        for first in range(0, len(samples), size)
        for block in [samples[first : first + size]]
    ]  # fmt: skip


def pieces_of(
    given_in: Sequence[Sample[AudioBlock]], longest: int = 30 * SECOND
) -> list[Sample[Utterances]]:
    stage = UtteranceStage(longest)
    pieces = [piece for block in given_in for piece in stage.process(block)]
    return [*pieces, *stage.finish()]


def cuts(pieces: Sequence[Sample[Utterances]]) -> list[float]:
    return [to_seconds(piece.end) for piece in pieces]


def check_whole(
    pieces: Sequence[Sample[Utterances]], samples: FloatArray, start: int, longest: int
) -> None:
    """Nothing missing, nothing twice, nothing too long, speech inside its piece."""
    assert np.array_equal(np.concatenate([piece.data.samples for piece in pieces]), samples)
    at = start
    for piece in pieces:
        assert piece.start == at
        assert piece.end - piece.start == len(piece.data.samples) * PERIOD <= longest
        at = piece.end
        edges = [edge for interval in piece.data.spoken for edge in interval]
        assert edges == sorted(edges)
        assert all(piece.start <= edge <= piece.end for edge in edges)


@given(
    st.lists(st.integers(-20, 20).filter(bool), min_size=1, max_size=12),
    st.integers(100, 20_000),
    st.integers(0, 2 * SECOND),
)
def test_pieces_cover_the_sound_without_gap_or_overlap(
    tenths: list[int], size: int, start: int
) -> None:
    samples = sound(*[part / 8 for part in tenths])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utterances, "spoken_intervals", loud_intervals)
        pieces = pieces_of(blocks(samples, start, size), 3 * SECOND)
    check_whole(pieces, samples, start, 3 * SECOND)
    for piece in pieces[:-1]:
        if len(piece.data.samples) >= SAMPLE_RATE // 10:
            assert piece.end % GRID < PERIOD  # the first sample of a tenth
    spoken = sum(b - a for piece in pieces for a, b in piece.data.spoken) // PERIOD
    assert spoken == np.count_nonzero(samples)


@pytest.mark.usefixtures("loud_is_speech")
def test_it_is_cut_in_the_middle_of_the_last_pause() -> None:
    pieces = pieces_of(blocks(sound(10, -2, 10, -3, 10)))
    assert cuts(pieces) == [23.5, 35]
    assert [piece.data.spoken for piece in pieces] == [
        ((0, 10 * SECOND), (12 * SECOND, 22 * SECOND)),
        ((25 * SECOND, 35 * SECOND),),
    ]


@pytest.mark.usefixtures("loud_is_speech")
def test_the_cut_goes_back_to_a_whole_tenth_of_session_time() -> None:
    pieces = pieces_of(blocks(sound(20.15, -1, 12), start=SECOND // 50))
    assert cuts(pieces)[0] == 20.6  # the middle is at 20.67
    assert pieces[1].start == pieces[0].end


@pytest.mark.usefixtures("loud_is_speech")
def test_a_breathless_passage_is_cut_where_it_is_quietest() -> None:
    samples = sound(40)
    samples[26 * SAMPLE_RATE : 26 * SAMPLE_RATE + 1600] *= 0.01
    samples[5 * SAMPLE_RATE : 6 * SAMPLE_RATE] *= 0.001  # too early to cut there
    pieces = pieces_of(blocks(samples))
    assert cuts(pieces) == [26, 40]
    check_whole(pieces, samples, 0, 30 * SECOND)
    assert [piece.data.spoken for piece in pieces] == [
        ((0, 26 * SECOND),),
        ((26 * SECOND, 40 * SECOND),),
    ]


@pytest.mark.usefixtures("loud_is_speech")
def test_who_begins_to_speak_late_is_not_cut_apart() -> None:
    pieces = pieces_of(blocks(sound(-15.25, 20, -1)))
    assert cuts(pieces) == [15.2, 36.25]
    assert pieces[0].data.spoken == ()
    assert pieces[1].data.spoken == ((round(15.25 * SECOND), round(35.25 * SECOND)),)


@pytest.mark.usefixtures("loud_is_speech")
def test_silence_comes_in_the_longest_pieces() -> None:
    pieces = pieces_of(blocks(sound(-70)))
    assert cuts(pieces) == [30, 60, 70]
    assert all(piece.data.spoken == () for piece in pieces)


@pytest.mark.usefixtures("loud_is_speech")
def test_a_single_long_block_is_cut_just_the_same() -> None:
    samples = sound(25, -1, 25, -1, 25)
    assert cuts(pieces_of(blocks(samples, size=len(samples)))) == cuts(pieces_of(blocks(samples)))


def test_without_sound_there_is_no_piece() -> None:
    with open_utterance_stage() as stage:
        assert list(stage.finish()) == []


@pytest.mark.usefixtures("loud_is_speech")
@pytest.mark.parametrize("before", [1.0, 30.0])
@pytest.mark.parametrize("jump", [-2 * PERIOD, 2 * PERIOD])
def test_sound_that_jumps_is_refused(before: float, jump: int) -> None:
    """Also where a piece has just ended with its block."""
    stage = UtteranceStage()
    for block in blocks(sound(-before)):
        list(stage.process(block))
    then = round(before * SECOND) + jump
    with pytest.raises(ValueError, match=f"sound jumps from {round(before * SECOND)} to {then} ns"):
        list(stage.process(blocks(sound(-0.5), then)[0]))


def test_real_speech_is_found_and_cut_in_its_pauses(jfk: FloatArray) -> None:
    found = [(a / SAMPLE_RATE, b / SAMPLE_RATE) for a, b in spoken_intervals(jfk)]
    assert [round(a) for a, _ in found] == [0, 3, 5, 8]
    pieces = pieces_of(blocks(jfk, start=SECOND // 10), longest=5 * SECOND)
    check_whole(pieces, jfk, SECOND // 10, 5 * SECOND)
    # "... fellow Americans | ask not | what your country ... you | ask what you can do ..."
    level = np.sqrt(np.mean(jfk**2))
    for cut in cuts(pieces)[:-1]:
        middle = round((cut - 0.1) * SAMPLE_RATE)
        assert np.sqrt(np.mean(jfk[middle - 400 : middle + 400] ** 2)) < 0.2 * level
    assert all(piece.data.spoken for piece in pieces)


def test_silence_and_noise_are_not_speech() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(10 * SAMPLE_RATE)
    assert spoken_intervals(noise.astype(np.float32)) == []
    assert spoken_intervals(np.zeros(10 * SAMPLE_RATE, np.float32)) == []
    assert spoken_intervals(np.zeros(0, np.float32)) == []
