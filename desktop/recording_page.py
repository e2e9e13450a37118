"""A recording on the screen: everything that moves with the playhead."""

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from desktop.card import Card
from desktop.comparison import Comparison
from desktop.curve_legend import CurveLegend
from desktop.elided_label import ElidedLabel
from desktop.graph_view import GraphView
from desktop.now_panel import NowPanel
from desktop.playback import SPEEDS, Playback
from desktop.recording import Recording
from desktop.rerun import Rerun
from desktop.theme import GRID, Theme
from desktop.timeline_lookup import Moment, moment_at
from desktop.trajectory_page import TrajectoryPage, follow_button
from desktop.trajectory_plot import TrajectoryPlot
from desktop.transcript_view import TranscriptView
from desktop.transport_bar import TransportBar
from extractors.stream.sample import from_seconds, to_seconds
from extractors.timeline import Timeline

__all__ = ["RecordingPage"]

SHORTEST_LOOP = 0.1
"""Seconds; a shorter range does not repeat."""


class RecordingPage(TrajectoryPage):
    """Holds the views and shows one recording in them. It pulls; nothing is pushed to it."""

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        self.recording: Recording | None = None
        self.playback: Playback | None = None
        self._duration = 0.0
        self._timeline = Timeline.empty()
        self._moment = Moment()
        self._was_playing = False
        self.other: Comparison | None = None
        """What the recording is compared with."""
        self._instead = False
        self.transcript = TranscriptView()
        self.follow = follow_button(self.transcript)
        self.graph = GraphView()
        self.plot = TrajectoryPlot()
        self.legend = CurveLegend()
        self.now = NowPanel()
        self.transport = TransportBar()
        self.interruption = ElidedLabel()
        self.interruption.setProperty("quiet", True)
        self.interruption.hide()  # it takes no room where there is nothing to say
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self.interruption)
        column.addWidget(self.transport)
        self.lay_out(
            Card("Transcript", self.transcript, self.follow),
            Card("Emotions over time", self.plot, self.legend),
            Card("Who teaches whom", self.graph),
            Card("Now", self.now),
            foot,
        )
        self._connect()

    @property
    def seconds(self) -> float:
        """The position."""
        return 0.0 if self.playback is None else to_seconds(self.playback.position)

    def open(self, recording: Recording, playback: Playback) -> None:
        """Show `recording`, which `playback` plays; both belong to the page from here on."""
        self.recording, self.playback = recording, playback
        self.picture.set_picture(None, None)
        self._timeline = Timeline.empty()
        self.interruption.set_whole(recording.interruption or "")
        self.interruption.setVisible(recording.interruption is not None)
        self._set_duration(recording.duration)
        self.set_loop(None)
        self.transport.set_speed(playback.speed)
        self.transcript.follow()
        level = float(self._settings.value("volume", 1.0))
        self.set_volume(level, muted=False)
        self.refresh()
        self.tick()

    def _set_duration(self, seconds: float) -> None:
        self._duration = seconds
        self.transport.set_duration(seconds)
        self._set_axis()
        self.transcript.set_duration(seconds)

    def _set_axis(self) -> None:
        """Room for the longer of two trajectories."""
        self.plot.set_duration(max(self._duration, self.other.duration if self.other else 0.0))

    def close_recording(self) -> bool:
        """Stop everything. Returns whether all threads ended in time."""
        ended = True
        self._drop_other()
        if self.playback is not None:
            ended = self.playback.close()
            self.playback = None
        if self.recording is not None:
            recording, self.recording = self.recording, None
            recording.close()
        return ended

    def refresh(self) -> None:
        """Take over what the analysis has found; five times a second while it runs."""
        if self.recording is None:
            return
        if self.recording.duration != self._duration:
            self._set_duration(self.recording.duration)
        self._show_curves(self.recording)
        self.plot.set_marks(self.recording.marks())
        self.transcript.set_words(self.recording.words())
        ended = self.recording.complete or self.recording.failure is not None
        self.transcript.setPlaceholderText(
            "No words were heard." if ended else "Words appear here as they are recognised."
        )
        self._moment = Moment()
        self._show_moment()
        if self.playback is not None:
            self._show_picture()  # its landmarks may be known by now

    def _show_curves(self, recording: Recording) -> None:
        own, until = recording.timeline(), recording.analysed_until
        self._timeline = own
        if self.other is not None:
            if self.other.duration > max(self._duration, self.plot.duration):
                self._set_axis()
            if self._instead and not self.other.failure:
                self._timeline = self.other.timeline()
                until = float(self._timeline.time[-1]) if len(self._timeline) else 0.0
                until = recording.duration if self.other.complete else until
            self.plot.set_other(own if self._instead else self.other.timeline())
            names = (recording.title, self.other.title)
            if isinstance(self.other, Rerun):
                names = (self.other.title, self.other.before)
            self.legend.show_names(*names)
        self.plot.set_timeline(self._timeline, until)

    def compare(self, other: Comparison, instead: bool = False) -> None:
        """Show another trajectory on the same axis; it belongs to the page from here on.

        It is dashed, or with `instead` drawn through while the recording's own is dashed.
        """
        self._drop_other()
        self.other, self._instead = other, instead
        self._set_axis()
        self.refresh()

    def end_comparison(self) -> None:
        """Show the recording alone again."""
        if self.other is not None:
            self._drop_other()
            self._set_axis()
            self.refresh()

    @property
    def comparing(self) -> bool:
        """Whether more of what it is compared with will come."""
        return self.other is not None and not (self.other.complete or self.other.failure)

    def _drop_other(self) -> None:
        if self.other is not None:
            other, self.other, self._instead = self.other, None, False
            other.close()
            self.legend.hide()
            self.plot.set_other(None)

    def tick(self) -> None:
        """Bring everything to the present position; thirty times a second while playing."""
        if self.playback is None or self.recording is None:
            return
        self.playback.tick()
        self._show_picture()
        self._show_moment()
        self.plot.set_position(self.seconds)
        self.transport.set_position(self.seconds)
        self.transport.set_playing(self.playback.playing)
        self.transport.set_notice(self.playback.notice or "")
        self.transcript.set_time(self.playback.position)

    def play(self) -> None:
        if self.playback is not None and not self.playback.playing:
            self.toggle()

    def toggle(self) -> None:
        if self.playback is not None:
            self.playback.toggle()
            self.transcript.follow()
            self.tick()

    def seek(self, seconds: float) -> None:
        if self.playback is not None:
            self.playback.seek(from_seconds(seconds))
            self.tick()

    def seek_by(self, seconds: float) -> None:
        self.seek(self.seconds + seconds)

    def set_loop(self, span: tuple[float, float] | None) -> None:
        """Repeat these seconds while playing; None for none."""
        if span is not None and span[1] - span[0] < SHORTEST_LOOP:
            span = None
        if self.playback is not None:
            self.playback.loop = span and (from_seconds(span[0]), from_seconds(span[1]))
        self.plot.set_loop(span)
        self.transport.set_loop(span)

    def loop_from_here(self, *, end: bool) -> None:
        """Let the range that repeats begin at the position, or end there."""
        if self.playback is None:
            return
        loop = self.playback.loop
        begin, stop = (0.0, self._duration) if loop is None else map(to_seconds, loop)
        here = self.seconds
        if end:
            self.set_loop((begin if begin < here else 0.0, here))
        else:
            self.set_loop((here, stop if stop > here else self._duration))

    def set_speed(self, speed: float) -> None:
        if self.playback is not None:
            self.playback.set_speed(speed)
            self.transport.set_speed(speed)

    def change_speed(self, steps: int) -> None:
        """So many speeds faster, or slower where negative."""
        if self.playback is not None:
            index = SPEEDS.index(self.playback.speed) + steps
            self.set_speed(SPEEDS[min(max(index, 0), len(SPEEDS) - 1)])

    def step(self, pictures: int) -> None:
        if self.playback is not None:
            self.playback.step(pictures)
            self.tick()

    def seek_word(self, step: int) -> None:
        """To the next word (1) or the one before (-1)."""
        if self.playback is not None:
            start = self.transcript.neighbour(self.playback.position, step)
            if start is not None:
                self.seek(to_seconds(start))

    def set_volume(self, level: float, muted: bool | None = None) -> None:
        """Loudness 0 to 1; moving it ends muting."""
        if self.playback is None:
            return
        level = min(max(level, 0.0), 1.0)
        volume = self.playback.volume
        volume.level = level
        volume.muted = False if muted is None else muted
        self._settings.setValue("volume", level)
        self.transport.set_volume(level, volume.muted)

    def change_volume(self, by: float) -> None:
        if self.playback is not None:
            self.set_volume(self.playback.volume.level + by)

    def toggle_mute(self) -> None:
        if self.playback is not None:
            volume = self.playback.volume
            self.set_volume(volume.level, muted=not volume.muted)

    def apply_theme(self, theme: Theme) -> None:
        for view in (self.picture, self.chips, self.transcript, self.graph, self.plot, self.now):
            view.apply_theme(theme)
        for bar in (self.transport, self.legend):
            bar.apply_theme(theme)

    def _show_picture(self) -> None:
        assert self.playback is not None
        assert self.recording is not None
        picture = self.playback.picture()
        if picture is None and self.playback.waiting:
            return  # rather the picture that was there than none
        if picture is None:
            gone = self.recording.media is None
            note = "The video is no longer where it was." if gone else "No picture"
            self.picture.set_picture(None, None, note if self.playback.settled or gone else "")
            return
        landmarks = self.recording.landmarks_at(to_seconds(picture.start))
        self.picture.set_picture(picture.data.image, landmarks)

    def _show_moment(self) -> None:
        moment = moment_at(self._timeline, self.seconds)
        if moment.same_row(self._moment):
            return
        self._moment = moment
        self.now.set_moment(moment)
        self.graph.set_moment(moment)
        self.chips.set_moment(moment)

    def _scrub(self, down: bool) -> None:
        """While the button is down the sound rests."""
        if self.playback is None:
            return
        if down:
            self._was_playing = self.playback.playing
            self.playback.pause()
        elif self._was_playing:
            self.playback.play()
        self.tick()

    def _word_clicked(self, start: int) -> None:
        self.seek(to_seconds(start))

    def _connect(self) -> None:
        self.plot.sought.connect(self.seek)
        self.plot.scrubbing.connect(self._scrub)
        self.transcript.word_clicked.connect(self._word_clicked)
        self.plot.range_chosen.connect(lambda start, end: self.set_loop((start, end)))
        self.plot.range_dropped.connect(lambda: self.set_loop(None))
        self.transport.loop_pressed.connect(lambda: self.set_loop(None))
        self.transport.speed_chosen.connect(self.set_speed)
        self.legend.closed.connect(self.end_comparison)
        self.now.emphasised.connect(self.plot.emphasise)
        self.transport.play_pressed.connect(self.toggle)
        self.transport.sought.connect(self.seek)
        self.transport.scrubbing.connect(self._scrub)
        self.transport.volume_changed.connect(self.set_volume)
        self.transport.mute_pressed.connect(self.toggle_mute)
