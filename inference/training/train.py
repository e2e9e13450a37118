"""The training run: examples in, checkpoint out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from inference.checkpoint import Checkpoint
from inference.model import DHMD
from inference.training.configuration import TrainingSettings
from inference.training.optimisation import Optimisation, Report
from inference.training.plan import Data, Plan, plan
from inference.training.processes import ALONE, Processes

__all__ = ["Progress", "begin", "progress_of", "train"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: steps done and in all, mean loss since the last report, seconds left."""

    step: int
    steps: int
    loss: float
    seconds_left: float
    validation: float | None = None


def train(
    settings: TrainingSettings,
    data: Sequence[Data],
    report: Callable[[Progress], None] | None = None,
    processes: Processes = ALONE,
) -> Checkpoint:
    """Train on the people of the sets that are not held out, see `split.parts_by_person`.

    Measures what was held out, composed samples each modality alone; the numbers stand in the
    checkpoint's origin. The same settings and examples give the same checkpoint on the same
    machine. Raises BadInput before the first step if the settings or the examples cannot be
    trained on.
    """
    planned = plan(settings, data)
    run = begin(planned, processes)
    began = time.monotonic()
    while not run.done:
        found = run.advance()
        if found is not None and report is not None:
            report(progress_of(found, run, time.monotonic() - began))
    return planned.checkpoint(run.result())


def begin(planned: Plan, processes: Processes = ALONE) -> Optimisation:
    """The run of a plan at its beginning, the same for the same seed."""
    torch.manual_seed(planned.settings.seed)
    model = DHMD(planned.config)
    return Optimisation(model, planned.batches, planned.settings, planned.validation, processes)


def progress_of(found: Report, run: Optimisation, elapsed: float, first: int = 0) -> Progress:
    """Progress after `elapsed` seconds since step `first`."""
    left = elapsed / max(1, run.step - first) * (run.steps - run.step)
    return Progress(found.step, run.steps, found.loss, left, found.validation)
