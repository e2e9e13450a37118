"""The network: its small functions by hand, then what must not change its output."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from inference.model import (
    DHMD,
    EDGES,
    MODALITIES,
    Attention,
    CrossModalDictionary,
    DHMDOutput,
    Fusion,
    GDUnit,
    Head,
    ModalityConfig,
    Prediction,
    Recency,
    Transformer,
    causal_mask,
    late_fusion,
    mean_valid_step,
    sinusoids,
    sparsemax,
)
from inference.training.configuration import network as configured
from inference.training.configuration import read_settings
from inference.training.losses import Targets, total
from tests.inference.small_network import SMALL, changed, random_batch, with_modalities

SUBSETS = list(itertools.product([False, True], repeat=3))


@pytest.fixture
def network() -> DHMD:
    torch.manual_seed(0)
    return DHMD(SMALL).eval()


def results(output: DHMDOutput) -> dict[str, Tensor]:
    """What a sample gets, without the sequences, whose length is that of the input."""
    tensors = {"emotion": output.emotion, "sentiment": output.sentiment, "aligned": output.aligned}
    for name, space in (("homo", output.homogeneous), ("hetero", output.heterogeneous)):
        fields = space._asdict() | {"prediction": space.prediction.emotion}
        tensors |= {f"{name}_{field}": tensor for field, tensor in fields.items()}
    return tensors | {"joint": output.joint.emotion}


def assert_same(a: DHMDOutput, b: DHMDOutput) -> None:
    assert_close(results(a), results(b), atol=1e-5, rtol=1e-4)


# --------------------------------------------------------------------- small functions, by hand


def test_sparsemax_by_hand() -> None:
    # Support {0.5, 0.3}: tau = (0.8 - 1) / 2 = -0.1. One dominant score takes all.
    scores = torch.tensor([[0.5, 0.3, -1.0], [2.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    expected = torch.tensor([[0.6, 0.4, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    assert_close(sparsemax(scores), expected)


def test_sparsemax_gradient_is_that_of_a_projection() -> None:
    jacobian = torch.autograd.functional.jacobian(sparsemax, torch.tensor([0.5, 0.3, -1.0]))
    assert_close(jacobian, torch.tensor([[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]))


def test_the_recent_mean_forgets_by_the_same_part_from_step_to_step() -> None:
    x = torch.tensor([[1.0, 9.0, 2.0, 4.0, 9.0], [9.0, 9.0, 9.0, 9.0, 9.0]]).unsqueeze(2)
    valid = torch.tensor([[True, False, True, True, False], [False] * 5])
    recency = Recency(SMALL)
    with torch.no_grad():
        recency.log_rate.copy_(torch.tensor(2.0).log().log())  # e^-rate is a half
    # Weights 1/8, 1/2 and 1 before they are made to sum to 1: the step between counts as time.
    expected = (1.0 / 8 + 2.0 / 2 + 4.0) / (1 / 8 + 1 / 2 + 1)
    assert_close(recency(x, valid), torch.tensor([[expected], [0.0]]))


def test_all_the_weight_may_be_on_the_last_valid_step() -> None:
    x = torch.arange(8.0).view(2, 4, 1)
    valid = torch.tensor([[True, False, True, False], [False] * 4])
    recency = Recency(changed(summary="last"))
    assert_close(recency(x, valid), torch.tensor([[2.0], [0.0]]))
    assert not recency.log_rate.requires_grad


def test_a_modality_that_a_batch_lacks_is_the_same_computed_or_not() -> None:
    torch.manual_seed(0)
    network = DHMD(SMALL).eval()
    features, valid = with_modalities(random_batch(), torch.tensor([[True, False, True]] * 4))
    computed = network(features, valid)
    assert_same(network.train()(features, valid), computed)


def test_causal_mask_looks_ahead_by_the_difference_in_length() -> None:
    query = torch.tensor([[True, True, False]])
    key = torch.tensor([[True, False, True, True, False]])
    # 2 steps against 4: step q sees keys up to q + 2, the summary step 1 sees all valid ones.
    expected = torch.tensor([[[1, 0, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 1, 1, 0]]], dtype=torch.bool)
    assert_close(causal_mask(query, key), expected)


def test_attention_on_nothing_is_zero_and_on_one_key_is_its_value() -> None:
    attention = Attention(4, 2, 0.0)
    nn.init.eye_(attention.out.weight)
    nn.init.ones_(attention.out.bias)
    nn.init.eye_(attention.key_value.weight[4:])
    x, source = torch.randn(1, 2, 4), torch.randn(1, 3, 4)
    allowed = torch.tensor([[[False, False, False], [False, True, False]]])
    expected = torch.stack([torch.zeros(4), source[0, 1] + 1.0])
    assert_close(attention(x, source, allowed)[0], expected)


def test_gd_unit_by_hand() -> None:
    unit = GDUnit(1, changed(emotions=(), node_width=1, temperature=8.0))
    with torch.no_grad():
        unit.from_outputs.weight.fill_(1.0)
        unit.from_representation.weight.fill_(10.0)
        unit.edge.weight.copy_(torch.tensor([[8.0, 0.0, 16.0, 0.8]]))
    outputs = torch.tensor([[[1.0], [0.0], [0.5]]]).repeat(3, 1, 1)
    representation = torch.tensor([[[0.0], [1.0], [0.0]]]).repeat(3, 1, 1)
    present = torch.tensor([[True, True, True], [True, False, True], [False, True, False]])
    edges = unit(outputs, representation, present)
    # logit = y_student + 2 y_teacher + r_teacher, after the division by 8.
    assert EDGES[:3] == (("text", "voice"), ("text", "face"), ("voice", "text"))
    logits = torch.tensor([2.0, 2.0, 2.0, 1.0, 2.5, 1.5])
    two = torch.tensor([2.0, 2.5]).softmax(0)
    expected = torch.zeros(3, 6)
    expected[0] = logits.softmax(0)
    expected[1, 1], expected[1, 4] = two[0], two[1]
    assert_close(edges, expected)


def test_dictionary_by_hand() -> None:
    """Three atoms of width 4, so scores are divided by 4; the best step counts for each atom."""
    dictionary = CrossModalDictionary(4, changed(atoms=3))
    for name in MODALITIES:
        dictionary.query[name] = nn.Identity()
    with torch.no_grad():
        dictionary.atoms.copy_(torch.tensor([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 2.0, 0]]))
    # text: 2 / 4 * x: scores (1, 0.6, 0); the step that is not valid would give 50
    steps = {name: torch.zeros(1, 3, 4) for name in MODALITIES}
    steps["text"][0] = torch.tensor([[2.0, 0, 0, 0], [0, 1.2, 0, 0], [0, 0, 100.0, 0]])
    valid = {name: torch.tensor([[name == "text", name == "text", False]]) for name in MODALITIES}
    present = torch.tensor([[True, False, False]])
    scores, activation, feature = dictionary(steps, valid, present)
    assert_close(scores[0, 0], torch.tensor([1.0, 0.6, 0.0]))
    # sparsemax: support {1, 0.6}, tau = 0.3
    assert_close(activation[0, 0], torch.tensor([0.7, 0.3, 0.0]))
    length = (0.7**2 + 0.3**2) ** 0.5
    assert_close(feature[0, 0], torch.tensor([0.7 / length, 0.3 / length, 0.0, 0.0]))
    for absent in (scores, activation, feature):
        assert not absent[0, 1:].any()


def test_decoupling_by_hand() -> None:
    """c = C x, s = S x, x' = D [s; c] and s' = S x', with matrices that are numbers."""
    network = DHMD(SMALL)
    eye = torch.eye(SMALL.width)
    with torch.no_grad():
        network.shared_encoder.weight.copy_(2 * eye)
        for m, name in enumerate(MODALITIES):
            network.private_encoder[name].weight.copy_((3 + m) * eye)
            network.decoder[name].weight.copy_(torch.cat([0.5 * eye, 0.25 * eye], dim=1))
    x = {name: torch.randn(2, 3, SMALL.width) for name in MODALITIES}
    shared, private, reconstructed, reencoded = network._decouple(x)
    for m, name in enumerate(MODALITIES):
        assert_close(shared[name], 2 * x[name])
        assert_close(private[name], (3 + m) * x[name])
        assert_close(reconstructed[name], (0.5 * (3 + m) + 0.25 * 2) * x[name])
        assert_close(reencoded[name], (3 + m) * reconstructed[name])


