"""The menu behind the button at the upper right."""

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu

from desktop.appearance import Choice
from desktop.comparison import compare_with, run_again

if TYPE_CHECKING:
    from desktop.main_window import MainWindow

__all__ = ["fill_menu"]


def fill_menu(window: "MainWindow") -> QAction:
    """Build the menu. Returns the switch of the face mesh, which a key turns too."""
    menu = QMenu(window)
    menu.addAction("Live", lambda: window.live.open())
    menu.addAction("Open\N{HORIZONTAL ELLIPSIS}", window.ask_for_file)
    menu.addAction("Library", lambda: window.library.open())
    menu.addAction("Export\N{HORIZONTAL ELLIPSIS}", window.library.export_shown)
    recent = QMenu("Open recent", menu)
    menu.addMenu(recent)
    recent.aboutToShow.connect(lambda: _fill_recent(recent, window))
    menu.addSeparator()
    comparing = [
        menu.addAction("Compare with\N{HORIZONTAL ELLIPSIS}", lambda: compare_with(window)),
        menu.addAction("Run again with another checkpoint\N{HORIZONTAL ELLIPSIS}",
                       lambda: run_again(window)),
    ]  # fmt: skip
    menu.addAction("Where recordings go\N{HORIZONTAL ELLIPSIS}", window.live.ask_for_folder)
    end = menu.addAction("End the comparison", window.page.end_comparison)
    menu.addSeparator()
    mesh = QAction("Face mesh", menu)
    mesh.setCheckable(True)
    mesh.setChecked(True)
    mesh.toggled.connect(window.page.toggle_landmarks)
    mesh.toggled.connect(window.live.page.toggle_landmarks)
    menu.addAction(mesh)
    menu.addAction("Full screen", window.toggle_fullscreen)
    themes = QMenu("Theme", menu)
    menu.addMenu(themes)
    group = QActionGroup(themes)
    for choice, text in (
        (Choice.SYSTEM, "As the system"),
        (Choice.LIGHT, "Light"),
        (Choice.DARK, "Dark"),
    ):
        action = QAction(text, group)
        action.setCheckable(True)
        action.setData(choice)
        action.triggered.connect(lambda _on, choice=choice: window.appearance.choose(choice))
        themes.addAction(action)
    themes.aboutToShow.connect(lambda: _check_theme(group, window))
    menu.addSeparator()
    menu.addAction("Keys", window.help.toggle)
    menu.addAction("Close what is open", window.close_part)
    menu.addAction("Quit", window.close)
    window.head.menu.setMenu(menu)

    def enable() -> None:
        for action in comparing:
            assert action is not None
            action.setEnabled(window.recording is not None)
        assert end is not None
        end.setVisible(window.page.other is not None)

    menu.aboutToShow.connect(enable)
    return mesh


def _fill_recent(menu: QMenu, window: "MainWindow") -> None:
    menu.clear()
    paths = window.recent.paths()
    if not paths:
        menu.addAction("Nothing yet").setEnabled(False)  # type: ignore[union-attr]
    for path in paths:
        _add_recent(menu, window, path)


def _add_recent(menu: QMenu, window: "MainWindow", path: Path) -> None:
    menu.addAction(path.name.replace("&", "&&"), lambda: window.open_path(path))


def _check_theme(group: QActionGroup, window: "MainWindow") -> None:
    for action in group.actions():
        action.setChecked(action.data() is window.appearance.choice)
