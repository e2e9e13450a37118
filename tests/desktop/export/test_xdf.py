from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf

from desktop.export import ExportOptions
from desktop.export.xdf import export_xdf
from extractors.features import BLENDSHAPES, EMOTIONS, MEASURES, POSE, PROSODY
from extractors.session import Session
from tests.desktop.export.made_sessions import MARKS, WORDS, made_session


def load(path: Path, **options: Any) -> dict[str, Any]:
    streams, header = pyxdf.load_xdf(str(path), **options)
    assert header["info"]["version"] == ["1.0"]
    return {stream["info"]["name"][0].removeprefix("Affectscope "): stream for stream in streams}


def labels(stream: Any) -> list[str]:
    return [c["label"][0] for c in stream["info"]["desc"][0]["channels"][0]["channel"]]


@pytest.mark.parametrize("dejitter", [False, True])
def test_streams_are_read_with_their_times(tmp_path: Path, dejitter: bool) -> None:
    session = Session(made_session(tmp_path / "talk", marks=MARKS))
    export_xdf(session, tmp_path / "out.xdf")
    streams = load(tmp_path / "out.xdf", dejitter_timestamps=dejitter)
    assert list(streams) == ["emotions", "face", "voice", "words", "markers"]
    emotions = streams["emotions"]
    presence = ["words_present", "voice_present", "face_present"]
    assert labels(emotions) == [*EMOTIONS, "sentiment", *presence, "uncertainty"]
    assert float(emotions["info"]["nominal_srate"][0]) == 5.0
    np.testing.assert_allclose(emotions["time_stamps"], session.timeline.time, atol=1e-9)
    np.testing.assert_array_equal(emotions["time_series"][:, :7], session.timeline.emotions)
    assert np.isnan(emotions["time_series"][-1, 7])
    np.testing.assert_array_equal(emotions["time_series"][:, 11], session.timeline.uncertainty)
    face = streams["face"]
    assert labels(face) == [*BLENDSHAPES, *POSE, *MEASURES]
    np.testing.assert_array_equal(
        face["time_series"][:, 3], session.table("face")["browInnerUp"].to_numpy()
    )
    np.testing.assert_allclose(face["time_stamps"], np.arange(80) / 20, atol=1e-9)
    assert labels(streams["voice"]) == list(PROSODY)
    assert len(streams["voice"]["time_stamps"]) == 40
    assert [row[0] for row in streams["words"]["time_series"]] == [w for w, _, _ in WORDS]
    assert streams["markers"]["time_series"] == [['begin say "hi" & <go>'], ["end"]]
    np.testing.assert_array_equal(streams["markers"]["time_stamps"], [0.5, 2.5])


def test_footers_tell_what_there_is(tmp_path: Path) -> None:
    export_xdf(Session(made_session(tmp_path / "talk", rows=1500)), tmp_path / "out.xdf")
    for stream in load(tmp_path / "out.xdf").values():
        info = stream["footer"]["info"]
        assert int(info["sample_count"][0]) == len(stream["time_stamps"])
        assert float(info["last_timestamp"][0]) == pytest.approx(stream["time_stamps"][-1])
    assert len(load(tmp_path / "out.xdf")["emotions"]["time_stamps"]) == 1500


def test_long_words_and_blanked_ones(tmp_path: Path) -> None:
    words = (("w" * 300, 0, 1000), ("short", 2000, 3000))
    session = Session(made_session(tmp_path / "talk", words=words))
    export_xdf(session, tmp_path / "a.xdf")
    assert [row[0] for row in load(tmp_path / "a.xdf")["words"]["time_series"]] == [
        "w" * 300, "short",
    ]  # fmt: skip
    export_xdf(session, tmp_path / "b.xdf", ExportOptions(words=False))
    assert {row[0] for row in load(tmp_path / "b.xdf")["words"]["time_series"]} == {"___"}


def test_streams_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    made = made_session(tmp_path / "talk", words=(), pictures=())
    exported = export_xdf(Session(made), tmp_path / "out.xdf")
    assert exported.missing == ("no words", "no face")
    assert list(load(tmp_path / "out.xdf")) == ["emotions", "voice"]
