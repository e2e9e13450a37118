"""How smoothly the live window moves while everything works: a file stands for the devices.

    python benchmarks/live_window_smoothness.py [--seconds 40] [--clip FILE] [--blocks 5]

The real window, without a display, and the real session: face, words, voice, network and recorder.
A timer of the window's thread fires every 5 ms; where it fires later, something blocked the window
for so long. Of each stop it is told how much of it was the thread's own work, how much it waited
for a processor (Linux: what others on the machine do), and the rest, most of it waiting for the
interpreter. Prints one JSON object: the longest stops while it opens, while models load, in the
first five seconds and afterwards; how often a second the trajectory was painted; the delays from
capture to display and from the end of a word to its commitment.
"""

import argparse
import ctypes
import json
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("OMP_NUM_THREADS", "1")

from PyQt6 import sip
from PyQt6.QtCore import QEvent, QEventLoop, QObject, QSettings, Qt, QTimer
from PyQt6.QtWidgets import QApplication

from assets import ASSETS
from desktop.live_opening import LiveRequest
from desktop.main_window import MainWindow
from extractors.sources import SourceChoice
from inference.live import LiveState

BEAT = 5
"""Milliseconds."""
FIRST = 5.0
PHASES = ("opening", "preview", "loading", "first seconds", "running")


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds: of the clock, of the thread's work, and of its waiting for a processor."""

    wall: float
    work: float
    waiting: float


@dataclass(frozen=True, slots=True)
class Stop:
    """A time in which the window's thread did nothing for anybody; milliseconds."""

    at: float
    """Seconds since the window was opened."""
    ms: float
    work: float
    waiting: float


class Waiting:
    """How long this thread waited for a processor so far; 0 where the system does not say.

    Read without letting the interpreter go: whoever took it meanwhile would stop the window.
    """

    def __init__(self) -> None:
        try:
            self._file = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", 0)
        except OSError:
            self._file = -1
        self._text = ctypes.create_string_buffer(128)
        self._read = ctypes.PyDLL(None).pread if self._file >= 0 else None

    def __call__(self) -> float:
        """Seconds."""
        if self._read is None:
            return 0.0
        length = self._read(self._file, self._text, 127, 0)
        return int(self._text.raw[:length].split()[1]) / 1e9


class Heart(QObject):
    """Beats in the window's thread, and remembers where it stood still."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = PHASES[0]
        self.stops: dict[str, list[Stop]] = {phase: [] for phase in PHASES}
        self._waiting = Waiting()
        self._began = self._last = self._present()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT)

    def enter(self, phase: str) -> None:
        self._beat()
        self.phase = phase

    def _beat(self) -> None:
        now, last = self._present(), self._last
        self._last = now
        late = (now.wall - last.wall) * 1e3 - BEAT
        if late > 1:
            work, waiting = (now.work - last.work) * 1e3, (now.waiting - last.waiting) * 1e3
            self.stops[self.phase].append(Stop(now.wall - self._began.wall, late, work, waiting))

    def _present(self) -> Moment:
        return Moment(time.perf_counter(), time.thread_time(), self._waiting())


class Paints(QObject):
    """Counts how often a widget is painted."""

    count = 0

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        self.count += event is not None and event.type() == QEvent.Type.Paint
        return False


def wait(seconds: float) -> None:
    """Let the window work."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def told(stops: list[Stop], most: int) -> dict[str, Any]:
    longest = sorted(stops, key=lambda stop: stop.ms - stop.waiting, reverse=True)[:most]
    return {
        "longest_ms": round(max((stop.ms for stop in stops), default=0.0)),
        "longest_without_waiting_for_a_processor_ms": round(
            max((stop.ms - stop.waiting for stop in stops), default=0.0)
        ),
        "over_50_ms": sum(stop.ms > 50 for stop in stops),
        "longest": [
            f"{stop.ms:.0f} ms at {stop.at:.2f} s, {stop.work:.0f} of work, {stop.waiting:.0f} "
            "waiting for a processor"
            for stop in longest
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0, help="how long it runs")
    parser.add_argument("--clip", type=Path, default=ASSETS / "sample" / "sample.mp4")
    parser.add_argument(
        "--blocks", type=int, default=5, help="how many stops are told of each part"
    )
    options = parser.parse_args()
    clip = SourceChoice("file", str(options.clip.resolve()))
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat)
        window = MainWindow(settings)
        page, paints = window.live.page, Paints()
        page.memory.agree()
        page.plot.installEventFilter(paints)
        window.resize(1280, 800)
        window.show()
        wait(1.0)
        heart = Heart()
        wait(0.1)
        window.live.open(LiveRequest({"video": clip, "audio": clip}, Path(folder, "session")))
        while page.live is None:
            wait(0.05)
        heart.enter("preview")
        wait(2.0)
        heart.enter("loading")
        page.start()
        while page.state is not LiveState.RUNNING:
            wait(0.05)
        heart.enter("first seconds")
        wait(FIRST)
        heart.enter("running")
        painted, began = paints.count, time.perf_counter()
        wait(options.seconds - FIRST)
        rate = (paints.count - painted) / (time.perf_counter() - began)
        stops = {phase: told(found, options.blocks) for phase, found in heart.stops.items()}
        health = page.live.health()
        latencies = {
            name: {"p50": round(found.p50), "p95": round(found.p95)}
            for name in ("displayed", "words")
            if (found := health.latency.get(name)) is not None
        }
        events = [event.data.text for event in page.live.events()]
        window.close()
        for thread in threading.enumerate():
            if thread.name.startswith("affectscope"):
                thread.join(10.0)
        sip.delete(window)
    print(
        json.dumps(
            {
                "load": [round(load[0], 2), round(os.getloadavg()[0], 2)],
                "stops": stops,
                "paints_per_second": round(rate, 1),
                "delays_ms": latencies,
                "pictures_looked_at_for_faces_a_second": health.rates.get("face"),
                "step": health.step,
                "events": events,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
