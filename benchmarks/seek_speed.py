"""How long a seek takes in a video of an hour, from the key to the picture on the screen.

    python benchmarks/seek_speed.py [--height 720] [--keys 2] [--preset ultrafast] [--seeks 40]
    python benchmarks/seek_speed.py --file FILE [--keys 1]

Encodes a minute of moving pictures as cameras do (H.264, a key frame every two seconds) and lays it
sixty times behind itself; `--keys 10 --preset medium` is what x264 makes of films by itself, with
pictures to which no other refers. `--file` takes a video that is there, with key frames at whole
multiples of `--keys`. Prints milliseconds of seeks to places drawn at random, to the picture before
a key frame (where the most must be decoded), and of steps to the picture before: as they passed
until the picture is painted, until one on the way to it is (or it itself), and of processor time,
all threads together, which other programs hardly change. The window looks as often as it does by
itself.
"""

import argparse
import os
import random
import tempfile
import time
from fractions import Fraction
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import av
import numpy as np
from PyQt6 import sip
from PyQt6.QtCore import QEventLoop, QSettings
from PyQt6.QtWidgets import QApplication

from desktop.main_window import MainWindow
from desktop.media import open_file
from desktop.playback import Playback
from extractors.stream.clock import MonotonicClock
from extractors.stream.sample import from_seconds
from tests.desktop.fake_media import no_device
from tests.desktop.fake_recording import FakeRecording, plain_timeline

FPS, MINUTE, HOUR = 25, 60, 3600


def write_minute(path: Path, height: int, keys: int, preset: str) -> None:
    """Noise that drifts under a moving bar: dear to decode, as a real room is."""
    width = height * 16 // 9
    rng = np.random.default_rng(0)
    room = rng.integers(0, 256, (height // 8, width // 8 + MINUTE * FPS, 3), np.uint8)
    with av.open(str(path), "w") as clip:
        options = {"preset": preset, "x264-params": f"keyint={keys * FPS}:scenecut=0"}
        pictures = clip.add_stream("libx264", rate=FPS, options=options)
        pictures.codec_context.thread_type = "FRAME"  # else every picture is cut into slices
        pictures.width, pictures.height, pictures.pix_fmt = width, height, "yuv420p"
        for index in range(MINUTE * FPS):
            small = room[:, index // 4 : index // 4 + width // 8]
            image = np.ascontiguousarray(small.repeat(8, 0).repeat(8, 1)[:height, :width])
            image[:, index * 7 % width :][:, :20] = 255
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            clip.mux(pictures.encode(frame))
        clip.mux(pictures.encode(None))


def write_hour(minute: Path, path: Path) -> None:
    """The same packets sixty times."""
    with av.open(str(minute)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [
            (bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
            for packet in source.demux(source.streams.video[0])
            if packet.size
        ]
        base = source.streams.video[0].time_base
        assert base is not None
        length = round(MINUTE / base)
        for number in range(HOUR // MINUTE):
            for data, pts, dts, key in packets:
                packet = av.Packet(data)
                assert pts is not None
                assert dts is not None
                packet.pts, packet.dts = pts + number * length, dts + number * length
                packet.time_base, packet.stream, packet.is_keyframe = base, stream, key
                target.mux(packet)


def wait_for_picture(window: MainWindow, application: QApplication) -> float:
    """Let the window run until the picture at its position is there, and painted.

    Returns when the first one was there that is not that of the position before.
    """
    window._wake()  # as keys and clicks do
    playback = window.page.playback
    first: float | None = None
    while playback is None or playback.waiting or playback.picture() is None:
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        playback = window.page.playback
        if first is None and playback is not None and playback.picture() is not None:
            window._tick()
            application.processEvents()
            first = time.perf_counter()
    window._tick()
    application.processEvents()
    return first or time.perf_counter()


def length_of(file: Path) -> int:
    """Whole seconds of a video."""
    with av.open(str(file)) as container:
        return (container.duration or 0) // av.time_base


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, help="a video that is there, in place of one made")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--keys", type=int, default=2, help="seconds between key frames (2)")
    parser.add_argument("--preset", default="ultrafast", help="of x264 (ultrafast)")
    parser.add_argument("--seeks", type=int, default=40)
    args = parser.parse_args()
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    with tempfile.TemporaryDirectory() as folder:
        if args.file is None:
            minute, file = Path(folder, "minute.mp4"), Path(folder, "hour.mp4")
            write_minute(minute, args.height, args.keys, args.preset)
            write_hour(minute, file)
            what = f"{args.height} lines, {args.preset}"
        else:
            file, what = args.file, args.file.name
        length, size = length_of(file), file.stat().st_size / 1e6
        print(f"{what}, a key frame every {args.keys} s, {length} s, {size:.0f} MB")
        recording = FakeRecording(
            media=file, duration=length, analysed_until=length, rows=plain_timeline(length)
        )
        window = MainWindow(
            QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat),
            play=lambda _: Playback(
                open_file(file), from_seconds(length), no_device, MonotonicClock()
            ),
        )
        window.show()
        window.open_with(lambda: recording)
        wait_for_picture(window, application)
        draw = random.Random(1)
        for name in ("seek", "before a key", "picture back"):
            took, sight, busy = [], [], []
            for _ in range(args.seeks):
                began, used = time.perf_counter(), time.process_time()
                if name == "seek":
                    window.page.seek(draw.uniform(0, length - 1))
                elif name == "before a key":
                    key = draw.randrange(1, length // args.keys)
                    window.page.seek(key * args.keys - 1 / FPS)
                else:
                    window.page.step(-1)
                first = wait_for_picture(window, application)
                sight.append((first - began) * 1000)
                took.append((time.perf_counter() - began) * 1000)
                busy.append((time.process_time() - used) * 1000)
            for what, found in (
                ("", took),
                (" until the first", sight),
                (" of processor time", busy),
            ):
                median, p95 = np.median(found), np.percentile(found, 95)
                print(
                    f"{name}: median {median:.0f} ms{what}, p95 {p95:.0f} ms, "
                    f"longest {max(found):.0f} ms"
                )
        window.close()
        sip.delete(window)  # left to the interpreter it may outlive the application: a crash


if __name__ == "__main__":
    main()
