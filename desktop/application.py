"""Starts Qt, shows the window, and sees to it that nothing ends the process unasked."""

import logging
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType

from desktop.display import prepare_display
from desktop.live_opening import LiveRequest
from desktop.recording import Recording

__all__ = ["run_window"]

log = logging.getLogger(__name__)


def run_window(
    recording_factory: Callable[[], Recording] | None,
    path: Path | None = None,
    live: LiveRequest | None = None,
) -> int:
    """Show the window until it is closed; returns the exit code.

    `recording_factory` is called once the window is visible; without it the window is empty, or
    opens `path` and remembers it, or with `live` shows camera and microphone. Raises BadInput where
    no window can be shown.
    """
    prepare_display()
    from PyQt6 import sip
    from PyQt6.QtCore import QSettings, QSocketNotifier, QTimer
    from PyQt6.QtWidgets import QApplication

    from desktop.live_opening import make_live
    from desktop.main_window import MainWindow
    from desktop.upkeep_at_start import UpkeepAtStart

    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("Affectscope")
    application.setOrganizationName("affectscope")
    application.setDesktopFileName("affectscope")
    application.setStyle("Fusion")
    settings = QSettings()
    window = MainWindow(
        settings, make_live=partial(make_live, checkpoint=live.checkpoint if live else "live")
    )
    restore_hook = _show_exceptions(window.show_problem)
    reader, writer = socket.socketpair()
    notifier = QSocketNotifier(sip.voidptr(reader.fileno()), QSocketNotifier.Type.Read)
    notifier.activated.connect(window.close)
    restore_signals = _close_on_interrupt(writer)
    upkeep = UpkeepAtStart()
    ticks = QTimer()
    ticks.timeout.connect(lambda: None if upkeep.poll(window.show_problem) else ticks.stop())
    try:
        window.show()
        ticks.start(200)
        if recording_factory is not None:
            factory = recording_factory
            QTimer.singleShot(0, lambda: window.open_with(factory))
        elif path is not None:
            QTimer.singleShot(0, lambda: window.open_path(path, play=True))
        elif live is not None:
            request = live
            QTimer.singleShot(0, lambda: window.live.open(request))
        return application.exec()
    finally:
        ticks.stop()
        window.close()
        settings.sync()  # the process may end without Qt's own end
        upkeep.join(3.0)
        restore_signals()
        restore_hook()
        notifier.setEnabled(False)
        reader.close()
        writer.close()
        # Left to the interpreter's end, widgets may outlive the application: that is a crash.
        sip.delete(ticks)
        sip.delete(notifier)
        sip.delete(window)


def _show_exceptions(show: Callable[[str], None]) -> Callable[[], None]:
    """PyQt ends the process over an exception in a slot unless there is a hook of our own."""
    before = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        log.error("unexpected error in the window", exc_info=(kind, error, traceback))
        show(f"Something went wrong: {kind.__name__}: {error}")

    sys.excepthook = hook

    def restore() -> None:
        sys.excepthook = before

    return restore


def _close_on_interrupt(writer: socket.socket) -> Callable[[], None]:
    """Python runs signal handlers between bytecodes, of which Qt's loop has none: wake it."""
    writer.setblocking(False)
    number = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    before = [
        (which, signal.signal(which, lambda *_: None)) for which in (signal.SIGINT, signal.SIGTERM)
    ]

    def restore() -> None:
        signal.set_wakeup_fd(number)
        for which, handler in before:
            signal.signal(which, handler)

    return restore
