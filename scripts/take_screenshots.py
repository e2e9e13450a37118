"""Pictures of the window for the documentation, rendered without a display.

    python scripts/take_screenshots.py VIDEO --at 3.2 --out docs

writes window.png and window-dark.png (the video played), live.png and live-dark.png (the same video
in place of camera and microphone, after half a minute) and trajectories.png (what
`affectscope analyze --picture` draws of it). Needs a font package such as
fonts-dejavu-core, and a machine that is not busy: a live session that cannot keep up says so.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("OMP_NUM_THREADS", "1")

from PyQt6.QtCore import QEventLoop, QSettings, QTimer
from PyQt6.QtWidgets import QApplication

from desktop.appearance import Choice
from desktop.live_opening import LiveRequest
from desktop.main_window import MainWindow
from desktop.open_recording import open_recording
from desktop.trajectory_picture import draw_trajectories
from extractors import Session
from extractors.sources import SourceChoice
from inference.analysis import Analysis
from inference.models import Models

PATIENCE = 600.0
"""Seconds that an analysis may take before the picture is made of what is there."""
LIVE = 28.0
"""Seconds of a live session before its picture is made."""

WINDOWS = ("window", "live")
PARTS = (*WINDOWS, "trajectories")


def wait(milliseconds: int) -> None:
    """Let the window work."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(reached: Callable[[], bool]) -> None:
    """Let the window work until something is reached, or patience ends."""
    end = monotonic() + PATIENCE
    while not reached() and monotonic() < end:
        wait(100)


@contextmanager
def opened(theme: Choice, size: tuple[int, int]) -> Iterator[MainWindow]:
    """A window without any memory."""
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat)
        window = MainWindow(settings)
        window.appearance.choose(theme)
        window.resize(*size)
        window.show()
        yield window
        window.close()
        window.deleteLater()


def save(window: MainWindow, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    window.grab().save(str(target))
    print(target)


def show_recording(window: MainWindow, video: Path, seconds: float) -> None:
    """The video, analysed, at `seconds`."""
    window.open_with(lambda: open_recording(video))
    recording = window.recording
    assert recording is not None
    wait_until(lambda: recording.complete or recording.failure is not None)
    wait(300)
    window.page.seek(seconds)
    window._wake()
    wait(700)


def show_live(window: MainWindow, video: Path) -> None:
    """The video in place of camera and microphone, with a marker."""
    source = SourceChoice("file", str(video.absolute()))
    page = window.live.page
    page.memory.agree()
    window.live.open(LiveRequest({"video": source, "audio": source}))
    wait_until(lambda: page.live is not None)
    page.start()
    wait_until(lambda: page.live is None or page.live.now > 0.6 * LIVE)
    page.mark("Question 2")
    wait_until(lambda: page.live is None or page.live.now > LIVE)


def draw_picture(video: Path, target: Path) -> None:
    """What the curves of the video look like without any window."""
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder, video.stem)
        analysis = Analysis(video, session, Models())
        analysis.start()
        analysis.finish()
        draw_trajectories(Session(session), target)
    print(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", metavar="VIDEO", type=Path)
    parser.add_argument("--at", type=float, default=3.2, help="seconds (3.2)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder (docs)")
    parser.add_argument("--size", default="1280x800", help="pixels (1280x800)")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    args = parser.parse_args()
    width, height = (int(part) for part in args.size.split("x"))
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    for theme, suffix in ((Choice.LIGHT, ""), (Choice.DARK, "-dark")):
        for part in WINDOWS:
            if args.only not in (None, part):
                continue
            with opened(theme, (width, height)) as window:
                if part == "window":
                    show_recording(window, args.video, args.at)
                else:
                    show_live(window, args.video)
                save(window, args.out / f"{part}{suffix}.png")
    if args.only in (None, "trajectories"):
        draw_picture(args.video, args.out / "trajectories.png")


if __name__ == "__main__":
    main()
