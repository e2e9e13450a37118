"""Every loss against a case worked out by hand, and what is absent or unknown adds nothing."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from inference.model import DHMD, EDGES, DHMDOutput, Prediction
from inference.training import losses
from inference.training.losses import Lesson, Relations, Targets
from tests.inference.small_network import SMALL, changed, random_batch, with_modalities

SENTIMENT_ONLY = changed(emotions=())
ALL = torch.ones(1, 3, dtype=torch.bool)
TEXT_VOICE = torch.tensor([[True, True, False]])


def output_with(**sequences: dict[str, Tensor]) -> DHMDOutput:
    """A forward pass with one sample, some of its sequences replaced."""
    return DHMD(SMALL)(*random_batch(size=1))._replace(**sequences)


def masks(*steps: list[bool]) -> dict[str, Tensor]:
    return {n: torch.tensor([s]) for n, s in zip(("text", "voice", "face"), steps, strict=True)}


def assert_near(value: Tensor, expected: float) -> None:
    assert_close(value, torch.tensor(expected), atol=1e-5, rtol=1e-5)


# ----------------------------------------------------------------------------------------- task


def test_sentiment_loss() -> None:
    y = torch.tensor([1.0, -2.0, 3.0, 9.0])
    target = torch.tensor([2.0, 1.0, torch.nan, 0.0])
    counts = torch.tensor([True, True, True, False])
    assert_near(losses.sentiment_loss(y, target, counts), (1 + 3) / 2)


def test_emotion_loss() -> None:
    logits = torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0], [5.0, 1.0], [7.0, 0.0]])
    counts = torch.tensor([True, True, True, False])
    loss = losses.emotion_loss(logits, torch.tensor([0, 0, -1, 1]), counts)
    assert_near(loss, (math.log(2) + math.log(4 / 3)) / 2)


def test_a_smoothed_label_is_spread_over_all_classes() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0]])  # p = (3/4, 1/4); a label of 0 is (0.9, 0.1)
    loss = losses.emotion_loss(logits, torch.tensor([0]), torch.tensor([True]), smoothing=0.2)
    assert_near(loss, -0.9 * math.log(0.75) - 0.1 * math.log(0.25))


def test_nothing_known_is_zero_with_a_gradient() -> None:
    y = torch.ones(2, requires_grad=True)
    nothing = torch.full((2,), torch.nan)
    losses.sentiment_loss(y, nothing, torch.tensor([True, True])).backward()
    assert_close(y.grad, torch.zeros(2))


def test_auxiliary_loss_counts_heads_of_present_modalities() -> None:
    output = DHMD(SENTIMENT_ONLY)(*with_modalities(random_batch(size=1), TEXT_VOICE))
    no_emotion = torch.zeros(1, 3, 0)
    output = output._replace(
        joint=output.joint._replace(sentiment=torch.tensor([4.0])),
        homogeneous=output.homogeneous._replace(
            prediction=Prediction(no_emotion, torch.tensor([[1.0, 3.0, 100.0]]))
        ),
        heterogeneous=output.heterogeneous._replace(
            prediction=Prediction(no_emotion, torch.tensor([[2.0, 2.5, 100.0]]))
        ),
    )
    targets = Targets(torch.tensor([-1]), torch.tensor([2.0]))
    loss = losses.auxiliary_task_loss(output, targets, SENTIMENT_ONLY)
    assert_near(loss, 2.0 + (1.0 + 1.0) + (0.0 + 0.5))


# -------------------------------------------------------------------------------------- lessons


def test_imitation_is_the_task_loss_of_what_is_said() -> None:
    said = torch.tensor([[0.75, 0.25], [0.0, 0.0]])  # of the second sample a teacher says nothing
    prediction = Prediction(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([1.0, 9.0]))
    divergence = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    loss = losses.imitation(prediction, said, torch.tensor([2.0, -1.0]), SMALL)
    assert_near(loss, divergence + 0.75 * 1 + 0.25 * 2)
    loss = losses.imitation(prediction, said, torch.tensor([2.0, torch.nan]), SMALL)
    assert_near(loss, divergence)
    assert_near(losses.imitation(prediction, 0 * said, torch.zeros(2), SMALL), 0.0)


def lesson_of_voices(network: DHMD, present: Tensor) -> tuple[DHMDOutput, Lesson]:
    """Samples with these modalities, and what a teacher of voices says: it knows voices alone."""
    output = network(*with_modalities(random_batch(size=len(present)), present))
    said = torch.tensor([0.7, 0.2, 0.1])
    voice = torch.tensor([False, True, False])
    together = said * (present == voice).all(1)[:, None]
    single = said * (present & voice)[..., None]
    return output, Lesson(together, single, torch.tensor([1.0, -1.0, -2.0]))


def test_a_lesson_stands_for_the_label_of_the_heads_that_have_one() -> None:
    """A voice alone is learned from the teacher; with words, its own two heads still are."""
    torch.manual_seed(0)
    network = DHMD(SMALL).eval()
    present = torch.tensor([[False, True, False], [True, True, False]])
    output, lesson = lesson_of_voices(network, present)
    final, joint = Prediction(output.emotion, output.sentiment), output.joint
    spaces = [output.homogeneous.prediction, output.heterogeneous.prediction]

    def of(prediction: Prediction, *at: int | slice) -> Prediction:
        return Prediction(prediction.emotion[at], prediction.sentiment[at])

    def imitated(prediction: Prediction, said: Tensor) -> Tensor:
        return losses.imitation(prediction, said, lesson.sentiment, SMALL)

    expected = imitated(final, lesson.together) + imitated(joint, lesson.together)
    for space in spaces:
        expected = expected + imitated(of(space, slice(None), 1), lesson.single[:, 1])
    assert_close(losses.lesson_loss(output, lesson, SMALL), expected)

    targets = Targets(torch.tensor([0, 1]), torch.tensor([2.0, -1.0]))
    second = torch.tensor([False, True])
    labelled = losses.task_loss(joint, targets, second, SMALL)
    for space in spaces:
        labelled = labelled + losses.task_loss(of(space, slice(None), 0), targets, second, SMALL)
    assert_close(losses.auxiliary_task_loss(output, targets, SMALL, lesson=lesson), labelled)

    loss, parts = losses.total(output, targets, SMALL, lesson=lesson)
    without, _ = losses.total(output, targets, SMALL)
    assert_close(parts["task"], losses.task_loss(final, targets, second, SMALL))
    kept = without - losses.task_loss(final, targets, present.any(1), SMALL)
    kept = kept - losses.auxiliary_task_loss(output, targets, SMALL)
    assert_close(loss, kept + parts["task"] + parts["auxiliary"] + parts["lesson"])


def test_a_sentiment_that_is_no_norm_is_learned_from_its_label() -> None:
    """A lesson without norms hides the label of the emotion alone."""
    torch.manual_seed(0)
    present = torch.tensor([[False, True, False]])
    output, lesson = lesson_of_voices(DHMD(SMALL).eval(), present)
    lesson = lesson._replace(sentiment=torch.full((3,), torch.nan))
    targets = Targets(torch.tensor([0]), torch.tensor([2.5]))
    _, parts = losses.total(output, targets, SMALL, lesson=lesson)
    known = torch.tensor([True])
    assert_close(parts["task"], losses.sentiment_loss(output.sentiment, targets.sentiment, known))
    heads = [output.joint.sentiment] + [
        space.prediction.sentiment[:, 1] for space in (output.homogeneous, output.heterogeneous)
    ]
    wanted = [losses.sentiment_loss(head, targets.sentiment, known) for head in heads]
    assert_close(parts["auxiliary"], torch.stack(wanted).sum())


# ----------------------------------------------------------------------------------- decoupling


def test_reconstruction_and_cycle_over_valid_steps() -> None:
    valid = masks([True, True], [True, False], [False, False])
    ones = {n: torch.ones(1, 2, 4) for n in valid}
    x = {
        "text": torch.zeros(1, 2, 4),
        "voice": torch.full((1, 2, 4), 3.0),
        "face": 9 * ones["face"],
    }
    x["text"][0, 1, 0] = 3.0  # squares 1 (seven times) and 4: mean 11 / 8
    output = output_with(valid=valid, reconstructed=x, encoded=ones, reencoded=ones, private=x)
    assert_near(losses.reconstruction(output), 11 / 8 + 4.0)
    assert_near(losses.cycle(output), 11 / 8 + 4.0)


def test_orthogonality_over_the_feature_axis() -> None:
    valid = masks([True, True], [True, False], [False, False])
    s = {n: torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]) for n in valid}
    c = {
        "text": torch.tensor([[[1.0, 1.0], [-1.0, 0.0]]]),  # cosines 1 / sqrt 2 and -1, which is 0
        "voice": torch.tensor([[[0.6, 0.8], [1.0, 0.0]]]),  # 0.6, and one that is invalid
        "face": s["face"],
    }
    assert_near(losses.orthogonality(output_with(valid=valid, private=s, shared=c)), 0.5**1.5 + 0.6)


def margin_by_loops(features: Tensor, present: Tensor, relations: Relations) -> Tensor:
    """The definition, triple by triple."""
    items = [
        (b, features[b, m])
        for b in range(features.shape[0])
        for m in range(features.shape[1])
        if present[b, m] and relations.known[b]
    ]
    anchors = []
    for i, (bi, x) in enumerate(items):
        others = [(b, torch.cosine_similarity(x, y, 0)) for j, (b, y) in enumerate(items) if j != i]
        hinges = [
            (relations.margin[bi, bk] - cos_j + cos_k).clamp_min(0)
            for bj, cos_j in others
            if relations.same[bi, bj]
            for bk, cos_k in others
            if not relations.same[bi, bk]
        ]
        if hinges:
            anchors.append(torch.stack(hinges).mean())
    return torch.stack(anchors).mean()


def test_margin_by_hand() -> None:
    # Anchors 0, 1: positive cosine 0.6; negatives 0 and 0.8 from 0 and 1; margin 0.15 * 2 = 0.3.
    features = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])[:, None]
    present = torch.ones(3, 1, dtype=torch.bool)
    targets = Targets(torch.full((3,), -1), torch.tensor([1.0, 1.0, 3.0]))
    relations = losses.label_relations(targets, SENTIMENT_ONLY)
    # Anchor 2 has no positive: mean of max(0, 0.3 - 0.6 + 0) and 0.3 - 0.6 + 0.8.
    assert_near(losses.margin_hinge(features, present, relations), (0.0 + 0.5) / 2)


@pytest.mark.parametrize("config", [SMALL, SENTIMENT_ONLY])
def test_margin_equals_its_definition_in_value_and_gradient(config: object) -> None:
    torch.manual_seed(0)
    features = torch.randn(6, 3, 4, requires_grad=True)
    present = torch.rand(6, 3) < 0.7
    targets = Targets(
        torch.tensor([0, 0, 1, -1, 1, 2]), torch.tensor([1.0, 1.0, -2.0, torch.nan, 0.5, -2.0])
    )
    relations = losses.label_relations(targets, config)  # type: ignore[arg-type]
    fast = losses.margin_hinge(features, present, relations)
    slow = margin_by_loops(features, present, relations)
    assert_close(fast, slow)
    assert_close(*(torch.autograd.grad(loss, features)[0] for loss in (fast, slow)))


# ----------------------------------------------------------------- coarse and fine distillation


def test_prior_knows_the_lessons_and_what_exists() -> None:
    prior = losses.prior_edges(losses.HETEROGENEOUS_LESSONS, torch.cat([ALL, TEXT_VOICE, ~ALL]))
    high, low = math.exp(4) / (3 * math.exp(4) + 3), 1 / (3 * math.exp(4) + 3)
    lessons = {("voice", "text"), ("face", "text"), ("voice", "face")}
    assert_close(prior[0], torch.tensor([high if edge in lessons else low for edge in EDGES]))
    assert_near(prior[1, EDGES.index(("text", "voice"))], 1 / (1 + math.exp(4)))
    assert_near(prior[1].sum(), 1.0)
    assert_near(prior[2].sum(), 0.0)


def test_logit_distillation_weights_each_sample_by_its_own_edges() -> None:
    # Sentiment text 2, voice 0.5, face 0: gaps, in the order of EDGES.
    gaps = torch.tensor([1.5, 2.0, 1.5, 0.5, 2.0, 0.5])
    y = torch.tensor([[2.0, 0.5, 0.0]]).repeat(3, 1).requires_grad_()
    present = torch.cat([ALL, TEXT_VOICE, ~ALL])
    edges, prior = torch.rand(3, 6), torch.rand(3, 6)
    loss = losses.logit_distillation(
        Prediction(torch.zeros(3, 3, 0), y), edges, prior, present, SENTIMENT_ONLY
    )
    weight, expected = edges + prior, 0.0
    for e, edge in enumerate(EDGES):
        samples = [0, 1] if "face" not in edge else [0]
        expected += sum(float(weight[b, e] * gaps[e]) for b in samples) / len(samples)
    assert_near(loss, expected)
    loss.backward()
    # The face of sample 0 learns as a student only: its teachers do not move towards it.
    assert y.grad is not None
    assert_near(y.grad[0, 2], -float(weight[0, 4] + weight[0, 5]))
    assert not y.grad[2].any()


def test_emotions_are_imitated_by_softened_divergence() -> None:
    logits = torch.zeros(1, 3, 2)
    logits[0, 0, 0] = 2 * math.log(3.0)  # softened by 2: text (3/4, 1/4), the others (1/2, 1/2)
    gap = losses.imitation_gap(Prediction(logits, torch.zeros(1, 3)), changed(sentiment=False))
    from_text = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    to_text = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    expected = [4 * x for x in (to_text, to_text, from_text, 0.0, from_text, 0.0)]
    assert_close(gap, torch.tensor([expected]))


def test_prior_regulariser_compares_batch_means() -> None:
    edges, prior = torch.zeros(3, 6), torch.zeros(3, 6)
    edges[0, 0], edges[1, 1], prior[0, 0], prior[1, 0] = 1.0, 1.0, 1.0, 1.0
    # Means over the two samples that have edges: (1/2, 1/2, ...) against (1, 0, ...).
    assert_near(losses.prior_regulariser(edges, prior), 0.25 + 0.25)


def test_representation_distance_ignores_negative_cosines() -> None:
    representation = torch.tensor([[[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]]])
    edges, prior = torch.full((1, 6), 0.2), torch.full((1, 6), 0.1)
    # Text and voice 0.6, each way; face has cosines -1 and -0.6.
    loss = losses.representation_distance(representation, edges, prior, ALL)
    assert_near(loss, 2 * 0.3 * 0.6)
    assert_near(losses.representation_distance(representation, edges, prior, ~ALL), 0.0)


def test_code_matching_is_cross_entropy_along_the_edges() -> None:
    scores = torch.zeros(1, 3, 2)
    scores[0, 0, 0] = 0.1 * math.log(3.0)  # text (3/4, 1/4), voice (1/2, 1/2)
    scores.requires_grad_()
    edges = torch.tensor([[0.25, 0.0, 0.75, 0.0, 0.0, 0.0]], requires_grad=True)
    text_learns = -0.5 * (math.log(0.75) + math.log(0.25))
    voice_learns = math.log(2.0)
    loss = losses.code_matching(scores, edges, TEXT_VOICE)
    assert_near(loss, 0.25 * text_learns + 0.75 * voice_learns)
    loss.backward()
    assert edges.grad is None
    # The gradient is weight / 0.1 times what the student's p has too much.
    assert scores.grad is not None
    assert_close(scores.grad[0, :2, 0], torch.tensor([0.25 * 2.5, -0.75 * 2.5]))


def test_usage_is_zero_for_even_use_and_one_for_a_single_atom() -> None:
    one, even = torch.zeros(2, 3, 4), torch.zeros(2, 3, 4)
    one[:, :, 0] = 100.0
    present = torch.ones(2, 3, dtype=torch.bool)
    assert_near(losses.usage(even, present), 0.0)
    assert_near(losses.usage(one, present), 1.0)
    # Half of what is present uses atom 0, half atom 1; what is absent is not asked.
    one[1, :, 0], one[1, :, 1], one[0, 2, 2] = 0.0, 100.0, 500.0
    present[:, 2] = False
    assert_near(losses.usage(one, present), 1 - math.log(2) / math.log(4))
    assert_near(losses.usage(one, ~present.any() & present), 0.0)


# ---------------------------------------------------------------------------------------- total


def test_total_is_the_documented_sum() -> None:
    torch.manual_seed(0)
    targets = Targets(torch.tensor([0, 1, 1, -1]), torch.tensor([1.0, torch.nan, -2.0, 0.0]))
    loss, p = losses.total(DHMD(SMALL)(*random_batch()), targets, SMALL)
    coarse = sum(p[f"{s}_logit"] + 10 * p[f"{s}_prior"] for s in ("homogeneous", "heterogeneous"))
    coarse = coarse + 10 * p["heterogeneous_representation"]
    decoupling = p["reconstruction"] + p["cycle"] + 0.1 * (p["margin"] + p["orthogonality"])
    dictionary = sum(
        p[f"{s}_dictionary_margin"] + p[f"{s}_code_matching"] + p[f"{s}_usage"]
        for s in ("homogeneous", "heterogeneous")
    )
    expected = p["task"] + p["auxiliary"] + 0.05 * coarse + 0.1 * decoupling + 0.01 * dictionary
    assert_close(loss.detach(), expected)
    assert all(part > 0 for part in p.values())
    assert not any(part.requires_grad for part in p.values())


def test_an_empty_sample_changes_no_loss() -> None:
    """A sample with nothing in it, whatever its label says, is as if it were not in the batch."""
    torch.manual_seed(0)
    network, (features, valid) = DHMD(SMALL).eval(), random_batch()
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 0]], dtype=torch.bool)
    features, valid = with_modalities((features, valid), present)
    targets = Targets(torch.tensor([0, 1, 1, 2]), torch.tensor([1.0, torch.nan, -2.0, 3.0]))
    _, four = losses.total(network(features, valid), targets, SMALL)
    first = {n: x[:3] for n, x in features.items()}, {n: x[:3] for n, x in valid.items()}
    _, three = losses.total(network(*first), Targets(*(x[:3] for x in targets)), SMALL)
    assert_close(four, three, atol=1e-5, rtol=1e-4)
