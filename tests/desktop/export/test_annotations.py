"""ELAN, read back by pympi, and TextGrid, read back by Praat itself."""

import csv
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import parselmouth
import pympi
import pytest
from parselmouth.praat import call

from desktop.export import ExportOptions
from desktop.export.elan import export_elan
from desktop.export.textgrid import export_textgrid
from extractors.features import EMOTIONS
from extractors.session import Session
from extractors.stream import SECOND
from tests.desktop.export.made_sessions import MARKS, WORDS, made_session

EMOTION = [(0.0, 2.2, "neutral"), (2.2, 4.0, "happy")]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    media = tmp_path / "talk.mp4"
    media.write_bytes(b"")
    return Session(made_session(tmp_path / "talk", marks=MARKS, media=media))


def test_elan_tiers(session: Session, tmp_path: Path) -> None:
    export_elan(session, tmp_path / "out.eaf")
    eaf = pympi.Eaf(str(tmp_path / "out.eaf"))
    assert list(eaf.get_tier_names()) == ["words", "emotion", "face", "voice", "markers"]
    words = [(a[0], a[1], a[2]) for a in eaf.get_annotation_data_for_tier("words")]
    assert words == [(round(s / 1e6), round(e / 1e6), text) for text, s, e in WORDS]
    emotion = [(a[0], a[1], a[2]) for a in eaf.get_annotation_data_for_tier("emotion")]
    assert emotion == [(0, 2200, "neutral"), (2200, 4000, "happy")]
    assert [a[:3] for a in eaf.get_annotation_data_for_tier("face")] == [(0, 4000, "face")]
    assert list(eaf.get_annotation_data_for_tier("voice")) == []
    assert [a[:3] for a in eaf.get_annotation_data_for_tier("markers")] == [
        (500, 700, 'begin say "hi" & <go>'), (2500, 2700, "end"),
    ]  # fmt: skip
    (media,) = eaf.get_linked_files()
    assert media["MEDIA_URL"] == f"file://{tmp_path / 'talk.mp4'}"
    assert media["MIME_TYPE"] == "video/mp4"


def test_elan_time_series(session: Session, tmp_path: Path) -> None:
    export_elan(session, tmp_path / "out.eaf")
    eaf = pympi.Eaf(str(tmp_path / "out.eaf"))
    links = [link["RELATIVE_LINK_URL"] for link in eaf.linked_file_descriptors]
    assert links == ["./out_timeseries.csv", "./out_tsconf.xml"]
    with (tmp_path / links[0]).open(newline="") as file:
        header, *lines = csv.reader(file)
    values = np.array(lines, float)
    np.testing.assert_allclose(values[:, 0], session.timeline.time[:19], atol=0.0005)
    np.testing.assert_allclose(values[:, 1:8], session.timeline.emotions[:19], atol=0.00001)
    np.testing.assert_allclose(values[:, 9], session.timeline.uncertainty[:19], atol=0.00001)
    root = ElementTree.parse(tmp_path / links[1]).getroot()
    (source,) = root.findall("tracksource")
    assert source.get("source-url", "").endswith("/out_timeseries.csv")
    columns = {}
    for track in source.findall("track"):
        position = track.find("sample-position/pos")
        assert position is not None
        columns[track.get("name")] = header[int(position.get("col", -1))]
    assert columns == {name: name for name in (*EMOTIONS, "sentiment", "uncertainty")}


def test_elan_of_a_private_export_does_not_lead_to_the_recording(
    session: Session, tmp_path: Path
) -> None:
    export_elan(session, tmp_path / "out.eaf", ExportOptions(words=False))
    eaf = pympi.Eaf(str(tmp_path / "out.eaf"))
    assert eaf.get_linked_files() == []
    assert {a[2] for a in eaf.get_annotation_data_for_tier("words")} == {"___"}
    text = (tmp_path / "out.eaf").read_text(encoding="utf-8")
    assert "talk.mp4" not in text
    assert "再见" not in text
    written = list(tmp_path.glob("out*.*"))
    assert len(written) == 3
    assert not any(tmp_path.name in file.read_text(encoding="utf-8") for file in written)


def test_elan_annotations_never_overlap_nor_lack_length(tmp_path: Path) -> None:
    words = (("a", SECOND, SECOND), ("b", SECOND, 3 * SECOND), ("c", 2 * SECOND, 2 * SECOND + 1))
    marks = [{"time": 1.0, "label": "one"}, {"time": 1.05, "label": "two"}]
    made = made_session(tmp_path / "talk", words=words, marks=marks)
    export_elan(Session(made), tmp_path / "out.eaf")
    eaf = pympi.Eaf(str(tmp_path / "out.eaf"))
    for tier in ("words", "markers"):
        found = sorted(a[:2] for a in eaf.get_annotation_data_for_tier(tier))
        assert all(start < end for start, end in found)
        assert all(a[1] <= b[0] for a, b in pairwise(found))


def intervals(grid: parselmouth.Data, tier: int) -> list[tuple[float, float, str]]:
    return [
        (
            round(call(grid, "Get start time of interval", tier, i), 6),
            round(call(grid, "Get end time of interval", tier, i), 6),
            call(grid, "Get label of interval", tier, i),
        )
        for i in range(1, call(grid, "Get number of intervals", tier) + 1)
    ]


def test_praat_reads_the_textgrid(session: Session, tmp_path: Path) -> None:
    export_textgrid(session, tmp_path / "out.TextGrid")
    grid = parselmouth.Data.read(str(tmp_path / "out.TextGrid"))
    tiers = [call(grid, "Get tier name", i) for i in range(1, 6)]
    assert tiers == ["words", "emotion", "face", "voice", "markers"]
    assert call(grid, "Get total duration") == 4.0
    words = [interval for interval in intervals(grid, 1) if interval[2]]
    assert [text for _, _, text in words] == [text for text, _, _ in WORDS]
    assert words[3][:2] == (1.25, 2.0)
    assert intervals(grid, 1)[-1] == (3.5, 4.0, "")
    assert intervals(grid, 2) == EMOTION
    assert intervals(grid, 4) == [(0.0, 4.0, "")]
    assert call(grid, "Get label of point", 5, 1) == 'begin say "hi" & <go>'
    assert call(grid, "Get time of point", 5, 2) == 2.5


def test_praat_reads_a_textgrid_without_words(tmp_path: Path) -> None:
    made = made_session(tmp_path / "talk", words=(), seen=False)
    export_textgrid(Session(made), tmp_path / "out.TextGrid", ExportOptions(words=False))
    grid = parselmouth.Data.read(str(tmp_path / "out.TextGrid"))
    assert call(grid, "Get number of tiers") == 4
    assert intervals(grid, 1) == [(0.0, 4.0, "")]
