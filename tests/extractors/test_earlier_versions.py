"""What earlier versions wrote opens, whole, and what they did not write is absent."""

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from extractors import Session, session_tables
from extractors.features import VoiceFeatures
from extractors.recording import Recorder, TimelineRows
from extractors.recording.repair import repair
from extractors.session_writer import SessionWriter
from extractors.stream import SECOND, Sample
from tests.extractors import sessions
from tests.extractors.version_1 import BLENDSHAPES, ROWS, WORDS, write_version_1


@pytest.fixture
def old(tmp_path: Path) -> Session:
    return Session(write_version_1(tmp_path / "old", tmp_path / "gone.mp4"))


def test_version_1_opens_whole(old: Session) -> None:
    assert old.problems == ()
    assert (old.title, old.duration, old.began, old.media) == ("gone.mp4", 3.0, None, None)
    assert (old.markers, old.events, old.health) == ((), (), ())
    timeline = old.timeline
    assert len(timeline) == ROWS
    assert timeline.emotions[:, :2].argmax(axis=1).tolist() == [0] * 8 + [1] * 6 + [0]
    assert timeline.known.tolist() == [True] * (ROWS - 1) + [False]
    assert np.isnan(timeline.sentiment).tolist() == [False] * (ROWS - 1) + [True]
    assert [word.text for word in old.words] == [word for word, *_ in WORDS]
    landmarks = old.landmarks_at(1.02)
    assert landmarks is not None
    assert landmarks == pytest.approx(np.full((478, 3), 0.5))
    assert old.landmarks_at(2.5) is None


def test_all_tables_of_version_1_are_read(old: Session) -> None:
    assert old.table("face")["jawOpen"].to_pylist()[0] == pytest.approx(
        BLENDSHAPES.index("jawOpen") / 52
    )
    voice = old.table("voice")
    assert voice["f0"].to_pylist() == [120.0] * 30
    assert voice["states"][0].as_py() == [0.5] * 384
    assert old.table("text")["word"].to_pylist() == [word for word, *_ in WORDS]
    assert old.table("timeline")["homogeneous_atoms"].to_pylist() == [[2, 5]] * ROWS


def test_it_does_not_claim_an_uncertainty(old: Session) -> None:
    assert np.isnan(old.timeline.uncertainty).all()
    assert old.table("timeline")["uncertainty"].null_count == ROWS
    assert old.table("timeline", ["uncertainty"]).column_names == ["uncertainty"]


def test_twice_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_version_1(tmp_path / name, Path("talk.mp4")) for name in "ab")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert len(files) == 7
    assert all((first / file).read_bytes() == (second / file).read_bytes() for file in files)


def test_a_session_from_before_the_uncertainty_opens_whole(tmp_path: Path) -> None:
    with SessionWriter(tmp_path / "clip") as writer:
        writer.add_timeline(sessions.timeline(3), sessions.activations(3))
        writer.finish({"duration": 1.0})
    path = tmp_path / "clip" / "timeline.parquet"
    table = pyarrow.parquet.read_table(path).drop_columns(["uncertainty"])
    pyarrow.parquet.write_table(table, path)
    session = Session(tmp_path / "clip")
    assert session.problems == ()
    assert np.isnan(session.timeline.uncertainty).all()
    np.testing.assert_array_equal(session.timeline.emotions, sessions.timeline(3).emotions)


def test_a_recording_cut_off_before_the_update_is_made_whole_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        tables = dict(session_tables.TABLES)
        tables["timeline"] = [c for c in tables["timeline"] if c[0] != "uncertainty"]
        tables["voice"] = [c for c in tables["voice"] if c[0] != "states"]
        tables["voice"].append(("states", "float32[384]"))
        before.setattr(session_tables, "TABLES", tables)
        recorder = Recorder(tmp_path / "take")
        rows = TimelineRows(sessions.timeline(3), sessions.activations(3))
        recorder.add(Sample("timeline", SECOND, SECOND, SECOND, rows))
        prosody = sessions.voice(SECOND, spoken=True).data.prosody
        spoken = VoiceFeatures(prosody, np.full(384, 0.5, np.float32))
        recorder.add(Sample("voice", 9 * SECOND // 10, SECOND, SECOND, spoken))
        recorder.add(Sample("frame", 3 * SECOND, 3 * SECOND, 3 * SECOND, None))
        recorder._disk.close(10.0)
        recorder._unlock()
    assert list((tmp_path / "take").rglob("*.arrows"))
    unrepaired = Session(tmp_path / "take")
    assert len(unrepaired.timeline) == 3
    repair(tmp_path / "take")
    assert not list((tmp_path / "take").rglob("*.arrows"))
    session = Session(tmp_path / "take")
    assert session.problems == ()
    assert np.isnan(session.timeline.uncertainty).all()
    assert session.table("voice")["states"][0].as_py() == [0.5] * 384
