"""Whether a window can be shown at all, found out before Qt ends the process over it."""

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from assets.errors import BadInput

__all__ = ["prepare_display"]

INSTEAD = "use 'affectscope analyze VIDEO --out DIR' instead"


def prepare_display() -> None:
    """Raises BadInput with what to do where Qt would abort: no display, or a library missing."""
    # OpenCV sets these at import, for a Qt of its own.
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        os.environ.pop(name, None)
    if not sys.platform.startswith("linux"):
        return
    if "QT_QPA_PLATFORM" not in os.environ:
        _check_reachable(os.environ)
    _check_libraries(os.environ)


def _check_reachable(environment: Mapping[str, str]) -> None:
    wayland, x11 = environment.get("WAYLAND_DISPLAY"), environment.get("DISPLAY")
    if not wayland and not x11:
        raise BadInput(f"no display to show a window on (DISPLAY is not set): {INSTEAD}")
    if wayland:
        path = Path(environment.get("XDG_RUNTIME_DIR", "/"), wayland)
        if _answers(socket.AF_UNIX, str(path)):
            return
    if x11 and _x11_answers(x11):
        return
    raise BadInput(f"the display {wayland or x11} does not answer: {INSTEAD}")


def _x11_answers(display: str) -> bool:
    """Whether a server listens at [host]:number[.screen]."""
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix"):
        name = f"/tmp/.X11-unix/X{number}"
        return _answers(socket.AF_UNIX, name) or _answers(socket.AF_UNIX, f"\0{name}")
    return _answers(socket.AF_INET, (host, 6000 + int(number)))


def _answers(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _check_libraries(environment: Mapping[str, str]) -> None:
    """Load what Qt will load: the dynamic linker names the library that is missing, Qt does not."""
    try:
        import PyQt6.QtCore
        import PyQt6.QtWidgets
    except ImportError as error:
        raise BadInput(_missing(str(error))) from error
    if environment.get("QT_QPA_PLATFORM", "xcb").startswith("xcb") and environment.get("DISPLAY"):
        plugins = PyQt6.QtCore.QLibraryInfo.path(PyQt6.QtCore.QLibraryInfo.LibraryPath.PluginsPath)
        plugin = Path(plugins, "platforms", "libqxcb.so")
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise BadInput(_missing(str(error))) from error


def _missing(error: str) -> str:
    name = error.split(":", 1)[0]
    return f"the window needs the system library {name}: install it (see README), or {INSTEAD}"
