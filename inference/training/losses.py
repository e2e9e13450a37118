"""The training losses of DHMD, each a small function.

Marks as in inference/model.py: [abs] DHMD's abstract, [dmd] DMD's paper and public code, [fdt]
Finite Discrete Tokens, [ours] our choice. Shapes: B samples, M = 3 modalities, E emotions, w width
of the space (d or 2d), K atoms, N = B * M. Absent modalities and unknown labels add nothing: every
mean is over what is there, and a mean over nothing is 0 [ours].
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from inference.model import EDGES, MODALITIES, DHMDConfig, DHMDOutput, Prediction, existing_edges

# What DMD's authors found worth teaching, as (student, teacher): text teaches in both spaces, and
# face teaches voice in the heterogeneous one [dmd].
HOMOGENEOUS_LESSONS: Final = (("voice", "text"), ("face", "text"))
HETEROGENEOUS_LESSONS: Final = (*HOMOGENEOUS_LESSONS, ("voice", "face"))
PRIOR_TEMPERATURE: Final = 0.25
SENTIMENT_MARGIN: Final = 0.15  # per point of sentiment between two samples [dmd]
EMOTION_MARGIN: Final = 0.3  # between two emotions, as between two points of sentiment [ours]
SOFTENING: Final = 2.0  # temperature of distilled emotion logits (Hinton et al. 2015) [ours]
CODE_TEMPERATURE: Final = 0.1  # softmax over atoms about as peaked as the sparse code is [ours]


class Targets(NamedTuple):
    """Labels of a batch: emotion index int64 [B], -1 unknown; sentiment [B], NaN unknown."""

    emotion: Tensor
    sentiment: Tensor


class Lesson(NamedTuple):
    """What teachers say of a batch, see inference/training/discriminant.py: probabilities of the
    emotions, all zero where none of them knows. [ours]"""

    together: Tensor  # [B, E] from all the modalities that a sample has
    single: Tensor  # [B, M, E] from each modality by itself
    sentiment: Tensor  # [E] norm of each emotion; NaN where the labels of the sentiment are none


@dataclass(frozen=True)
class LossWeights:
    """How the parts are added up; see `total`."""

    coarse: float = 0.05  # [dmd]
    decoupling: float = 0.1  # [dmd]
    separation: float = 0.1  # margin and orthogonality, inside decoupling [dmd]
    dictionary: float = 0.1
    dictionary_margin: float = 0.1
    code_matching: float = 0.1  # beta in {0, 0.1, 0.2}
    usage: float = 0.1  # [ours]
    prior: float = 10.0  # [dmd]
    representation: float = 10.0  # [dmd]
    label_smoothing: float = 0.0  # [ours]


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values where the mask of the same shape is true; 0, with gradient 0, if nowhere."""
    return values.masked_fill(~mask, 0.0).sum() / mask.sum().clamp_min(1)


# ----------------------------------------------------------------------------------------- task


def sentiment_loss(sentiment: Tensor, target: Tensor, counts: Tensor) -> Tensor:
    """L1: mean |y - target| over samples that count and have a target; all [B]. [dmd]"""
    known = counts & ~target.isnan()
    return masked_mean((sentiment - target.nan_to_num(0.0)).abs(), known)


