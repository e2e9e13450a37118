"""Threads around pure code: each reads one stream, applies a stage, and feeds some channels."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from assets.errors import AffectscopeError
from extractors.stream.channel import Channel, ChannelClosed
from extractors.stream.merge import TimeOrder
from extractors.stream.output import Output
from extractors.stream.sample import Sample

__all__ = ["Failure", "Stage", "Worker", "WorkerGroup"]

log = logging.getLogger(__name__)

In = TypeVar("In")
Out = TypeVar("Out")


class Stage(Protocol[In, Out]):
    """What a worker does with the samples of its stream. Used by one thread only."""

    def process(self, sample: Sample[In]) -> Iterable[Sample[Out]]:
        """The samples that follow from this one, in time order; often none or one.

        Each is passed on before the next is asked for.
        """
        ...

    def finish(self) -> Iterable[Sample[Out]]:
        """What is still held back when the stream has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker stopped before its stream ended."""

    worker: str
    error: BaseException

    def __str__(self) -> str:
        if isinstance(self.error, AffectscopeError):
            return f"{self.worker}: {self.error}"
        return f"{self.worker}: {type(self.error).__name__}: {self.error}"


class Worker:
    """A thread that reads `inbox`, applies a stage and puts the results into every output.

    `inbox` is a channel, several `in_time_order` or, for a source, any iterable of samples.
    `open_stage` is called in the thread, so that models load side by side; None passes samples
    through. However the thread ends, it abandons its inbox and closes its outputs. An output whose
    reader has gone is skipped; without any reader left the worker ends. An error is kept in
    `failure` and reported to `on_failure`, never only logged.
    """

    def __init__(
        self,
        name: str,
        inbox: Iterable[Sample[Any]],
        open_stage: Callable[[], AbstractContextManager[Stage[Any, Any]]] | None,
        outputs: Sequence[Output],
        on_failure: Callable[[Failure], None] | None = None,
        niceness: int = 0,
    ) -> None:
        """`niceness`: how much its thread lets others go first, those of other workers too, where
        threads have a niceness of their own (Linux). Threads that its libraries start inherit it.
        """
        self.name = name
        self.failure: Failure | None = None
        self.busy = 0
        """Nanoseconds spent in the stage, without waiting for others."""
        self._inbox = inbox
        self._open_stage = open_stage
        self._outputs = outputs
        self._on_failure = on_failure
        self._niceness = niceness
        self._stopping = threading.Event()
        self._aborted = False
        self._thread = threading.Thread(target=self._run, name=f"affectscope {name}", daemon=True)

    @property
    def is_source(self) -> bool:
        """Whether its samples come from the world and not from another worker."""
        return not isinstance(self._inbox, Channel | TimeOrder)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End early, but in order: what waits in the inbox or in the stage is still delivered.

        A source takes no further sample, any other worker accepts none.
        """
        self._stopping.set()
        if isinstance(self._inbox, Channel | TimeOrder):
            self._inbox.close()

    def abort(self) -> None:
        """Stop as soon as the current sample is done; nothing more is delivered.

        What the stage holds back is discarded: it is closed without `finish`.
        """
        self._aborted = True
        self._stopping.set()
        if isinstance(self._inbox, Channel | TimeOrder):
            self._inbox.abandon()
        for output in self._outputs:
            output.abandon()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds. Returns whether the thread has ended.

        A thread that was never started has nothing to end.
        """
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            if self._niceness and sys.platform == "linux":
                thread = threading.get_native_id()
                nice = os.getpriority(os.PRIO_PROCESS, thread) + self._niceness
                os.setpriority(os.PRIO_PROCESS, thread, nice)
            try:
                self._work()
            finally:
                self._leave_inbox()
        except ChannelClosed:
            pass  # every reader has gone, or abort() was called
        except BaseException as error:
            self.failure = Failure(self.name, error)
            log.debug("worker %s failed", self.name, exc_info=error)
            if self._on_failure is not None:
                self._on_failure(self.failure)
        finally:
            for output in self._outputs:
                output.close()

    def _leave_inbox(self) -> None:
        if isinstance(self._inbox, Channel | TimeOrder):
            self._inbox.abandon()
        elif hasattr(self._inbox, "close"):
            self._inbox.close()  # a generator frees its file here, in its own thread

    def _samples(self) -> Iterator[Sample[Any]]:
        """The inbox until it ends or somebody wants the end."""
        for sample in self._inbox:
            if self._aborted or (self.is_source and self._stopping.is_set()):
                return
            yield sample

    def _work(self) -> None:
        if self._open_stage is None:
            for sample in self._samples():
                self._put(sample)
            return
        with self._open_stage() as stage:
            for sample in self._samples():
                self._deliver(partial(stage.process, sample))
            if not self._aborted:
                self._deliver(stage.finish)

    def _deliver(self, call: Callable[[], Iterable[Sample[Any]]]) -> None:
        """Put each result as soon as the stage has it, and measure the stage alone."""
        began = time.perf_counter_ns()
        for result in call():
            self.busy += time.perf_counter_ns() - began
            self._put(result)
            began = time.perf_counter_ns()
        self.busy += time.perf_counter_ns() - began

    def _put(self, sample: Sample[Any]) -> None:
        delivered = False
        for output in self._outputs:
            try:
                output.put(sample)
                delivered = True
            except ChannelClosed:
                continue
        if self._outputs and not delivered:
            raise ChannelClosed(f"nobody reads what {self.name} gives")


class WorkerGroup:
    """Workers that start and end together. Sources stand first, sinks last."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = tuple(workers)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Failures so far, in the order of the workers."""
        return tuple(worker.failure for worker in self.workers if worker.failure is not None)

    def start(self) -> None:
        for worker in self.workers:
            worker.start()

    def stop(self, deadline: float) -> tuple[str, ...]:
        """End the sources, let everything drain, and wait at most `deadline` seconds in all.

        Returns the names of workers that are still running then; an empty tuple is the good case.
        """
        for worker in self.workers:
            if worker.is_source:
                worker.stop()
        return self.join(deadline)

    def abort(self, deadline: float) -> tuple[str, ...]:
        """Discard everything and wait at most `deadline` seconds in all; as `stop` otherwise."""
        for worker in self.workers:
            worker.abort()
        return self.join(deadline)

    def join(self, deadline: float | None = None) -> tuple[str, ...]:
        """Wait for all workers, at most `deadline` seconds in all. Returns who is still running."""
        until = None if deadline is None else time.monotonic() + deadline
        for worker in self.workers:
            worker.join(None if until is None else max(0.0, until - time.monotonic()))
        return tuple(worker.name for worker in self.workers if worker.alive)
