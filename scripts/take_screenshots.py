"""Pictures of the window for the documentation, rendered without a display.

    python scripts/take_screenshots.py VIDEO_OR_SESSION --at 3.2 --out docs/pictures

writes window-light.png and window-dark.png. Needs a font package such as fonts-dejavu-core.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PyQt6.QtCore import QEventLoop, QSettings, QTimer
from PyQt6.QtWidgets import QApplication

from desktop.appearance import Choice
from desktop.main_window import MainWindow
from desktop.open_recording import open_recording
from desktop.recording import Recording

PATIENCE = 600.0
"""Seconds that an analysis may take before the picture is made of what is there."""


def wait(milliseconds: int) -> None:
    """Let the window work."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def take(
    make: Callable[[], Recording] | None,
    seconds: float,
    theme: Choice,
    size: tuple[int, int],
    target: Path,
    until_complete: bool = True,
) -> None:
    """Render the window with a recording at `seconds` (or empty) into `target`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat)
        window = MainWindow(settings)
        window.appearance.choose(theme)
        window.resize(*size)
        window.show()
        if make is not None:
            window.open_with(make)
            end = monotonic() + PATIENCE
            while until_complete and window.recording is not None and monotonic() < end:
                if window.recording.complete or window.recording.failure:
                    break
                wait(200)
            wait(300)
            window.page.seek(seconds)
            window._wake()
        wait(700)
        target.parent.mkdir(parents=True, exist_ok=True)
        window.grab().save(str(target))
        window.close()
        window.deleteLater()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", metavar="VIDEO_OR_SESSION", type=Path)
    parser.add_argument("--at", type=float, default=3.2, help="seconds (3.2)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder (docs)")
    parser.add_argument("--size", default="1280x800", help="pixels (1280x800)")
    args = parser.parse_args()
    width, height = (int(part) for part in args.size.split("x"))
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    for theme in (Choice.LIGHT, Choice.DARK):
        target = args.out / f"window-{theme.value}.png"
        take(lambda: open_recording(args.recording), args.at, theme, (width, height), target)
        print(target)


if __name__ == "__main__":
    main()
