"""Which cameras and microphones there are, with their names where the system tells them."""

from dataclasses import dataclass
from pathlib import Path

from extractors.sources.choice import SourceChoice

__all__ = ["Device", "cameras", "microphones"]

VIDEO4LINUX = Path("/sys/class/video4linux")
UNNAMED = 4
"""How many cameras are offered by number where the system lists none (macOS, Windows)."""


@dataclass(frozen=True, slots=True)
class Device:
    """A camera or a microphone."""

    where: str
    """What opens it: a number."""
    name: str
    default: bool = False

    @property
    def choice(self) -> SourceChoice:
        return SourceChoice("device", self.where, self.name)


def cameras(folder: Path = VIDEO4LINUX, *, linux: bool | None = None) -> tuple[Device, ...]:
    """The cameras, without opening any, the default first.

    On Linux by Video4Linux; a camera's further nodes (metadata) are left out. Elsewhere the first
    numbers are offered unseen.
    """
    import sys

    if not (sys.platform.startswith("linux") if linux is None else linux):
        return tuple(Device(str(i), f"Camera {i}", i == 0) for i in range(UNNAMED))
    found: list[tuple[int, str]] = []
    for node in folder.glob("video*") if folder.is_dir() else ():
        number = node.name.removeprefix("video")
        try:
            name = (node / "name").read_text(errors="replace").strip()
            index = (node / "index").read_text().strip()
        except OSError:
            continue  # it has just been unplugged
        if number.isdigit() and index == "0":
            found.append((int(number), name or f"Camera {number}"))
    found.sort()
    return tuple(Device(str(number), name, i == 0) for i, (number, name) in enumerate(found))


def microphones(*, refresh: bool = False) -> tuple[Device, ...]:
    """The sound inputs, the default first; none without the PortAudio library or a device.

    PortAudio lists devices once. `refresh` makes it look again, which ends every open stream of
    this process: only for when none is open.
    """
    try:
        import sounddevice
    except (ImportError, OSError):
        return ()
    try:
        if refresh:
            sounddevice._terminate()
            sounddevice._initialize()
        devices = list(sounddevice.query_devices())
        default = sounddevice.default.device[0]
    except sounddevice.PortAudioError:
        return ()
    found = [
        Device(str(index), str(device["name"]), index == default)
        for index, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]
    return tuple(sorted(found, key=lambda device: not device.default))
