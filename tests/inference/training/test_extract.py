"""Corpora through the extractors: what is of no use is listed and stops nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from assets.errors import BadInput
from extractors.features import EMOTIONS, LIVE_WINDOWS, SAMPLE_RATE
from extractors.stream import SECOND
from inference.training.extract import FACE_SIZES, Failed, extract_corpus

Models = Callable[[str], Path]
HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"


def write_sound(file: Path, samples: np.ndarray) -> None:
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        values = (samples * 32767).astype(np.int16)[None, :]
        frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])


def sine(seconds: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def why(failed: list[Failed]) -> dict[str, str]:
    return {failure.id: failure.why for failure in failed}


def test_voices_and_clips_of_no_use_among_them(
    shared: Path, models: Models, tmp_path: Path
) -> None:
    models("whisper-tiny.en")
    data = shared / "data" / "ravdess"
    for name in ("03-01-03-02-01-01-01.flac", "03-01-05-02-02-01-02.flac"):
        shutil.copy(data / name, tmp_path)
    write_sound(tmp_path / "03-01-04-01-01-01-03.wav", sine(1.0))
    write_sound(tmp_path / "03-01-04-01-01-01-04.wav", sine(0.004))
    (tmp_path / "03-01-04-01-01-01-05.wav").write_bytes(b"no sound")
    (tmp_path / "03-01-04-01-01-01-06.wav").touch()
    told: list[tuple[int, int]] = []
    found, failed = extract_corpus(tmp_path, "ravdess", lambda *at: told.append(at))
    assert told == [(i, 6) for i in range(1, 7)]
    assert found.origin == {"items": 6, "failed": 4}
    assert list(why(failed)) == [f"03-01-04-01-01-01-0{actor}" for actor in (3, 4, 5, 6)]
    assert why(failed)["03-01-04-01-01-01-03"] == "nobody speaks in it"
    assert "03-01-04-01-01-01-05.wav" in why(failed)["03-01-04-01-01-01-05"]
    assert found.modality == "voice"
    assert [(EMOTIONS[e.emotion], e.person) for e in found.examples] == [
        ("happy", "ravdess 01"),
        ("angry", "ravdess 02"),
    ]
    for example in found.examples:
        window = example.window(LIVE_WINDOWS)
        assert window.valid["voice"].sum() >= 10
        assert window.valid["voice"][-1]
        assert np.isfinite(window.features["voice"]).all()
        assert not window.present("face")


def test_faces_with_their_variants_and_pictures_of_no_use(
    shared: Path, models: Models, tmp_path: Path
) -> None:
    models("face-landmarker")
    import cv2

    for emotion in ("happy", "anger", "surprise"):
        (tmp_path / emotion).mkdir()
        picture = min((shared / "data" / "ckplus48" / emotion).glob("*.png"))
        shutil.copy(picture, tmp_path / emotion)
    (tmp_path / "fear").mkdir()
    (tmp_path / "fear" / "S001_001_1.png").write_bytes(b"no picture")
    cv2.imwrite(str(tmp_path / "fear" / "S001_001_2.png"), np.full((48, 48), 128, np.uint8))
    found, failed = extract_corpus(tmp_path, "ckplus")
    assert why(failed) == {"S001_001_1": "not a picture", "S001_001_2": "no face found"}
    assert found.origin == {"items": 5, "failed": 2}
    assert [(EMOTIONS[e.emotion], e.variant) for e in found.examples] == [
        (emotion, variant)
        for emotion in ("angry", "happy", "surprised")
        for variant in range(len(FACE_SIZES))
    ]
    features = []
    for example in found.examples:
        window = example.window(LIVE_WINDOWS)
        assert window.valid["face"].all()
        assert np.ptp(window.features["face"], axis=0).max() < 1e-6  # a picture stands still
        features.append(window.features["face"][0])
    same, other = np.abs(features[0] - features[1]).mean(), np.abs(features[0] - features[4]).mean()
    assert 0 < same < other  # the mirror image is nearer than another expression


def test_words_of_meld(shared: Path, models: Models, tmp_path: Path) -> None:
    models("minilm")
    real = (shared / "data" / "meld" / "dev_sent_emo.csv").read_text("utf-8").splitlines()
    long = " ".join(f"word{i}" for i in range(60))
    (tmp_path / "dev_sent_emo.csv").write_text("\n".join(real[:6]) + "\n", "utf-8")
    (tmp_path / "train_sent_emo.csv").write_text(
        HEADER + f"1,  ,Ross,joy,positive,0,0\n2,{long},Ross,joy,positive,0,1\n", "utf-8"
    )
    found, failed = extract_corpus(tmp_path, "meld")
    assert why(failed) == {"train-0-0": "no words"}
    assert found.origin == {"items": 7, "failed": 1}
    assert [e.split for e in found.examples] == ["train"] + ["dev"] * 5
    utterances = found.examples[0].window(LIVE_WINDOWS), found.examples[2].window(LIVE_WINDOWS)
    assert [int(window.valid["text"].sum()) for window in utterances] == [24, 1]  # 60, "What?"
    assert utterances[1].valid["text"][-1]
    assert found.examples[0].end == 6 * SECOND
    assert np.linalg.norm(utterances[1].features["text"][-1]) > 0.1


def test_a_corpus_of_which_nothing_can_be_used_says_why(models: Models, tmp_path: Path) -> None:
    models("whisper-tiny.en")
    write_sound(tmp_path / "03-01-04-01-01-01-03.wav", sine(1.0))
    with pytest.raises(BadInput, match=r"nothing of .* could be used; the first: nobody speaks"):
        extract_corpus(tmp_path, "ravdess")
