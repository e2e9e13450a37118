"""What a window may cost, as ratios of what can be counted: no clock has a say.

One window costs about as much time as it has operators, and many cost their arithmetic. The bounds
leave some room above what is counted today (python benchmarks/counted_cost.py).
"""

from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F

from benchmarks.counted_cost import (
    Cost,
    both_forms,
    cost,
    growth_with_batch,
    growth_with_length,
    growth_with_modalities,
    inputs_of,
    lengthened,
    slope,
)
from inference.checkpoint import Checkpoint
from inference.model import MODALITIES

LENGTHS, BATCHES = (1, 2, 4, 8), (1, 8, 64)


def against_training(ratio: Cost) -> list[str]:
    """What is wrong with the cost of the lean form over that of the training form."""
    return broken(
        ratio,
        operators=1 / 3,
        operations=1.25,  # shorter modalities are padded
        bytes=3.5,  # six edges run side by side
    )


def with_length(growth: Sequence[Cost]) -> list[str]:
    """What is wrong with the growth from windows of one to those of eight times the length.

    Attention alone is quadratic in it, and is little of the whole.
    """
    power = slope(LENGTHS, [one.operations for one in growth])
    memory = slope(LENGTHS, [one.bytes for one in growth])
    return broken(Cost(growth[-1].operators, power, memory), 1.0, operations=1.2, bytes=1.25)


def with_modalities(growth: Sequence[Cost]) -> list[str]:
    """What is wrong with the growth from one to three modalities: no more than the edges grow."""
    return broken(growth[-1], 1.0, operations=3.5, bytes=2.0)


def with_batch(growth: Sequence[Cost]) -> list[str]:
    """What is wrong with the cost of a window in a batch of 64 over that of one alone."""
    last = growth[-1]
    share = Cost(last.operators, last.operations / BATCHES[-1], last.bytes / BATCHES[-1])
    return broken(share, 1.1, operations=1.001, bytes=1.05)


def broken(found: Cost, operators: float, operations: float, bytes: float) -> list[str]:
    bounds = {"operators": operators, "operations": operations, "bytes": bytes}
    return [
        f"{name}: {value:.3f} > {bounds[name]:.3f}"
        for name, value in zip(Cost._fields, found, strict=True)
        if value > bounds[name]
    ]


def test_the_lean_form_against_the_training_form(live: Checkpoint) -> None:
    training, lean = (cost(run) for run in both_forms(live.config))
    assert against_training(lean.over(training)) == []


def test_growth_with_the_length_of_the_window(live: Checkpoint) -> None:
    assert with_length(growth_with_length(live.config, LENGTHS)) == []


def test_growth_with_modalities(live: Checkpoint) -> None:
    assert with_modalities(growth_with_modalities(live.config)) == []


def test_growth_with_the_batch(live: Checkpoint) -> None:
    assert with_batch(growth_with_batch(live.config, BATCHES)) == []


def test_a_modality_that_is_absent_changes_nothing(live: Checkpoint) -> None:
    """Shapes do not depend on the data: whoever is there, a window costs the same."""
    found = {
        cost(both_forms(live.config, inputs_of(live.config, present=MODALITIES[:count]))[1])
        for count in range(1 + len(MODALITIES))
    }
    assert len(found) == 1


# What follows shows that the gate closes: each is something that would make a window slower.


def test_the_training_form_in_place_of_the_lean_one_is_noticed(live: Checkpoint) -> None:
    training, _ = (cost(run) for run in both_forms(live.config))
    assert [text.partition(":")[0] for text in against_training(training.over(training))] == [
        "operators"
    ]


def test_work_that_is_done_twice_is_noticed(live: Checkpoint) -> None:
    run, lean = both_forms(live.config)
    twice = cost(lambda: (lean(), lean()))
    assert [text.partition(":")[0] for text in against_training(twice.over(cost(run)))] == [
        "operators",
        "operations",
    ]


def every_step_alone(factor: int, run: Callable[[], object]) -> None:
    run()
    for _ in range(40 * factor):
        torch.ones(1).neg()


def every_pair_of_steps(factor: int, run: Callable[[], object]) -> None:
    run()
    steps = torch.ones(100 * factor, 3000)
    F.relu(steps @ steps.T)


def every_pair_kept(factor: int, run: Callable[[], object]) -> None:
    run()
    torch.ones(400 * factor, 1).repeat(1, 400 * factor)


@pytest.mark.parametrize(
    ("slower", "what"),
    [
        (every_step_alone, "operators"),
        (every_pair_of_steps, "operations"),
        (every_pair_kept, "bytes"),
    ],
)
def test_what_grows_faster_than_the_window_is_noticed(
    slower: Callable[[int, Callable[[], object]], None], what: str, live: Checkpoint
) -> None:
    def run(factor: int) -> Cost:
        _, lean = both_forms(lengthened(live.config, factor))
        return cost(lambda: slower(factor, lean))

    found = [run(factor) for factor in LENGTHS]
    wrong = with_length([one.over(found[0]) for one in found])
    assert [text.partition(":")[0] for text in wrong] == [what]


def test_a_branch_for_each_pair_of_pairs_would_be_noticed() -> None:
    assert with_modalities([Cost(1, 1, 1), Cost(1, 4, 1.5), Cost(1, 9, 1.5)]) != []


def test_a_batch_that_is_done_one_by_one_is_noticed(live: Checkpoint) -> None:
    _, lean = both_forms(live.config)
    one, many = cost(lean), cost(lambda: [lean() for _ in range(64)])
    assert any(text.startswith("operators") for text in with_batch([one, many.over(one)]))


# And that it counts rightly.


def test_products_and_attention_are_counted() -> None:
    a, b = torch.ones(3, 4), torch.ones(4, 5)
    assert cost(lambda: a @ b).operations == 2 * 3 * 4 * 5
    query, key = torch.ones(1, 2, 3, 8), torch.ones(1, 2, 5, 8)
    found = cost(lambda: F.scaled_dot_product_attention(query, key, key))
    assert found.operations == 2 * 2 * (2 * 3 * 5 * 8)


def test_views_cost_nothing_and_what_is_freed_counts_no_more() -> None:
    given = torch.ones(1000)
    assert cost(lambda: given.view(10, 100).T) == Cost(0, 0, 0)

    def one_after_the_other() -> None:
        for _ in range(5):
            given.neg()

    assert cost(one_after_the_other) == Cost(5, 0, 4000)
    assert cost(lambda: [given.neg() for _ in range(5)]) == Cost(5, 0, 20_000)


@pytest.mark.parametrize(("power", "costs"), [(1.0, (3, 6, 12, 24)), (2.0, (1, 4, 16, 64))])
def test_the_slope_is_the_power(power: float, costs: Sequence[float]) -> None:
    assert slope(LENGTHS, costs) == pytest.approx(power)
