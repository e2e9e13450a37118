"""The live session of a window, from the moment it is made to the moment it has ended.

What takes time happens in threads; everything here returns at once and is looked at again later.
"""

import threading
from pathlib import Path

from desktop.background import Background
from desktop.live_opening import Devices, ListDevices, MakeLive, Plan
from extractors.sources import SourceChoice
from inference.live import Live, LiveState

__all__ = ["LiveSessions"]

ENDING = 1.8
"""Seconds that a session gets to end in order when the window is closed."""
JOIN = 0.2
"""Seconds that each other thing gets then."""


class LiveSessions:
    """Owns at most one session that is shown, and those that are still ending."""

    def __init__(self, make: MakeLive, list_devices: ListDevices, plan: Plan) -> None:
        self._make, self._list_devices, self._plan = make, list_devices, plan
        self.live: Live | None = None
        self.folder: Path | None = None
        """Where the running session is recorded."""
        self.start_wanted = False
        """Whether it is to start as soon as it is there."""
        self.making: Background[Live] | None = None
        self._late: dict[str, SourceChoice | None] = {}
        """Sources that were chosen while the session was being made."""
        self._unwanted = threading.Event()
        """Of the session that is being made: nobody waits for it any more."""
        self._scan: Background[Devices] | None = None
        self._ending: list[tuple[Live, Path | None]] = []

    @property
    def state(self) -> LiveState:
        return LiveState.STOPPED if self.live is None else self.live.state

    @property
    def running(self) -> bool:
        return self.state in (LiveState.STARTING, LiveState.RUNNING, LiveState.PAUSED)

    @property
    def opening(self) -> bool:
        """Whether devices are looked for or a session is being made."""
        return self.making is not None or self._scan is not None

    @property
    def ending(self) -> bool:
        return bool(self._ending)

    @property
    def completing(self) -> bool:
        """Whether a recording is still being completed."""
        return any(folder is not None for _, folder in self._ending)

    @property
    def in_use(self) -> tuple[bool, bool]:
        """Whether a camera, and a microphone, may be taking something, also while it is closed."""
        lives = [live for live, _ in self._ending]
        lives += [] if self.live is None else [self.live]
        camera = any(live.video_status().in_use for live in lives)
        return camera, any(live.audio_status().in_use for live in lives)

    def look_for_devices(self) -> None:
        if self._scan is None:
            self._scan = Background("devices", self._list_devices)

    def take_devices(self) -> Devices | None:
        """What was found, once; None while there is nothing new."""
        scan = self._scan
        if scan is None or not scan.done:
            return None
        self._scan = None
        return scan.result or Devices()

    def open(self, video: SourceChoice | None, audio: SourceChoice | None) -> None:
        """Make a session with these sources, unless one is there or being made."""
        if self.live is not None or self.making is not None:
            return
        self._late = {}
        make, plan = self._make, self._plan
        unwanted = self._unwanted = threading.Event()

        def work() -> Live:
            live = make(video, audio, plan)
            if unwanted.is_set():
                live.abort()
            return live

        self.making = Background("opening", work)

    def take_session(self) -> str | None:
        """Take over a session that has been made, once. Returns what went wrong, else ""; None
        while there is nothing new."""
        making = self.making
        if making is None or not making.done:
            return None
        self.making = None
        if making.result is None:
            self.start_wanted = False
            return making.failure or ""
        self.live = making.result
        for which, choice in self._late.items():
            self.choose(which, choice)
        self.live.preview()
        return ""

    def choose(self, which: str, choice: SourceChoice | None) -> None:
        """Another source of "video" or "audio", for the session that is there or being made."""
        if self.live is None:
            self._late[which] = choice
        elif which == "video":
            self.live.choose_video(choice)
        else:
            self.live.choose_audio(choice)

    def start(self, folder: Path | None) -> None:
        """Start the session that is there, recorded into `folder` if one is given."""
        assert self.live is not None
        self.start_wanted = False
        self.folder = folder
        self.live.start(folder)

    def stop(self) -> None:
        """End in order."""
        self.start_wanted = False
        if self.live is not None:
            self.live.stop()
            self._ending.append((self.live, self.folder))
            self.live, self.folder = None, None

    def toggle(self) -> bool:
        """Pause, or go on. Returns False if there is nothing to pause."""
        if self.live is not None and self.state is LiveState.RUNNING:
            self.live.pause()
        elif self.live is not None and self.state is LiveState.PAUSED:
            self.live.resume()
        else:
            return False
        return True

    def lost(self) -> str | None:
        """What is to be said of a session that ended though nobody stopped it, once; else None."""
        if self.live is None or self.state is not LiveState.STOPPED:
            return None
        events = self.live.events()
        self._ending.append((self.live, None))
        self.live, self.folder = None, None
        return events[-1].data.text if events else "The live session has ended."

    def ended(self) -> list[Path]:
        """Folders of recordings that have ended since it was asked last."""
        folders = []
        for live, folder in list(self._ending):
            if live.wait(0):
                self._ending.remove((live, folder))
                if folder is not None:
                    folders.append(folder)
        return folders

    def leave(self) -> tuple[bool, list[Path]]:
        """Close all devices and end everything. Whether all ended in time, and the recordings."""
        making, self.making = self.making, None
        scan, self._scan = self._scan, None
        self._unwanted.set()
        if making is not None and making.join(JOIN) and making.result is not None:
            self.live = making.result
        if self.live is not None and self.running:
            self.stop()
        elif self.live is not None:
            self.live.abort()
            self._ending.append((self.live, None))
            self.live = None
        ending, self._ending = self._ending, []
        in_time, recorded = True, []
        for live, folder in ending:
            if not live.wait(ENDING):
                live.abort()
                in_time = live.wait(JOIN) and in_time
            elif folder is not None:
                recorded.append(folder)
        for work in (making, scan):
            in_time = (work is None or work.join(JOIN)) and in_time
        return in_time, recorded
