"""A PulseAudio server of the test's own: a null sink, and its monitor as the microphone."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["SoundServer", "sound_server"]

PATIENCE = 20.0
SCRIPT = """
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=speaker rate={rate} channels=2
load-module module-remap-source master=speaker.monitor source_name=microphone
set-default-sink speaker
set-default-source microphone
"""


class SoundServer:
    """Starts and stops pulseaudio; programs of this process and its children find it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._env = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{self.socket}",
        }

    @property
    def socket(self) -> Path:
        return self._folder / "native"

    @staticmethod
    def available() -> bool:
        return bool(shutil.which("pulseaudio") and shutil.which("paplay"))

    def start(self, rate: int = 48_000) -> None:
        script = self._folder / "script.pa"
        script.write_text(SCRIPT.format(socket=self.socket, rate=rate))
        self._process = subprocess.Popen(
            ["pulseaudio", "-n", "-F", str(script), "--use-pid-file=no", "--exit-idle-time=-1",
             "--daemonize=no", "--disable-shm=yes"],
            env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while subprocess.run(["pactl", "info"], env=self._env, capture_output=True).returncode:
            assert time.monotonic() < until, "pulseaudio does not answer"
            threading.Event().wait(0.05)

    def stop(self) -> None:
        """As when somebody pulls the plug."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)

    def play(self, sound: Path) -> "subprocess.Popen[bytes]":
        """Play a WAV file into the microphone; returns at once."""
        return subprocess.Popen(["paplay", str(sound)], env=self._env)


@contextmanager
def sound_server(folder: Path) -> Iterator[SoundServer]:
    """A running server that `PULSE_SERVER` names."""
    server = SoundServer(folder)
    before = os.environ.get("PULSE_SERVER")
    os.environ["PULSE_SERVER"] = f"unix:{server.socket}"
    try:
        server.start()
        yield server
    finally:
        server.stop()
        if before is None:
            del os.environ["PULSE_SERVER"]
        else:
            os.environ["PULSE_SERVER"] = before
