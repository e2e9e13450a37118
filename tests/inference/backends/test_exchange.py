"""A better engine takes over without a gap, and a failing one goes."""

import threading

import numpy as np
import pytest

from inference.backends.exchange import ExchangeableEngine
from inference.backends.interface import Engine, Inputs
from tests.inference.backends.small_checkpoint import Steady


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


def test_an_engine_that_takes_over_has_the_fallback_too() -> None:
    """Also if the first has failed before, and the fallback itself is not tried twice."""
    engine = ExchangeableEngine(
        Steady(error=RuntimeError("lost")), lambda: Steady(2.0, backend="cpu")
    )
    assert engine(window(0.0)).sentiment[0] == 2
    engine.replace(Steady(error=RuntimeError("out of memory"), backend="gpu"))
    assert engine(window(0.0)).sentiment[0] == 2
    engine = ExchangeableEngine(
        Steady(error=RuntimeError("lost")), lambda: Steady(error=RuntimeError("lost too"))
    )
    for _ in range(2):
        with pytest.raises(RuntimeError, match="lost too"):
            engine(window(0.0))


def test_what_answered_how_many_windows_is_known() -> None:
    told: list[str] = []
    engine = ExchangeableEngine(Steady(backend="first"), lambda: Steady(backend="cpu"), why="here")
    engine.on_change = told.append
    engine(window(0.0))
    before = engine.mark()
    for _ in range(3):
        engine(window(0.0))
    failing = Steady(backend="gpu", device="H100")
    engine.replace(failing)
    engine(window(0.0))
    failing.error = RuntimeError("CUDA out of memory")
    engine(window(0.0))
    assert engine.since(before) == [
        {"backend": "first", "device": "CPU", "windows": 3, "why": "here"},
        {"backend": "gpu", "device": "H100", "windows": 1, "why": "it was built meanwhile"},
        {"backend": "cpu", "device": "CPU", "windows": 1,
         "why": "gpu (H100) failed: RuntimeError: CUDA out of memory"},
    ]  # fmt: skip
    assert engine.since()[0]["windows"] == 4
    assert told == engine.remarks
    assert [text.partition(":")[0] for text in told] == [
        "gpu (H100) took over from first",
        "gpu (H100) failed, cpu (CPU) goes on",
    ]
