import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import ASSETS
from assets.errors import AffectscopeError, BadInput, SessionError
from extractors.face import FaceLandmarker
from extractors.features import EMOTIONS
from extractors.session import Session
from inference.analysis import Analysis
from inference.backends.exchange import ExchangeableEngine
from inference.backends.interface import Inputs, Outputs
from inference.backends.opening import open_engine
from inference.backends.source import Source
from inference.compute_plan import ComputePlan
from inference.models import Models
from inference.predictor import Predictor
from tests.extractors.clips import Pictures, Sound, bursts, every, top_boxes, write_clip
from tests.extractors.failing_gpu import WHISPER_ERROR, full_gpu_for_text, full_gpu_for_whisper

SAMPLE = ASSETS / "sample" / "sample.mp4"
DATA = ("timeline.parquet", "words.jsonl", "features/face.parquet", "features/voice.parquet",
        "features/text.parquet", "features/landmarks.npy")  # fmt: skip


@pytest.fixture(scope="module")
def loaded(models: Callable[[str], Path], checkpoint_file: Path) -> Models:
    for key in ("whisper-tiny.en", "whisper-base", "face-landmarker", "minilm"):
        models(key)
    return Models(checkpoint_file)


@pytest.fixture(autouse=True)
def no_thread_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)  # it belongs to the whole process
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("affectscope")] == []


def analyse(clip: Path, folder: Path, models: Models) -> Session:
    analysis = Analysis(clip, folder, models)
    analysis.start()
    manifest = analysis.finish()
    session = Session(folder)
    assert session.manifest.keys() - {"format"} == manifest.keys()
    assert not any(manifest["drops"].values())
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
    return session


def check_numbers(session: Session) -> None:
    """What holds of every session."""
    table = session.table("timeline").to_pydict()
    emotions = np.stack([table[name] for name in EMOTIONS], axis=1)
    np.testing.assert_allclose(emotions.sum(axis=1), 1, atol=1e-5)
    hop = 0.2
    np.testing.assert_allclose(table["time"], hop * np.arange(1, len(emotions) + 1))
    assert len(emotions) == int(session.duration / hop + 1e-6)
    known = session.timeline.known
    for sentiment, is_known in zip(table["sentiment"], known, strict=True):
        assert (sentiment is not None and -3 <= sentiment <= 3) if is_known else sentiment is None
    np.testing.assert_allclose(emotions[~known], 1 / 7)
    for space in ("homogeneous", "heterogeneous"):
        for atoms, values in zip(
            table[f"{space}_atoms"], table[f"{space}_activations"], strict=True
        ):
            assert len(atoms) == len(values)
            assert all(values)
    ends = [word.end for word in session.words]
    assert ends == sorted(ends)
    assert all(word.start <= word.end and 0 < word.probability <= 1 for word in session.words)


