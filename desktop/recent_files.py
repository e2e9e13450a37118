"""What was open lately, remembered between runs."""

from pathlib import Path

from PyQt6.QtCore import QSettings

__all__ = ["RecentFiles"]

KEPT = 8


class RecentFiles:
    """The newest first; what is gone is left out."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def paths(self) -> list[Path]:
        stored = self._settings.value("recent", [])
        names = [stored] if isinstance(stored, str) else list(stored or [])
        return [Path(name) for name in names if Path(name).exists()]

    def add(self, path: Path) -> None:
        """Put `path` first."""
        path = path.resolve()
        others = [other for other in self.paths() if other != path]
        self._settings.setValue("recent", [str(p) for p in [path, *others][:KEPT]])
