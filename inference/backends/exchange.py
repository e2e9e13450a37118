"""An engine that gives way to a better one between two calls, and to the CPU when it fails."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from assets.errors import AffectscopeError
from inference.backends.interface import Engine, Inputs, Outputs

__all__ = ["BackgroundBuild", "ExchangeableEngine", "one_line"]


def one_line(error: BaseException) -> str:
    """The kind and the text of an error, 200 characters at most."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


class ExchangeableEngine:
    """Calls go to the engine that is there; each is answered by one engine from end to end.

    If that engine fails, the same windows go to what `fallback` makes, which then stays, and
    `remarks` says why: no window is lost and none is answered twice.
    """

    def __init__(self, engine: Engine, fallback: Callable[[], Engine] | None = None) -> None:
        self._engine = engine
        self._fallback = fallback
        self.remarks: list[str] = []

    @property
    def backend(self) -> str:
        return self._engine.backend

    @property
    def device(self) -> str:
        return self._engine.device

    @property
    def batch(self) -> int:
        return self._engine.batch

    def replace(self, engine: Engine) -> None:
        """From the next call on, from whatever thread. Raises ValueError for another batch."""
        if engine.batch != self.batch:
            raise ValueError(f"the engine takes {engine.batch} windows, not {self.batch}")
        before, self._engine = self._engine, engine
        self.remarks.append(f"{engine.backend} ({engine.device}) took over from {before.backend}")

    def __call__(self, inputs: Inputs) -> Outputs:
        engine = self._engine
        try:
            return engine(inputs)
        except Exception as error:
            if self._fallback is None:
                raise
            fallback, self._fallback = self._fallback(), None
            self._engine = fallback
            self.remarks.append(
                f"{engine.backend} ({engine.device}) failed, {fallback.backend} "
                f"({fallback.device}) goes on: {one_line(error)}"
            )
            return fallback(inputs)


class BackgroundBuild:
    """Builds an engine in a process of its own, then opens it here and hands it over.

    A compiler keeps the interpreter busy, so a thread would hold up whatever runs beside it.
    """

    def __init__(
        self,
        checkpoint: Path,
        backend: str,
        *,
        batch: int,
        half: bool,
        open_built: Callable[[], Engine],
        target: ExchangeableEngine,
    ) -> None:
        words = [str(checkpoint), backend, str(batch), str(int(half))]
        self._command = [sys.executable, "-m", "inference.backends.build", *words]
        self._open_built, self._target, self._backend = open_built, target, backend
        self._stopped = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name=f"affectscope build {backend}")

    def start(self) -> None:
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; returns whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Give up; returns when nothing is left of it."""
        self._stopped.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._build()
            if not self._stopped.is_set():
                self._target.replace(self._open_built())
        except Exception as error:
            if not self._stopped.is_set():
                self._target.remarks.append(f"{self._backend} was not built: {error}")

    def _build(self) -> None:
        with subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            self._process = process
            if self._stopped.is_set():
                process.terminate()
            answer, _ = process.communicate()
        if process.returncode:
            try:
                why = json.loads(answer)["error"]
            except (ValueError, KeyError, TypeError):
                why = f"the process ended with {process.returncode}"
            raise AffectscopeError(why)
