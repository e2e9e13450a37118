"""A better engine takes over without a gap, a failing one goes, and a build can be stopped."""

import threading
from pathlib import Path

import numpy as np
import pytest

from inference.backends import opening
from inference.backends.exchange import BackgroundBuild, ExchangeableEngine
from inference.backends.interface import Engine, Inputs
from inference.backends.opening import noise, open_engine, open_while_building
from inference.backends.source import Source
from tests.inference.backends.small_checkpoint import Steady, small_checkpoint, small_file


def window(mark: float) -> Inputs:
    return [np.full((1, 2, 3), mark, np.float32)] * 3 + [np.ones((1, 2), np.bool_)] * 3


def test_each_window_is_answered_once_while_engines_change() -> None:
    exchangeable = ExchangeableEngine(Steady(0.0))
    done = threading.Event()

    def change() -> None:
        for number in range(1, 200):
            exchangeable.replace(Steady(float(number)))
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    answers: list[float] = []
    while not done.is_set() or len(answers) < 200:
        found = exchangeable(window(0.0))
        numbers = {float(x) for column in found for x in column.flat}
        assert len(numbers) == 1, "one engine answers a window from end to end"
        answers.append(numbers.pop())
    thread.join()
    assert answers == sorted(answers)
    assert exchangeable(window(0.0)).sentiment[0] == 199


def test_an_engine_for_another_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 8 windows, not 1"):
        ExchangeableEngine(Steady()).replace(Steady(batch=8))


def test_without_a_fallback_the_error_is_the_callers() -> None:
    with pytest.raises(RuntimeError, match="lost"):
        ExchangeableEngine(Steady(error=RuntimeError("lost")))(window(0.0))


def test_the_fallback_is_made_once() -> None:
    made: list[Engine] = []

    def fallback() -> Engine:
        made.append(Steady(2.0, backend="cpu"))
        return made[-1]

    engine = ExchangeableEngine(Steady(error=RuntimeError("lost")), fallback)
    assert [float(engine(window(0.0)).sentiment[0]) for _ in range(3)] == [2, 2, 2]
    assert (len(made), engine.backend, len(engine.remarks)) == (1, "cpu", 1)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(tmp_path / "engines"))
    monkeypatch.setattr(opening, "nvidia_gpu", lambda: None)


@pytest.mark.usefixtures("empty")
def test_the_best_is_built_beside_the_first_and_takes_over(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    source = Source(small_file(tmp_path))
    eager, _ = open_engine(source, "eager")
    engine, build = open_while_building(source)
    assert build is not None
    try:
        assert engine.backend == "eager"
        windows = list(noise(source, 1))
        answers = [engine(windows[0]).emotion]
        while build.running:
            answers.append(engine(windows[0]).emotion)
        assert engine.backend == "onnxruntime", engine.remarks
        answers.append(engine(windows[0]).emotion)
    finally:
        build.stop()
    wanted = eager(windows[0]).emotion
    for answer in answers:
        np.testing.assert_allclose(answer, wanted, atol=1e-4)
    assert engine.remarks[-1] == "onnxruntime (CPU) took over from eager"
    again, none = open_while_building(source)
    assert (again.backend, none) == ("onnxruntime", None), "now it is there from the start"


@pytest.mark.usefixtures("empty")
def test_a_build_that_fails_changes_nothing_and_says_why(tmp_path: Path) -> None:
    engine = ExchangeableEngine(Steady(1.0))
    build = BackgroundBuild(
        tmp_path / "missing.safetensors",
        "onnxruntime",
        batch=1,
        half=False,
        open_built=lambda: pytest.fail("nothing was built"),
        target=engine,
    )
    build.start()
    assert build.join(120)
    assert engine.backend == "steady"
    assert len(engine.remarks) == 1
    assert "onnxruntime was not built: " in engine.remarks[0]
    assert "missing.safetensors" in engine.remarks[0]


@pytest.mark.usefixtures("empty")
def test_a_build_can_be_stopped(tmp_path: Path) -> None:
    engine = ExchangeableEngine(Steady(1.0))
    build = BackgroundBuild(
        small_file(tmp_path),
        "onnxruntime",
        batch=1,
        half=False,
        open_built=lambda: pytest.fail("it was stopped"),
        target=engine,
    )
    build.start()
    build.stop()
    assert not build.running
    assert (engine.backend, engine.remarks) == ("steady", [])


def test_a_checkpoint_in_memory_has_nothing_to_build() -> None:
    engine, build = open_while_building(Source(small_checkpoint()))
    assert (engine.backend, build) == ("eager", None)
