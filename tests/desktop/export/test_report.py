"""The report as a browser sees it, opened from disk."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from desktop.export import ExportOptions
from desktop.export.report import export_html
from extractors.features import EMOTIONS
from extractors.session import Session
from tests.desktop.export.browser import Page, chromium
from tests.desktop.export.made_sessions import MARKS, WORDS, made_session
from tests.extractors.clips import Pictures, Sound, bursts, every, write_clip

HOSTILE = "</script><script>document.title='taken'</script>"

Open = Callable[..., Page]


@pytest.fixture
def open_report(tmp_path: Path) -> Iterator[Open]:
    """Makes a session, its report and a page that shows it."""
    chromium()
    pages = ExitStack()

    def make(options: ExportOptions | None = None, **session: Any) -> Page:
        made = made_session(tmp_path / "talk", **session)
        export_html(Session(made), tmp_path / "report.html", options)
        return pages.enter_context(Page(tmp_path / "report.html", tmp_path / "profile"))

    with pages:
        yield make


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(
        tmp_path / "clip.mkv",
        Pictures(every(40, 4000), flash=2000),
        Sound(bursts([2.0], 4.0, 16_000), 16_000),
    )


SEEKED = """new Promise(done => {
    const player = document.getElementById("player");
    const check = () => player.seeking ? requestAnimationFrame(check) : done(player.currentTime);
    check();
})"""
PLAYABLE = """new Promise(done => {
    const player = document.getElementById("player");
    const check = () => player.readyState >= 2 ? done([player.duration, player.videoWidth])
                                               : requestAnimationFrame(check);
    check();
})"""
PLAYED_ON = """new Promise(done => {
    const check = () => player.currentTime > 1.6 ? done(player.paused)
                                                 : requestAnimationFrame(check);
    check();
})"""
NEXT_PICTURE = """new Promise(done =>
    requestAnimationFrame(() => requestAnimationFrame(() => done())))"""


def test_it_plays_and_everything_follows(open_report: Open, clip: Path) -> None:
    page = open_report(media=clip, marks=MARKS)
    duration, width = page.run(PLAYABLE)
    assert duration == pytest.approx(4.0, abs=0.1)
    assert width == 160
    words = [(start / 1e9, text) for text, start, _ in WORDS]
    shown = page.run("[...document.querySelectorAll('#words button')].map(b => b.textContent)")
    assert shown == [text for _, text in words]
    page.click("#words button:nth-of-type(3)")
    assert page.run(SEEKED) == pytest.approx(words[2][0], abs=0.01)
    page.run(NEXT_PICTURE)
    assert page.run("document.querySelector('#words .now').textContent") == words[2][1]
    page.click("#plot", across=0.75)
    assert page.run(SEEKED) == pytest.approx(3.0, abs=0.02)
    page.run(NEXT_PICTURE)
    assert float(page.run("plot.getAttribute('aria-valuenow')")) == pytest.approx(3.0, abs=0.06)
    legend = page.run("[...document.querySelectorAll('#legend output')].map(o => o.textContent)")
    assert legend[:3] == ["25 %", "50 %", "13 %"]
    page.click("#markers button")
    assert page.run(SEEKED) == pytest.approx(0.5, abs=0.01)
    page.run("plot.focus()")
    page.press("ArrowRight")
    assert page.run(SEEKED) == pytest.approx(1.5, abs=0.02)
    page.press(" ")
    assert page.run(PLAYED_ON) is False
    assert page.complaints == []
    # "data" are the icons of the browser's own player
    assert {url.split(":")[0] for url in page.requests} <= {"file", "blob", "data"}


def test_picture_and_sound_of_the_report_are_those_of_the_recording(
    open_report: Open, clip: Path
) -> None:
    page = open_report(media=clip)
    page.run(PLAYABLE)
    light = """(async () => {
        const player = document.getElementById("player");
        player.currentTime = %s;
        await new Promise(done => player.addEventListener("seeked", done, {once: true}));
        const canvas = new OffscreenCanvas(160, 120);
        const pen = canvas.getContext("2d");
        pen.drawImage(player, 0, 0);
        return pen.getImageData(120, 80, 1, 1).data[0];
    })()"""
    assert page.run(light % 1.95) < 60
    assert page.run(light % 2.01) > 180


def test_curves_are_drawn_and_can_be_hidden(open_report: Open) -> None:
    page = open_report()
    drawn = page.run(f"{NEXT_PICTURE}.then(() => plot.toDataURL())")
    page.click("#legend button:nth-child(2)")
    hidden = page.run(f"{NEXT_PICTURE}.then(() => plot.toDataURL())")
    assert drawn != hidden
    assert page.run("document.querySelectorAll('#legend [aria-pressed=false]').length") == 1
    page.click("#legend button:nth-child(2)")
    assert page.run("document.querySelectorAll('#legend [aria-pressed=false]').length") == 0


def test_without_a_recording_the_trajectory_can_still_be_read(open_report: Open) -> None:
    page = open_report()
    assert page.run("[player.hidden, document.getElementById('nothing').hidden]") == [True, False]
    page.click("#plot", across=0.5)
    page.run(NEXT_PICTURE)
    assert float(page.run("plot.getAttribute('aria-valuenow')")) == pytest.approx(2.0, abs=0.06)
    missing = page.run("[...document.querySelectorAll('#missing li')].map(l => l.textContent)")
    assert missing == ["not in the session: the recording is not at gone.mp4 any more"]
    assert page.complaints == []


def test_a_recording_of_sound_alone_plays(open_report: Open, tmp_path: Path) -> None:
    sound = Sound(bursts([1.0], 4.0, 16_000), 16_000, "pcm_s16le")
    page = open_report(media=write_clip(tmp_path / "clip.wav", None, sound))
    assert page.run(PLAYABLE) == [pytest.approx(4.0, abs=0.1), 0]
    assert page.complaints == []


def test_text_is_never_taken_for_code(open_report: Open) -> None:
    marks = [{"time": 1.0, "label": HOSTILE, "note": "<!--"}]
    page = open_report(words=((HOSTILE, 0, 1000),), marks=marks)
    assert page.run("document.title") != "taken"
    assert page.run("document.querySelector('#words button').textContent") == HOSTILE
    assert page.run("document.querySelectorAll('script').length") == 3


def test_an_empty_session_is_a_page_without_errors(open_report: Open) -> None:
    page = open_report(words=(), rows=1, seen=False, pictures=())
    page.run(NEXT_PICTURE)
    assert page.run("document.getElementById('words').textContent") == "no words"
    assert "Nothing is known" in page.run("document.getElementById('overall').textContent")
    assert page.complaints == []


def data_of(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    found: dict[str, Any] = json.loads(text[start : text.index("</script>", start)])
    return found


def test_the_data_are_those_of_the_session(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk", marks=MARKS))
    export_html(session, tmp_path / "out.html")
    data = data_of(tmp_path / "out.html")
    assert data["time"] == pytest.approx(session.timeline.time, abs=0.001)
    assert data["values"][1] == pytest.approx(session.timeline.emotions[:, 1], abs=0.001)
    assert data["sentiment"][-2:] == [-1.5, None]
    assert data["uncertainty"] == pytest.approx(session.timeline.uncertainty, abs=0.001)
    assert data["present"][-2:] == [0b101, 0]
    lines = {line["emotion"]: line for line in data["summary"]}
    assert list(lines) == list(EMOTIONS)
    assert lines["neutral"]["seconds"] == 2.2
    assert lines["happy"]["at"] == pytest.approx(2.2)
    assert lines["happy"]["mean"] == pytest.approx((10 * 0.25 + 9 * 0.5) / 19, abs=0.0001)


def test_a_private_report_holds_neither_words_nor_sound(tmp_path: Path, clip: Path) -> None:
    session = Session(made_session(tmp_path / "talk", media=clip))
    export_html(session, tmp_path / "out.html", ExportOptions(words=False, voice=False))
    assert {word[2] for word in data_of(tmp_path / "out.html")["words"]} == {"___"}
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "再见" not in text
    assert str(clip) not in text


def test_a_long_recording_can_be_zoomed(open_report: Open) -> None:
    page = open_report(rows=3000, duration=600.0, pictures=())
    whole = page.run(f"{NEXT_PICTURE}.then(() => plot.toDataURL())")
    zoom = "plot.dispatchEvent(new WheelEvent('wheel', {deltaY: -2000, clientX: %s}))"
    left = page.run("plot.getBoundingClientRect().left")
    page.run(zoom % left)
    assert page.run(f"{NEXT_PICTURE}.then(() => plot.toDataURL())") != whole
    page.click("#plot", across=0.5)
    page.run(NEXT_PICTURE)
    zoomed = 600.0 / 2.718281828**4
    assert float(page.run("plot.getAttribute('aria-valuenow')")) == pytest.approx(
        zoomed / 2, abs=0.1
    )
    page.run("plot.dispatchEvent(new MouseEvent('dblclick'))")
    page.click("#plot", across=0.5)
    page.run(NEXT_PICTURE)
    assert float(page.run("plot.getAttribute('aria-valuenow')")) == pytest.approx(300, abs=1)
    assert page.complaints == []
