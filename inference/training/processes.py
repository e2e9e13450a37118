"""Several processes that train together, as torchrun starts them; one process is the usual case."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

__all__ = ["ALONE", "Processes", "joined_processes", "mean_over"]


@dataclass(frozen=True, slots=True)
class Processes:
    """Which of how many processes this one is."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0


ALONE = Processes()
"""The one process that there usually is."""


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """The processes that torchrun started, joined by gloo; this one alone without torchrun."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    dist.init_process_group("gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def mean_over(value: float, processes: Processes) -> float:
    """The mean of a number over the processes, known to all of them."""
    if processes.count == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    dist.all_reduce(shared)
    return float(shared.item()) / processes.count
