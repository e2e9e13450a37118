"""Words and voice while they are spoken, with the time of the world given by hand."""

import difflib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from extractors.features import SAMPLE_RATE, AudioBlock, Utterances, VoiceFeatures, Word
from extractors.live_speech import LiveSpeechStage, SpeechData, open_live_speech_stage
from extractors.quick_decoding import QuickDecoder
from extractors.speech import SpeechModel
from extractors.stream import SECOND, Sample
from extractors.utterances import spoken_intervals
from extractors.voice import STEP, VoiceStage
from extractors.voice_model import VoiceModel
from tests.extractors.test_speech import SAID, minute, plain

FloatArray = npt.NDArray[np.float32]
Out = list[Sample[SpeechData]]


@pytest.fixture(scope="module")
def decoder(speech: SpeechModel) -> QuickDecoder:
    return QuickDecoder(speech)


class Listening:
    """A stage, and the time that it sees pass: no pass costs anything."""

    def __init__(self, speech: SpeechModel, voice_model: VoiceModel, decoder: QuickDecoder) -> None:
        self.now = 0
        self.stage = LiveSpeechStage(
            speech, voice_model, clock=lambda: self.now, cost=lambda: 0, decoder=decoder
        )

    def hear(self, sound: FloatArray, start: int = 0, block: int = 640) -> Out:
        return list(self._hear(sound, start, block))

    def _hear(self, sound: FloatArray, start: int, block: int) -> Iterator[Sample[SpeechData]]:
        for first in range(0, len(sound), block):
            samples = sound[first : first + block]
            since = start + first * SECOND // SAMPLE_RATE
            self.now = since + len(samples) * SECOND // SAMPLE_RATE
            yield from self.stage.process(
                Sample("audio", since, self.now, self.now, AudioBlock(samples))
            )


@pytest.fixture
def listening(speech: SpeechModel, voice_model: VoiceModel, decoder: QuickDecoder) -> Listening:
    return Listening(speech, voice_model, decoder)


def words(samples: Out) -> list[Word]:
    return [s.data for s in samples if s.stream == "word" and isinstance(s.data, Word)]


def test_what_is_said_is_committed_soon_and_in_order(listening: Listening, jfk: FloatArray) -> None:
    samples = listening.hear(np.pad(jfk, (0, SAMPLE_RATE)))
    samples += listening.stage.finish()
    heard = [plain(word.text) for word in words(samples)]
    right = difflib.SequenceMatcher(None, SAID, heard, autojunk=False).get_matching_blocks()
    assert sum(block.size for block in right) >= len(SAID) - 3
    assert len(heard) <= len(SAID) + 2
    for stream in ("word", "tentative", "voice"):
        ends = [sample.end for sample in samples if sample.stream == stream]
        assert ends == sorted(ends)
    delays = [
        (sample.published - sample.end) / SECOND
        for sample in samples
        if sample.stream == "word" and sample.data is not None
    ]
    assert np.median(delays) < 0.8
    assert max(delays) < 1.5
    assert min(delays) >= 0


def test_voice_is_tentative_first_and_then_that_of_a_file(
    listening: Listening, voice_model: VoiceModel, jfk: FloatArray
) -> None:
    sound = jfk[: 5 * SAMPLE_RATE]
    samples = listening.hear(sound)
    newest = {
        sample.end: max(sample.published - piece.end for piece in sample.data[-1:])
        for sample in samples
        if sample.stream == "tentative voice" and isinstance(sample.data, tuple)
    }
    assert max(newest.values()) < STEP + SECOND // 25  # up to the tenth in which it is now
    voice = [s for s in [*samples, *listening.stage.finish()] if s.stream == "voice"]
    assert [s.start for s in voice] == list(range(0, 5 * SECOND, STEP))
    spoken = tuple(
        (a * SECOND // SAMPLE_RATE, b * SECOND // SAMPLE_RATE) for a, b in spoken_intervals(sound)
    )
    piece = Sample("utterances", 0, 5 * SECOND, 0, Utterances(sound, spoken))
    for live, file in zip(voice, VoiceStage(voice_model).process(piece), strict=True):
        assert isinstance(live.data, VoiceFeatures)
        assert live.data.present == file.data.present
        if live.data.states is not None and file.data.states is not None:
            assert live.data.states == pytest.approx(file.data.states, abs=1e-4)


def test_words_do_not_wait_for_the_voice(
    listening: Listening, voice_model: VoiceModel, jfk: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second that the voice takes makes no word of the same pass later."""
    encode = voice_model.encode
    slow = 0

    def slowly(sound: FloatArray) -> FloatArray:
        nonlocal slow
        slow += 1
        listening.now += SECOND
        return encode(sound)

    monkeypatch.setattr(voice_model, "encode", slowly)
    spoken = 0
    for first in range(0, 2 * SAMPLE_RATE, 640):
        end = (first + 640) * SECOND // SAMPLE_RATE
        before = slow
        for sample in listening.hear(jfk[first : first + 640], end - 640 * SECOND // SAMPLE_RATE):
            if sample.stream in ("word", "tentative"):
                assert sample.published == end
                spoken += slow > before and bool(sample.data)
            else:
                assert sample.published == end + (slow - before) * SECOND
    assert spoken >= 2


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_nothing_is_invented_in_a_minute_in_which_nobody_speaks(
    listening: Listening, kind: str
) -> None:
    samples = listening.hear(minute(kind)) + list(listening.stage.finish())
    assert words(samples) == []
    assert listening.stage.spent.passes == 0
    assert max(s.end for s in samples if s.stream == "word") == 60 * SECOND


def test_quiet_speech_is_heard_from_its_beginning_after_loud_speech(
    listening: Listening, jfk: FloatArray
) -> None:
    loud, pause = jfk[8 * SAMPLE_RATE :], np.zeros(SAMPLE_RATE, np.float32)
    quiet = jfk[32 * SAMPLE_RATE // 10 : 45 * SAMPLE_RATE // 10] / 10  # "ask not"
    samples = listening.hear(np.concatenate([loud, pause, quiet, pause]))
    since = (len(loud) + len(pause)) * SECOND // SAMPLE_RATE
    later = [word for word in words(samples) if word.end > since]
    assert [plain(word.text) for word in later] == ["ask", "not"]


def test_a_gap_completes_what_was_spoken_before(listening: Listening, jfk: FloatArray) -> None:
    first = listening.hear(jfk[: 2 * SAMPLE_RATE])
    later = listening.hear(jfk[: 2 * SAMPLE_RATE], start=60 * SECOND)
    before = [word for word in words(first + later) if word.start < 10 * SECOND]
    assert "fellow" in [plain(word.text) for word in before]
    assert all(word.end <= 2 * SECOND for word in before)
    later += listening.stage.finish()
    assert all(word.start >= 60 * SECOND for word in words(later) if word not in before)
    assert len(words(later)) > 2


def test_a_sample_without_sound_says_that_time_has_passed(
    listening: Listening, jfk: FloatArray
) -> None:
    listening.hear(jfk[: 2 * SAMPLE_RATE])
    samples = list(listening.stage.process(Sample("audio", 5 * SECOND, 5 * SECOND, 0, None)))
    assert words(samples)
    assert samples[-1].stream == "word"
    assert (samples[-1].end, samples[-1].data) == (5 * SECOND, None)


def test_the_stage_opens_with_shared_models(speech: SpeechModel, voice_model: VoiceModel) -> None:
    with open_live_speech_stage(lambda: speech, lambda: voice_model) as stage:
        assert list(stage.finish()) == []