def test_encoder_by_hand() -> None:
    """A convolution over steps without bias; what is not valid goes in and comes out as zero."""
    network = DHMD(SMALL)
    weight = network.conv["text"].weight
    assert network.conv["text"].bias is None
    with torch.no_grad():
        weight.zero_()
        weight[0, 0] = torch.tensor([1.0, 10.0, 100.0])
    features = torch.zeros(1, 4, 5)
    features[0, :, 0] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    x = network._encode("text", features, torch.tensor([[True, True, False, True]]))
    # step t: x[t - 1] + 10 x[t] + 100 x[t + 1]
    assert_close(x[0, :, 0], torch.tensor([210.0, 21.0, 0.0, 40.0]))


def test_head_by_hand() -> None:
    head = Head(2, changed(emotions=()))
    with torch.no_grad():
        head.inner.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        head.outer.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, 2.0]]))
        head.output.weight.copy_(torch.tensor([[1.0, 10.0]]))
        for linear in (head.inner, head.outer, head.output):
            linear.bias.fill_(0.5)
    # relu(x + 0.5) = (1.5, 0), doubled + 0.5 = (3.5, 0.5), plus x = (4.5, -1.5)
    representation, outputs = head(torch.tensor([[1.0, -2.0]]))
    assert_close(representation, torch.tensor([[4.5, -1.5]]))
    assert_close(outputs, torch.tensor([[4.5 - 15.0 + 0.5]]))


