"""A live window brought to where a test begins: its page looks at the session while one waits."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from desktop.main_window import MainWindow

__all__ = ["begin", "until"]


def begin(qtbot: QtBot, window: MainWindow) -> None:
    """Open the live page, where that has not been done, and start a session."""
    window.live.open()
    window.live.page.start()
    until(qtbot, window, lambda: window.live.page.running)


def until(qtbot: QtBot, window: MainWindow, reached: Callable[[], bool]) -> None:
    """Let the page look at its session until something is reached."""

    def looked() -> bool:
        window.live.page.tick()
        return reached()

    qtbot.waitUntil(looked)
