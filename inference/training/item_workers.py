"""Many items in several processes, so that one bad item costs itself alone.

An exception in an item is given back as its result. A process that dies of an item (a fault in a
native library) takes its neighbours with it: those are done again, each in a process of its own,
and the one of which that process dies too is given back as such.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

__all__ = ["Broken", "each_item"]

Item = TypeVar("Item")
Result = TypeVar("Result")

WAITING = 2
"""Items for each process that are handed over before they are needed."""


@dataclass(frozen=True, slots=True)
class Broken(Generic[Item]):
    """An item that has no result, and why."""

    why: str


def each_item(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[tuple[int, Result | Broken[Item]]]:
    """`function` of each item, with the item's place, in the order in which they are done.

    With one worker it runs in this process, where nothing can be done about a native fault.
    `function` and items are pickled: `function` must be importable.
    """
    if workers == 1:
        for index, item in enumerate(items):
            yield index, _tried(function, item)
        return
    waiting = deque(range(len(items)))
    while waiting:
        suspects: list[int] = []
        yield from _together(function, items, waiting, suspects, workers)
        for index in suspects:
            yield index, _alone(function, items[index])


def _tried(function: Callable[[Item], Result], item: Item) -> Result | Broken[Item]:
    try:
        return function(item)
    except Exception as error:  # whatever is wrong with one item must not stop the others
        return Broken(str(error) or type(error).__name__)


def _pool(workers: int) -> ProcessPoolExecutor:
    # a fresh interpreter: one that is forked would share the threads' locks of native libraries
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for_end, args=[parent], daemon=True).start()


def _wait_for_end(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)  # a pool whose owner was killed would wait for work for ever


def _together(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    waiting: deque[int],
    suspects: list[int],
    workers: int,
) -> Iterator[tuple[int, Result | Broken[Item]]]:
    """Results until all are done or a process dies; then those under way are `suspects`."""
    running: dict[Future[Result | Broken[Item]], int] = {}
    with _pool(workers) as pool:
        try:
            while (waiting or running) and not suspects:
                while waiting and len(running) < WAITING * workers:
                    index = waiting[0]
                    running[pool.submit(_tried, function, items[index])] = index
                    waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    index = running[future]
                    result = future.result()
                    del running[future]
                    yield index, result
        except BrokenProcessPool:
            suspects += sorted(running.values())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _alone(function: Callable[[Item], Result], item: Item) -> Result | Broken[Item]:
    with _pool(1) as pool:
        try:
            return pool.submit(_tried, function, item).result()
        except BrokenProcessPool:
            return Broken("the extractors crash on it")
