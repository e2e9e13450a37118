"""What the live page remembers between runs: devices, whether and where it records, the consent."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PyQt6.QtCore import QSettings

from desktop.argument_types import picture_rate, picture_size
from desktop.library import library_folder
from extractors.recording.expiry import Removal
from extractors.sources import PictureWish, SourceChoice

__all__ = ["CONSENT", "Keeping", "LiveMemory"]

CONSENT = 2
"""Version of what is agreed to; it is asked again when that changes."""

T = TypeVar("T")
KINDS = ("device", "file", "url", "synthetic")


@dataclass(frozen=True, slots=True)
class Keeping:
    """After how many days a recording is removed by itself, and how."""

    days: int | None = None
    """None: never."""
    then: Removal = "trash"


class LiveMemory:
    """A camera and a microphone by their names, found again under another number."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    @property
    def agreed(self) -> bool:
        return str(self._settings.value("live/consent", "")) == str(CONSENT)

    def agree(self) -> None:
        self._settings.setValue("live/consent", CONSENT)

    def choice(self, which: str) -> SourceChoice | None:
        """Of "video" or "audio"; the default device where nothing is remembered."""
        try:
            values: Any = json.loads(str(self._settings.value(f"live/{which}", "{}")))
            if values is None:
                return None
            kind = values.get("kind", "device")
            if kind not in KINDS or (kind == "file" and not Path(values["where"]).is_file()):
                return SourceChoice("device")
            return SourceChoice(kind, str(values.get("where", "")), str(values.get("name", "")))
        except (ValueError, AttributeError, KeyError):
            return SourceChoice("device")

    def remember(self, which: str, choice: SourceChoice | None) -> None:
        values = choice and {"kind": choice.kind, "where": choice.where, "name": choice.name}
        self._settings.setValue(f"live/{which}", json.dumps(values))

    @property
    def picture(self) -> PictureWish:
        """What is asked of cameras."""
        return PictureWish(
            self._read("live/picture_size", picture_size),
            self._read("live/picture_rate", picture_rate),
        )

    @picture.setter
    def picture(self, wish: PictureWish) -> None:
        size = "" if wish.size is None else "{}x{}".format(*wish.size)
        self._settings.setValue("live/picture_size", size)
        self._settings.setValue("live/picture_rate", "" if wish.rate is None else f"{wish.rate:g}")

    def _read(self, key: str, meaning: Callable[[str], T]) -> T | None:
        try:
            return meaning(str(self._settings.value(key, "")))
        except ArgumentTypeError:
            return None

    @property
    def recording(self) -> bool:
        return str(self._settings.value("live/record", "false")) == "true"

    @recording.setter
    def recording(self, on: bool) -> None:
        self._settings.setValue("live/record", "true" if on else "false")

    @property
    def features_only(self) -> bool:
        """Whether neither picture nor sound is recorded."""
        return str(self._settings.value("live/features_only", "false")) == "true"

    @features_only.setter
    def features_only(self, on: bool) -> None:
        self._settings.setValue("live/features_only", "true" if on else "false")

    @property
    def keeping(self) -> Keeping:
        """For how long recordings are kept."""
        values = str(self._settings.value("live/keep", "")).split()
        if len(values) == 2 and values[0].isdecimal() and values[1] in ("trash", "delete"):
            return Keeping(int(values[0]), "delete" if values[1] == "delete" else "trash")
        return Keeping()

    @keeping.setter
    def keeping(self, keeping: Keeping) -> None:
        kept = "" if keeping.days is None else f"{keeping.days} {keeping.then}"
        self._settings.setValue("live/keep", kept)

    def outlet(self, kind: str) -> tuple[bool, str]:
        """Whether an outlet is on, and what was typed beside it; "" if nothing was."""
        on = str(self._settings.value(f"live/{kind}_on", "false")) == "true"
        return on, str(self._settings.value(f"live/{kind}_to", ""))

    def remember_outlet(self, kind: str, on: bool, to: str) -> None:
        self._settings.setValue(f"live/{kind}_on", "true" if on else "false")
        self._settings.setValue(f"live/{kind}_to", to)

    @property
    def baseline(self) -> Path | None:
        """The file of a person at rest to whom every session is fitted; None: to nobody."""
        chosen = str(self._settings.value("live/baseline", ""))
        return Path(chosen) if chosen else None

    @baseline.setter
    def baseline(self, path: Path | None) -> None:
        self._settings.setValue("live/baseline", "" if path is None else str(path))

    @property
    def folder(self) -> Path:
        """Where recordings go; the library looks there."""
        chosen = self._settings.value("live/folder")
        return library_folder() if chosen is None else Path(str(chosen))

    @folder.setter
    def folder(self, path: Path) -> None:
        self._settings.setValue("live/folder", str(path))
