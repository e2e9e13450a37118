"""The keys of the window, in one table that the help shows too."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

__all__ = ["COLUMNS", "KEYS", "Key", "bind_keys"]


class Key(NamedTuple):
    """An action of the window and the keys that call it."""

    name: str
    keys: tuple[str, ...]
    text: str


PLAYING = (
    Key("toggle", ("Space",), "Play or pause"),
    Key("slower", ("-", "["), "Slower"),
    Key("faster", ("+", "=", "]"), "Faster"),
    Key("usual_speed", ("Backspace",), "Usual speed"),
    Key("loop_start", ("A",), "Repeat from here"),
    Key("loop_end", ("B",), "Repeat up to here"),
    Key("loop_stop", ("C",), "Stop repeating"),
    Key("louder", ("Up",), "Louder"),
    Key("quieter", ("Down",), "Quieter"),
    Key("mute", ("M",), "Sound off or on"),
)
POSITION = (
    Key("back", ("Left",), "1 second back"),
    Key("on", ("Right",), "1 second on"),
    Key("far_back", ("Shift+Left",), "5 seconds back"),
    Key("far_on", ("Shift+Right",), "5 seconds on"),
    Key("picture_back", (",",), "One picture back"),
    Key("picture_on", (".",), "One picture on"),
    Key("word_back", ("Ctrl+Left",), "Word before"),
    Key("word_on", ("Ctrl+Right",), "Next word"),
    Key("start", ("Home",), "To the start"),
    Key("end", ("End",), "To the end"),
)
LIVE = (
    Key("live", ("Ctrl+L",), "Camera and microphone"),
    Key("stop_live", ("Shift+Space",), "Stop"),
    Key("health", ("H",), "Graph or health"),
)
WINDOW = (
    Key("open", ("O", "Ctrl+O"), "Open"),
    Key("close", ("Ctrl+W",), "Close what is open"),
    Key("library", ("Ctrl+B",), "Library"),
    Key("export", ("Ctrl+E",), "Export"),
    Key("landmarks", ("L",), "Face mesh on or off"),
    Key("theme", ("D",), "Light or dark"),
    Key("fullscreen", ("F", "F11"), "Full screen"),
    Key("leave", ("Escape",), "Leave full screen"),
    Key("help", ("?", "F1"), "These keys"),
    Key("quit", ("Ctrl+Q",), "Quit"),
)
KEYS = (*PLAYING, *POSITION, *LIVE, *WINDOW)
ALSO_LIVE = (
    ("Space", "Start, pause, go on"),
    ("M", "Put a marker"),
    ("Ctrl 1 \N{EN DASH} 9", "Put marker 1 to 9"),
)

EMOTIONS = ("1 \N{EN DASH} 7,  0", "Emphasise an emotion")
MOUSE = (
    ("Click word, curves", "Go there"),
    ("Drag time axis", "Repeat that range"),
    ("Click time axis", "Stop repeating"),
    ("Wheel", "Zoom"),
    ("Double-click", "See all"),
)


def bind_keys(
    window: QWidget,
    actions: Mapping[str, Callable[[], object]],
    emphasise: Callable[[int], object],
    mark: Callable[[int], object],
) -> None:
    """Connect each name of `KEYS`, the figures 1 to 7 (0 for none) with an emotion, and with Ctrl
    1 to 9 with a marker.

    Raises KeyError if a name has no action.
    """
    for name, keys, _ in KEYS:
        for key in keys:
            shortcut = QShortcut(QKeySequence(key), window)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(actions[name])
    for number in range(8):
        shortcut = QShortcut(QKeySequence(str(number)), window)
        shortcut.activated.connect(lambda number=number: emphasise(number - 1))
    for number in range(1, 10):
        shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), window)
        shortcut.activated.connect(lambda number=number: mark(number))


def _rows(keys: tuple[Key, ...]) -> tuple[tuple[str, str], ...]:
    names = {"-": "\N{MINUS SIGN}", "Left": "\N{LEFTWARDS ARROW}", "Right": "\N{RIGHTWARDS ARROW}",
             "Up": "\N{UPWARDS ARROW}", "Down": "\N{DOWNWARDS ARROW}", "Escape": "Esc",
             ",": ",", ".": "."}  # fmt: skip

    def shown(key: str) -> str:
        parts = key.split("+") if len(key) > 1 else [key]
        return " ".join(names.get(part, part) for part in parts)

    return tuple(("   ".join(shown(k) for k in key.keys), key.text) for key in keys)


COLUMNS = (
    (("Playing", _rows(PLAYING)), ("Curves", (EMOTIONS,))),
    (("Position", _rows(POSITION)), ("Live", (*_rows(LIVE), *ALSO_LIVE))),
    (("Window", _rows(WINDOW)), ("Mouse", MOUSE)),
)
"""Columns of groups (title, rows of keys and what they do), as the help shows them."""
