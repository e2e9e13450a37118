"""Builds an engine beside what runs, and hands it over when it is there."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.errors import AffectscopeError, one_line
from inference.backends.exchange import ExchangeableEngine
from inference.backends.interface import Engine

__all__ = ["BackgroundBuild", "Better"]

KILLED_AFTER = 1.0
"""Seconds that a process which is told to end has for clearing away what it has written."""


@dataclass(frozen=True, slots=True)
class Better:
    """A backend whose engine would be better than the one that runs."""

    backend: str
    open_built: Callable[[], Engine]
    """Opens the engine once it lies in the cache."""


class BackgroundBuild:
    """Builds an engine in a process of its own, then opens it here and hands it over.

    A compiler keeps the interpreter busy, so a thread would hold up whatever runs beside it. If one
    cannot be built or opened, the next is tried, and that is said.
    """

    def __init__(
        self,
        checkpoint: Path,
        choices: Sequence[Better],
        *,
        batch: int,
        half: bool,
        target: ExchangeableEngine,
    ) -> None:
        """`choices`: the best first."""
        self._checkpoint, self._choices, self._target = checkpoint, tuple(choices), target
        self._batch, self._half = batch, half
        self._stopped = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        names = " or ".join(choice.backend for choice in self._choices)
        self.name = f"build of {names}"
        # A daemon, as workers are: a library that hangs while it opens must not keep the program.
        self._thread = threading.Thread(
            target=self._run, name=f"affectscope {self.name}", daemon=True
        )

    def start(self) -> None:
        """Begin, unless it was stopped before. Called once."""
        if not self._stopped.is_set():
            self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; returns whether it has come.

        What was never started has nothing to end.
        """
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Give up; returns at once. The engine stays as it is from now on."""
        self._stopped.set()
        process = self._process
        if process is not None:
            process.terminate()

    def _run(self) -> None:
        for choice in self._choices:
            try:
                self._build(choice.backend)
                if not self._stopped.is_set():
                    engine = choice.open_built()
                    if not self._stopped.is_set():
                        self._target.replace(engine)
            except Exception as error:
                if not self._stopped.is_set():
                    why = str(error) if isinstance(error, AffectscopeError) else one_line(error)
                    self._target.remark(f"{choice.backend} could not take over: {why}")
                    continue
            return

    def _build(self, backend: str) -> None:
        words = [str(self._checkpoint), backend, str(self._batch), str(int(self._half))]
        with subprocess.Popen(
            [sys.executable, "-m", "inference.backends.build", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            self._process = process
            if self._stopped.is_set():
                process.terminate()
            answer = self._answer(process)
        if process.returncode:
            try:
                why = json.loads(answer)["error"]
            except (ValueError, KeyError, TypeError):
                why = f"the process ended with {process.returncode}"
            raise AffectscopeError(why)

    def _answer(self, process: subprocess.Popen[str]) -> str:
        told_to_end: float | None = None
        while True:
            try:
                return process.communicate(timeout=0.1)[0]
            except subprocess.TimeoutExpired:
                if not self._stopped.is_set():
                    continue
                told_to_end = told_to_end or time.monotonic()
                if time.monotonic() - told_to_end > KILLED_AFTER:
                    process.kill()
