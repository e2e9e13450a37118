"""PortAudio on a real sound server, which the test starts and stops: speech comes through, and a
server that goes away and comes back is found again."""

import time
import wave
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from assets import ASSETS
from extractors.features import SAMPLE_RATE, AudioBlock, FloatArray
from extractors.sources import Feed, SourceChoice
from extractors.sources.devices import microphones
from extractors.sources.microphone import Microphone
from extractors.stream import SECOND, Sample, SessionClock, Worker
from extractors.stream.output import Tap
from extractors.video_file import VideoFile
from tests.extractors.sources.sound_server import SoundServer, sound_server

PATIENCE = 20.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SoundServer]:
    if not SoundServer.available():
        pytest.skip("no pulseaudio or paplay: run setup/system_packages.sh tests")
    with sound_server(tmp_path) as running:
        yield running
    microphones(refresh=True)  # PortAudio forgets the server


def until(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < patience, "it never happened"
        time.sleep(0.01)


def speech(path: Path) -> FloatArray:
    """Two seconds of the sample clip as a WAV file; the same at 16 kHz."""
    rate = 48_000
    clip = VideoFile(ASSETS / "sample" / "sample.mp4")
    begin = 2 * SECOND
    blocks = [block.data.samples for block in islice(clip.audio(begin, rate), 4)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.concatenate(blocks) * 32767).astype("<i2").tobytes())
    return np.concatenate([block.data.samples for block in islice(clip.audio(begin), 4)])


def likeness(heard: FloatArray, meant: FloatArray) -> float:
    """How well quarters of a second of `meant` are found in `heard`: the median correlation.

    A busy machine may lose a few milliseconds between them.
    """
    found = []
    for piece in meant.reshape(-1, SAMPLE_RATE // 4):
        products = np.correlate(heard, piece, "valid")
        at = int(np.argmax(products))
        found.append(np.corrcoef(heard[at : at + len(piece)], piece)[0, 1])
    return float(np.median(found))


def test_speech_comes_through_and_a_lost_server_is_found_again(
    server: SoundServer, tmp_path: Path
) -> None:
    assert microphones(refresh=True), "PortAudio sees no microphone"
    meant = speech(tmp_path / "speech.wav")
    clock = SessionClock()
    heard: list[Sample[AudioBlock]] = []
    states: list[str] = []
    feed = Feed(
        SourceChoice("device"),
        lambda choice: Microphone(choice, clock),
        clock,
        lambda status: states.append(status.state),
    )
    worker = Worker("microphone", feed.samples(), None, [Tap(heard.append)])
    worker.start()
    try:
        until(lambda: len(heard) > 10)
        player = server.play(tmp_path / "speech.wav")
        player.wait(PATIENCE)
        count = len(heard)
        until(lambda: len(heard) > count + 10)
        sound = np.concatenate([block.data.samples for block in heard])
        assert likeness(sound, meant) > 0.9
        now = clock.now()
        assert now - 2 * SECOND < heard[-1].end <= now
        server.stop()
        until(lambda: states[-1] == "lost")
        before = heard[-1].end
        server.start()
        until(lambda: states[-1] == "open" and heard[-1].start > before)
        samples = len(heard[-1].data.samples)
        assert heard[-1].end - heard[-1].start == pytest.approx(samples * SECOND / SAMPLE_RATE)
    finally:
        feed.end()
        assert worker.join(3.0), "the microphone does not end"
