"""A live session on the screen: preview, start, and everything that moves while it runs."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PyQt6.QtCore import QSettings, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.baseline_control import BaselineControl
from desktop.card import Card
from desktop.controls import TextButton
from desktop.elided_label import ElidedLabel
from desktop.graph_view import GraphView
from desktop.health_panel import HealthPanel, health_line
from desktop.live_bar import LiveBar
from desktop.live_memory import Keeping, LiveMemory
from desktop.live_opening import ListDevices, LiveRequest, MakeLive, new_folder
from desktop.live_options import LiveOptions, typed
from desktop.live_outlets import KINDS, LiveOutlets, kind_of
from desktop.live_plot import LivePlot
from desktop.live_sessions import LiveSessions
from desktop.live_transcript import LiveTranscript
from desktop.marks import marks_of
from desktop.now_panel import NowPanel
from desktop.theme import GRID, Theme
from desktop.timeline_lookup import Moment, moment_at
from desktop.trajectory_page import TrajectoryPage, follow_button
from extractors.outlets import OutletChoice
from extractors.recording.plan import RecordingPlan
from extractors.sources import PictureWish, SourceChoice
from extractors.stream import to_seconds
from inference.live import Live, LiveState, SourceStatus

__all__ = ["LivePage"]

TICK = 33
"""Milliseconds between looks at the session, and between those at its picture."""
OUTLETS_ENDING = 0.5
"""Seconds that outlets get to send what they still hold when the page is left."""
SLOW = 15
"""Ticks between looks at the health and the devices."""


class LivePage(TrajectoryPage):
    """Shows the session that `sessions` owns. It pulls; nothing of the session ever calls it."""

    problem = pyqtSignal(str)
    """One line about what went wrong and what to do; empty when it is over."""
    recorded = pyqtSignal(Path)
    """A session was recorded into this folder and has ended."""
    in_use = pyqtSignal(bool, bool, bool, str)
    """Whether camera and microphone are open, whether it is recorded, which outlets are on."""

    def __init__(self, settings: QSettings, make: MakeLive, list_devices: ListDevices) -> None:
        super().__init__()
        self.memory = LiveMemory(settings)
        self._plan = RecordingPlan()
        self.sessions = LiveSessions(make, list_devices, lambda: self._plan)
        self.outlets = LiveOutlets()
        self._folder_wanted: Path | None = None
        self.now: Callable[[], datetime] = datetime.now
        self._ticks = 0
        self._rows = (0, -1.0)
        self._to_show: Moment | None = None
        self._said = ""
        self._markers = 0
        self._marked: tuple[object, ...] = ()
        """How many markers and events there are, and the last of them."""
        self.transcript = LiveTranscript()
        self.graph = GraphView()
        self.health = HealthPanel()
        self.plot = LivePlot()
        self.status = ElidedLabel()
        self.now_panel = NowPanel()
        self.bar = LiveBar()
        self.options = LiveOptions(self)
        self.baseline = BaselineControl(self.memory, self)
        self._arrange()
        self._connect()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK // 2)
        self._timer.timeout.connect(self._turn)
        self._turns = 0
        self.bar.video.set_choice(self.memory.choice("video"))
        self.bar.audio.set_choice(self.memory.choice("audio"))
        self._remember_options()
        self._show_recording()

    @property
    def live(self) -> Live | None:
        """The session that is shown."""
        return self.sessions.live

    @property
    def state(self) -> LiveState:
        return self.sessions.state

    @property
    def running(self) -> bool:
        return self.sessions.running

    def enter(self) -> None:
        """Look for devices and show what they see; returns at once."""
        self.sessions.look_for_devices()
        self._open_outlets()
        self.baseline.enter()
        self._timer.start()
        self.tick()

    def use(self, request: LiveRequest) -> None:
        """Take what a command line asks for; it is not remembered."""
        for which, choice in request.sources.items():
            (self.bar.video if which == "video" else self.bar.audio).set_choice(choice)
        if (wish := request.picture) is not None:
            last = self.memory.picture
            wish = PictureWish(wish.size or last.size, wish.rate or last.rate)
            self.options.camera.set_wish(wish)
        self._folder_wanted = request.folder
        if request.baseline is not None:
            self.baseline.use_file(request.baseline)
        if request.features_only:
            self.options.set_features_only(True)
        if request.keep_days is not None:
            self.options.set_keeping(Keeping(request.keep_days))
        for outlet in request.outlets:
            self.outlets.switch(kind_of(outlet), outlet)
            self.options.set_outlet(kind_of(outlet), True, typed(outlet))
        self._show_recording()

    def start(self) -> None:
        """Analyse from now on, and record if that is switched on."""
        if self.running or self.sessions.start_wanted:
            return
        self.sessions.start_wanted = True
        self.plot.clear()
        self.transcript.clear_words()
        self._rows, self._markers, self._marked = (0, -1.0), 0, ()
        self._begin()

    def stop(self) -> None:
        """End in order; returns at once."""
        was_there = self.live is not None
        self.sessions.stop()
        if was_there:
            self._show_state()

    def toggle(self) -> None:
        """Start, pause or go on."""
        if not self.sessions.toggle():
            self.start()
        self._show_state()

    def mark(self, label: str = "") -> None:
        """Put a marker at the present moment; without a label it is numbered."""
        if self.live is not None and self.state in (LiveState.RUNNING, LiveState.PAUSED):
            self._markers += 1
            self.live.mark(label or f"Marker {self._markers}")

    def leave(self) -> bool:
        """Close all devices and end everything. Returns whether all ended in time."""
        self._timer.stop()
        self.options.hide()
        ended, recorded = self.sessions.leave()
        ended = self.outlets.leave(OUTLETS_ENDING) and ended
        ended = self.baseline.leave() and ended
        for folder in recorded:
            self.recorded.emit(folder)
        self.in_use.emit(False, False, False, "")
        return ended

    def tick(self) -> None:
        """Bring everything to the present."""
        self._look()
        self._look_at_picture()

    def _turn(self) -> None:
        """The picture and the rest take turns, each thirty times a second: painting all at once
        would hold up the window. Predictions do not wait for their turn; the picture then does."""
        if self._turns % 2 and self.live is not None and self._newest_row(self.live) != self._rows:
            self._show_rows(self.live)
            return
        self._turns += 1
        if self._turns % 2:
            self._look()
        else:
            self._look_at_picture()

    def _look_at_picture(self) -> None:
        if self.live is not None:
            self._show_picture(self.live)

    def _look(self) -> None:
        self._ticks += 1
        self._take_devices()
        self._take_session()
        lost = self.sessions.lost()
        for folder in self.sessions.ended():
            self.recorded.emit(folder)
        if self.live is not None:
            self._show_rows(self.live)
            self.bar.level.set_level(*self.live.level())
            self.bar.set_time(self.live.now)
            self.plot.set_now(self.live.now)
            self._show_marks(self.live)
        else:
            self.bar.level.set_level(0.0, 0.0)
        self.outlets.tick(self.live)
        self.options.set_outlets(self.outlets.statuses())
        self.baseline.tick(self.live, self.state)
        self._show_state()
        if lost is not None:
            self._say(lost)
        if self.live is not None and self._ticks % SLOW == 0:
            self._show_health(self.live)

    def set_recording(self, on: bool) -> None:
        """Whether the next session is recorded."""
        self.memory.recording = on
        self._folder_wanted = self._folder_wanted if on else None
        self._show_recording()

    def set_folder(self, folder: Path) -> None:
        """Where recordings go."""
        self.memory.folder = folder
        self._show_recording()

    def apply_theme(self, theme: Theme) -> None:
        for view in (self.picture, self.chips, self.transcript, self.graph, self.plot,
                     self.now_panel, self.bar):  # fmt: skip
            view.apply_theme(theme)
        self.options.apply_theme(theme)
        self.baseline.apply_theme(theme)

    def _begin(self) -> None:
        """Start the session that is there, or make one first."""
        if self.state is LiveState.PREVIEW:
            folder = None
            if self.memory.recording or self._folder_wanted is not None:
                folder = self._folder_wanted or new_folder(self.memory.folder, self.now())
                self._folder_wanted = None
            self._plan = self.options.plan
            self.sessions.start(folder)
            if self.live is not None:
                self.baseline.begin(self.live)
            self._show_state()
        else:
            self._open()

    def _open(self) -> None:
        self.sessions.open(self._asked(self.bar.video.choice), self.bar.audio.choice)

    def _take_devices(self) -> None:
        found = self.sessions.take_devices()
        if found is not None:
            self.bar.video.set_devices(found.cameras)
            self.bar.audio.set_devices(found.microphones)
            self._open()

    def _take_session(self) -> None:
        wrong = self.sessions.take_session()
        if wrong is None:
            return
        self._say(wrong)
        if not wrong and self.sessions.start_wanted:
            self._begin()

    def _choose(self, which: str, choice: SourceChoice | None) -> None:
        self.memory.remember(which, choice)
        self.sessions.choose(which, self._asked(choice) if which == "video" else choice)

    def _choose_picture(self, wish: PictureWish) -> None:
        self.memory.picture = wish
        self.sessions.choose("video", self._asked(self.bar.video.choice))

    def _asked(self, choice: SourceChoice | None) -> SourceChoice | None:
        """A camera with the pictures that are asked of it."""
        return choice and choice.asking(self.options.camera.wish)

    def _show_picture(self, live: Live) -> None:
        status = live.video_status()
        device = status.choice is not None and status.choice.kind == "device"
        self.picture.mirrored = device
        picture = live.newest_picture()
        if picture is None or status.state in ("off", "lost"):
            self.picture.set_picture(None, None, _note(status))
            return
        landmarks = None
        if self.picture.show_landmarks and self.running:
            landmarks = live.landmarks_at(to_seconds(picture.end))
        self.picture.set_picture(picture.data.image, landmarks)

    def _newest_row(self, live: Live) -> tuple[int, float]:
        """How many rows there are and the time of the last, by which new ones are known."""
        time = live.timeline().time
        return (len(time), float(time[-1])) if len(time) else self._rows

    def _show_rows(self, live: Live) -> None:
        timeline = live.timeline()
        self.transcript.set_words(live.words(), live.tentative())
        rows = self._newest_row(live)
        if rows != self._rows:
            self._rows = rows
            self._to_show = moment_at(timeline, rows[1])
            self.plot.set_rows(timeline)
            live.displayed(rows[1])
        elif self._to_show is not None:  # a tick later than the curves: painting all at once blocks
            self.now_panel.set_moment(self._to_show)
            self.graph.set_moment(self._to_show)
            self._to_show = None

    def _show_marks(self, live: Live) -> None:
        markers, events = live.markers(), live.events()
        marked = (len(markers), markers[-1:], len(events), events[-1:])
        if marked != self._marked:
            self._marked = marked
            labels = ((to_seconds(marker.end), marker.data.label) for marker in markers)
            happened = ((to_seconds(event.end), event.data) for event in events)
            self.plot.set_marks(marks_of(labels, happened))

    def _show_state(self) -> None:
        state = self.state
        busy = state is LiveState.STARTING or self.sessions.start_wanted or self.sessions.ending
        self.bar.set_state(
            running=state in (LiveState.RUNNING, LiveState.PAUSED),
            paused=state is LiveState.PAUSED,
            busy=busy,
        )
        self.options.set_recordable(not self.running and not busy)
        live, sending = self.live, ", ".join(self.outlets.sending)
        shown = None if live is None else live.video_status()
        self.options.camera.set_source(self.bar.video.choice, shown)
        self.bar.set_sending(bool(sending))
        if live is None:
            opening = self.sessions.opening
            text = "Opening\N{HORIZONTAL ELLIPSIS}" if opening else "Stopped. Nothing is open."
            if self.sessions.ending:
                text = "Ending the session\N{HORIZONTAL ELLIPSIS}"
            self.picture.set_picture(None, None, text)
            self.status.set_whole("")
            for chip in self.chips.chips.values():
                chip.set_status(None, "", "")
            self.in_use.emit(*self.sessions.in_use, self.sessions.completing, sending)
            return
        video, audio = live.video_status(), live.audio_status()
        recording = self.sessions.folder is not None and state is not LiveState.PAUSED
        recording = recording or self.sessions.completing
        self.in_use.emit(*self.sessions.in_use, recording, sending)
        for name, status in live.modalities().items():
            here = {"present": True, "absent": False}.get(status.state)
            known = status.state in ("present", "absent")
            self.chips.chips[name].set_status(here, "" if known else status.state, status.text)
        if state is LiveState.STARTING:
            self.status.set_whole("The models are being loaded\N{HORIZONTAL ELLIPSIS}")
        elif state is LiveState.PAUSED:
            self.status.set_whole("Paused: nothing is analysed or recorded")
        elif state is LiveState.PREVIEW:
            other = f"; the camera {video.gives}" if video.unlike else ""
            self.status.set_whole(f"Preview: nothing is analysed yet{other}")
        failed = [e.data.text for e in live.events() if e.data.kind.endswith(" failed")]
        lost = [s.text for s in (video, audio) if s.state == "lost"]
        unsent = [s.text for s in self.outlets.statuses().values() if s.state == "failed"]
        self._say(next(iter([*lost, *failed[-1:], *unsent]), ""))

    def _show_health(self, live: Live) -> None:
        health = live.health()
        self.health.set_health(health)
        self.health.set_pictures(live.video_status())
        self.picture.draw_mesh = health.draw_landmarks
        if self.state is LiveState.RUNNING:
            self.status.set_whole(health_line(health))

    def _say(self, text: str) -> None:
        """Report a fault once, and once that it is over."""
        if text != self._said:
            self._said = text
            self.problem.emit(text)

    def _show_recording(self) -> None:
        wanted = self._folder_wanted
        on = self.memory.recording or wanted is not None
        self.bar.set_recording(on, str(wanted or self.memory.folder))

    def _remember_options(self) -> None:
        """Bring back what was chosen the last time."""
        self.options.camera.set_wish(self.memory.picture)
        self.options.set_features_only(self.memory.features_only)
        self.options.set_keeping(self.memory.keeping)
        for kind in KINDS:
            self.options.set_outlet(kind, *self.memory.outlet(kind))

    def _open_outlets(self) -> None:
        """Switch on those that were on the last time."""
        for kind in KINDS:
            if self.options.switches[kind].isChecked() and not self.outlets.is_on(kind):
                self.options.switch(kind)

    def _keep(self, keeping: Keeping) -> None:
        self.memory.keeping = keeping

    def _keep_features_only(self, on: bool) -> None:
        self.memory.features_only = on

    def _switch_outlet(self, kind: str, choice: OutletChoice | None) -> None:
        self.memory.remember_outlet(kind, choice is not None, self.options.fields[kind].text())
        self.outlets.switch(kind, choice)

    def _arrange(self) -> None:
        self._right = QStackedWidget()
        to_health = TextButton("Health", "How the program keeps up (H)", "link")
        to_graph = TextButton("Graph", "Who teaches whom (H)", "link")
        self._right.addWidget(Card("Who teaches whom", self.graph, to_health))
        self._right.addWidget(Card("Health", self.health, to_graph))
        to_health.clicked.connect(self.toggle_health)
        to_graph.clicked.connect(self.toggle_health)
        self.status.setProperty("quiet", True)
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID + 4)
        column.addWidget(self.baseline.strip)
        column.addWidget(self.bar)
        self.lay_out(
            Card("Transcript", self.transcript, follow_button(self.transcript.view)),
            Card("Emotions now", self.plot, self.status),
            self._right,
            Card("Now", self.now_panel, self.baseline.links),
            foot,
        )

    def toggle_health(self) -> None:
        """From the graph to the health panel and back."""
        self._right.setCurrentIndex(1 - self._right.currentIndex())

    def _connect(self) -> None:
        self.bar.start_pressed.connect(self.start)
        self.bar.stop_pressed.connect(self.stop)
        self.bar.pause_pressed.connect(self.toggle)
        self.bar.mark_pressed.connect(lambda: self.mark())
        self.bar.record_toggled.connect(self.set_recording)
        self.bar.options.clicked.connect(lambda: self.options.open_above(self.bar.options))
        self.options.camera.chosen.connect(self._choose_picture)
        self.options.features_only_chosen.connect(self._keep_features_only)
        self.options.keeping_chosen.connect(self._keep)
        self.options.outlet_switched.connect(self._switch_outlet)
        self.bar.video.chosen.connect(lambda choice: self._choose("video", choice))
        self.bar.audio.chosen.connect(lambda choice: self._choose("audio", choice))
        self.bar.video.refused.connect(self.problem)
        self.bar.audio.refused.connect(self.problem)
        self.now_panel.emphasised.connect(self.plot.emphasise)
        self.baseline.problem.connect(self.problem)


def _note(status: SourceStatus) -> str:
    """What stands in place of the picture."""
    if status.text:
        return status.text
    opening = "The camera is being opened\N{HORIZONTAL ELLIPSIS}"
    return {"off": "The camera is off.", "opening": opening}.get(status.state, "No picture yet")
