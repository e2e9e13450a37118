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
from inference.training import extract as extract_module
from inference.training.extract import Failed, extract_corpus
from inference.training.item_features import FACE_SIZES

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
    models("whisper-base")
    data = shared / "data" / "ravdess"
    for name in ("03-01-03-02-01-01-01.flac", "03-01-05-02-02-01-02.flac"):
        shutil.copy(data / name, tmp_path)
    write_sound(tmp_path / "03-01-04-01-01-01-03.wav", sine(1.0))
    write_sound(tmp_path / "03-01-04-01-01-01-04.wav", sine(0.004))
    (tmp_path / "03-01-04-01-01-01-05.wav").write_bytes(b"no sound")
    (tmp_path / "03-01-04-01-01-01-06.wav").touch()
    told: list[tuple[int, int]] = []
    found, failed = extract_corpus(tmp_path, "ravdess", lambda *at: told.append(at), workers=1)
    assert told == [(i, 6) for i in range(1, 7)]
    assert found.origin == {"items": 6, "failed": 4, "variants": 0}
    assert list(why(failed)) == [f"03-01-04-01-01-01-0{actor}" for actor in (3, 4, 5, 6)]
    assert why(failed)["03-01-04-01-01-01-03"] == "nobody speaks in it"
    assert "03-01-04-01-01-01-05.wav" in why(failed)["03-01-04-01-01-01-05"]
    assert all(set(e.samples) == {"voice"} for e in found.examples)
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
    found, failed = extract_corpus(tmp_path, "ckplus", workers=1)
    assert why(failed) == {"S001_001_1": "not a picture", "S001_001_2": "no face found"}
    assert found.origin == {"items": 5, "failed": 2, "variants": 0}
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
    found, failed = extract_corpus(tmp_path, "meld", workers=1)
    assert why(failed) == {"train-0-0": "no words"}
    assert found.origin == {"items": 7, "failed": 1, "variants": 0}
    assert [e.split for e in found.examples] == ["train"] + ["dev"] * 5
    utterances = found.examples[0].window(LIVE_WINDOWS), found.examples[2].window(LIVE_WINDOWS)
    assert [int(window.valid["text"].sum()) for window in utterances] == [24, 1]  # 60, "What?"
    assert utterances[1].valid["text"][-1]
    assert found.examples[0].end == 6 * SECOND
    assert np.linalg.norm(utterances[1].features["text"][-1]) > 0.1


def test_a_corpus_of_which_nothing_can_be_used_says_why(models: Models, tmp_path: Path) -> None:
    models("whisper-base")
    write_sound(tmp_path / "03-01-04-01-01-01-03.wav", sine(1.0))
    with pytest.raises(BadInput, match=r"nothing of .* could be used; the first: nobody speaks"):
        extract_corpus(tmp_path, "ravdess", workers=1)


def test_variants_are_of_the_same_clip_and_come_after_it(
    shared: Path, models: Models, tmp_path: Path
) -> None:
    models("whisper-base")
    shutil.copy(shared / "data" / "ravdess" / "03-01-03-02-01-01-01.flac", tmp_path)
    plain, _ = extract_corpus(tmp_path, "ravdess", workers=1)
    found, _ = extract_corpus(tmp_path, "ravdess", workers=1, variants=2)
    again, _ = extract_corpus(tmp_path, "ravdess", workers=1, variants=2)
    assert [e.variant for e in found.examples] == [0, 1, 2]
    windows = [e.window(LIVE_WINDOWS).features["voice"] for e in found.examples]
    assert np.array_equal(windows[0], plain.examples[0].window(LIVE_WINDOWS).features["voice"])
    assert not np.array_equal(windows[0], windows[1])
    repeated = [e.window(LIVE_WINDOWS).features["voice"] for e in again.examples]
    assert all(np.array_equal(*pair) for pair in zip(windows, repeated, strict=True))


