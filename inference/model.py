"""DHMD, Decoupled Hierarchical Multimodal Distillation, to be read from top to bottom.

The method is arXiv:2602.04260 (TPAMI 2026), the successor of DMD (CVPR 2023, arXiv:2303.13802).
Marks say where a part comes from: [abs] DHMD's abstract, [dmd] DMD's paper and public code,
[fdt] Finite Discrete Tokens (CVPR 2023, arXiv:2303.14865) and a public prototype that joins them to
DMD, [ours] our choice. The training losses are in inference/training/losses.py.

Shapes: B samples, T steps, F features, d width, K atoms, E emotions, M = 3 modalities, always in
the order of MODALITIES. A step is a word for text and 100 ms for voice and face. `valid` marks the
steps that carry a measurement, in any pattern; a modality is present in a sample if one step is
valid. Nothing a sample gets depends on its invalid steps, on the padding, or on other samples.
"""

import math
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.network_configuration import EDGES as EDGES
from inference.network_configuration import MODALITIES as MODALITIES
from inference.network_configuration import DHMDConfig as DHMDConfig
from inference.network_configuration import ModalityConfig as ModalityConfig

_STUDENT: Final = [MODALITIES.index(student) for student, _ in EDGES]
_TEACHER: Final = [MODALITIES.index(teacher) for _, teacher in EDGES]


# ------------------------------------------------------------------------------------- results


class Prediction(NamedTuple):
    """Raw outputs: emotion logits [..., E] and sentiment [...]; clip it to [-3, 3] to show it."""

    emotion: Tensor
    sentiment: Tensor


def as_prediction(outputs: Tensor, config: DHMDConfig) -> Prediction:
    """What a head gives, [..., E + 1], taken apart; sentiment is 0 if it is not predicted."""
    sentiment = outputs[..., -1] if config.sentiment else outputs.new_zeros(outputs.shape[:-1])
    return Prediction(outputs[..., : len(config.emotions)], sentiment)


class Space(NamedTuple):
    """One decoupled space; width w is d (homogeneous) or 2d (heterogeneous). Absent is zero."""

    summary: Tensor  # [B, M, w] what is read of the whole sequence
    representation: Tensor  # [B, M, w] what the auxiliary head reads its outputs from
    prediction: Prediction  # [B, M, E] and [B, M], the auxiliary head of each modality
    edges: Tensor  # [B, 6] GD-Unit, in the order of EDGES; sums to 1 where an edge exists
    scores: Tensor  # [B, M, K] match of each atom, before sparsemax
    activation: Tensor  # [B, M, K] sparse, sums to 1
    feature: Tensor  # [B, M, w] unit length, the activated atoms together


class DHMDOutput(NamedTuple):
    """Prediction, what the app draws (edges, activations) and what the losses need."""

    emotion: Tensor  # [B, E] logits
    sentiment: Tensor  # [B]
    present: Tensor  # [B, M] bool
    homogeneous: Space
    heterogeneous: Space
    joint: Prediction  # [B, E] and [B], auxiliary head on c_f, the homogeneous summaries together
    aligned: Tensor  # [B, M, d] pooled homogeneous features for the margin loss
    valid: dict[str, Tensor]  # [B, T] bool
    encoded: dict[str, Tensor]  # X  [B, T, d]
    private: dict[str, Tensor]  # s  [B, T, d]
    shared: dict[str, Tensor]  # c  [B, T, d]
    reconstructed: dict[str, Tensor]  # x' [B, T, d]
    reencoded: dict[str, Tensor]  # s' [B, T, d]


# --------------------------------------------------------------------- masks and small functions


def where_valid(x: Tensor, valid: Tensor) -> Tensor:
    """x [..., n] with zeros where valid [...] is false, whatever was there (NaN too)."""
    return x.masked_fill(~valid.unsqueeze(-1), 0.0)


def last_valid_index(valid: Tensor) -> Tensor:
    """Index [B] of the last valid step of [B, T]; 0 if there is none."""
    return (valid * torch.arange(valid.shape[1], device=valid.device)).amax(1)


def mean_valid_step(x: Tensor, valid: Tensor) -> Tensor:
    """Mean [B, d] over the valid steps of x [B, T, d]; zeros if there is none."""
    return where_valid(x, valid).sum(1) / valid.sum(1, keepdim=True).clamp_min(1)


