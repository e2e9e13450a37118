"""An engine is built beside what runs and takes over; it can be stopped, and the next is tried."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assets.errors import AffectscopeError
from inference.backends import opening
from inference.backends.background_build import BackgroundBuild, Better
from inference.backends.exchange import ExchangeableEngine
from inference.backends.interface import Engine
from inference.backends.opening import noise, open_engine, open_while_building
from inference.backends.source import Source
from tests.conftest import CHECKOUT
from tests.inference.backends.small_checkpoint import Steady, small_checkpoint, small_file

PATIENCE = 120.0


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "engines"
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(folder))
    monkeypatch.setattr(opening, "nvidia_gpu", lambda: None)
    return folder


def build_of(*choices: Better, checkpoint: Path = Path("none")) -> BackgroundBuild:
    target = ExchangeableEngine(Steady(1.0))
    return BackgroundBuild(checkpoint, choices, batch=1, half=False, target=target)


def never() -> Engine:
    raise AssertionError("nothing was built that could be opened")


def test_the_best_is_built_beside_the_first_and_takes_over(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    source = Source(small_file(tmp_path))
    eager, _ = open_engine(source, "eager")
    engine, reason, build = open_while_building(source)
    assert build is not None
    assert "onnxruntime is not built" in reason
    windows = list(noise(source, 1))
    assert engine.backend == "eager"
    answers = [engine(windows[0]).emotion]
    build.start()
    try:
        while not build.join(0.05):
            answers.append(engine(windows[0]).emotion)
        assert engine.backend == "onnxruntime", engine.remarks
        answers.append(engine(windows[0]).emotion)
    finally:
        build.stop()
        assert build.join(PATIENCE)
    wanted = eager(windows[0]).emotion
    for answer in answers:
        np.testing.assert_allclose(answer, wanted, atol=1e-4)
    assert engine.remarks == ["onnxruntime (CPU) took over from eager"]
    assert [ran["backend"] for ran in engine.since()] == ["eager", "onnxruntime"]
    again, _, none = open_while_building(source)
    assert (again.backend, none) == ("onnxruntime", None), "now it is there from the start"


def test_a_build_that_fails_changes_nothing_and_says_why(tmp_path: Path) -> None:
    build = build_of(Better("onnxruntime", never), checkpoint=tmp_path / "missing.safetensors")
    build.start()
    assert build.join(PATIENCE)
    assert build._target.backend == "steady"
    (remark,) = build._target.remarks
    assert remark.startswith("onnxruntime could not take over: ")
    assert "missing.safetensors" in remark


def test_what_cannot_be_built_or_opened_gives_way_to_the_next_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_self: BackgroundBuild, backend: str) -> None:
        if backend == "tensorrt":
            raise AffectscopeError("the compiler has no converter")

    def full() -> Engine:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(BackgroundBuild, "_build", fails)
    build = build_of(
        Better("tensorrt", never),
        Better("ort-cuda", full),
        Better("onnxruntime", lambda: Steady(3.0, backend="onnxruntime")),
        Better("eager", never),
    )
    build.start()
    assert build.join(PATIENCE)
    assert build._target.remarks == [
        "tensorrt could not take over: the compiler has no converter",
        "ort-cuda could not take over: RuntimeError: CUDA out of memory",
        "onnxruntime (CPU) took over from steady",
    ]


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a process that never ends in the place of the one that builds; gives its mark."""

    def make(handler: str) -> Path:
        begun = tmp_path / "begun"
        script = tmp_path / "endless.py"
        script.write_text(
            "import os, pathlib, signal, sys, time\n"
            f"signal.signal(signal.SIGTERM, {handler})\n"
            f"pathlib.Path({str(begun)!r}).write_text(str(os.getpid()))\n"
            "while True:\n    time.sleep(0.01)\n"
        )
        real = subprocess.Popen
        monkeypatch.setattr(
            "inference.backends.background_build.subprocess.Popen",
            lambda _command, **options: real([sys.executable, str(script)], **options),
        )
        return begun

    return make


def wait_for(path: Path) -> int:
    turn = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if path.exists() and path.read_text():
            return int(path.read_text())
        turn.wait(0.01)
    raise AssertionError("the process never began")


@pytest.mark.parametrize("handler", ["signal.SIG_DFL", "signal.SIG_IGN"])
def test_a_build_can_be_stopped(handler: str, endless: Callable[[str], Path]) -> None:
    """Also if the process takes no notice of being told to end."""
    build = build_of(Better("onnxruntime", never), Better("eager", never))
    begun = endless(handler)
    build.start()
    pid = wait_for(begun)
    build.stop()
    assert build.join(PATIENCE)
    assert (build._target.backend, build._target.remarks) == ("steady", [])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_build_that_is_stopped_before_it_starts_never_does() -> None:
    build = build_of(Better("onnxruntime", never))
    build.stop()
    build.start()
    assert build.join(0)
    assert not build.alive


def test_an_engine_that_opens_after_the_stop_does_not_take_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opening_now, go_on = threading.Event(), threading.Event()

    def slow() -> Engine:
        opening_now.set()
        assert go_on.wait(PATIENCE)
        return Steady(2.0)

    monkeypatch.setattr(BackgroundBuild, "_build", lambda *_: None)
    build = build_of(Better("onnxruntime", slow))
    build.start()
    assert opening_now.wait(PATIENCE)
    build.stop()
    assert not build.join(0), "what opens cannot be interrupted"
    go_on.set()
    assert build.join(PATIENCE)
    assert build._target(next(noise(Source(small_checkpoint()), 1))).sentiment[0] == 1.0


BUILDING = """
import sys, time
from pathlib import Path
from inference.backends import build, opening
from tests.inference.backends.small_checkpoint import Written
class Slow(Written):
    def build(self, source, batch, half, file):
        super().build(source, batch, half, file)
        print("writing", flush=True)
        while True:
            time.sleep(0.01)
build.backend = lambda name: Slow()
sys.exit(build.main([sys.argv[1], "written", "1", "0"]))
"""


def test_a_process_that_is_told_to_end_clears_away_what_it_wrote(
    tmp_path: Path, empty: Path
) -> None:
    checkpoint = small_file(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", BUILDING, str(checkpoint)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert len(list(empty.iterdir())) == 1
        process.terminate()
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert list(empty.iterdir()) == []


def test_a_checkpoint_in_memory_has_nothing_to_build() -> None:
    engine, _, build = open_while_building(Source(small_checkpoint()))
    assert (engine.backend, build) == ("eager", None)
