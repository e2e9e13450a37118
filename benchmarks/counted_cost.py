"""What a window costs in things that can be counted, which are the same on every computer.

    python benchmarks/counted_cost.py

Operators that reach the kernels (views cost nothing), floating point operations of matrix products,
convolutions and attention, and the most bytes of results that are alive at once (weights and inputs
left out, as is what a kernel needs inside). Prints a table of the training form and the lean one,
and how they grow with the length of the window, with modalities and with the batch. The continuous
integration holds the ratios: tests/inference/test_counted_cost.py.
"""

import dataclasses
import math
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from inference.checkpoint import load_checkpoint
from inference.lean import LeanDHMD
from inference.model import DHMD, DHMDConfig

__all__ = [
    "Cost",
    "both_forms",
    "cost",
    "growth_with_batch",
    "growth_with_length",
    "growth_with_modalities",
    "lengthened",
    "slope",
    "with_modalities",
]

Run = Callable[[], object]
Inputs = tuple[Tensor, ...]


class Cost(NamedTuple):
    """Of one run; or ratios of two costs."""

    operators: float
    operations: float
    """Floating point operations; a multiplication and an addition are two."""
    bytes: float
    """The most that are alive at once."""

    def over(self, other: "Cost") -> "Cost":
        """How many times the other."""
        return Cost(*(a / b for a, b in zip(self, other, strict=True)))


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators = self.alive = self.most = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        del types
        for storage in _storages((args, kwargs)):
            if id(storage) not in self._known:  # it was there before
                self._take(storage, 0)
        self.operators += not func.is_view
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            if id(storage) not in self._known:
                self._take(storage, storage.nbytes())
        return result

    def _take(self, storage: torch.UntypedStorage, size: int) -> None:
        self._known[id(storage)] = size
        self.alive += size
        self.most = max(self.most, self.alive)
        weakref.finalize(storage, self._freed, id(storage))

    def _freed(self, key: int) -> None:
        self.alive -= self._known.pop(key)


def _storages(tree: Any) -> Iterable[torch.UntypedStorage]:
    return (x.untyped_storage() for x in tree_leaves(tree) if isinstance(x, Tensor))


def _attention(query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any,
               **__: Any) -> int:  # fmt: skip
    """Of the shapes [B, heads, steps, width]: queries by keys, then weights by values."""
    batch, heads, queries, width = query
    return 2 * batch * heads * queries * key[2] * (width + value[3])


# PyTorch's table has the attention of GPUs alone.
_CPU_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}


def cost(run: Run) -> Cost:
    """Counted while it runs once."""
    flops = FlopCounterMode(display=False, custom_mapping=_CPU_ATTENTION)
    with torch.no_grad(), flops, _Counter() as counter:
        run()
    return Cost(counter.operators, flops.get_total_flops(), counter.most)


def inputs_of(config: DHMDConfig, batch: int = 1, present: Sequence[str] | None = None) -> Inputs:
    """Windows of noise; all steps of the modalities in `present` (default: all) are valid."""
    generator = torch.Generator().manual_seed(0)
    features, valid = [], []
    for name, m in config.modalities.items():
        features.append(torch.randn(batch, m.steps, m.features, generator=generator))
        there = present is None or name in present
        valid.append(torch.full((batch, m.steps), there, dtype=torch.bool))
    return (*features, *valid)


def both_forms(config: DHMDConfig, inputs: Inputs | None = None) -> tuple[Run, Run]:
    """One window through the training form and through the lean one, never trained."""
    torch.manual_seed(0)
    network = DHMD(config).eval()
    lean, given = LeanDHMD(network), inputs_of(config) if inputs is None else inputs
    names = list(config.modalities)
    features, valid = (dict(zip(names, x, strict=True)) for x in (given[:3], given[3:]))
    return lambda: network(features, valid), lambda: lean(*given)


def lengthened(config: DHMDConfig, factor: int) -> DHMDConfig:
    """The network for windows of `factor` times as many steps."""
    longer = {
        name: dataclasses.replace(m, steps=factor * m.steps)
        for name, m in config.modalities.items()
    }
    return dataclasses.replace(config, **longer)  # type: ignore[arg-type]


def with_modalities(config: DHMDConfig, count: int) -> DHMDConfig:
    """The network when only the last `count` modalities have more than one step.

    The number of modalities is part of the method. What remains of one that has a single step is
    little: it is as near as the network comes to having one modality fewer.
    """
    small = {
        name: dataclasses.replace(m, steps=1)
        for name, m in list(config.modalities.items())[: len(config.modalities) - count]
    }
    return dataclasses.replace(config, **small)  # type: ignore[arg-type]


def growth_with_length(config: DHMDConfig, factors: Sequence[int] = (1, 2, 4, 8)) -> list[Cost]:
    """Of the lean form, for windows so many times as long, over that of the first."""
    found = [cost(both_forms(lengthened(config, factor))[1]) for factor in factors]
    return [one.over(found[0]) for one in found]


def growth_with_modalities(config: DHMDConfig) -> list[Cost]:
    """Of the training form with one, two and three modalities, over that with one."""
    counts = range(1, 1 + len(config.modalities))
    found = [cost(both_forms(with_modalities(config, count))[0]) for count in counts]
    return [one.over(found[0]) for one in found]


def growth_with_batch(config: DHMDConfig, batches: Sequence[int] = (1, 8, 64)) -> list[Cost]:
    """Of the lean form, for so many windows at once, over that of the first."""
    found = [cost(both_forms(config, inputs_of(config, batch))[1]) for batch in batches]
    return [one.over(found[0]) for one in found]


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power with which cost grows with size, by least squares: 1 is linear, 2 quadratic."""
    xs, ys = [math.log(x) for x in sizes], [math.log(y) for y in costs]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return above / sum((x - mean_x) ** 2 for x in xs)


def main() -> None:
    config = load_checkpoint("live").config
    print(f"{'':<44}{'operators':>12}{'operations':>12}{'bytes':>12}")

    def line(title: str, found: Cost, form: str) -> None:
        print(f"{title:<44}" + "".join(f"{x:>12{form}}" for x in found))

    training, lean = (cost(run) for run in both_forms(config))
    line("training form, one window", training, ",.0f")
    line("lean form, one window", lean, ",.0f")
    line("lean / training", lean.over(training), ".2f")
    lengths = (1, 2, 4, 8)
    growth = growth_with_length(config, lengths)
    for factor, found in zip(lengths, growth, strict=True):
        line(f"lean, window x {factor} / x 1", found, ".2f")
    power = slope(lengths, [x.operations for x in growth])
    print(f"operations grow with the length of the window to the power {power:.2f}")
    for count, found in enumerate(growth_with_modalities(config), 1):
        line(f"training, {count} modalities / 1", found, ".2f")
    for batch, found in zip((1, 8, 64), growth_with_batch(config), strict=True):
        line(f"lean, batch {batch} / 1", found, ".2f")


if __name__ == "__main__":
    main()
