"""Items in several processes: what is wrong with one of them costs that one alone."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from inference.training.item_workers import Broken, each_item


def tripled(item: int) -> int:
    """Three times the item; 3 is refused, and 5 takes the process with it."""
    if item == 3:
        raise ValueError("three is refused")
    if item == 5:
        os._exit(7)
    return 3 * item


def silent(_: int) -> int:
    raise ValueError


def waiting(item: int) -> int:
    """Print the number of the process and wait to be ended."""
    print(os.getpid(), flush=True)
    signal.pause()
    return item


def collected(function: Callable[[int], int], items: list[int], workers: int) -> dict[int, Any]:
    return dict(each_item(function, items, workers))


def test_an_exception_is_the_result_of_its_item() -> None:
    found = collected(tripled, [1, 3, 4], 1)
    assert found == {0: 3, 1: Broken("three is refused"), 2: 12}
    assert collected(silent, [1], 1) == {0: Broken("ValueError")}


def test_a_process_that_dies_costs_its_item_alone() -> None:
    items = [1, 2, 3, 4, 5, 6, 7, 8]
    found = collected(tripled, items, 2)
    assert [found[index] for index in range(8)] == [
        3, 6, Broken("three is refused"), 12, Broken("the extractors crash on it"), 18, 21, 24,
    ]  # fmt: skip


def test_a_reader_that_stops_ends_the_processes() -> None:
    reader = each_item(tripled, list(range(10, 60)), 2)
    next(reader)
    assert multiprocessing.active_children()
    reader.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_processes_end_with_the_one_that_was_killed() -> None:
    program = "from inference.training.item_workers import each_item\n" + (
        "from tests.inference.training.test_item_workers import waiting\n"
        "if __name__ == '__main__': list(each_item(waiting, [1, 2], 2))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip().isdigit()
        parent.kill()
        # the pipe ends when the last process that holds it has ended
        parent.communicate(timeout=60)


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_to_do_is_done(workers: int) -> None:
    assert collected(tripled, [], workers) == {}
