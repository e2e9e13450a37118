"""Every example of a receiver runs, and gets a session that another example sends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from extractors.session_writer import SessionWriter
from tests.extractors import sessions

CHECKOUT = Path(__file__).resolve().parents[3]
MARK = '{"time": 0.5, "label": "begin", "note": "now"}\n'
LSL = """
[multicast]
ResolveScope = machine
[lab]
KnownPeers = {127.0.0.1}
"""
"""Receivers on this machine are found without the network's help."""
SENDER = """
import sys
from extractors.outlets.lsl import LslOutlet
from extractors.recording import Marker
from extractors.outlets import OutletRow
from extractors.stream import SECOND, MonotonicClock
clock = MonotonicClock()
outlet = LslOutlet("Affectscope", clock)
assert outlet.wait_for_receivers(60)
import pylsl
before = pylsl.local_clock()
outlet.mark(clock.now(), Marker("begin", "now"))
emotions = (0.0, 0.75) + (0.05,) * 5
for number in range(3):
    outlet.send(OutletRow(clock.now() - SECOND * number, emotions, 1.0, (True,) * 3, 0.5))
print(before, pylsl.local_clock(), flush=True)
sys.stdin.read()
outlet.close()
"""


class Programs:
    """Programs that run side by side and are ended with the test."""

    def __init__(self, folder: Path) -> None:
        (folder / "lsl.cfg").write_text(LSL)
        added = {"PYTHONPATH": str(CHECKOUT), "LSLAPICFG": str(folder / "lsl.cfg")}
        self._environment = {**os.environ, **added}
        self._stack = ExitStack()

    def start(self, *words: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, cwd=CHECKOUT, env=self._environment,
        )  # fmt: skip
        self._stack.enter_context(program)
        self._stack.callback(program.kill)
        return program

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    made = Programs(tmp_path)
    yield made
    made.close()


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Three predictions and a marker within a second."""
    folder = tmp_path / "talk"
    with SessionWriter(folder) as writer:
        writer.add_timeline(sessions.timeline(3), sessions.activations(3))
        writer.finish({"duration": 0.6, "media": {"path": None}})
    (folder / "markers.jsonl").write_text(MARK)
    return folder


def line(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def test_osc(programs: Programs, session: Path) -> None:
    receiver = programs.start("examples/receive_osc.py", "0")
    port = line(receiver).split()[-1]
    programs.start("examples/send_session.py", str(session), f"osc:127.0.0.1:{port}")
    first = [line(receiver) for _ in range(13)]
    assert first[0].startswith("/affectscope/time ")
    assert first[1:3] == ["/affectscope/neutral 0.5", "/affectscope/happy 0.25"]
    assert first[-1] == "/affectscope/present/words 1"
    assert [text.split()[0] for text in first[8:10]] == [
        "/affectscope/sentiment", "/affectscope/uncertainty",
    ]  # fmt: skip
    rest = [line(receiver) for _ in range(27)]
    (marker,) = (text for text in rest if text.startswith("/affectscope/marker"))
    assert marker.endswith(" begin now")


def test_websocket(programs: Programs, session: Path) -> None:
    sender = programs.start("examples/send_session.py", str(session), "websocket:0")
    receiver = programs.start("examples/receive_websocket.py", line(sender))
    assert line(receiver).startswith('{"type": "hello"')
    shown = ["s", "neutral", "0.50", "uncertainty", "0.70"]
    assert [line(receiver).split()[1:] for _ in range(2)] == [shown] * 2
    assert json.loads(line(receiver))["label"] == "begin"
    sender.communicate(timeout=60)
    receiver.communicate(timeout=60)  # it ends with the server
    assert receiver.returncode == 0


def test_lsl(programs: Programs) -> None:
    receiver = programs.start("examples/receive_lsl.py")
    assert line(receiver) == "waiting for the streams"
    sender = programs.start("-c", SENDER)
    lines = [line(receiver) for _ in range(4)]
    before, after = map(float, line(sender).split())
    emotions = [text.split() for text in lines if "marker" not in text]
    assert [words[1:] for words in emotions] == [["happy", "0.75", "uncertainty", "0.50"]] * 3
    # the stamps are the times of capture, a second apart, and not the moment of sending
    times = [float(words[0]) for words in emotions]
    for number, time in enumerate(times):
        assert before - number - 0.01 <= time <= after - number + 0.01
    (marker,) = (text for text in lines if "marker" in text)
    assert marker.endswith("marker begin now")
    assert before - 0.01 <= float(marker.split()[0]) <= after + 0.01