def emotion_loss(logits: Tensor, target: Tensor, counts: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of logits [B, E] over samples [B] that count and have a target >= 0. [ours]

    `smoothing` of the target is spread evenly over all classes (Szegedy et al. 2016, section 7).
    """
    known = counts & (target >= 0)
    each = F.cross_entropy(logits, target.clamp_min(0), reduction="none", label_smoothing=smoothing)
    return masked_mean(each, known)


def task_loss(
    prediction: Prediction,
    targets: Targets,
    counts: Tensor,
    config: DHMDConfig,
    smoothing: float = 0.0,
) -> Tensor:
    """Emotion plus sentiment loss of one prediction, [B, E] and [B]; counts is bool [B]."""
    loss = prediction.sentiment.new_zeros(())
    if config.emotions:
        loss = loss + emotion_loss(prediction.emotion, targets.emotion, counts, smoothing)
    if config.sentiment:
        loss = loss + sentiment_loss(prediction.sentiment, targets.sentiment, counts)
    return loss


def auxiliary_heads(output: DHMDOutput, config: DHMDConfig) -> list[tuple[int, Prediction]]:
    """The six heads of single modalities, with the number of each; late fusion has three."""
    spaces = [output.homogeneous]
    if config.fusion != "late":
        spaces.append(output.heterogeneous)
    return [
        (m, Prediction(space.prediction.emotion[:, m], space.prediction.sentiment[:, m]))
        for space in spaces
        for m in range(len(MODALITIES))
    ]


def auxiliary_task_loss(
    output: DHMDOutput,
    targets: Targets,
    config: DHMDConfig,
    smoothing: float = 0.0,
    lesson: Lesson | None = None,
) -> Tensor:
    """Unweighted sum over the seven auxiliary heads: three per space and that of c_f. [dmd]

    Late fusion has the three of its modalities alone. What has a lesson needs no label.
    """
    loss = output.sentiment.new_zeros(())
    if config.fusion != "late":
        left = targets if lesson is None else untaught(targets, lesson.together, lesson)
        loss = task_loss(output.joint, left, output.present.any(1), config, smoothing)
    for m, head in auxiliary_heads(output, config):
        left = targets if lesson is None else untaught(targets, lesson.single[:, m], lesson)
        loss = loss + task_loss(head, left, output.present[:, m], config, smoothing)
    return loss


# -------------------------------------------------------------------------------------- lessons


def taught(said: Tensor) -> Tensor:
    """Of which samples a teacher said something: bool [B] of probabilities [B, E]."""
    return said.sum(1) > 0


def untaught(targets: Targets, said: Tensor, lesson: Lesson) -> Targets:
    """The labels that no lesson stands for: of a sample of which a teacher said something [B, E]
    none but that of the sentiment, if that is more than the norm of the emotion. [ours]"""
    known = taught(said)
    emotion = targets.emotion.masked_fill(known, -1)
    if lesson.sentiment.isnan().any():
        return Targets(emotion, targets.sentiment)
    return Targets(emotion, targets.sentiment.masked_fill(known, torch.nan))


def imitation(prediction: Prediction, said: Tensor, norms: Tensor, config: DHMDConfig) -> Tensor:
    """Mean over samples taught of KL(q || p) + sum_k q_k |y - v_k|. [ours]

    q [B, E] is what the teacher said, p the softmax of the logits, y the sentiment and v [E] the
    norms of the emotions: the two task losses with q for the label, less the entropy of q. Without
    norms there is nothing of the second.
    """
    known = taught(said)
    gap = F.kl_div(prediction.emotion.log_softmax(1), said, reduction="none").sum(1)
    loss = masked_mean(gap, known)
    if config.sentiment and not norms.isnan().any():
        each = (prediction.sentiment[:, None] - norms).abs()
        loss = loss + masked_mean((said * each).sum(1), known)
    return loss


def lesson_loss(output: DHMDOutput, lesson: Lesson, config: DHMDConfig) -> Tensor:
    """Imitation by every head that has a lesson: the final one and that of c_f learn from who knows
    all the sample has, those of a modality from who knows it by itself. [ours]"""
    pairs = [(Prediction(output.emotion, output.sentiment), lesson.together)]
    if config.fusion != "late":
        pairs.append((output.joint, lesson.together))
    pairs += [(head, lesson.single[:, m]) for m, head in auxiliary_heads(output, config)]
    losses = [imitation(head, said, lesson.sentiment, config) for head, said in pairs]
    return torch.stack(losses).sum()


# ----------------------------------------------------------------------------------- decoupling


def mean_square(a: Tensor, b: Tensor, valid: Tensor) -> Tensor:
    """MSE of a, b [B, T, d] over the valid steps [B, T]."""
    return masked_mean((a - b).square().mean(2), valid)


def reconstruction(output: DHMDOutput) -> Tensor:
    """sum_m MSE(x'_m, X_m): shared and private part together are the whole. [abs][dmd]"""
    pairs = [(output.reconstructed[m], output.encoded[m], output.valid[m]) for m in MODALITIES]
    return torch.stack([mean_square(*pair) for pair in pairs]).sum()


def cycle(output: DHMDOutput) -> Tensor:
    """sum_m MSE(s'_m, s_m): the private part survives the round trip. [dmd]"""
    pairs = [(output.reencoded[m], output.private[m], output.valid[m]) for m in MODALITIES]
    return torch.stack([mean_square(*pair) for pair in pairs]).sum()


def orthogonality(output: DHMDOutput) -> Tensor:
    """sum_m mean_t max(0, cos(s_mt, c_mt)), the cosine over the feature axis. [dmd], axis [ours]"""
    return torch.stack(
        [
            masked_mean(
                F.cosine_similarity(output.private[m], output.shared[m], dim=2).clamp_min(0.0),
                output.valid[m],
            )
            for m in MODALITIES
        ]
    ).sum()


class Relations(NamedTuple):
    """How the samples of a batch relate by label: [B, B] same, [B, B] margin, [B] known."""

    same: Tensor
    margin: Tensor
    known: Tensor


def label_relations(targets: Targets, config: DHMDConfig) -> Relations:
    """Positives share the emotion, and other emotions keep a fixed margin [ours].

    Without emotions, positives have equal sentiment and the margin is 0.15 |y_i - y_k| [dmd].
    """
    if config.emotions:
        same = targets.emotion[:, None] == targets.emotion[None, :]
        return Relations(same, (~same) * EMOTION_MARGIN, targets.emotion >= 0)
    known = ~targets.sentiment.isnan()
    y = targets.sentiment.nan_to_num(0.0)
    gap = (y[:, None] - y[None, :]).abs()
    return Relations(gap == 0, SENTIMENT_MARGIN * gap, known)


def margin_hinge(features: Tensor, present: Tensor, relations: Relations) -> Tensor:
    """Mean over anchors i of mean over positives j, negatives k of
    max(0, margin_ik - cos_ij + cos_ik). [dmd]

    features [B, M, w] and present bool [B, M]; every modality of a sample is an item of its own
    with the sample's label, and an anchor counts if it has a positive and a negative. Instead of
    all N^3 triples: with u = margin + cos of a negative, and n positives whose cosine is below u,
    its hinges add up to n u - (sum of those n cosines), a prefix sum of the sorted positives.
    """
    modalities = present.shape[1]
    usable = (present & relations.known[:, None]).flatten()
    same = relations.same.repeat_interleave(modalities, 0).repeat_interleave(modalities, 1)
    margin = relations.margin.repeat_interleave(modalities, 0).repeat_interleave(modalities, 1)
    both = usable[:, None] & usable[None, :]
    positive = both & same & ~torch.eye(len(usable), dtype=torch.bool, device=usable.device)
    negative = both & ~same

    unit = F.normalize(features.flatten(0, 1), dim=1)
    cosine = unit @ unit.T
    ordered = cosine.masked_fill(~positive, torch.inf).sort(1).values
    prefix = F.pad(ordered.masked_fill(ordered.isinf(), 0.0).cumsum(1), (1, 0))
    above = (margin + cosine).contiguous()
    below = torch.searchsorted(ordered.detach(), above.detach())
    hinges = (below * above - prefix.gather(1, below)).masked_fill(~negative, 0.0).sum(1)
    triples = positive.sum(1) * negative.sum(1)
    return masked_mean(hinges / triples.clamp_min(1), triples > 0)


# -------------------------------------------------------------------------- coarse distillation


def prior_edges(lessons: tuple[tuple[str, str], ...], present: Tensor) -> Tensor:
    """softmax(v / 0.25), v = 1 at the lessons [dmd], over the edges that exist [ours]: [B, 6]."""
    logits = torch.tensor([float(edge in lessons) for edge in EDGES], device=present.device)
    exists = existing_edges(present)
    weights = (logits / PRIOR_TEMPERATURE).softmax(0) * exists
    return weights / weights.sum(1, keepdim=True).clamp_min(1e-9)


def edge_weighted(gap: Tensor, weight: Tensor, exists: Tensor) -> Tensor:
    """sum_e mean_b weight_be * gap_be, the mean over the samples in which edge e exists; [B, 6].

    Weighted per sample: DMD's code takes the mean of the gap first in the heterogeneous space,
    which turns its edges into batch means.
    """
    total = (weight * gap).masked_fill(~exists, 0.0).sum(0)
    return (total / exists.sum(0).clamp_min(1)).sum()


def edge_ends(x: Tensor) -> tuple[Tensor, Tensor]:
    """x [B, M, ...] at the student and, without gradient, at the teacher of each edge."""
    students = [MODALITIES.index(student) for student, _ in EDGES]
    teachers = [MODALITIES.index(teacher) for _, teacher in EDGES]
    return x[:, students], x[:, teachers].detach()


def imitation_gap(prediction: Prediction, config: DHMDConfig) -> Tensor:
    """How far each student's prediction is from its teacher's, [B, 6].

    |y_student - y_teacher| for sentiment [dmd]; for emotions tau^2 KL(p_teacher || p_student) of
    the softmax with temperature tau = 2 [ours], whose gradient does not vanish where the student
    is confidently wrong.
    """
    gap = prediction.sentiment.new_zeros(len(prediction.sentiment), len(EDGES))
    if config.emotions:
        student, teacher = edge_ends(prediction.emotion / SOFTENING)
        logs = student.log_softmax(2), teacher.log_softmax(2)
        gap = gap + SOFTENING**2 * F.kl_div(*logs, reduction="none", log_target=True).sum(2)
    if config.sentiment:
        student, teacher = edge_ends(prediction.sentiment)
        gap = gap + (student - teacher).abs()
    return gap


def logit_distillation(
    prediction: Prediction, edges: Tensor, prior: Tensor, present: Tensor, config: DHMDConfig
) -> Tensor:
    """L_logit = sum_e mean_b (w_be + prior_e) * gap_be; edges and prior are [B, 6]. [dmd]"""
    gap = imitation_gap(prediction, config)
    return edge_weighted(gap, edges + prior, existing_edges(present))


def prior_regulariser(edges: Tensor, prior: Tensor) -> Tensor:
    """|mean_b w_b - mean_b prior_b|^2 over the samples with an edge; [B, 6] each. [dmd]

    Without it the edges gather where imitation is cheapest.
    """
    some = prior.sum(1, keepdim=True) > 0
    return ((edges - prior) * some).sum(0).div(some.sum().clamp_min(1)).square().sum()


def representation_distance(
    representation: Tensor, edges: Tensor, prior: Tensor, present: Tensor
) -> Tensor:
    """sum_e mean_b (w_be + prior_e) * max(0, cos(r_student, r_teacher)); r is [B, M, w]. [dmd]

    Keeps the heterogeneous representations apart while they learn to predict alike.
    """
    gap = F.cosine_similarity(*edge_ends(representation), dim=2).clamp_min(0.0)
    return edge_weighted(gap, edges + prior, existing_edges(present))


# ---------------------------------------------------------------------------- fine distillation


def code_matching(scores: Tensor, edges: Tensor, present: Tensor) -> Tensor:
    """sum_e mean_b w_be * H(p_teacher, p_student), p = softmax(scores / 0.1); [B, M, K], [B, 6].

    A symmetric cross-entropy, for each pair has an edge each way, with the hierarchy explicit in
    the weights: the coarse graph says who teaches the code to whom [abs][ours]. The teacher and
    the edges get no gradient. Softmax stands for sparsemax, whose zeros have no logarithm.
    """
    student, teacher = edge_ends(scores / CODE_TEMPERATURE)
    entropy = -(teacher.softmax(2) * student.log_softmax(2)).sum(2)
    return edge_weighted(entropy, edges.detach(), existing_edges(present))


def usage(scores: Tensor, present: Tensor) -> Tensor:
    """1 - H(mean code) / log K over all that is present: 0 if all atoms are used alike. [ours]

    The gradient reaches dead atoms too, which sparsemax alone would leave dead.
    """
    codes = (scores / CODE_TEMPERATURE).softmax(2) * present[:, :, None]
    mean = codes.sum((0, 1)) / present.sum().clamp_min(1)
    entropy = -torch.xlogy(mean, mean.clamp_min(1e-12)).sum()
    return (1.0 - entropy / math.log(scores.shape[2])) * present.any()


# ---------------------------------------------------------------------------------------- total


def total(
    output: DHMDOutput,
    targets: Targets,
    config: DHMDConfig,
    weights: LossWeights | None = None,
    lesson: Lesson | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss to minimise, and its parts, unweighted and without gradient, by name.

    task + auxiliary [+ lesson] + 0.05 (coarse homo + coarse hetero)
    + 0.1 [reconstruction + cycle + 0.1 (margin + orthogonality)] + 0.1 (dict homo + dict hetero),
    coarse = logit + 10 prior (hetero: + 10 representation), dict = 0.1 margin + beta code matching
    + 0.1 usage. A part that the configuration switches off is not computed.
    """
    weights = weights or LossWeights()
    smoothing = weights.label_smoothing
    relations = label_relations(targets, config)
    final = Prediction(output.emotion, output.sentiment)
    present, homo, hetero = output.present, output.homogeneous, output.heterogeneous

    left = targets if lesson is None else untaught(targets, lesson.together, lesson)
    parts: dict[str, tuple[float, Tensor]] = {
        "task": (1.0, task_loss(final, left, present.any(1), config, smoothing)),
        "auxiliary": (1.0, auxiliary_task_loss(output, targets, config, smoothing, lesson)),
    }
    if lesson is not None:
        parts["lesson"] = (1.0, lesson_loss(output, lesson, config))
    if config.fusion != "late":
        parts["margin"] = (
            weights.decoupling * weights.separation,
            margin_hinge(output.aligned, present, relations),
        )
    if config.decoupling:
        parts |= {
            "reconstruction": (weights.decoupling, reconstruction(output)),
            "cycle": (weights.decoupling, cycle(output)),
            "orthogonality": (weights.decoupling * weights.separation, orthogonality(output)),
        }
    spaces = (
        ("homogeneous", homo, config.homogeneous, HOMOGENEOUS_LESSONS),
        ("heterogeneous", hetero, config.heterogeneous, HETEROGENEOUS_LESSONS),
    )
    for name, space, graph, lessons in spaces:
        if graph:
            edges, prior = space.edges, prior_edges(lessons, present)
            gap = logit_distillation(space.prediction, edges, prior, present, config)
            parts[f"{name}_logit"] = (weights.coarse, gap)
            regulariser = prior_regulariser(edges, prior)
            parts[f"{name}_prior"] = (weights.coarse * weights.prior, regulariser)
        if config.dictionary:
            hinge = margin_hinge(space.feature, present, relations)
            parts[f"{name}_dictionary_margin"] = (
                weights.dictionary * weights.dictionary_margin,
                hinge,
            )
            matching = code_matching(space.scores, space.edges, present)
            parts[f"{name}_code_matching"] = (weights.dictionary * weights.code_matching, matching)
            parts[f"{name}_usage"] = (
                weights.dictionary * weights.usage,
                usage(space.scores, present),
            )
    if config.heterogeneous:
        prior = prior_edges(HETEROGENEOUS_LESSONS, present)
        distance = representation_distance(hetero.representation, hetero.edges, prior, present)
        parts["heterogeneous_representation"] = (weights.coarse * weights.representation, distance)

    loss = torch.stack([weight * part for weight, part in parts.values()]).sum()
    return loss, {name: part.detach() for name, (_, part) in parts.items()}
