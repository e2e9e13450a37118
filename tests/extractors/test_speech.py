"""Words of real speech; none where nobody speaks."""

import difflib
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_info

from assets.errors import ModelFileError
from extractors.features import SAMPLE_RATE, Utterances, Word
from extractors.gpu_or_cpu import GpuOrCpu
from extractors.spectrogram import STATE_RATE
from extractors.speech import (
    LEAST_PROBABILITY,
    SpeechModel,
    SpokenWord,
    WordStage,
    open_word_stage,
)
from extractors.stream import SECOND, Sample, from_seconds
from extractors.video_file import VideoFile

FloatArray = npt.NDArray[np.float32]

SAID = ["and", "so", "my", "fellow", "americans", "ask", "not",
        "what", "your", "country", "can", "do", "for", "you", "ask",
        "what", "you", "can", "do", "for", "your", "country"]  # fmt: skip
"""The inaugural address of John F. Kennedy, 20 January 1961."""


def plain(word: str) -> str:
    return re.sub(r"[^a-z']", "", word.lower())


def test_the_words_are_those_that_were_said_and_lie_where_they_were_said(
    speech: SpeechModel, jfk: FloatArray
) -> None:
    words = speech.words(jfk)
    heard = [plain(text) for text, *_ in words]
    matcher = difflib.SequenceMatcher(None, SAID, heard, autojunk=False)
    right = sum(block.size for block in matcher.get_matching_blocks())
    assert right >= len(SAID) - 1
    assert len(heard) <= len(SAID) + 1
    starts, ends = [w[1] for w in words], [w[2] for w in words]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(a <= b for a, b in zip(starts, ends, strict=True))
    assert starts[0] >= 0
    assert ends[-1] <= len(jfk) / SAMPLE_RATE
    assert all(LEAST_PROBABILITY <= p <= 1 for *_, p in words)
    by_name = dict(zip(heard, starts, strict=True))
    assert by_name["americans"] == pytest.approx(1.8, abs=0.3)  # against the waveform
    assert ends[-1] == pytest.approx(10.5, abs=0.3)


def minute(kind: str) -> FloatArray:
    time = np.arange(60 * SAMPLE_RATE) / SAMPLE_RATE
    if kind == "noise":
        sound = 0.1 * np.random.default_rng(0).standard_normal(len(time))
    elif kind == "hum":
        sound = sum((0.3 / k * np.sin(2 * np.pi * 50 * k * time) for k in (1, 2, 3)), 0 * time)
    else:
        sound = 0 * time
    return sound.astype(np.float32)


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_nothing_is_invented_where_nobody_speaks(speech: SpeechModel, kind: str) -> None:
    assert speech.words(minute(kind)) == []


def test_words_that_the_model_doubts_are_decoded_again(speech: SpeechModel, shared: Path) -> None:
    """The first reading of this clip of six words says "Kids are talking" thirty times over."""
    clip = shared / "data" / "ravdess" / "03-01-03-02-01-01-05.flac"
    if not clip.is_file():
        pytest.skip(f"no {clip}")
    sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])
    assert 0 < len(speech.words(sound)) < 30


def test_no_sound_has_no_words(speech: SpeechModel) -> None:
    assert speech.words(np.zeros(0, np.float32)) == []


def test_silence_behind_sound_is_heard_and_has_no_states(
    speech: SpeechModel, jfk: FloatArray
) -> None:
    sound = jfk[: 2 * SAMPLE_RATE]
    silent = np.zeros(SAMPLE_RATE // 2, np.float32)
    whole = speech.encode(np.concatenate([sound, silent]))
    states = speech.encode(sound, silence=len(silent))
    assert np.array_equal(states, whole[: 2 * STATE_RATE])
    assert not np.allclose(states, speech.encode(sound), atol=0.1)


def test_numpy_does_not_spin_on_the_cores_that_others_need(speech: SpeechModel) -> None:
    assert speech.words(np.zeros(SAMPLE_RATE, np.float32)) == []
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools
    assert {pool["num_threads"] for pool in pools} == {1}


class Saying(SpeechModel):
    """Stands in for the model: says what it is told to."""

    def __init__(self, *words: SpokenWord) -> None:
        self.language = "en"
        self._words = list(words)
        self.asked = 0

    def words(self, samples: FloatArray) -> list[SpokenWord]:  # noqa: ARG002
        self.asked += 1
        return self._words


def piece(start: float, end: float, spoken: bool = True) -> Sample[Utterances]:
    a, b = from_seconds(start), from_seconds(end)
    samples = np.zeros(round((end - start) * SAMPLE_RATE), np.float32)
    return Sample("utterances", a, b, 77, Utterances(samples, ((a, b),) if spoken else ()))


def test_words_get_session_time_and_each_piece_ends_with_a_heartbeat() -> None:
    stage = WordStage(Saying(("so", 0.5, 0.75, 0.9), ("my", 1.0, 1.25, 0.8)))
    samples = list(stage.process(piece(10, 12)))
    assert [sample.data for sample in samples] == [
        Word("so", from_seconds(10.5), from_seconds(10.75), 0.9),
        Word("my", from_seconds(11), from_seconds(11.25), 0.8),
        None,
    ]
    assert [(s.stream, s.end, s.published) for s in samples] == [
        ("word", from_seconds(10.75), 77),
        ("word", from_seconds(11.25), 77),
        ("word", 12 * SECOND, 77),
    ]
    assert list(stage.finish()) == []


def test_words_stay_inside_their_piece_and_never_go_back() -> None:
    """The model gives times that overlap, go back, or lie after the end."""
    said = (("a", 0.5, 1.5, 1.0), ("b", 1.2, 1.4, 1.0), ("c", 1.9, 2.7, 1.0), ("d", 2.5, 2.9, 1.0))
    samples = list(WordStage(Saying(*said)).process(piece(4, 6)))
    ends = [sample.end for sample in samples]
    assert ends == sorted(ends)
    assert ends == [from_seconds(t) for t in (5.5, 5.5, 6, 6, 6)]
    assert [sample.start for sample in samples[:4]] == [from_seconds(t) for t in (4.5, 5.2, 5.9, 6)]


def test_the_model_is_not_asked_where_nobody_speaks() -> None:
    model = Saying(("ghost", 0.0, 1.0, 1.0))
    with open_word_stage(lambda: model) as stage:
        assert [sample.data for sample in stage.process(piece(0, 2, spoken=False))] == [None]
    assert model.asked == 0


class Parts:
    """Stands in for faster-whisper: one segment with words in parts."""

    def __init__(self, *parts: tuple[str, float]) -> None:
        self._parts = parts

    def transcribe(self, *_: Any, **options: Any) -> tuple[list[Any], None]:
        assert options["vad_filter"] is True
        assert options["word_timestamps"] is True
        words = [
            type("W", (), {"word": text, "start": i, "end": i + 1, "probability": p})
            for i, (text, p) in enumerate(self._parts)
        ]
        return [type("S", (), {"words": words})], None


def test_parts_of_a_word_are_joined_and_unlikely_words_left_out() -> None:
    model = Saying()
    said = Parts((" Washington", 0.9), (" D", 0.8), (".C.", 0.6), (" uh", 0.05), (" ", 1.0))
    model.whisper = GpuOrCpu(lambda _: said, "cpu")
    assert SpeechModel.words(model, np.zeros(1, np.float32)) == [
        ("Washington", 0, 1, 0.9),
        ("D.C.", 1, 3, 0.6),
    ]


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="holds no speech model; run: affectscope models"):
        SpeechModel(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="is damaged"):
        SpeechModel(tmp_path)