def test_positions_and_means_by_hand() -> None:
    positions = sinusoids(2, 4)
    angle = torch.tensor([1.0, 0.01])
    assert_close(positions[0], torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert_close(positions[1], torch.cat([angle.sin(), angle.cos()]))
    x = torch.tensor([[[1.0], [5.0], [99.0]], [[7.0], [7.0], [7.0]]])
    valid = torch.tensor([[True, True, False], [False, False, False]])
    assert_close(mean_valid_step(x, valid), torch.tensor([[3.0], [0.0]]))


def test_late_fusion_by_hand() -> None:
    told = Prediction(
        torch.tensor([[[1.0], [3.0], [90.0]]] * 2), torch.tensor([[2.0, -1.0, 90.0]] * 2)
    )
    present = torch.tensor([[True, True, False], [False, False, False]])
    found = late_fusion(told, present)
    assert_close(found.emotion, torch.tensor([[2.0], [0.0]]))
    assert_close(found.sentiment, torch.tensor([0.5, 0.0]))


@pytest.mark.parametrize("gate", ["dmd", "multiply"])
def test_gate_is_fed_on_or_multiplied_and_absent_slots_are_zero(gate: str) -> None:
    config = changed(gate=gate, dictionary=False)
    fusion, network = Fusion(config), DHMD(config)
    for linear in (fusion.homogeneous_gate, *fusion.heterogeneous_gate):
        assert isinstance(linear, nn.Linear)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
    seen: list[Tensor] = []
    fusion.head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    present = torch.tensor([[True, False, True]])
    output = network(*with_modalities(random_batch(size=1), present))
    fusion(output.homogeneous, output.heterogeneous, present)
    private, shared = seen[0].split([48, 24], dim=1)
    for slots, space in ((private, output.heterogeneous), (shared, output.homogeneous)):
        value = space.summary if gate == "multiply" else torch.ones_like(space.summary)
        assert_close(slots.view_as(value), 0.5 * value * present[:, :, None])


def test_homogeneous_transformer_is_causal() -> None:
    torch.manual_seed(0)
    transformer, valid = Transformer(8, 6, SMALL), torch.ones(1, 6, dtype=torch.bool)
    x = torch.randn(1, 6, 8)
    later = x.clone()
    later[:, 4:, 0] += 1.0
    assert_close(transformer(x, valid)[:, :4], transformer(later, valid)[:, :4])
    assert not torch.allclose(transformer(x, valid)[:, 4], transformer(later, valid)[:, 4])


# -------------------------------------------------------------------------------- invariances


def test_invalid_steps_have_no_influence_not_even_nan(network: DHMD) -> None:
    features, valid = random_batch()
    spoiled = {n: x.masked_fill(~valid[n][:, :, None], torch.nan) for n, x in features.items()}
    assert_same(network(features, valid), network(spoiled, valid))


def test_padding_length_has_no_influence(network: DHMD) -> None:
    features, valid = random_batch()
    for mask in valid.values():
        mask[:, 4:] = False
    short = {n: x[:, :4] for n, x in features.items()}, {n: x[:, :4] for n, x in valid.items()}
    assert_same(network(features, valid), network(*short))


def test_other_samples_have_no_influence(network: DHMD) -> None:
    present = torch.tensor([[1, 1, 1], [0, 1, 0], [0, 0, 0], [1, 0, 1]], dtype=torch.bool)
    features, valid = with_modalities(random_batch(), present)
    together = results(network(features, valid))
    for b in range(4):
        one = slice(b, b + 1)
        alone = network(
            {n: x[one] for n, x in features.items()}, {n: x[one] for n, x in valid.items()}
        )
        assert_close({n: x[one] for n, x in together.items()}, results(alone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("present", SUBSETS)
def test_every_subset_of_modalities(network: DHMD, present: tuple[bool, ...]) -> None:
    """What is absent gives nothing, in either space, and nothing is NaN, backwards neither."""
    mask = torch.tensor([present] * 3)
    output = network(*with_modalities(random_batch(size=3), mask))
    assert torch.equal(output.present, mask)
    exists = [student and teacher for student, teacher in itertools.permutations(present, 2)]
    for space in (output.homogeneous, output.heterogeneous):
        assert torch.equal(space.edges > 0, torch.tensor([exists] * 3))
        assert_close(space.edges.sum(1), torch.full((3,), float(any(exists))))
        assert_close(space.activation.sum(2), mask.float())
        assert_close(space.feature.norm(dim=2), mask.float())
        for tensor in (space.summary, space.representation, space.scores, space.prediction.emotion):
            assert torch.equal(tensor.abs().amax(2) > 0, mask)
    targets = Targets(torch.tensor([0, 1, -1]), torch.tensor([1.0, torch.nan, 0.0]))
    loss, _ = total(output, targets, SMALL)
    loss.backward()
    assert loss.isfinite()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_absent_source_leaves_the_target_as_it_would_be_alone(network: DHMD) -> None:
    batch = random_batch()
    transformer = network.cross_transformer["text_face"]
    source = torch.randn(4, 9, 8)
    nothing = torch.zeros(4, 9, dtype=torch.bool)
    x = torch.randn(4, 6, 8)
    a = transformer(x, batch[1]["text"], source, nothing)
    b = transformer(x, batch[1]["text"], source + 1.0, nothing)
    assert torch.equal(a, b)


# ------------------------------------------------------------------------------------ training


def test_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    network = DHMD(SMALL)
    targets = Targets(torch.arange(16) % 3, torch.linspace(-3, 3, 16))
    loss, _ = total(network(*random_batch(size=16)), targets, SMALL)
    loss.backward()
    dead = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max()]
    assert dead == []


def test_overfits_sixteen_samples() -> None:
    torch.manual_seed(0)
    config = changed(layers=1)
    network, batch = DHMD(config), random_batch(config, size=16)
    targets = Targets(torch.randint(0, 3, (16,)), torch.rand(16) * 6 - 3)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        loss, parts = total(network(*batch), targets, config)
        loss.backward()
        optimizer.step()
    output = network(*batch)
    assert torch.equal(output.emotion.argmax(1), targets.emotion)
    assert (output.sentiment - targets.sentiment).abs().mean() < 0.3
    assert parts["task"] < 0.5


@pytest.mark.parametrize(
    "switch",
    [
        "decoupling",
        "homogeneous",
        "heterogeneous",
        "dictionary",
        "dictionary_gradient",
        "sentiment",
    ],
)
def test_ablations_train(switch: str) -> None:
    config = changed(**{switch: False})
    network = DHMD(config)
    full, ablated = (sum(p.numel() for p in n.parameters()) for n in (DHMD(SMALL), network))
    assert ablated == full if switch == "dictionary_gradient" else ablated < full
    targets = Targets(torch.tensor([0, 1, 2, 0]), torch.zeros(4))
    loss, parts = total(network(*random_batch()), targets, config)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is not None for p in network.parameters())
    assert ("cycle" in parts) == (switch != "decoupling")
    assert ("homogeneous_logit" in parts) == (switch != "homogeneous")
    assert ("heterogeneous_representation" in parts) == (switch != "heterogeneous")
    assert ("homogeneous_usage" in parts) == (switch != "dictionary")


LATE = {
    "fusion": "late",
    "decoupling": False,
    "homogeneous": False,
    "heterogeneous": False,
    "dictionary": False,
}


def test_late_fusion_trains_each_modality_alone() -> None:
    config = changed(**LATE)
    network = DHMD(config)
    targets = Targets(torch.tensor([0, 1, 2, 0]), torch.zeros(4))
    loss, parts = total(network(*random_batch()), targets, config)
    assert set(parts) == {"task", "auxiliary"}
    loss.backward()
    assert all(p.grad is not None for p in network.parameters())
    # what one modality says does not depend on the others
    network.eval()
    whole = network(*random_batch()).homogeneous.prediction
    present = torch.tensor([[False, True, False]] * 4)
    alone = network(*with_modalities(random_batch(), present))
    assert_close(alone.homogeneous.prediction.emotion[:, 1], whole.emotion[:, 1])
    assert_close(alone.emotion, whole.emotion[:, 1])
    assert_close(network(*random_batch()).sentiment, whole.sentiment.mean(1))
    with pytest.raises(ValueError, match="late fusion has no decoupling and no dictionary"):
        changed(**(LATE | {"decoupling": True, "dictionary": True}))
    with pytest.raises(ValueError, match="fusion must be"):
        changed(fusion="early")


def test_dmd_is_a_configuration() -> None:
    """No dictionary, and the gate itself fed on: no parameter is left over, and it trains."""
    config = changed(dictionary=False, gate="dmd")
    network = DHMD(config)
    assert not [name for name, _ in network.named_parameters() if "atoms" in name or "slot" in name]
    targets = Targets(torch.full((4,), -1), torch.tensor([1.0, 1.0, -2.0, 0.0]))
    loss, parts = total(network(*random_batch()), targets, config)
    loss.backward()
    assert not [name for name in parts if "dictionary" in name or "code" in name]
    assert {"homogeneous_logit", "heterogeneous_representation", "cycle", "margin"} <= set(parts)


def test_dictionary_gradient_can_be_kept_out_of_the_encoders() -> None:
    for flows in (True, False):
        network = DHMD(changed(dictionary_gradient=flows))
        output = network(*random_batch())
        output.homogeneous.scores.square().sum().backward()
        assert (network.conv["text"].weight.grad is not None) == flows


def test_exports_without_looking_at_the_data(network: DHMD) -> None:
    batch = random_batch(size=1)
    exported = torch.export.export(network, batch).module()
    other = with_modalities(random_batch(size=1, seed=1), torch.tensor([[False, True, False]]))
    assert_same(exported(*other), network(*other))


# ------------------------------------------------------------------------------- configuration


def test_live_fits_the_repository() -> None:
    live = configured(read_settings("live"))
    assert sum(p.numel() for p in DHMD(live).parameters()) < 4_500_000


def test_wrong_configurations_are_refused() -> None:
    with pytest.raises(ValueError, match="kernel odd"):
        ModalityConfig(features=3, steps=4, kernel=2)
    with pytest.raises(ValueError, match="divisible by heads 3"):
        changed(heads=3)
    with pytest.raises(ValueError, match="gate must be"):
        changed(gate="open")
    with pytest.raises(ValueError, match="emotions, sentiment or both"):
        changed(emotions=(), sentiment=False)


def test_wrong_inputs_are_named(network: DHMD) -> None:
    features, valid = random_batch()
    for name in MODALITIES:
        with pytest.raises(ValueError, match=f"{name}: features must be"):
            network(features | {name: features[name][:, :, 1:]}, valid)
        with pytest.raises(ValueError, match=f"{name}: valid must be"):
            network(features, valid | {name: valid[name].float()})
