"""How far the picture is behind the sound, through a real sound server.

    python benchmarks/sound_and_picture.py

Needs pulseaudio and parec (Debian: pulseaudio, pulseaudio-utils) and ALSA's plugin for it
(libasound2-plugins), no sound card and no display. A clip flashes and beeps once a second; the
window plays it into a null sink, whose monitor is recorded. Printed are the milliseconds from each
beep at the loudspeaker to its flash in the window.
"""

import os
import subprocess
import tempfile
import threading
import time
from fractions import Fraction
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import av
import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QSettings, QTimer
from PyQt6.QtWidgets import QApplication

from desktop.main_window import MainWindow
from tests.desktop.fake_recording import FakeRecording

SECONDS, RATE, FPS = 8, 48_000, 25


def write_clip(path: Path) -> None:
    """White and a tone of 1 kHz for the first fifth of each second but the first."""
    with av.open(str(path), "w") as clip:
        pictures = clip.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        pictures.width, pictures.height, pictures.pix_fmt = 320, 240, "yuv420p"
        sound = clip.add_stream("aac", rate=RATE, layout="stereo")
        for index in range(SECONDS * FPS):
            bright = index >= FPS and index % FPS < FPS // 5
            image = np.full((240, 320, 3), 255 if bright else 20, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = index
            clip.mux(pictures.encode(frame))
        clip.mux(pictures.encode(None))
        at = np.arange(SECONDS * RATE) / RATE
        tone = np.where((at >= 1) & (at % 1 < 0.2), np.sin(2 * np.pi * 1000 * at) / 2, 0)
        both = np.repeat(tone[None].astype(np.float32), 2, axis=0)
        for begin in range(0, both.shape[1], 1024):
            piece = np.ascontiguousarray(both[:, begin : begin + 1024])
            block = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            block.sample_rate, block.pts, block.time_base = RATE, begin, Fraction(1, RATE)
            clip.mux(sound.encode(block))
        clip.mux(sound.encode(None))


def start_server(folder: Path) -> subprocess.Popen[bytes]:
    """A sound server with nothing but a null sink; PULSE_SERVER points to it."""
    script, socket = folder / "script.pa", folder / "socket"
    script.write_text(
        f"load-module module-native-protocol-unix auth-anonymous=1 socket={socket}\n"
        "load-module module-null-sink sink_name=speaker\nset-default-sink speaker\n"
    )
    options = ["-n", "-F", str(script), "--use-pid-file=no", "--exit-idle-time=-1"]
    server = subprocess.Popen(["pulseaudio", *options], stderr=subprocess.DEVNULL)
    os.environ["PULSE_SERVER"] = f"unix:{socket}"
    while not socket.exists():
        if server.poll() is not None:
            raise SystemExit("pulseaudio did not start")
        time.sleep(0.05)
    return server


def onsets(pieces: list[tuple[float, npt.NDArray[np.int16]]]) -> list[float]:
    """Times at which a tone begins after a fifth of a second of silence."""
    found, quiet = [], 0
    for at, samples in pieces:
        for begin in range(0, len(samples), 48):
            if np.abs(samples[begin : begin + 48].astype(int)).max() > 2000:
                if quiet > 200:
                    found.append(at - (len(samples) - begin) / RATE)
                quiet = 0
            else:
                quiet += 1
    return found


def record(
    process: subprocess.Popen[bytes], into: list[tuple[float, npt.NDArray[np.int16]]]
) -> None:
    """Stamp what the monitor of the sink gives when it comes."""
    assert process.stdout is not None
    while data := os.read(process.stdout.fileno(), 4096):
        into.append((time.monotonic(), np.frombuffer(data[: len(data) // 2 * 2], np.int16)))


def play(clip: Path, settings: Path) -> list[float]:
    """Play the clip in the window. Returns the times at which flashes were shown."""
    application = QApplication(["affectscope"])
    window = MainWindow(QSettings(str(settings), QSettings.Format.IniFormat))
    window.show()
    window.open_with(
        lambda: FakeRecording(media=clip, duration=SECONDS, analysed_until=float(SECONDS))
    )
    flashes: list[float] = []
    bright = False

    def look() -> None:
        nonlocal bright
        pixels = window.page.picture._pixels
        now_bright = pixels is not None and bool(pixels[0, 0, 0] > 128)
        if now_bright and not bright:
            flashes.append(time.monotonic())
        bright = now_bright

    window._ticks.timeout.connect(look)
    QTimer.singleShot(500, window.page.toggle)
    QTimer.singleShot(510, window._wake)
    QTimer.singleShot((SECONDS + 2) * 1000, window.close)
    application.exec()
    return flashes


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "flash.mp4")
        server = start_server(folder)
        options = ["--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=5"]
        listener = subprocess.Popen(
            ["parec", "-d", "speaker.monitor", *options], stdout=subprocess.PIPE
        )
        heard: list[tuple[float, npt.NDArray[np.int16]]] = []
        thread = threading.Thread(target=record, args=(listener, heard), daemon=True)
        thread.start()
        try:
            flashes = play(folder / "flash.mp4", folder / "settings.ini")
        finally:
            listener.terminate()
            thread.join(3.0)
            server.terminate()
            server.wait()
    beeps = onsets(heard)
    print(f"{len(beeps)} beeps, {len(flashes)} flashes")
    if len(beeps) == len(flashes):
        late = [round(1000 * (f - b)) for f, b in zip(flashes, beeps, strict=True)]
        print(f"picture after sound, ms: {late}; median {np.median(late):.0f}")


if __name__ == "__main__":
    main()
