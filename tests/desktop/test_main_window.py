"""The window as a person uses it: opening, playing, seeking, looking."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PyQt6.QtGui import QDropEvent, QHelpEvent
from PyQt6.QtWidgets import QAbstractButton, QApplication, QLabel, QSlider, QToolTip
from pytestqt.qtbot import QtBot

from assets.errors import BadInput
from desktop.appearance import Choice
from desktop.main_window import MainWindow
from desktop.marks import Mark
from desktop.shortcuts import KEYS
from extractors.stream.clock import VirtualClock
from extractors.stream.sample import SECOND
from tests.desktop.fake_media import FakeMedia
from tests.desktop.fake_recording import FakeRecording

OpenWindow = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton


def opened(make: OpenWindow, recording: FakeRecording | None = None) -> MainWindow:
    """A window that shows a recording of 12 seconds."""
    window = make(FakeMedia(12.0))
    assert window.open_with(lambda: recording or FakeRecording())
    window._tick()
    return window


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, **more: object) -> None:
    qtbot.keyClick(window, key, **more)


def test_empty_it_offers_ways_to_begin(open_window: OpenWindow, tmp_path: Path) -> None:
    recent = tmp_path / "before.mp4"
    recent.touch()
    window = open_window(opener=lambda _path: FakeRecording(title="before"))
    assert window.empty.isVisible()
    assert window.empty.open.isVisible()
    assert not window.page.isVisible()
    window.open_path(recent)
    assert window.page.isVisible()
    assert window.recent.paths() == [recent]
    assert window.windowTitle() == "before – Affectscope"


def test_space_plays_and_everything_follows_the_clock(
    qtbot: QtBot, open_window: OpenWindow, clock: VirtualClock
) -> None:
    window = opened(open_window)
    page = window.page
    press(qtbot, window, Qt.Key.Key_Space)
    assert page.transport.play.accessibleName() == "Pause"
    window._tick()
    clock.advance(6 * SECOND)
    window._tick()
    assert page.transport.time.text() == "0:06.0 / 0:12.0"
    assert page.transport.slider.value() == 6000
    assert page.transcript.words[page.transcript.current].start <= 6 * SECOND
    assert page.now.description().startswith("neutral")
    assert "Words → " in page.graph.description()
    assert page.plot._line.line().x1() == pytest.approx(page.plot.x_of(6.0), abs=1.0)
    press(qtbot, window, Qt.Key.Key_Space)
    assert page.transport.play.accessibleName() == "Play"


def test_it_stops_at_the_end(qtbot: QtBot, open_window: OpenWindow, clock: VirtualClock) -> None:
    window = opened(open_window)
    press(qtbot, window, Qt.Key.Key_Space)
    window._tick()
    clock.advance(60 * SECOND)
    window._tick()
    assert window.page.seconds == 12.0
    assert window.page.playback is not None
    assert not window.page.playback.playing


def test_keys_seek(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    shift = Qt.KeyboardModifier.ShiftModifier
    control = Qt.KeyboardModifier.ControlModifier
    steps = [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 1.0),
        (Qt.Key.Key_Right, shift, 6.0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 5.0),
        (Qt.Key.Key_Left, shift, 0.0),
        (Qt.Key.Key_Right, control, 0.5),
        (Qt.Key.Key_Right, control, 1.0),
        (Qt.Key.Key_Left, control, 0.5),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 12.0),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0.0),
    ]
    for key, modifier, seconds in steps:
        press(qtbot, window, key, modifier=modifier)
        assert window.page.seconds == pytest.approx(seconds)


def test_the_picture_of_the_position_is_shown(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    window.page.seek(3.25)

    def picture() -> int:
        window._tick()
        pixels = window.page.picture._pixels
        return -1 if pixels is None else int(pixels[0, 0, 0])

    qtbot.waitUntil(lambda: picture() == 32)
    press(qtbot, window, Qt.Key.Key_Comma)
    qtbot.waitUntil(lambda: picture() == 31)
    qtbot.waitUntil(lambda: window.page.playback.settled)  # type: ignore[union-attr]
    window._tick()
    assert not window._ticks.isActive(), "a window at rest does not tick"
    press(qtbot, window, Qt.Key.Key_Period)
    assert window._ticks.isActive()


def test_a_picture_stays_until_the_next_one_is_decoded(
    qtbot: QtBot, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(open_window).page
    playback = page.playback
    assert playback is not None
    qtbot.waitUntil(lambda: page.picture._pixels is not None)
    before = page.picture._pixels
    monkeypatch.setattr(playback, "picture", lambda: None)
    playback.seek(9 * SECOND)
    assert playback.waiting
    page._show_picture()
    assert page.picture._pixels is before

    def settled() -> bool:
        page.tick()
        return playback.settled

    qtbot.waitUntil(settled)
    page.tick()
    assert page.picture._pixels is None, "there is none at that place"


def test_press_and_drag_in_the_plot_seek(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    plot = window.page.plot
    port = plot.viewport()
    at = [QPoint(round(plot.x_of(seconds)), 60) for seconds in (4.0, 8.0)]
    press(qtbot, window, Qt.Key.Key_Space)
    qtbot.mousePress(port, LEFT, pos=at[0])
    assert window.page.seconds == pytest.approx(4.0, abs=0.05)
    assert window.page.playback is not None
    assert not window.page.playback.playing, "the sound rests while scrubbing"
    qtbot.mouseMove(port, at[1])
    qtbot.waitUntil(lambda: window.page.seconds == pytest.approx(8.0, abs=0.05))
    qtbot.mouseRelease(port, LEFT, pos=at[1])
    assert window.page.playback.playing


def test_the_scrubber_and_a_word_seek(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    slider = window.page.transport.slider
    qtbot.mouseClick(slider, LEFT, pos=QPoint(slider.width() // 2, slider.height() // 2))
    assert window.page.seconds == pytest.approx(6.0, abs=0.05)
    transcript = window.page.transcript
    middle = transcript.word_rect(3).center().toPoint()
    assert transcript.word_at(QPointF(middle)) == 3
    qtbot.mouseClick(transcript.viewport(), LEFT, pos=middle)
    assert window.page.seconds == pytest.approx(transcript.words[3].start / SECOND)
    assert transcript.current == 3


def test_zoom_keeps_the_moment_under_the_pointer_and_the_playhead_in_sight(
    open_window: OpenWindow,
) -> None:
    plot = opened(open_window).page.plot
    plot.show_range(3.0, 5.0)
    assert plot.time_at(plot.x_of(4.5)) == pytest.approx(4.5)
    plot.set_position(9.0)
    assert plot.visible_range[0] <= 9.0 <= plot.visible_range[1]
    plot.show_range(-50, 50)
    assert plot.visible_range == (0.0, 12.0)


def test_the_theme_switches_and_is_remembered(
    qtbot: QtBot, open_window: OpenWindow, settings: QSettings
) -> None:
    window = opened(open_window)
    window.appearance.choose(Choice.LIGHT)
    bright = window.grab().toImage().pixelColor(4, 4)
    press(qtbot, window, Qt.Key.Key_D)
    assert window.appearance.theme.dark
    assert window.grab().toImage().pixelColor(4, 4).lightness() < bright.lightness() - 100
    assert settings.value("theme") == "dark"


def test_a_running_analysis_fills_in_and_says_how_far_it_is(open_window: OpenWindow) -> None:
    recording = FakeRecording(complete=False, analysed_until=3.0)
    window = opened(open_window, recording)
    rows, words = len(window.page._timeline), len(window.page.transcript.words)
    assert window.head.progress_text.text().startswith("Analysed 0:03 of 0:12")
    recording.analysed_until = 9.0
    window._refresh()
    assert len(window.page._timeline) > rows
    assert len(window.page.transcript.words) > words
    recording.analysed_until, recording.complete = 12.0, True
    window._refresh()
    assert not window.head.progress_bar.isVisible()
    assert not window._refreshes.isActive()


def test_a_failing_analysis_is_said_once_and_the_rest_stays(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    recording = FakeRecording(complete=False, analysed_until=3.0)
    window = opened(open_window, recording)
    recording.failure = "voice: the model file is damaged"
    window._refresh()
    assert window.message.isVisible()
    assert window.message.text == recording.failure
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not window.message.isVisible()
    press(qtbot, window, Qt.Key.Key_Right)
    assert window.page.seconds == 1.0


def test_what_cannot_be_opened_leaves_the_old_recording_open(open_window: OpenWindow) -> None:
    def refuse(path: Path) -> FakeRecording:
        raise BadInput(f"{path}: not a recording")

    recording = FakeRecording()
    window = open_window(FakeMedia(12.0), opener=refuse)
    window.open_with(lambda: recording)
    window.open_path(Path("broken.mp4"))
    assert window.message.text == "broken.mp4: not a recording"
    assert window.recording is recording
    assert recording.closed == 0


def test_a_dropped_file_is_opened(open_window: OpenWindow, tmp_path: Path) -> None:
    seen: list[Path] = []

    def opener(path: Path) -> FakeRecording:
        seen.append(path)
        return FakeRecording()

    window = open_window(FakeMedia(12.0), opener=opener)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "ä clip.mp4"))])
    keys = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, LEFT, keys))
    assert seen == [tmp_path / "ä clip.mp4"]


def test_closing_while_playing_ends_everything(qtbot: QtBot, open_window: OpenWindow) -> None:
    first, second = FakeRecording(), FakeRecording(title="Another")
    window = opened(open_window, first)
    press(qtbot, window, Qt.Key.Key_Space)
    window.open_with(lambda: second)
    assert (first.closed, second.closed) == (1, 0)
    press(qtbot, window, Qt.Key.Key_Space)
    window.close()
    assert second.closed == 1
    assert not window._ticks.isActive()


def test_a_video_that_is_gone_still_shows_its_session(open_window: OpenWindow) -> None:
    window = open_window(None)
    window.open_with(lambda: FakeRecording(media=None))
    window._tick()
    assert "no longer" in window.page.picture.accessibleDescription()
    assert len(window.page._timeline)


def test_figures_emphasise_a_curve(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    press(qtbot, window, Qt.Key.Key_2)
    assert window.page.plot._emotions.emphasis == 1
    press(qtbot, window, Qt.Key.Key_0)
    assert window.page.plot._emotions.emphasis == -1


def test_markers_stand_at_their_times(open_window: OpenWindow) -> None:
    marks = [
        Mark(2.0, "Question 1"), Mark(2.1, "a label that has no room"), Mark(9.0, "Question 2"),
    ]  # fmt: skip
    window = opened(open_window, FakeRecording(marked=marks))
    plot = window.page.plot
    plain = window.grab().toImage()
    places = [x for x, _ in plot.markers._marks]
    assert places == pytest.approx([plot.x_of(mark.time) for mark in marks])
    assert [mark for _, mark in plot.markers.labels()] == marks[1:]
    plot.show_range(8.0, 10.0)
    assert plot.markers._marks[2][0] == pytest.approx(plot.x_of(9.0))
    plot.show_range(0.0, 12.0)
    window.open_with(FakeRecording)
    assert plot.markers._marks == []
    assert window.grab().toImage() != plain


def test_what_happened_stands_at_its_time_and_says_more_at_the_pointer(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    marks = [
        Mark(2.0, "Saving, step 2", "predictions are late; saving: face at 10 pictures a second"),
        Mark(6.0, "Question 1"),
        Mark(6.1, "Full quality", "full quality again"),
        Mark(9.0, "Camera lost", "Desk camera was unplugged; it goes on when it is back"),
    ]
    window = opened(open_window, FakeRecording(marked=marks))
    plot = window.page.plot
    shown = [mark for _, mark in plot.markers.labels()]
    assert shown == [marks[0], marks[1], marks[3]], "the marker's label goes before the event's"
    assert plot.accessibleDescription() == (
        "0:02 Saving, step 2; 0:06 Question 1; 0:06 Full quality; 0:09 Camera lost"
    )
    view = plot.viewport()
    assert view is not None

    def told(seconds: float) -> str:
        at = QPoint(round(plot.x_of(seconds)), 40)
        qtbot.mouseMove(view, at)
        QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, at, view.mapToGlobal(at)))
        return QToolTip.text()

    assert told(9.0) == f"0:09.0  {marks[3].text}"
    assert told(6.1) == f"0:06.1  {marks[2].text}"
    qtbot.mouseMove(view, QPoint(round(plot.x_of(4.0)), 40))
    assert plot.markers.toolTip() == ""
    QToolTip.hideText()


def test_speed_has_keys_and_a_menu(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    playback, button = window.page.playback, window.page.transport.speed
    assert playback is not None
    for key, speed in ((Qt.Key.Key_Plus, 1.25), (Qt.Key.Key_Plus, 1.5), (Qt.Key.Key_Minus, 1.25)):
        press(qtbot, window, key)
        assert playback.speed == speed
    assert button.text() == "1.25×"
    press(qtbot, window, Qt.Key.Key_Backspace)
    assert playback.speed == 1.0
    for _ in range(12):
        press(qtbot, window, Qt.Key.Key_Minus)
    assert playback.speed == 0.25
    menu = button.menu()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "4×").trigger()
    assert (playback.speed, button.text()) == (4.0, "4×")


def test_a_range_is_dragged_out_on_the_axis_and_repeats(
    qtbot: QtBot, open_window: OpenWindow, clock: VirtualClock
) -> None:
    window = opened(open_window)
    page, plot, port = window.page, window.page.plot, window.page.plot.viewport()
    assert page.playback is not None
    below = round(plot._box(2).bottom()) + 8
    ends = [QPoint(round(plot.x_of(seconds)), below) for seconds in (7.0, 3.0)]
    qtbot.mousePress(port, LEFT, pos=ends[0])
    qtbot.mouseMove(port, ends[1])
    qtbot.mouseRelease(port, LEFT, pos=ends[1])
    assert page.playback.loop is not None
    start, end = (time / SECOND for time in page.playback.loop)
    assert (start, end) == (pytest.approx(3.0, abs=0.05), pytest.approx(7.0, abs=0.05))
    assert page.seconds == 0.0, "the axis chooses a range; it does not seek"
    assert page.transport.loop.isVisible()
    assert "0:03.0 – 0:07.0" in page.transport.loop.text().replace("0:02.9", "0:03.0")
    page.seek(6.5)
    press(qtbot, window, Qt.Key.Key_Space)
    window._tick()
    clock.advance(SECOND)
    window._tick()
    assert page.seconds == pytest.approx(start)
    qtbot.mouseClick(port, LEFT, pos=ends[0])
    assert page.playback.loop is None
    assert not page.transport.loop.isVisible()


def test_keys_set_the_ends_of_the_range(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    page = window.page
    assert page.playback is not None

    def at(seconds: float, key: Qt.Key) -> tuple[float, ...] | None:
        page.seek(seconds)
        press(qtbot, window, key)
        assert page.playback is not None
        loop = page.playback.loop
        return None if loop is None else tuple(time / SECOND for time in loop)

    assert at(2.0, Qt.Key.Key_A) == (2.0, 12.0)
    assert at(5.0, Qt.Key.Key_B) == (2.0, 5.0)
    assert at(1.0, Qt.Key.Key_B) == (0.0, 1.0)
    assert at(3.0, Qt.Key.Key_A) == (3.0, 12.0)
    assert at(4.0, Qt.Key.Key_C) is None
    page.set_loop((1.0, 2.0))
    window.open_with(FakeRecording)
    assert not page.transport.loop.isVisible(), "another recording begins without"


def test_two_recordings_share_one_axis(open_window: OpenWindow) -> None:
    window = opened(open_window)
    page = window.page
    other = FakeRecording(title="another", duration=20.0, complete=False, analysed_until=5.0)
    page.compare(other)
    window.watch_analysis()
    assert page.legend.isVisible()
    assert [name.whole for name in page.legend.names] == ["A recording", "another"]
    assert page.plot.visible_range == (0.0, 20.0)
    before = len(page.plot._emotions._other)
    assert window._refreshes.isActive(), "what it is compared with is still analysed"
    other.analysed_until, other.complete = 20.0, True
    window._refresh()
    window._refresh()
    assert len(page.plot._emotions._other) > before
    assert not window._refreshes.isActive()
    dashed = window.grab().toImage()
    page.legend.close_button.click()
    assert other.closed == 1
    assert not page.legend.isVisible()
    assert page.plot.visible_range == (0.0, 12.0)
    assert len(page.plot._emotions._other) == 0
    assert window.grab().toImage() != dashed


def test_a_comparison_that_fails_is_said_and_ends(open_window: OpenWindow) -> None:
    window = opened(open_window)
    other = FakeRecording(complete=False, failure="the other one is damaged")
    window.page.compare(other)
    window.watch_analysis()
    assert window.message.text == "the other one is damaged"
    assert window.page.other is None
    assert other.closed == 1


def test_opening_something_else_ends_the_comparison(open_window: OpenWindow) -> None:
    window = opened(open_window)
    other = FakeRecording()
    window.page.compare(other)
    window.open_with(FakeRecording)
    assert other.closed == 1
    assert window.page.other is None


def test_help_lists_every_key_and_any_key_closes_it(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    window.grab()
    press(qtbot, window, Qt.Key.Key_F1)
    assert window.help.isVisible()
    shown = " ".join(label.text() for label in window.help.findChildren(QLabel))
    assert [key.text for key in KEYS if key.text not in shown] == []
    for size in ((840, 560), (1280, 800)):
        window.resize(*size)
        qtbot.waitUntil(lambda size=size: window.size().width() == size[0])
        card = window.help._card
        wanted = card.sizeHint()
        assert (card.width(), card.height()) >= (wanted.width(), wanted.height())
        assert window.help.rect().contains(card.geometry())
    qtbot.keyClick(window.help, Qt.Key.Key_Right)
    assert not window.help.isVisible()
    assert window.page.seconds == 0.0, "the key closed the help and did nothing else"


def test_no_key_means_two_things() -> None:
    keys = [key for entry in KEYS for key in entry.keys]
    assert len(keys) == len(set(keys))


def test_volume_has_keys_and_is_remembered(
    qtbot: QtBot, open_window: OpenWindow, settings: QSettings
) -> None:
    window = opened(open_window)
    press(qtbot, window, Qt.Key.Key_Down)
    press(qtbot, window, Qt.Key.Key_M)
    assert window.page.playback is not None
    volume = window.page.playback.volume
    assert (volume.level, volume.muted) == (0.95, True)
    assert float(settings.value("volume")) == 0.95
    press(qtbot, window, Qt.Key.Key_Up)
    assert not volume.muted


def test_space_on_a_focused_button_presses_it(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = opened(open_window)
    window.page.transport.mute.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(window.page.transport.mute, Qt.Key.Key_Space)
    assert window.page.playback is not None
    assert window.page.playback.volume.muted
    assert not window.page.playback.playing


def test_every_control_has_a_name_and_says_its_key(open_window: OpenWindow) -> None:
    window = opened(open_window)
    controls = [
        *window.head.findChildren(QAbstractButton),
        *window.page.transport.findChildren(QAbstractButton),
        *window.page.transport.findChildren(QSlider),
    ]
    assert len(controls) >= 8
    for control in controls:
        assert control.toolTip()
        assert control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize("size", [(1280, 800), (900, 600)])
def test_nothing_is_cut_off_or_on_top_of_another(
    qtbot: QtBot, open_window: OpenWindow, size: tuple[int, int]
) -> None:
    title = "a name that is longer than any window is wide " * 5 + "end.mp4"
    window = opened(open_window, FakeRecording(title=title, complete=False, analysed_until=5.0))
    window.resize(*size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    page = window.page
    views = [page.picture, page.chips, page.transcript, page.graph, page.plot, page.now]
    rects = [v.rect().translated(v.mapTo(window, QPoint(0, 0))) for v in [*views, page.transport]]
    for index, rect in enumerate(rects):
        assert window.rect().contains(rect)
        assert not any(rect.intersects(other) for other in rects[index + 1 :])
    shown = window.head.title.text()
    assert shown.endswith("end.mp4")
    assert window.head.title.fontMetrics().horizontalAdvance(shown) <= window.head.title.width()
    for chip in page.chips.chips.values():
        assert chip.width() >= chip.fontMetrics().horizontalAdvance(chip.text) + 24