def test_what_is_in_the_cache_is_not_extracted_again(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models("minilm")
    corpus, cache = tmp_path / "corpus", tmp_path / "cache.sqlite"
    corpus.mkdir()
    table = corpus / "train_sent_emo.csv"
    table.write_text(HEADER + "1,Well done,Ross,joy,positive,0,0\n", "utf-8")
    first, _ = extract_corpus(corpus, "meld", workers=1, cache=cache)

    read: list[str] = []
    whole = extract_module.text_features
    monkeypatch.setattr(
        extract_module, "text_features", lambda text: (read.append(text), whole(text))[1]
    )
    # another label and another utterance: only the words are content
    table.write_text(
        HEADER + "1,Well done,Ross,sadness,negative,0,0\n2,Oh no,Ross,sadness,negative,0,1\n",
        "utf-8",
    )
    second, _ = extract_corpus(corpus, "meld", workers=1, cache=cache)
    assert read == ["Oh no"]
    assert [EMOTIONS[e.emotion] for e in second.examples] == ["sad", "sad"]
    windows = [found.examples[0].window(LIVE_WINDOWS).features["text"] for found in (first, second)]
    assert np.array_equal(*windows)


def test_a_stopped_run_keeps_what_it_has_done(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models("minilm")
    corpus, cache = tmp_path / "corpus", tmp_path / "cache.sqlite"
    corpus.mkdir()
    lines = [f"{i},Word {i},Ross,joy,positive,0,{i}\n" for i in range(40)]
    (corpus / "train_sent_emo.csv").write_text(HEADER + "".join(lines), "utf-8")

    def stop(done: int, of: int) -> None:
        assert (done, of) == (32, 40)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_corpus(corpus, "meld", stop, workers=1, cache=cache)
    told: list[tuple[int, int]] = []
    read: list[str] = []
    whole = extract_module.text_features
    monkeypatch.setattr(
        extract_module, "text_features", lambda text: (read.append(text), whole(text))[1]
    )
    found, _ = extract_corpus(corpus, "meld", lambda *at: told.append(at), workers=1, cache=cache)
    assert (len(read), told, len(found.examples)) == (8, [(40, 40)], 40)


def test_a_cache_that_is_no_cache_is_named(models: Models, tmp_path: Path) -> None:
    models("minilm")
    cache = tmp_path / "cache.sqlite"
    cache.write_bytes(b"no database" * 100)
    (tmp_path / "train_sent_emo.csv").write_text(HEADER + "1,Hi,Ross,joy,positive,0,0\n", "utf-8")
    with pytest.raises(BadInput, match=r"cache\.sqlite.*delete it"):
        extract_corpus(tmp_path, "meld", workers=1, cache=cache)


def test_own_videos_give_what_the_app_senses_in_them(
    shared: Path, models: Models, tmp_path: Path
) -> None:
    for name in ("whisper-tiny.en", "whisper-base", "face-landmarker", "minilm"):
        models(name)
    shutil.copy(shared / "media" / "talking_head_speech_8s.mp4", tmp_path / "talk.mp4")
    (tmp_path / "labels.csv").write_text(
        "file,emotion,sentiment,person,start,end\n"
        "talk.mp4,neutral,0.5,A,0,4\ntalk.mp4,,-1,A,4,8\nabsent.mp4,happy,,B,,\n",
        "utf-8",
    )
    found, failed = extract_corpus(tmp_path, "folder", workers=1)
    assert list(why(failed)) == ["absent.mp4"]
    first, second = found.examples
    assert (first.id, first.person, first.sentiment) == ("talk.mp4 0-4 s", "A", 0.5)
    assert (EMOTIONS[first.emotion], second.emotion) == ("neutral", -1)
    assert first.end <= 4 * SECOND < second.end <= 8 * SECOND
    for example in (first, second):
        window = example.window(LIVE_WINDOWS)
        assert window.present("face")
        assert window.present("voice")
        assert window.present("text")
