"""The loop that moves the weights, made so that it can be stopped and gone on with anywhere.

The schedule of DMD is `optimiser="adam"`, `clip_by="value"`, `schedule="plateau"`,
`keep="best"` with accumulation and early stopping. Three things its public code leaves out are done
here: the loss is divided by the number of batches that accumulate, the gradient is clipped once a
step, and the last batches of an epoch make a step of their own.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_swa_multi_avg_fn

from assets.errors import BadInput
from inference.model import DHMD, Prediction
from inference.training.batches import Batch, Batches
from inference.training.configuration import TrainingSettings
from inference.training.losses import LossWeights, task_loss, total
from inference.training.processes import ALONE, Processes, mean_over

__all__ = ["Optimisation", "Report", "steps_of", "validation_loss"]

State = dict[str, Any]


class Report(NamedTuple):
    """What happened until a step: mean losses since the last report, and the validation.

    `parts` are the unweighted parts of the loss, see `losses.total`, in this process.
    """

    step: int
    loss: float
    parts: Mapping[str, float]
    learning_rate: float
    validation: float | None


def steps_of(settings: TrainingSettings, batches: Batches) -> int:
    """Steps of the whole run, unless it stops early."""
    return settings.epochs * batches.steps_in_epoch if settings.epochs else settings.steps


def validation_loss(model: DHMD, batches: Sequence[Batch]) -> float:
    """Mean over samples of the task loss of the final prediction: L1 for sentiment alone [dmd]."""
    was_training = model.training
    model.eval()
    losses, sizes = [], []
    with torch.inference_mode():
        for batch in batches:
            output = model(batch.features, batch.valid)
            final = Prediction(output.emotion, output.sentiment)
            loss = task_loss(final, batch.targets, output.present.any(1), model.config)
            losses.append(loss.item())
            sizes.append(len(batch.targets.emotion))
    model.train(was_training)
    return float(np.average(losses, weights=sizes))


class Optimisation:
    """One run: `advance` until `done`. `state` at any step is all that going on needs."""

    def __init__(
        self,
        model: DHMD,
        batches: Batches,
        settings: TrainingSettings,
        validation: Sequence[Batch] = (),
        processes: Processes = ALONE,
    ) -> None:
        """`validation` is what is watched; it may be empty if the settings watch nothing."""
        self.steps = steps_of(settings, batches)
        self.step = 0
        self._model, self._batches, self._settings = model, batches, settings
        self._validation, self._processes = validation, processes
        self._weights = LossWeights(**asdict(settings.losses))
        self._wrapped: nn.Module = model
        if processes.count > 1:
            # a batch without a modality leaves the parts for it out
            self._wrapped = DistributedDataParallel(model, find_unused_parameters=True)
        self._parameters = tuple(model.parameters())
        self._optimiser = _optimiser(model, settings)
        self._schedule = _schedule(self._optimiser, settings, self.steps)
        self._averaged = AveragedModel(model, multi_avg_fn=get_swa_multi_avg_fn())  # type: ignore[no-untyped-call]
        self._best: State = {}
        self._best_loss, self._worse = math.inf, 0
        self._recent: dict[str, float] = {}
        self._since = 0
        model.train()

    @property
    def done(self) -> bool:
        """Whether all steps are made, or too many validations were no better."""
        stop = self._settings.stop_after
        return self.step >= self.steps or bool(stop and self._worse >= stop)

    @property
    def report_every(self) -> int:
        """Steps between reports."""
        return self._settings.evaluate_every or self._batches.steps_in_epoch or self.steps

    def advance(self) -> Report | None:
        """Make a step. The report if one is due now: every so often, and at the end.

        Raises BadInput if the weights are no numbers any more, so that a run whose settings make it
        diverge ends at once and keeps the state of its last report.
        """
        self.step += 1
        self._optimiser.zero_grad(set_to_none=True)
        self._accumulate()
        for parameter in self._parameters:
            if (
                parameter.requires_grad and parameter.grad is None
            ):  # not used in this step; its momentum goes on all the same
                parameter.grad = torch.zeros_like(parameter)
        self._clip()
        self._optimiser.step()
        with torch.no_grad():
            size = torch.nn.utils.get_total_norm(self._parameters, foreach=True)
        if not torch.isfinite(size):
            raise BadInput(
                f"the training diverges at step {self.step}; set a smaller learning_rate or clip"
            )
        if isinstance(self._schedule, LambdaLR):
            self._schedule.step()
        if self.step > self._settings.average_from * self.steps:
            self._averaged.update_parameters(self._model)
        if self.step % self.report_every == 0 or self.step == self.steps:
            return self._report()
        return None

    def _accumulate(self) -> None:
        """The gradient of the mean loss over the batches of this step, of which each process takes
        every so many. Each batch has its own random numbers, whichever process it falls to."""
        rank, others = self._processes.rank, self._processes.count
        count = self._batches.count(self.step)
        # a process for which none is left must still take part in the exchange of the gradients
        mine = list(range(rank, count, others)) or [0]
        share = 1 / count if rank < count else 0.0
        found: dict[str, float] = {}
        for index in mine:
            seed = np.random.SeedSequence([self._settings.seed, self.step, index])
            torch.manual_seed(int(seed.generate_state(1)[0]))
            batch = self._batches.draw(self.step, index)
            quiet = index != mine[-1] and isinstance(self._wrapped, DistributedDataParallel)
            with self._wrapped.no_sync() if quiet else nullcontext():  # type: ignore[operator]
                output = self._wrapped(batch.features, batch.valid)
                loss, parts = total(
                    output, batch.targets, self._model.config, self._weights, batch.lesson
                )
                # the exchange takes the mean over processes, and the step wants the sum
                torch.autograd.backward(loss * (share * others))
            for name, part in {"loss": loss.detach(), **parts}.items():
                found[name] = found.get(name, 0.0) + part.item() * share * others
        found["loss"] = mean_over(found["loss"], self._processes)
        for name, value in found.items():
            self._recent[name] = self._recent.get(name, 0.0) + value
        self._since += 1

    def _clip(self) -> None:
        limit, parameters = self._settings.clip, self._parameters
        if self._settings.clip_by == "value":
            torch.nn.utils.clip_grad_value_(parameters, limit, foreach=True)
        else:
            torch.nn.utils.clip_grad_norm_(parameters, limit, foreach=True)

    def _report(self) -> Report:
        """Means since the last report; validates, keeps the best and may lower the rate."""
        means = {name: value / self._since for name, value in self._recent.items()}
        rate = self._optimiser.param_groups[0]["lr"]
        self._recent, self._since = {}, 0
        watched = None
        if self._validation:
            watched = validation_loss(self._model, self._validation)
            if watched < self._best_loss:
                self._best_loss, self._worse = watched, 0
                self._best = _copied(self._model.state_dict())
            else:
                self._worse += 1
            if isinstance(self._schedule, ReduceLROnPlateau):
                self._schedule.step(watched)
        return Report(self.step, means.pop("loss"), means, rate, watched)

    def result(self) -> dict[str, Tensor]:
        """The weights that the settings keep."""
        if self._settings.keep == "average":
            return _copied(self._averaged.module.state_dict())
        if self._settings.keep == "best" and self._best:
            return _copied(self._best)
        return _copied(self._model.state_dict())

    def state(self) -> State:
        """Everything that the next step depends on; tensors and plain values."""
        return {
            "step": self.step,
            "model": _copied(self._model.state_dict()),
            "averaged": _copied(self._averaged.state_dict()),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "best": self._best,
            "best_loss": self._best_loss,
            "worse": self._worse,
            "recent": dict(self._recent),
            "since": self._since,
        }

    def resume(self, state: State) -> None:
        """Go on from a `state` of an equal run. Raises KeyError or RuntimeError if it is none."""
        self._model.load_state_dict(state["model"])
        self._averaged.load_state_dict(state["averaged"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._best, self._best_loss = state["best"], state["best_loss"]
        self._worse, self._since = state["worse"], state["since"]
        self._recent = dict(state["recent"])
        self.step = state["step"]


def _copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def _optimiser(model: DHMD, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam or AdamW; the atoms of the dictionary have a rate of their own and do not decay."""
    learned = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    atoms = [p for name, p in learned if name.endswith("atoms")]
    others = [p for name, p in learned if not name.endswith("atoms")]
    groups = [
        {"params": others, "lr": settings.learning_rate},
        {"params": atoms, "lr": settings.dictionary_learning_rate, "weight_decay": 0.0},
    ]
    kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
    # all weights in one call: hundreds of small ones took a tenth of a step
    return kind([g for g in groups if g["params"]], weight_decay=settings.weight_decay, fused=True)


def _schedule(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings, steps: int
) -> LambdaLR | ReduceLROnPlateau:
    if settings.schedule == "plateau":
        return ReduceLROnPlateau(optimiser, factor=0.5, patience=settings.patience)
    return LambdaLR(optimiser, lambda step: _rate(step, settings.warmup, steps))


def _rate(step: int, warmup: int, steps: int) -> float:
    """Part of the learning rate at step 0, 1, ...: linear warm-up, half a cosine to a twentieth."""
    if step < warmup:
        return (step + 1) / warmup
    part = (step - warmup) / max(1, steps - warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * part))
