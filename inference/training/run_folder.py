"""A training run on disk: where it is, so that it can go on after kill -9, and its logs.

    state.pt     the last report's state, after its hash; gone when the run is over
    log.csv      a row for each report: losses, validation, learning rate
    events.*     the same for TensorBoard

A run that goes on from its state makes the same checkpoint as one that was never stopped, byte for
byte, on the same machine.
"""

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from assets.errors import BadInput
from extractors.features import MODALITIES
from inference.checkpoint import Checkpoint
from inference.training.optimisation import Optimisation, Report
from inference.training.plan import Plan
from inference.training.processes import ALONE, Processes
from inference.training.train import Progress, begin, progress_of
from inference.whole_file import whole_file

__all__ = ["RunFolder", "forget", "identity", "resumable_run"]

STATE, LOG = "state.pt", "log.csv"
VERSION = 1
DIGEST = hashlib.sha256().digest_size
"""Bytes of the hash: PyTorch does not see a number that was changed on the disk."""


def identity(plan: Plan) -> str:
    """A hash that two runs share if they are the same: settings, data, version of torch.

    The data is told by what is left of it in the normaliser, which every number of it moves, by its
    items and labels, and by the items held out.
    """
    digest = hashlib.sha256(json.dumps(asdict(plan.settings), sort_keys=True).encode())
    digest.update(torch.__version__.encode())
    digest.update(plan.labels.encode())
    for name in MODALITIES:
        digest.update(plan.normaliser.mean[name].tobytes())
        digest.update(plan.normaliser.deviation[name].tobytes())
    for items in plan.held_out.values():
        digest.update(json.dumps(items.ids).encode())
    return digest.hexdigest()


class RunFolder:
    """The folder of one run. Everything in it is written beside and then renamed."""

    def __init__(self, path: Path, identity: str) -> None:
        """Makes the folder. Raises BadInput if that cannot be."""
        self._path, self._identity = path, identity
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"cannot write the run {path}: {error.strerror}") from error

    def load(self) -> tuple[dict[str, Any], list[Report]] | None:
        """State and reports of a run that was stopped; None if there is none.

        Raises BadInput, naming the file, if it is damaged or of a run of other settings or data.
        """
        file = self._path / STATE
        if not file.exists():
            return None
        advice = f"delete {self._path} to begin anew"
        try:
            content = file.read_bytes()
        except OSError as error:
            raise BadInput(f"cannot read {file}: {error.strerror}") from error
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
            raise BadInput(f"{file} is damaged or of another version; {advice}")
        try:
            inside = io.BytesIO(content[DIGEST:])
            saved = torch.load(inside, map_location="cpu", weights_only=True)
            version, made_of = saved["version"], saved["identity"]
            found = saved["run"], [Report(*report) for report in saved["reports"]]
        except Exception as error:  # what a forged file raises is anyone's guess
            line = " ".join(str(error).split())[:200]
            raise BadInput(f"{file} is damaged: {line}; {advice}") from error
        if version != VERSION:
            raise BadInput(f"{file} field version is {version}; {advice}")
        if made_of != self._identity:
            raise BadInput(f"{file} is of a run with other settings or data; {advice}")
        return found

    def save(self, run: Optimisation, reports: Sequence[Report]) -> None:
        """Keep where the run is. Raises BadInput if it cannot be written."""
        content = io.BytesIO()
        torch.save(
            {
                "version": VERSION,
                "identity": self._identity,
                "run": run.state(),
                "reports": [tuple(report) for report in reports],
            },
            content,
        )
        self._write(LOG, _table(reports).encode())
        state = content.getvalue()
        self._write(STATE, hashlib.sha256(state).digest() + state)

    def _write(self, name: str, content: bytes) -> None:
        with whole_file(self._path / name) as partial:
            partial.write_bytes(content)


def _table(reports: Sequence[Report]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    parts = list(reports[0].parts)
    table.writerow(["step", "loss", "validation", "learning_rate", *parts])
    for r in reports:
        watched = "" if r.validation is None else r.validation
        table.writerow([r.step, r.loss, watched, r.learning_rate, *(r.parts[p] for p in parts)])
    return text.getvalue()


def resumable_run(
    plan: Plan,
    folder: Path,
    report: Callable[[Progress], None] | None = None,
    processes: Processes = ALONE,
    clock: Callable[[], float] = time.monotonic,
) -> Checkpoint:
    """Train as `train` does, keeping the run in `folder`, and go on where one was stopped there.

    Of several processes the first alone writes; all must see the same folder. Raises BadInput if
    the folder cannot be written or holds another run.
    """
    from tensorboardX import SummaryWriter

    place = RunFolder(folder, identity(plan))
    run, reports = begin(plan, processes), list[Report]()
    stopped = place.load()
    if stopped is not None:
        state, reports = stopped
        run.resume(state)
    first, began = run.step, clock()
    events = SummaryWriter(str(folder), purge_step=first + 1) if processes.first else None
    try:
        while not run.done:
            found = run.advance()
            if found is None:
                continue
            reports.append(found)
            if events is not None:
                _log(events, found)
                place.save(run, reports)
            if report is not None:
                report(progress_of(found, run, clock() - began, first))
    finally:
        if events is not None:
            events.close()
    return plan.checkpoint(run.result())


def forget(folder: Path) -> None:
    """The checkpoint of the run is written: its logs stay, its state goes."""
    (folder / STATE).unlink(missing_ok=True)


def _log(events: Any, report: Report) -> None:
    """A report for TensorBoard."""
    events.add_scalar("loss/total", report.loss, report.step)
    events.add_scalar("learning rate", report.learning_rate, report.step)
    if report.validation is not None:
        events.add_scalar("loss/validation", report.validation, report.step)
    for name, value in report.parts.items():
        events.add_scalar(f"part/{name}", value, report.step)
    events.flush()
