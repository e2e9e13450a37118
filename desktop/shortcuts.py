"""The keys of the window, in one table that the help shows too."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

__all__ = ["KEYS", "bind_keys", "keys_text"]

KEYS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("toggle", ("Space",), "Play or pause"),
    ("back", ("Left",), "1 second back"),
    ("on", ("Right",), "1 second on"),
    ("far_back", ("Shift+Left",), "5 seconds back"),
    ("far_on", ("Shift+Right",), "5 seconds on"),
    ("picture_back", (",",), "One picture back"),
    ("picture_on", (".",), "One picture on"),
    ("word_back", ("Ctrl+Left",), "Word before"),
    ("word_on", ("Ctrl+Right",), "Next word"),
    ("start", ("Home",), "To the start"),
    ("end", ("End",), "To the end"),
    ("louder", ("Up",), "Louder"),
    ("quieter", ("Down",), "Quieter"),
    ("mute", ("M",), "Sound off or on"),
    ("landmarks", ("L",), "Face mesh on or off"),
    ("theme", ("D",), "Light or dark"),
    ("fullscreen", ("F", "F11"), "Full screen"),
    ("leave", ("Escape",), "Leave full screen, close the message"),
    ("open", ("O", "Ctrl+O"), "Open"),
    ("quit", ("Ctrl+Q",), "Quit"),
)
"""(name, keys, what it does)."""


def bind_keys(
    window: QWidget,
    actions: Mapping[str, Callable[[], object]],
    emphasise: Callable[[int], object],
) -> None:
    """Connect each name of `KEYS`, and the figures 1 to 7 (0 for none) with an emotion.

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


def keys_text() -> str:
    """The table as HTML for the help."""
    rows = [(", ".join(keys), text) for _, keys, text in KEYS]
    rows.append(("1 to 7, 0", "Emphasise an emotion, none"))
    cells = "".join(f"<tr><td><b>{k}</b>&nbsp;&nbsp;&nbsp;</td><td>{t}</td></tr>" for k, t in rows)
    return f"<table cellspacing='4'>{cells}</table>"