def causal_mask(query_valid: Tensor, key_valid: Tensor) -> Tensor:
    """Which keys each query may attend to, bool [B, Tq, Tk].

    Step q sees the valid keys up to q + |n_k - n_q|, n being the steps up to the last valid one.
    With full sequences this is DMD's mask [dmd]; with the sample's own lengths instead of the
    padded ones the summary always sees all of the source, and padding changes nothing [ours].
    """
    lag = (last_valid_index(key_valid) - last_valid_index(query_valid)).abs()[:, None, None]
    query = torch.arange(query_valid.shape[1], device=query_valid.device)[None, :, None]
    key = torch.arange(key_valid.shape[1], device=key_valid.device)[None, None, :]
    return (key <= query + lag) & key_valid[:, None, :]


def sinusoids(steps: int, width: int) -> Tensor:
    """Sinusoidal positions [steps, width], as in Vaswani et al. 2017 [dmd]."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angle = torch.arange(steps)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def sparsemax(scores: Tensor) -> Tensor:
    """Euclidean projection of the last axis onto the simplex (Martins and Astudillo 2016) [fdt].

    max(0, z - tau), tau such that the sum is 1: a softmax with exact zeros.
    """
    ordered = scores.sort(dim=-1, descending=True).values
    excess = ordered.cumsum(-1) - 1.0
    rank = torch.arange(1, scores.shape[-1] + 1, device=scores.device)
    support = (rank * ordered > excess).sum(-1, keepdim=True)
    return (scores - excess.gather(-1, support - 1) / support).clamp_min(0.0)


# ---------------------------------------------------------------------------------- transformers


class SequenceDropout(nn.Module):
    """Dropout of whole features: one mask for all steps of a sequence (Gal and Ghahramani 2016).

    [ours]: DMD drops each number alone, which costs a sixth of a training step on a CPU.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, d] -> [B, T, d]."""
        dropped = F.dropout1d(x.transpose(1, 2), self.probability, self.training)
        return dropped.transpose(1, 2)


class Attention(nn.Module):
    """Multi-head attention of x on a source. A query without any allowed key gets zeros."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        # No biases: that of the keys would be dead, softmax does not see a constant.
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, source: Tensor, allowed: Tensor) -> Tensor:
        """x [B, Tq, d], source [B, Tk, d], allowed bool [B, Tq, Tk] -> [B, Tq, d]."""
        query, key, value = (
            y.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for y in (self.query(x), *self.key_value(source).chunk(2, dim=2))
        )
        some = allowed.any(2, keepdim=True)
        mask = (allowed | ~some).unsqueeze(1)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, mask, dropout)
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result.masked_fill(~some, 0.0)


class Layer(nn.Module):
    """x + attention(norm x, norm source), then x + FFN(norm x), four times as wide inside."""

    def __init__(self, width: int, config: DHMDConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, config.heads, config.attention_dropout)
        self.ffn_norm = nn.LayerNorm(width)
        wide, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.ffn = nn.Sequential(wide, nn.ReLU(), narrow)
        self.dropout = SequenceDropout(config.dropout)

    def forward(self, x: Tensor, source: Tensor | None, allowed: Tensor) -> Tensor:
        query = self.attention_norm(x)
        key = query if source is None else self.attention_norm(source)
        x = x + self.dropout(self.attention(query, key, allowed))
        result: Tensor = x + self.dropout(self.ffn(self.ffn_norm(x)))
        return result


class Recency(nn.Module):
    """A mean over steps in which each counts e^-rate times as much as the one after it [ours].

    The rate is learned; at the beginning the weight falls by a tenth from step to step. With
    summary="last" all the weight is on the last valid step, as in DMD [dmd].
    """

    def __init__(self, config: DHMDConfig) -> None:
        super().__init__()
        rate = torch.tensor(0.1 if config.summary == "recent" else 1e4).log()
        self.log_rate = nn.Parameter(rate, requires_grad=config.summary == "recent")

    def weights(self, valid: Tensor) -> Tensor:
        """bool [B, T] -> [B, T], of sum 1; 0 where nothing is valid."""
        steps = torch.arange(valid.shape[1], device=valid.device)
        scores = (self.log_rate.exp() * steps).expand(valid.shape)
        return scores.masked_fill(~valid, -1e9).softmax(1) * valid

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """x [B, T, w] and bool [B, T] -> [B, w]; zeros where nothing is valid."""
        return (self.weights(valid).unsqueeze(1) @ x).squeeze(1)


