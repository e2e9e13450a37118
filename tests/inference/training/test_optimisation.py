"""The schedule of DMD, with what its code leaves out, against steps worked out by other means."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from assets.errors import BadInput
from inference.model import DHMD
from inference.training.batches import TogetherBatches, kept_modalities
from inference.training.configuration import NetworkSettings, NoiseSettings, network
from inference.training.losses import total
from inference.training.optimisation import Optimisation, validation_loss
from inference.training.plan import plan
from inference.training.train import begin
from tests.inference.training.made_sequences import made_sequences, sequence_settings

STILL = {"network": NetworkSettings(width=8, heads=2, layers=1, atoms=8, dropout=0.0,
                                    output_dropout=0.0),
         "noise": NoiseSettings(0.0, 0.0, 0.0), "drop_modality": 0.0}  # fmt: skip


def batches(**values: object) -> TogetherBatches:
    found = plan(sequence_settings(**values), [made_sequences()]).batches
    assert isinstance(found, TogetherBatches)
    return found


def test_an_epoch_has_every_item_once_and_a_step_for_what_is_left() -> None:
    drawn = batches(**STILL, batch=5, accumulation=3)  # 24 items: 5 batches, 3 and 2 of them
    assert drawn.steps_in_epoch == 2
    assert [drawn.count(step) for step in (1, 2, 3, 4)] == [3, 2, 3, 2]
    orders = []
    for epoch in (0, 1):
        seen: list[float] = []
        for step in (2 * epoch + 1, 2 * epoch + 2):
            for index in range(drawn.count(step)):
                seen += drawn.draw(step, index).targets.sentiment.tolist()
        orders.append(seen)
        assert sorted(seen) == sorted(drawn.sequences.sentiment[drawn.items].tolist())
    assert orders[0] != orders[1]


def test_a_batch_depends_on_seed_step_and_place_alone() -> None:
    one, other, seeded = batches(), batches(), batches(seed=1)
    for _ in range(2):  # drawing leaves nothing behind
        for step, index in ((3, 1), (1, 0)):
            a, b = one.draw(step, index), other.draw(step, index)
            assert_close(a.features, b.features, rtol=0, atol=0)
            assert_close(a.valid, b.valid)
    a, b = one.draw(1, 0), seeded.draw(1, 0)
    assert not torch.equal(a.targets.sentiment, b.targets.sentiment)


def test_modalities_are_dropped_as_often_as_said_and_never_all() -> None:
    present = np.asarray([[True, True, True], [True, False, True], [False, True, False]] * 2000)
    kept = kept_modalities(present, 0.3, np.random.default_rng(0))
    assert not (kept & ~present).any()
    assert kept.any(axis=1).all()
    assert kept[::3].mean() == pytest.approx(1 - 0.3 + 0.3**3 / 3, abs=0.02)
    assert kept[2::3, 1].all()
    np.testing.assert_array_equal(kept_modalities(present, 0.0, np.random.default_rng(0)), present)


def gradients(model: DHMD) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("step", [1, 2])
def test_the_loss_is_divided_by_the_batches_of_the_step_and_clipped_once(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step 1 has two batches and step 2, the last of the epoch, one."""
    made = plan(sequence_settings(**STILL, clip=1e-3), [made_sequences()])
    run = begin(made)
    run.step = step - 1
    mean: dict[str, torch.Tensor] = {}
    count = made.batches.count(step)
    assert count == 3 - step
    reference = DHMD(made.config)
    reference.load_state_dict(run._model.state_dict())
    for index in range(count):
        batch = made.batches.draw(step, index)
        loss, _ = total(reference(batch.features, batch.valid), batch.targets, made.config)
        loss.backward()  # type: ignore[no-untyped-call]
    mean = {n: g / count for n, g in gradients(reference).items()}
    seen: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(run._optimiser, "step", lambda: seen.append(gradients(run._model)))
    run.advance()
    (clipped,) = seen
    assert max(g.abs().max().item() for g in mean.values()) > 1e-3
    for name, gradient in clipped.items():
        assert_close(gradient, mean[name].clamp(-1e-3, 1e-3), atol=1e-7, rtol=1e-4)


def watched(values: list[float], monkeypatch: pytest.MonkeyPatch, **more: object) -> Optimisation:
    """A run to its end whose validations give these values."""
    left = iter(values)
    monkeypatch.setattr("inference.training.optimisation.validation_loss", lambda *_: next(left))
    settings = sequence_settings(epochs=len(values), **more)
    run = begin(plan(settings, [made_sequences()]))
    while not run.done:
        run.advance()
    return run


def test_the_rate_is_halved_when_validation_is_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    run = watched([3.0, 2.0, 2.5, 2.5, 2.5, 1.0], monkeypatch, patience=2)
    assert run._optimiser.param_groups[0]["lr"] == pytest.approx(5e-3 / 2)
    assert run._optimiser.param_groups[1]["lr"] == pytest.approx(1e-3 / 2)


def test_it_stops_early_and_keeps_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    run = watched([3.0, 2.0, 2.5, 2.5, 1.0], monkeypatch, stop_after=2)
    assert run.step == 8  # four epochs of two steps
    until_the_best = watched([3.0, 2.0], monkeypatch)
    for name, tensor in until_the_best._model.state_dict().items():
        assert_close(run.result()[name], tensor, rtol=0, atol=0)


def test_a_run_that_diverges_is_told_at_once() -> None:
    wild = sequence_settings(learning_rate=1e30, keep="last", schedule="cosine")
    run = begin(plan(wild, [made_sequences()]))
    with pytest.raises(BadInput, match="diverges at step 1; set a smaller learning_rate"):
        run.advance()


def test_atoms_have_their_own_rate_and_no_decay() -> None:
    settings = sequence_settings(weight_decay=0.3, optimiser="adamw")
    run = begin(plan(settings, [made_sequences()]))
    others, atoms = run._optimiser.param_groups
    assert isinstance(run._optimiser, torch.optim.AdamW)
    assert (others["lr"], others["weight_decay"]) == (5e-3, 0.3)
    assert (atoms["lr"], atoms["weight_decay"]) == (1e-3, 0.0)
    assert len(atoms["params"]) == 2
    bare = begin(plan(replace(settings, network=replace(settings.network, dictionary=False)),
                      [made_sequences()]))  # fmt: skip
    assert len(bare._optimiser.param_groups) == 1


def test_validation_is_the_mean_absolute_error_over_samples() -> None:
    made = plan(sequence_settings(**STILL), [made_sequences(150)])
    torch.manual_seed(0)
    model = DHMD(network(made.settings))
    errors = []
    for batch in made.validation:
        model.eval()
        predicted = model(batch.features, batch.valid).sentiment
        errors += (predicted - batch.targets.sentiment).abs().tolist()
    model.train()
    assert len(errors) == 30
    assert validation_loss(model, made.validation) == pytest.approx(np.mean(errors), rel=1e-5)
    assert model.training
