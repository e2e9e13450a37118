import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.checkpoint import Checkpoint
from inference.lean import LeanDHMD, LeanOutput, empty_inputs, export
from inference.model import DHMD, DHMDConfig, DHMDOutput
from tests.inference.real_windows import RealWindows
from tests.inference.small_network import Batch, changed, random_batch, with_modalities

SUBSETS = torch.tensor(list(itertools.product((False, True), repeat=3)))
"""The seven subsets of the modalities, and none."""

SWITCHES = (
    {},
    {"gate": "dmd"},
    {"dictionary": False},
    {"dictionary": False, "gate": "dmd"},
    {"dictionary_gradient": False},
    {"decoupling": False},
    {"homogeneous": False},
    {"heterogeneous": False},
    {"sentiment": False},
    {"emotions": ()},
    {"layers": 1},
    {"layers": 3, "heads": 4, "temperature": 2.0},
)


def lively(config: DHMDConfig) -> DHMD:
    """A network whose gains, offsets and biases are not those that every network begins with."""
    torch.manual_seed(0)
    network = DHMD(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network


def of_training(output: DHMDOutput) -> LeanOutput:
    return LeanOutput(
        output.emotion,
        output.sentiment,
        output.homogeneous.edges,
        output.heterogeneous.edges,
        output.homogeneous.activation,
        output.heterogeneous.activation,
    )


def both(network: DHMD, batch: Batch) -> tuple[LeanOutput, LeanOutput]:
    features, valid = batch
    with torch.inference_mode():
        wanted = of_training(network(features, valid))
        return LeanDHMD(network)(*features.values(), *valid.values()), wanted


def assert_close(found: LeanOutput, wanted: LeanOutput, within: float = 1e-5) -> None:
    for name, one, other in zip(LeanOutput._fields, found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=within, err_msg=name)


@pytest.mark.parametrize("values", SWITCHES, ids=str)
def test_every_configuration_gives_what_the_training_form_gives(values: dict[str, object]) -> None:
    config = changed(**values)
    network = lively(config)
    for seed in range(3):
        found, wanted = both(network, with_modalities(random_batch(config, 8, seed), SUBSETS))
        assert_close(found, wanted)
        assert wanted.homogeneous_atoms.any() == config.dictionary
        outputs = torch.cat([found.emotion, found.sentiment[:, None]], dim=1)
        assert outputs.std() > 0.01, "all alike would prove nothing"


def test_the_shipped_network_on_random_windows(live: Checkpoint) -> None:
    batch = with_modalities(random_batch(live.config, 8), SUBSETS)
    assert_close(*both(live.model(), batch))


def test_the_shipped_network_on_real_windows(real: RealWindows) -> None:
    """With what was there, and with every subset of it."""
    for present in SUBSETS:
        features, valid = real.batch
        some = with_modalities((features, valid), present.expand(len(valid["text"]), -1))
        assert_close(*both(real.checkpoint.model(), some))


def test_what_is_not_valid_does_not_count() -> None:
    network = LeanDHMD(lively(changed()))
    features, valid = random_batch()
    dirty = {
        name: x.masked_fill(~valid[name][..., None], torch.nan) for name, x in features.items()
    }
    with torch.inference_mode():
        clean, other = (network(*x.values(), *valid.values()) for x in (features, dirty))
    for one, same in zip(clean, other, strict=True):
        assert torch.equal(one, same)


def test_it_shares_nothing_with_the_network_and_cannot_be_trained() -> None:
    network = lively(changed())
    features, valid = random_batch()
    before = LeanDHMD(network)
    first = before(*features.values(), *valid.values())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    again = before(*features.values(), *valid.values())
    for one, same in zip(first, again, strict=True):
        assert torch.equal(one, same)
    assert not first.emotion.requires_grad
    assert not list(before.parameters())


def test_a_network_with_an_unknown_part_is_refused() -> None:
    network = lively(changed())
    query = network.homogeneous.dictionary
    assert query is not None
    query.query["text"][2] = torch.nn.ReLU()  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"no lean form is known of .*ReLU"):
        LeanDHMD(network)


def test_the_export_has_no_free_shape_and_gives_the_same(live: Checkpoint) -> None:
    network = LeanDHMD(live.model())
    program = export(network, 2)
    for node in program.graph.nodes:
        value = node.meta.get("val")
        if isinstance(value, Tensor):
            assert all(type(size) is int for size in value.shape), node
    features, valid = random_batch(live.config, 2)
    inputs = (*features.values(), *valid.values())
    assert [x.shape for x in inputs] == [x.shape for x in empty_inputs(live.config, 2)]
    assert_close(LeanOutput(*program.module()(*inputs)), network(*inputs))
    with pytest.raises(Exception, match=r"shape|size|batch|Guard"):
        program.module()(*(x[:1] for x in inputs))


def test_half_precision_keeps_the_emotion(real: RealWindows) -> None:
    features, valid = real.batch
    inputs = (*features.values(), *valid.values())
    with torch.inference_mode():
        full, half = (LeanDHMD(real.checkpoint.model(), half=h)(*inputs) for h in (False, True))
    for one, other in zip(full, half, strict=True):
        assert other.dtype == torch.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-2)
    same = full.emotion.argmax(1) == half.emotion.argmax(1)
    assert same.float().mean() >= 0.99