class Transformer(nn.Module):
    """Causal pre-LayerNorm transformer, on itself or, with a source, across modalities [dmd]."""

    positions: Tensor

    def __init__(self, width: int, steps: int, config: DHMDConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(width)
        self.register_buffer("positions", sinusoids(steps, width), persistent=False)
        self.dropout = SequenceDropout(config.dropout)
        self.layers = nn.ModuleList(Layer(width, config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        valid: Tensor,
        source: Tensor | None = None,
        source_valid: Tensor | None = None,
        recency: Recency | None = None,
    ) -> Tensor:
        """x [B, T, w] and its mask, source [B, S, w] and its mask -> [B, T, w], invalid zero.

        With `recency` -> [B, w], what one query learns of all the steps: the recent mean of what
        goes into the last layer, which it alone asks [ours].
        """
        if self.training and not valid.any():  # half of what is trained on has one modality alone
            return torch.zeros_like(x if recency is None else x[:, 0])
        allowed = causal_mask(valid, valid if source_valid is None else source_valid)
        x = self.embed(x)
        source = None if source is None else self.embed(source)
        *before, last = self.layers
        for layer in before:
            x = layer(x, source, allowed)
        if recency is None:
            return where_valid(self.norm(last(x, source, allowed)), valid)
        query = recency(x, valid).unsqueeze(1)
        answer = self.norm(last(query, x, valid.unsqueeze(1)))
        return where_valid(answer.squeeze(1), valid.any(1))

    def embed(self, x: Tensor) -> Tensor:
        result: Tensor = self.dropout(x * self.scale + self.positions[: x.shape[1]])
        return result


# ----------------------------------------------------------------------------------- the parts


class Head(nn.Module):
    """Residual MLP and a linear layer: w -> representation w -> outputs [dmd]."""

    def __init__(self, width: int, config: DHMDConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.output_dropout)
        self.output = nn.Linear(width, config.outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [B, w] -> representation [B, w], outputs [B, E + 1]."""
        representation = x + self.outer(self.dropout(F.relu(self.inner(x))))
        return representation, self.output(representation)


class GDUnit(nn.Module):
    """Graph distillation unit: how much each modality teaches each other one [abs][dmd].

    Node z_m = [A outputs_m; R representation_m], edge logit = e . [z_student; z_teacher], softmax
    over the edges with a temperature. DMD's biases are left out: they move all six logits alike,
    which the softmax does not see. An edge exists if both its ends are present [ours].
    """

    def __init__(self, width: int, config: DHMDConfig) -> None:
        super().__init__()
        self.temperature = config.temperature
        self.from_outputs = nn.Linear(config.outputs, config.node_width, bias=False)
        self.from_representation = nn.Linear(width, config.node_width, bias=False)
        self.edge = nn.Linear(4 * config.node_width, 1, bias=False)

    def forward(self, outputs: Tensor, representation: Tensor, present: Tensor) -> Tensor:
        """[B, M, E + 1], [B, M, w], bool [B, M] -> edges [B, 6]; all 0 where none exists."""
        parts = [self.from_outputs(outputs), self.from_representation(representation)]
        node = torch.cat(parts, dim=2)
        logits = self.edge(torch.cat([node[:, _STUDENT], node[:, _TEACHER]], dim=2)).squeeze(2)
        return edge_softmax(logits / self.temperature, present)


def existing_edges(present: Tensor) -> Tensor:
    """Which edges [B, 6] have both ends present [B, M]."""
    return present[:, _STUDENT] & present[:, _TEACHER]


def edge_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Softmax of [B, 6] over the existing edges; 0 for the others, and everywhere if there is none.

    A masked_fill with -inf would be NaN where no edge exists.
    """
    exists = existing_edges(present)
    return logits.masked_fill(~exists, -1e9).softmax(1) * exists


class CrossModalDictionary(nn.Module):
    """K atoms shared by the three modalities; each sample uses a few of them [abs][fdt].

    a = sparsemax(max_t <q(x_t), D_k> / (2 sqrt w)), f = a D / |a D|
    """

    def __init__(self, width: int, config: DHMDConfig) -> None:
        super().__init__()
        self.atoms = nn.Parameter(torch.randn(config.atoms, width))
        self.query = nn.ModuleDict({name: self.query_map(width) for name in MODALITIES})

    @staticmethod
    def query_map(width: int) -> nn.Sequential:
        first, second = nn.Linear(width, width), nn.Linear(width, width)
        return nn.Sequential(nn.LayerNorm(width), first, nn.GELU(), nn.LayerNorm(width), second)

    def forward(
        self, steps: dict[str, Tensor], valid: dict[str, Tensor], present: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """{[B, T, w]} and masks -> scores and activation [B, M, K], feature [B, M, w].

        Of an absent modality all three are zero.
        """
        scale = 2.0 * math.sqrt(self.atoms.shape[1])
        best = []
        for name in MODALITIES:
            score = self.query[name](steps[name]) / scale @ self.atoms.T
            best.append(score.masked_fill(~valid[name].unsqueeze(2), -1e9).max(1).values)
        scores = where_valid(torch.stack(best, dim=1), present)
        activation = where_valid(sparsemax(scores), present)
        return scores, activation, F.normalize(activation @ self.atoms, dim=2)


class Branch(nn.Module):
    """What both decoupled spaces do with their summaries: heads, GD-Unit, dictionary."""

    def __init__(self, width: int, graph: bool, config: DHMDConfig) -> None:
        super().__init__()
        self.config = config
        self.heads = nn.ModuleDict({name: Head(width, config) for name in MODALITIES})
        self.graph = GDUnit(width, config) if graph else None
        self.dictionary = CrossModalDictionary(width, config) if config.dictionary else None

    def forward(
        self,
        summary: dict[str, Tensor],
        steps: dict[str, Tensor],
        valid: dict[str, Tensor],
        present: Tensor,
    ) -> Space:
        """Summaries {[B, w]}, what the dictionary looks at {[B, T, w]}, and masks."""
        pairs = [self.heads[name](summary[name]) for name in MODALITIES]
        representation, outputs = (
            where_valid(torch.stack(three, dim=1), present) for three in zip(*pairs, strict=True)
        )
        if self.graph is not None:
            edges = self.graph(outputs, representation, present)
        else:
            edges = edge_softmax(outputs.new_zeros(len(present), len(EDGES)), present)
        if self.dictionary is not None:
            if not self.config.dictionary_gradient:
                steps = {name: x.detach() for name, x in steps.items()}
            scores, activation, feature = self.dictionary(steps, valid, present)
        else:
            scores = activation = outputs.new_zeros(*present.shape, self.config.atoms)
            feature = torch.zeros_like(representation)
        return Space(
            summary=torch.stack(list(summary.values()), dim=1),
            representation=representation,
            prediction=as_prediction(outputs, self.config),
            edges=edges,
            scores=scores,
            activation=activation,
            feature=feature,
        )


class Fusion(nn.Module):
    """Summaries and dictionary features of both spaces, gated, to the final outputs [dmd][fdt].

    [summary; feature] -> w per modality; gate = sigmoid(Linear). gate="multiply" feeds on
    gate * slot, gate="dmd" the gate itself, as DMD's code does. Slots of absent ones are zero.
    """

    def __init__(self, config: DHMDConfig) -> None:
        super().__init__()
        d = config.width
        self.config = config
        if config.dictionary:
            self.homogeneous_slot = nn.ModuleList(nn.Linear(2 * d, d) for _ in MODALITIES)
            self.heterogeneous_slot = nn.ModuleList(nn.Linear(4 * d, 2 * d) for _ in MODALITIES)
        self.homogeneous_gate = nn.Linear(3 * d, 3 * d)
        self.heterogeneous_gate = nn.ModuleList(nn.Linear(2 * d, 2 * d) for _ in MODALITIES)
        self.head = Head(9 * d, config)

    def forward(self, homo: Space, hetero: Space, present: Tensor) -> Prediction:
        """Two spaces and presence bool [B, M] -> the prediction of the whole network."""
        shared, private = homo.summary, hetero.summary
        if self.config.dictionary:
            shared = self.slots(self.homogeneous_slot, homo)
            private = self.slots(self.heterogeneous_slot, hetero)
        shared, private = where_valid(shared, present), where_valid(private, present)
        shared_gate = self.homogeneous_gate(shared.flatten(1)).sigmoid().view_as(shared)
        private_gate = torch.stack(
            [gate(private[:, m]).sigmoid() for m, gate in enumerate(self.heterogeneous_gate)], dim=1
        )
        if self.config.gate == "multiply":
            shared, private = shared_gate * shared, private_gate * private
        else:
            shared, private = where_valid(shared_gate, present), where_valid(private_gate, present)
        _, outputs = self.head(torch.cat([private.flatten(1), shared.flatten(1)], dim=1))
        return as_prediction(outputs, self.config)

    @staticmethod
    def slots(projections: nn.ModuleList, space: Space) -> Tensor:
        both = torch.cat([space.summary, space.feature], dim=2)
        return torch.stack([project(both[:, m]) for m, project in enumerate(projections)], dim=1)


def late_fusion(prediction: Prediction, present: Tensor) -> Prediction:
    """Mean of the modalities' own predictions [B, M, E] and [B, M] over those present [B, M].

    Zeros where none is present. The usual baseline, not a part of DHMD [ours].
    """
    count = present.sum(1).clamp_min(1)
    emotion = where_valid(prediction.emotion, present).sum(1) / count[:, None]
    return Prediction(emotion, prediction.sentiment.masked_fill(~present, 0.0).sum(1) / count)


def empty_space(like: Space) -> Space:
    """A space in which nothing is: zeros in the shapes of another one [ours]."""
    prediction = Prediction(*(torch.zeros_like(x) for x in like.prediction))
    others = {
        name: torch.zeros_like(getattr(like, name))
        for name in Space._fields
        if name != "prediction"
    }
    return Space(prediction=prediction, **others)


# ---------------------------------------------------------------------------------- the network


class DHMD(nn.Module):
    """Three masked sequences of features -> emotion, sentiment, two graphs, two sparse codes."""

    def __init__(self, config: DHMDConfig) -> None:
        super().__init__()
        self.config = config
        d, inputs = config.width, config.modalities

        def linear_maps(inside: int, outside: int) -> nn.ModuleDict:
            return nn.ModuleDict({name: nn.Linear(inside, outside, False) for name in MODALITIES})

        # 1. Shallow encoder.
        self.input_dropout = SequenceDropout(config.input_dropout)
        self.conv = nn.ModuleDict(
            {
                name: nn.Conv1d(m.features, d, m.kernel, padding=m.kernel // 2, bias=False)
                for name, m in inputs.items()
            }
        )
        self.homogeneous_recency = self._recencies()
        if config.fusion == "late":
            self.homogeneous_transformer = self._transformers()
            self.homogeneous = Branch(d, config.homogeneous, config)
            return
        # 2. Decoupling; a 1x1 conv is a linear map of each step.
        if config.decoupling:
            self.shared_encoder = nn.Linear(d, d, bias=False)
            self.private_encoder = linear_maps(d, d)
            self.decoder = linear_maps(2 * d, d)
        self.align = nn.ModuleDict({name: nn.Linear(d, d) for name in MODALITIES})
        # 3. Homogeneous branch.
        self.homogeneous_transformer = self._transformers()
        self.homogeneous = Branch(d, config.homogeneous, config)
        self.joint_head = Head(3 * d, config)
        # 4. Heterogeneous branch.
        longest = max(m.steps for m in inputs.values())
        self.cross_transformer = nn.ModuleDict(
            {f"{query}_{source}": Transformer(d, longest, config) for query, source in EDGES}
        )
        self.self_transformer = nn.ModuleDict(
            {name: Transformer(2 * d, m.steps, config) for name, m in inputs.items()}
        )
        self.heterogeneous_recency = self._recencies()
        self.heterogeneous = Branch(2 * d, config.heterogeneous, config)
        # 5. Fusion.
        self.fusion = Fusion(config)

    def _transformers(self) -> nn.ModuleDict:
        width, inputs = self.config.width, self.config.modalities
        return nn.ModuleDict(
            {name: Transformer(width, m.steps, self.config) for name, m in inputs.items()}
        )

    def _recencies(self) -> nn.ModuleDict:
        return nn.ModuleDict({name: Recency(self.config) for name in MODALITIES})

    def forward(self, features: dict[str, Tensor], valid: dict[str, Tensor]) -> DHMDOutput:
        """features {name: [B, T, F]}, valid {name: bool [B, T]}; T may be less than `steps`.

        Values at invalid steps are ignored, NaN too. Raises ValueError for a wrong shape.
        """
        self._check(features, valid)
        present = torch.stack([valid[name].any(1) for name in MODALITIES], dim=1)

        encoded = {name: self._encode(name, features[name], valid[name]) for name in MODALITIES}
        if self.config.fusion == "late":
            return self._apart(encoded, valid, present)
        shared, private, reconstructed, reencoded = self._decouple(encoded)
        aligned = torch.stack(
            [self.align[name](mean_valid_step(shared[name], valid[name])) for name in MODALITIES],
            dim=1,
        )

        # The homogeneous dictionary looks at c itself, the heterogeneous one at h [fdt].
        homo = self.homogeneous(self._summaries(shared, valid), shared, valid, present)
        _, joint = self.joint_head(homo.summary.flatten(1))

        crossed = {name: self._cross(name, private, valid) for name in MODALITIES}
        recent = {
            name: self.heterogeneous_recency[name](crossed[name], valid[name])
            for name in MODALITIES
        }
        hetero = self.heterogeneous(recent, crossed, valid, present)

        final = self.fusion(homo, hetero, present)
        return DHMDOutput(
            emotion=final.emotion,
            sentiment=final.sentiment,
            present=present,
            homogeneous=homo,
            heterogeneous=hetero,
            joint=as_prediction(joint, self.config),
            aligned=where_valid(aligned, present),
            valid=valid,
            encoded=encoded,
            private=private,
            shared=shared,
            reconstructed=reconstructed,
            reencoded=reencoded,
        )

    def _apart(
        self, encoded: dict[str, Tensor], valid: dict[str, Tensor], present: Tensor
    ) -> DHMDOutput:
        """Late fusion: a transformer and a head for each modality, and the mean of what they say.

        There is nothing to decouple: the private, shared and reconstructed sequences are X.
        """
        space = self.homogeneous(self._summaries(encoded, valid), encoded, valid, present)
        nothing = empty_space(space)
        final = late_fusion(space.prediction, present)
        return DHMDOutput(
            emotion=final.emotion,
            sentiment=final.sentiment,
            present=present,
            homogeneous=space,
            heterogeneous=nothing,
            joint=final,
            aligned=nothing.summary,
            valid=valid,
            encoded=encoded,
            private=encoded,
            shared=encoded,
            reconstructed=encoded,
            reencoded=encoded,
        )

    def _summaries(self, steps: dict[str, Tensor], valid: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the causal transformer of each modality makes of its own steps, [B, d] each."""
        return {
            name: self.homogeneous_transformer[name](
                steps[name], valid[name], recency=self.homogeneous_recency[name]
            )
            for name in MODALITIES
        }

    def _encode(self, name: str, features: Tensor, valid: Tensor) -> Tensor:
        """[B, T, F] -> X [B, T, d]; zeros go in for invalid steps, and zeros come out for them."""
        if self.training and not valid.any():
            return features.new_zeros(*valid.shape, self.config.width)
        x = self.input_dropout(where_valid(features, valid))
        return where_valid(self.conv[name](x.transpose(1, 2)).transpose(1, 2), valid)

    def _decouple(self, x: dict[str, Tensor]) -> tuple[dict[str, Tensor], ...]:
        """c = E_com(X), s = E_m(X), x' = D_m([s; c]), s' = E_m(x') [abs][dmd], all [B, T, d]."""
        if not self.config.decoupling:
            return x, x, x, x
        shared = {name: self.shared_encoder(x[name]) for name in MODALITIES}
        private = {name: self.private_encoder[name](x[name]) for name in MODALITIES}
        reconstructed = {
            name: self.decoder[name](torch.cat([private[name], shared[name]], dim=2))
            for name in MODALITIES
        }
        reencoded = {name: self.private_encoder[name](reconstructed[name]) for name in MODALITIES}
        return shared, private, reconstructed, reencoded

    def _cross(self, target: str, private: dict[str, Tensor], valid: dict[str, Tensor]) -> Tensor:
        """What the two other modalities give to the target, h [B, T, 2d] [dmd]."""
        both = [
            self.cross_transformer[f"{target}_{source}"](
                private[target], valid[target], private[source], valid[source]
            )
            for source in MODALITIES
            if source != target
        ]
        result: Tensor = self.self_transformer[target](torch.cat(both, dim=2), valid[target])
        return result

    def _check(self, features: dict[str, Tensor], valid: dict[str, Tensor]) -> None:
        for name, expected in self.config.modalities.items():
            shape, mask = tuple(features[name].shape), tuple(valid[name].shape)
            if len(shape) != 3 or shape[1] > expected.steps or shape[2] != expected.features:
                raise ValueError(
                    f"{name}: features must be [batch, up to {expected.steps} steps, "
                    f"{expected.features}], not {list(shape)}"
                )
            if mask != shape[:2] or valid[name].dtype != torch.bool:
                raise ValueError(f"{name}: valid must be bool {list(shape[:2])}, not {list(mask)}")