@pytest.fixture(scope="module")
def sample(loaded: Models, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return analyse(SAMPLE, tmp_path_factory.mktemp("sample") / "sample", loaded)


def test_the_sample_becomes_words_faces_and_a_timeline(sample: Session) -> None:
    check_numbers(sample)
    text = " ".join(word.text for word in sample.words).lower()
    assert "good morning" in text
    assert "wonderful" in text
    assert sample.duration == pytest.approx(12, abs=0.1)
    face = sample.manifest["face"]
    assert face["pictures"] == 300
    assert face["with_face"] == face["pictures"]
    assert sample.timeline.present[-1].tolist()[2]
    landmarks = sample.landmarks_at(6)
    assert landmarks is not None
    assert 0 < landmarks[:, :2].mean() < 1
    assert sample.media == SAMPLE
    assert not sample.manifest["truncated"]
    (ran,) = sample.manifest["model"]["engines"]
    assert (ran["device"], ran["windows"]) == ("CPU", sample.manifest["rows"])
    on = sample.manifest["model"]["devices"]
    assert on == {"face": "cpu", "speech": "cpu", "speech_type": "int8_float32", "text": "cpu"}


def test_the_same_recording_gives_the_same_bytes(
    sample: Session, loaded: Models, tmp_path: Path
) -> None:
    again = analyse(SAMPLE, tmp_path / "again", loaded)
    for name in DATA:
        assert (again.folder / name).read_bytes() == (sample.folder / name).read_bytes(), name


def test_each_session_says_what_predicted_it(
    checkpoint_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A GPU fails in the second of three recordings of one run; the network's engine is theirs."""
    clip = write_clip(tmp_path / "clip.mp4", Pictures(every(100, 2000)))
    models = Models(checkpoint_file)
    on_cpu, _ = open_engine(Source(checkpoint_file), "eager")

    class Gpu:
        backend, device, batch = "tensorrt", "NVIDIA H100", 1
        answered = 0

        def __call__(self, inputs: Inputs) -> Outputs:
            self.answered += 1
            if self.answered > 13:
                raise RuntimeError("CUDA out of memory")
            return on_cpu(inputs)

    def on_gpu(*_: Any, **__: Any) -> tuple[ExchangeableEngine, str]:
        return ExchangeableEngine(Gpu(), lambda: on_cpu, why="the best"), "the best"

    monkeypatch.setattr("inference.backends.opening.open_engine", on_gpu)
    ran = []
    for name in "abc":
        model = analyse(clip, tmp_path / "out" / name, models).manifest["model"]
        ran.append([(x["backend"], x["device"], x["windows"]) for x in model["engines"]])
    assert ran == [
        [("tensorrt", "NVIDIA H100", 9)],
        [("tensorrt", "NVIDIA H100", 4), ("eager", "CPU", 5)],
        [("eager", "CPU", 9)],
    ]
    assert (model["backend"], model["device"]) == ("eager", "CPU")
    failed = "tensorrt (NVIDIA H100) failed: RuntimeError: CUDA out of memory"
    assert model["engines"][0]["why"] == failed


def test_a_gpu_without_memory_for_words_leaves_them_to_the_cpu(
    sample: Session, monkeypatch: pytest.MonkeyPatch, checkpoint_file: Path, tmp_path: Path
) -> None:
    """The same comes of it, and the manifest says what happened."""
    full_gpu_for_whisper(monkeypatch, 1)
    full_gpu_for_text(monkeypatch, 5)
    plan = ComputePlan("cuda", "float16", 1, "cuda", 1, "cpu", 1)
    models = Models(checkpoint_file, plan=plan)
    told: list[tuple[str, str]] = []
    models.on_fallback = lambda part, text: told.append((part, text))
    session = analyse(SAMPLE, tmp_path / "sample", models)
    assert session.words == sample.words
    for name in DATA:
        assert (session.folder / name).read_bytes() == (sample.folder / name).read_bytes(), name
    model = session.manifest["model"]
    assert model["devices"] == sample.manifest["model"]["devices"]
    assert model["compute"]["speech_device"] == "cuda"
    why = {
        "speech": WHISPER_ERROR,
        "text": "RuntimeException: BFCArena: Failed to allocate memory for requested buffer",
    }
    assert model["gave_way"] == models.gave_way() == why
    assert sorted(told) == [
        (part, f"{part}: the GPU failed, the CPU goes on: {error}") for part, error in why.items()
    ]
    assert sample.manifest["model"]["gave_way"] == {}


def test_while_it_runs_it_can_be_watched(loaded: Models, tmp_path: Path) -> None:
    analysis = Analysis(SAMPLE, tmp_path / "clip", loaded)
    assert (analysis.analysed_until, len(analysis.timeline()), analysis.words()) == (0, 0, ())
    assert analysis.duration == pytest.approx(12, abs=0.1)
    assert analysis.landmarks_at(1) is None
    analysis.start()
    analysis.finish()
    assert analysis.analysed_until == analysis.duration == Session(tmp_path / "clip").duration
    assert len(analysis.timeline()) == 60
    assert not analysis.running


def test_no_face_is_absent_and_not_neutral(shared: Path, loaded: Models, tmp_path: Path) -> None:
    clip = shared / "media" / "face_mostly_absent_5s.mp4"
    session = analyse(clip, tmp_path / "absent", loaded)
    check_numbers(session)
    table = session.table("face").to_pydict()
    present = np.asarray(table["present"])
    assert 0 < present.sum() < 0.5 * len(present)
    assert [row >= 0 for row in table["landmark_row"]] == table["present"]
    times = np.asarray(table["time"])
    for time, there in zip(session.timeline.time, session.timeline.present[:, 2], strict=True):
        recent = present[(times > time - 1 + 1e-6) & (times <= time + 1e-6)]
        assert there == recent.any(), time


def test_a_talking_head_is_understood(shared: Path, loaded: Models, tmp_path: Path) -> None:
    clip = shared / "media" / "talking_head_speech_8s.mp4"
    session = analyse(clip, tmp_path / "talking", loaded)
    check_numbers(session)
    text = " ".join(word.text for word in session.words)
    for expected in ("congressional district", "D.C.", "new member orientation", "tunnels"):
        assert expected in text
    assert session.timeline.present[-1].all()


def test_sound_alone(loaded: Models, tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "a.wav", None, Sound(bursts([0.5], 2.0, 16000), 16000, "pcm_s16le")
    )
    session = analyse(clip, tmp_path / "out", loaded)
    check_numbers(session)
    assert len(session.timeline) == 10
    assert session.table("face").num_rows == 0
    assert not session.timeline.present.any()
    assert session.table("voice").num_rows == 20
    assert session.manifest["streams"].keys() == {"audio"}


def test_pictures_alone(loaded: Models, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", Pictures(every(40, 2000)))
    session = analyse(clip, tmp_path / "out", loaded)
    check_numbers(session)
    assert len(session.timeline) == 9
    assert (session.table("face").num_rows, session.table("voice").num_rows) == (50, 0)
    assert (session.words, session.manifest["streams"].keys()) == ((), {"video"})


def test_a_clip_shorter_than_a_hop_has_no_row(loaded: Models, tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "a.mkv",
        Pictures(every(40, 100)),
        Sound(bursts([0.02], 0.1, 16000), 16000, "pcm_s16le"),
    )
    session = analyse(clip, tmp_path / "out", loaded)
    check_numbers(session)
    assert len(session.timeline) == 0
    assert session.table("face").num_rows == 3
    assert session.duration == pytest.approx(0.1, abs=0.01)


def test_sound_that_begins_late_keeps_its_times(loaded: Models, tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "a.mkv",
        Pictures(every(40, 3000)),
        Sound(bursts([0.5], 1.5, 16000), 16000, "pcm_s16le", offset=1230),
    )
    session = analyse(clip, tmp_path / "out", loaded)
    check_numbers(session)
    voice = session.table("voice").to_pydict()
    assert voice["time"][0] == pytest.approx(1.3)
    loudest = int(np.nanargmax(np.asarray(voice["intensity"], float)))
    assert voice["time"][loudest] == pytest.approx(1.8)  # 1.23 + 0.5, in the tenth that ends at 1.8
    assert session.duration == pytest.approx(2.96, abs=0.05)


def test_a_cut_off_recording_is_analysed_as_far_as_it_goes(loaded: Models, tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "whole.mp4",
        Pictures(every(40, 4000)),
        Sound(bursts([0.5], 4.0, 48000), 48000),
        format_options={"movflags": "faststart"},
    )
    data = clip.read_bytes()
    assert [name for name, _, _ in top_boxes(data)].index("moov") == 1
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 7 // 10])
    session = analyse(cut, tmp_path / "out", loaded)
    check_numbers(session)
    manifest = session.manifest
    assert manifest["truncated"]
    assert 0.5 < manifest["duration"] < 3.9
    assert manifest["duration"] == max(s["end"] for s in manifest["streams"].values())
    assert manifest["streams"]["video"]["declared"] == pytest.approx(4, abs=0.1)
    assert len(session.timeline) == int(manifest["duration"] / 0.2 + 1e-6)


def test_a_recording_inside_the_session_is_not_deleted(loaded: Models, tmp_path: Path) -> None:
    session = write_clip(tmp_path / "a.mp4", Pictures(every(40, 200)))
    (tmp_path / "out").mkdir()
    inside = session.rename(tmp_path / "out" / "a.mp4")
    with pytest.raises(BadInput, match="lies inside"):
        Analysis(inside, tmp_path / "out", loaded)
    assert inside.is_file()


class Broken:
    def __init__(self, error: BaseException, after: int) -> None:
        self._error = error
        self._after = after

    def __call__(self, *_: Any, **__: Any) -> Any:
        self._after -= 1
        if self._after < 0:
            raise self._error
        return self._original(*_, **__)

    def over(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self._original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, **k: self(*a, **k))


@pytest.mark.parametrize(
    ("owner", "name", "worker"),
    [(FaceLandmarker, "__call__", "face"), (Predictor, "__call__", "engine")],
)
def test_a_stage_that_fails_in_the_middle_ends_everything(
    owner: type, name: str, worker: str, loaded: Models, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    Broken(ZeroDivisionError("by hand"), 1).over(monkeypatch, owner, name)
    analysis = Analysis(SAMPLE, tmp_path / "clip", loaded)
    analysis.start()
    with pytest.raises(AffectscopeError, match=f"{worker}: ZeroDivisionError: by hand") as caught:
        analysis.finish()
    assert not isinstance(caught.value, BadInput)
    assert list(tmp_path.iterdir()) == []


def test_what_the_user_can_mend_stays_bad_input(
    loaded: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Broken(OSError(28, "No space left on device"), 3).over(
        monkeypatch, __import__("extractors.landmark_file").landmark_file.LandmarkWriter, "append"
    )
    analysis = Analysis(SAMPLE, tmp_path / "clip", loaded)
    analysis.start()
    with pytest.raises(SessionError, match=r"clip: No space left on device; choose another --out"):
        analysis.finish()
    assert list(tmp_path.iterdir()) == []


def test_an_aborted_analysis_leaves_nothing(loaded: Models, tmp_path: Path) -> None:
    analysis = Analysis(SAMPLE, tmp_path / "clip", loaded)
    analysis.start()
    analysis.abort(60)
    analysis.abort()
    assert list(tmp_path.iterdir()) == []
