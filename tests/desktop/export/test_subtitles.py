from datetime import timedelta
from pathlib import Path

import pytest
import srt
import webvtt

from desktop.export import ExportOptions
from desktop.export.material import Stretch
from desktop.export.subtitles import cues, export_srt, export_vtt
from extractors.session import Session
from extractors.stream import SECOND
from tests.desktop.export.made_sessions import MARKS, WORDS, made_session

SPOKEN = ['Grüße, "you" <b>& tea→time.', "再见"]


def test_webvtt_is_read_by_another_reader(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk", marks=MARKS))
    export_vtt(session, tmp_path / "out.vtt")
    captions = webvtt.read(str(tmp_path / "out.vtt")).captions
    assert [(c.start, c.end) for c in captions] == [
        ("00:00:00.000", "00:00:02.000"), ("00:00:03.000", "00:00:03.500"),
    ]  # fmt: skip
    assert captions[0].text == SPOKEN[0].replace("<b>&", "&lt;b&gt;&amp;")
    assert "<00:00:01.250>tea→time." in captions[0].raw_text
    assert "NOTE 00:00:00.500 begin say" in (tmp_path / "out.vtt").read_text(encoding="utf-8")


def test_subrip_is_read_by_another_reader(tmp_path: Path) -> None:
    export_srt(Session(made_session(tmp_path / "talk")), tmp_path / "out.srt")
    subtitles = list(srt.parse((tmp_path / "out.srt").read_text(encoding="utf-8")))
    assert [s.content for s in subtitles] == SPOKEN
    assert subtitles[0].start == timedelta(0)
    assert subtitles[1].end == timedelta(seconds=3.5)
    assert [s.index for s in subtitles] == [1, 2]


def test_blanked_words_cannot_be_read(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk"))
    for exporter, name in ((export_vtt, "a.vtt"), (export_srt, "a.srt")):
        exporter(session, tmp_path / name, ExportOptions(words=False))
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not [word for word, _, _ in WORDS if word in text]
        assert text.count("___") == len(WORDS)


def test_no_words_are_no_cues(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk", words=()))
    assert export_vtt(session, tmp_path / "a.vtt").missing == ("no words",)
    assert webvtt.read(str(tmp_path / "a.vtt")).captions == []
    export_srt(session, tmp_path / "a.srt")
    assert list(srt.parse((tmp_path / "a.srt").read_text())) == []


def spoken(*times: tuple[float, float], text: str = "word") -> list[Stretch]:
    return [Stretch(start, end, text) for start, end in times]


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        ([], []),
        (spoken((0, 0.5), (0.6, 1)), [2]),
        (spoken((0, 0.5), (1.3, 2)), [1, 1]),
        (spoken(*((i, i + 1.0) for i in range(9))), [6, 3]),
        (spoken((0, 0.1), (0.1, 0.2), text="end."), [1, 1]),
        (spoken(*((i / 9, i / 9 + 0.1) for i in range(12)), text="t" * 20), [4, 4, 4]),
    ],
)
def test_a_cue_ends_at_a_pause_a_sentence_and_when_it_is_full(
    words: list[Stretch], sizes: list[int]
) -> None:
    assert [len(cue) for cue in cues(words)] == sizes


def test_a_word_without_length_and_words_that_overlap(tmp_path: Path) -> None:
    words = (("a", SECOND, SECOND), ("b", SECOND, 3 * SECOND), ("c.", 2 * SECOND, 4 * SECOND))
    export_srt(Session(made_session(tmp_path / "talk", words=words)), tmp_path / "a.srt")
    (one,) = srt.parse((tmp_path / "a.srt").read_text())
    assert (one.content, one.start.total_seconds()) == ("a b c.", 1.0)


def test_hours_are_counted(tmp_path: Path) -> None:
    words = (("late", 3601 * SECOND, 3602 * SECOND), ("later", 400_000 * SECOND, 400_001 * SECOND))
    export_vtt(Session(made_session(tmp_path / "talk", words=words)), tmp_path / "a.vtt")
    captions = webvtt.read(str(tmp_path / "a.vtt")).captions
    assert [c.start for c in captions] == ["01:00:01.000", "111:06:40.000"]
