"""DHMD for prediction alone: the trained network of inference/model.py, rewritten to cost less.

Nothing is approximated: the outputs are those of the training form to within 1e-5. What differs:

- Decoders, re-encoding, the margin's projections and the joint head are gone: only losses see them.
- The 1x1 encoders behind a conv are one map. LayerNorm's gains and offsets are part of the
  linear maps that follow. A head's output and the GD-Unit are one map, and so are the last query
  map of a dictionary and its atoms.
- What is the same for three modalities or six edges runs once, with a group axis G in front: one
  window costs a network this small as much as it has operators. Shorter modalities are padded to
  the longest, which changes nothing that they get.
- Each mask is made once for all layers. A source is normalised once, and its keys and values are
  made at once. A last layer that one query is put to computes it alone.
- Shapes do not depend on the data, so that the graph can be exported.

B samples, T steps, w width, M = 3 modalities in the order of MODALITIES, as in inference/model.py.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import ExportedProgram

from inference.model import (
    DHMD,
    EDGES,
    MODALITIES,
    Branch,
    CrossModalDictionary,
    DHMDConfig,
    Fusion,
    Head,
    Layer,
    Recency,
    Transformer,
)

# Added to what must not be seen. Its exponential is 0 even in half precision, and a row in which
# nothing may be seen stays finite, which it would not with -inf.
MASKED = -3e4
STUDENTS = [MODALITIES.index(student) for student, _ in EDGES]
TEACHERS = [MODALITIES.index(teacher) for _, teacher in EDGES]

N = TypeVar("N", bound=nn.Module)


class LeanOutput(NamedTuple):
    """What is shown of a batch, all float32."""

    emotion: Tensor  # [B, E] logits
    sentiment: Tensor  # [B]
    homogeneous_edges: Tensor  # [B, 6] in the order of EDGES
    heterogeneous_edges: Tensor  # [B, 6]
    homogeneous_atoms: Tensor  # [B, M, K] activations
    heterogeneous_atoms: Tensor  # [B, M, K]


# ------------------------------------------------------------------------------------- folding


def each(kind: type[N], modules: Iterable[nn.Module]) -> list[N]:
    """The modules; raises ValueError for one of another kind, of which no lean form is known."""
    found = []
    for module in modules:
        if not isinstance(module, kind):
            raise ValueError(f"no lean form is known of {type(module)} in place of {kind}")
        found.append(module)
    return found


class GroupLinear(nn.Module):
    """G linear maps side by side, [G, n, in] -> [G, n, out]."""

    weight: Tensor
    bias: Tensor

    def __init__(self, maps: Iterable[tuple[Tensor, Tensor | None]]) -> None:
        """Of weights [out, in], as nn.Linear has them, and biases [out]."""
        super().__init__()
        weights, biases = zip(*maps, strict=True)
        zeros = [
            torch.zeros(len(w)) if b is None else b for w, b in zip(weights, biases, strict=True)
        ]
        self.register_buffer("weight", torch.stack([w.T for w in weights]).contiguous())
        self.register_buffer("bias", torch.stack(zeros)[:, None])

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


def plain(linears: Iterable[nn.Module]) -> GroupLinear:
    """The linear maps as they are."""
    return GroupLinear((x.weight, x.bias) for x in each(nn.Linear, linears))


def after_norm(norm: nn.Module, linear: nn.Module) -> tuple[Tensor, Tensor]:
    """W and b with W n + b = linear(norm(x)), where n is x normalised and no more."""
    [norm], [linear] = each(nn.LayerNorm, [norm]), each(nn.Linear, [linear])
    bias = linear.weight @ norm.bias
    return linear.weight * norm.weight, bias if linear.bias is None else bias + linear.bias


def as_type(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x.to(dtype), of which an exported graph keeps something even if it does nothing."""
    return x if x.dtype == dtype else x.to(dtype)


def normalise(x: Tensor) -> Tensor:
    """LayerNorm of the last axis without gain and offset."""
    return F.layer_norm(x, x.shape[-1:])


# --------------------------------------------------------------------------------- transformers


class Masks(NamedTuple):
    """Who sees whom in a group of attentions."""

    bias: Tensor  # [G * B, 1, Tq, Tk] 0 or MASKED
    some: Tensor  # [G, B * Tq, 1] 1 where a query sees anything, else 0


def masks(allowed: Tensor, dtype: torch.dtype) -> Masks:
    """Of allowed, bool [G, B, Tq, Tk]."""
    bias = (~allowed).to(dtype) * MASKED
    return Masks(bias.flatten(0, 1).unsqueeze(1), allowed.any(3).flatten(1).unsqueeze(2).to(dtype))


class Ending(NamedTuple):
    """How much each step counts in a modality's summary, and what the summary may ask: all that
    is valid."""

    weights: Tensor  # [M, B, 1, T]
    masks: Masks

    def summary(self, x: Tensor) -> Tensor:
        """[M, B * T, w] -> [M, B, w]"""
        steps = x.reshape(*self.weights.shape[:2], -1, x.shape[2])
        return torch.matmul(as_type(self.weights, x.dtype), steps).squeeze(2)


class GroupLayer(nn.Module):
    """A `Layer` of G transformers, given the keys and values."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.heads = layers[0].attention.heads
        scale = (layers[0].attention.query.out_features // self.heads) ** -0.5
        queries = [after_norm(x.attention_norm, x.attention.query) for x in layers]
        self.query = GroupLinear((w * scale, b * scale) for w, b in queries)
        self.out = plain(x.attention.out for x in layers)
        self.wide = GroupLinear(after_norm(x.ffn_norm, x.ffn[0]) for x in layers)
        self.narrow = plain(x.ffn[2] for x in layers)

    def forward(self, x: Tensor, normalised: Tensor, key_value: Tensor, seen: Masks) -> Tensor:
        """x [G, B * Tq, w], also normalised, keys and values [G, B * Tk, 2w] -> [G, B * Tq, w]."""
        rows, _, queries, keys = seen.bias.shape
        query = self.query(normalised).reshape(rows, queries, self.heads, -1).transpose(1, 2)
        both = key_value.reshape(rows, keys, 2 * self.heads, -1).transpose(1, 2)
        key, value = both.chunk(2, dim=1)
        mixed = F.scaled_dot_product_attention(query, key, value, seen.bias, scale=1.0)
        x = x + self.out(mixed.transpose(1, 2).reshape(x.shape)) * seen.some
        result: Tensor = x + self.narrow(F.relu(self.wide(normalise(x))))
        return result


class GroupTransformer(nn.Module):
    """G `Transformer`s of one width, each on itself or, if `crossed`, across modalities.

    With `last` only the summary comes out.
    """

    positions: Tensor
    gain: Tensor
    offset: Tensor

    def __init__(
        self, transformers: Iterable[nn.Module], *, crossed: bool = False, last: bool = False
    ) -> None:
        super().__init__()
        group = each(Transformer, transformers)
        layers = list(zip(*(each(Layer, x.layers) for x in group), strict=True))
        self.crossed, self.last, self.scale = crossed, last, group[0].scale
        self.register_buffer(
            "positions", max((x.positions for x in group), key=len).detach().clone()
        )
        self.layers = nn.ModuleList(GroupLayer(x) for x in layers)
        maps = [[after_norm(x.attention_norm, x.attention.key_value) for x in y] for y in layers]
        if crossed:  # a source is the same to all layers
            together = [
                (torch.cat([w for w, _ in one]), torch.cat([b for _, b in one]))
                for one in zip(*maps, strict=True)
            ]
            maps = [together]
        self.key_value = nn.ModuleList(GroupLinear(x) for x in maps)
        self.register_buffer("gain", torch.stack([x.norm.weight for x in group])[:, None])
        self.register_buffer("offset", torch.stack([x.norm.bias for x in group])[:, None])

    def embed(self, x: Tensor) -> Tensor:
        """[M, B, T, w] with positions, [M, B * T, w]."""
        return torch.add(self.positions, x, alpha=self.scale).flatten(1, 2)

    def forward(self, x: Tensor, seen: Masks, end: Ending, source: Tensor | None = None) -> Tensor:
        """x embedded and source embedded and normalised, [G, B * T, w] -> [G, B * T or B, w].

        What comes out for steps that are not valid means nothing.
        """
        ready = []
        if source is not None:
            ready = list(self.key_value[0](source).chunk(len(self.layers), dim=2))
        for index, layer in enumerate(self.layers):
            normalised = normalise(x)
            key_value = ready[index] if self.crossed else self.key_value[index](normalised)
            if self.last and index == len(self.layers) - 1:
                x, seen = end.summary(x), end.masks
                normalised = normalise(x)
            x = layer(x, normalised, key_value, seen)
        return torch.addcmul(self.offset, normalise(x), self.gain)


# --------------------------------------------------------------------------- encoders and spaces


class LeanEncoder(nn.Module):
    """Conv of a modality, then both 1x1 encoders as one map, [B, T, F] -> [B, T, 2d] (c, s).

    Folded into the conv, the encoders would double its arithmetic, which for hundreds of features
    costs more than the operator that it would save.
    """

    weight: Tensor
    both: Tensor

    def __init__(self, network: DHMD, name: str) -> None:
        super().__init__()
        [conv] = each(nn.Conv1d, [network.conv[name]])
        self.register_buffer("weight", conv.weight.detach().clone())
        maps = [torch.eye(conv.out_channels)] * 2
        if network.config.decoupling:
            encoders = (network.shared_encoder, network.private_encoder[name])
            maps = [x.weight for x in each(nn.Linear, encoders)]
        self.register_buffer("both", torch.cat(maps).T.detach().clone())

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        x = x.masked_fill(~valid.unsqueeze(2), 0.0)
        return F.conv1d(x.transpose(1, 2), self.weight, padding="same").transpose(1, 2) @ self.both


def sparsemax(scores: Tensor) -> Tensor:
    """As in inference/model.py; tau is the largest (z_1 + ... + z_k - 1) / k of the ordered z."""
    ordered = scores.sort(dim=-1, descending=True).values
    rank = torch.arange(1, scores.shape[-1] + 1, device=scores.device, dtype=scores.dtype)
    tau = ((ordered.cumsum(-1) - 1.0) / rank).amax(-1, keepdim=True)
    return (scores - tau).clamp_min(0.0)


class LeanGraph(nn.Module):
    """Auxiliary heads and GD-Unit: an edge's logit is a number of its student plus one of its
    teacher, and both are linear in the representation."""

    student: Tensor
    teacher: Tensor

    def __init__(self, branch: Branch) -> None:
        super().__init__()
        self.register_buffer("student", torch.tensor(STUDENTS))
        self.register_buffer("teacher", torch.tensor(TEACHERS))
        heads = each(Head, (branch.heads[name] for name in MODALITIES))
        self.inner = plain(x.inner for x in heads)
        self.outer = plain(x.outer for x in heads)
        width, unit = heads[0].output.in_features, branch.graph
        ends: list[tuple[Tensor, Tensor]] = []
        for head in heads:
            if unit is None:  # without logits all edges that exist are alike
                ends.append((torch.zeros(2, width), torch.zeros(2)))
                continue
            edge = unit.edge.weight.reshape(2, -1) / unit.temperature
            of_outputs, of_representation = edge.chunk(2, dim=1)
            of_outputs = of_outputs @ unit.from_outputs.weight
            weight = of_outputs @ head.output.weight
            weight = weight + of_representation @ unit.from_representation.weight
            ends.append((weight, of_outputs @ head.output.bias))
        self.ends = GroupLinear(ends)

    def forward(self, summary: Tensor, present: Tensor) -> Tensor:
        """[M, B, w] and bool [M, B] -> [B, 6]"""
        ends: Tensor = self.ends(summary + self.outer(F.relu(self.inner(summary))))
        student, teacher = ends.select(2, 0), ends.select(2, 1)
        logits = student.index_select(0, self.student) + teacher.index_select(0, self.teacher)
        exists = present.index_select(0, self.student) & present.index_select(0, self.teacher)
        return (logits.masked_fill(~exists, MASKED).softmax(0) * exists).transpose(0, 1)


class LeanDictionary(nn.Module):
    """The activations of the atoms, and the slots that they and the summaries go into."""

    atoms: Tensor

    def __init__(self, dictionary: CrossModalDictionary, slots: nn.ModuleList) -> None:
        super().__init__()
        atoms = dictionary.atoms.detach().clone()
        self.register_buffer("atoms", atoms)
        maps = [list(dictionary.query[name].children()) for name in MODALITIES]
        for parts in maps:
            if len(parts) != 5:
                raise ValueError(f"no lean form is known of a query map of {len(parts)} parts")
            each(nn.GELU, [parts[2]])
        self.first = GroupLinear(after_norm(parts[0], parts[1]) for parts in maps)
        match = atoms / (2.0 * math.sqrt(atoms.shape[1]))
        second = [after_norm(parts[3], parts[4]) for parts in maps]
        self.scores = GroupLinear((match @ w, match @ b) for w, b in second)
        self.slots = plain(slots)

    def forward(self, steps: Tensor, summary: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """[M, B * T, w], [M, B, w], bool [M, B, T] -> activation [M, B, K], slots [M, B, w]."""
        scores = self.scores(normalise(F.gelu(self.first(normalise(steps)))))
        scores = scores.unflatten(1, valid.shape[1:])
        best = scores.masked_fill(~valid.unsqueeze(3), MASKED).amax(2)
        activation = sparsemax(best) * valid.any(2, keepdim=True)
        feature = activation @ self.atoms
        feature = feature / feature.square().sum(2, keepdim=True).sqrt().clamp_min(1e-12)
        return activation, self.slots(torch.cat([summary, feature], dim=2))


class LeanFusion(nn.Module):
    """`Fusion` without its slots."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.multiply = fusion.config.gate == "multiply"
        self.shared_gate = plain([fusion.homogeneous_gate])
        self.private_gate = plain(fusion.heterogeneous_gate)
        self.inner = plain([fusion.head.inner])
        self.outer = plain([fusion.head.outer])
        self.output = plain([fusion.head.output])

    def forward(self, shared: Tensor, private: Tensor, present: Tensor) -> Tensor:
        """[M, B, d], [M, B, 2d] and 0 or 1 [M, B, 1] -> outputs [B, E + 1]."""
        shared, private = shared * present, private * present
        modalities, batch, width = shared.shape
        joined = shared.transpose(0, 1).reshape(1, batch, modalities * width)
        gate = self.shared_gate(joined).sigmoid()
        private_gate = self.private_gate(private).sigmoid()
        if self.multiply:
            joined, private = gate * joined, private_gate * private
        else:
            each_gate = gate.reshape(batch, modalities, width) * present.transpose(0, 1)
            joined, private = each_gate.reshape(joined.shape), private_gate * present
        private = private.transpose(0, 1).reshape(1, batch, -1)
        x = torch.cat([private, joined], dim=2)
        x = x + self.outer(F.relu(self.inner(x)))
        outputs: Tensor = self.output(x).squeeze(0)
        return outputs


# --------------------------------------------------------------------------------- the network


class LeanDHMD(nn.Module):
    """A trained `DHMD` for prediction alone. It shares no memory with it and cannot be trained."""

    student: Tensor
    teacher: Tensor
    step: Tensor
    ahead: Tensor
    rates: Tensor

    def __init__(self, network: DHMD, *, half: bool = False) -> None:
        """With `half`, encoders and transformers, where the work is, compute in float16.

        Dictionaries, graphs and fusion stay in float32: sparsemax adds up as many numbers as there
        are atoms. Raises ValueError or AttributeError for parts of which it knows no lean form.
        """
        super().__init__()
        config = self.config = network.config
        self.dtype = torch.float16 if half else torch.float32
        self.longest = max(m.steps for m in config.modalities.values())
        self.register_buffer("student", torch.tensor(STUDENTS))
        self.register_buffer("teacher", torch.tensor(TEACHERS))
        self.register_buffer("step", torch.arange(self.longest))
        self.register_buffer("ahead", self.step[None, :] - self.step[:, None])
        homogeneous, crossed, heterogeneous = (
            network.homogeneous_transformer,
            network.cross_transformer,
            network.self_transformer,
        )
        with torch.no_grad():
            self.encoders = nn.ModuleList(LeanEncoder(network, name) for name in MODALITIES)
            self.homogeneous = GroupTransformer((homogeneous[m] for m in MODALITIES), last=True)
            self.crossed = GroupTransformer((crossed[f"{s}_{t}"] for s, t in EDGES), crossed=True)
            self.heterogeneous = GroupTransformer(heterogeneous[m] for m in MODALITIES)
            recencies = (network.homogeneous_recency, network.heterogeneous_recency)
            rates = [[x.log_rate.exp() for x in each(Recency, r.values())] for r in recencies]
            self.register_buffer("rates", torch.tensor(rates)[:, :, None, None])
            self.homogeneous_graph = LeanGraph(network.homogeneous)
            self.heterogeneous_graph = LeanGraph(network.heterogeneous)
            self.fusion = LeanFusion(network.fusion)
            if config.dictionary:
                [shared, private] = each(
                    CrossModalDictionary,
                    (x.dictionary or x for x in (network.homogeneous, network.heterogeneous)),
                )
                self.shared_atoms = LeanDictionary(shared, network.fusion.homogeneous_slot)
                self.private_atoms = LeanDictionary(private, network.fusion.heterogeneous_slot)
        for part in (self.encoders, self.homogeneous, self.crossed, self.heterogeneous):
            part.to(self.dtype)
        self.eval().requires_grad_(False)

    def forward(
        self,
        text: Tensor,
        voice: Tensor,
        face: Tensor,
        text_valid: Tensor,
        voice_valid: Tensor,
        face_valid: Tensor,
    ) -> LeanOutput:
        """Features float32 [B, T, F] and valid bool [B, T], T being all steps of the modality.

        Values at invalid steps are ignored, NaN too.
        """
        masked = (text_valid, voice_valid, face_valid)
        encoded = [
            F.pad(encoder(as_type(x, self.dtype), v), (0, 0, 0, self.longest - v.shape[1]))
            for encoder, x, v in zip(self.encoders, (text, voice, face), masked, strict=True)
        ]
        shared, private = torch.stack(encoded).chunk(2, dim=3)  # [M, B, T, d]
        valid = torch.stack([F.pad(v, (0, self.longest - v.shape[1])) for v in masked])
        own, other, whole = self._masks(valid)
        recent, later = self._endings(valid, whole)

        # Homogeneous branch.
        summary = self.homogeneous(self.homogeneous.embed(shared), own, recent)
        summary = as_type(summary, torch.float32)
        # Heterogeneous branch: six cross-modal transformers, then one for each target.
        embedded = self.crossed.embed(private)
        source = normalise(embedded).index_select(0, self.teacher)
        crossed = self.crossed(embedded.index_select(0, self.student), other, later, source)
        pairs = crossed.unflatten(1, valid.shape[1:]).unflatten(0, (len(MODALITIES), -1))
        states = self.heterogeneous(
            self.heterogeneous.embed(torch.cat(pairs.unbind(1), 3)), own, later
        )
        states = as_type(states, torch.float32)

        present = valid.any(2)
        exists = present.unsqueeze(2).float()
        shared_slots = summary = summary * exists
        private_slots = private_summary = later.summary(states) * exists
        if self.config.dictionary:
            steps = as_type(shared.flatten(1, 2), torch.float32)
            shared_activation, shared_slots = self.shared_atoms(steps, summary, valid)
            private_activation, private_slots = self.private_atoms(states, private_summary, valid)
        else:
            shared_activation = exists.new_zeros(*present.shape, self.config.atoms)
            private_activation = exists.new_zeros(*present.shape, self.config.atoms)
        outputs = self.fusion(shared_slots, private_slots, exists)
        emotion, sentiment = outputs, outputs.new_zeros(len(outputs))
        if self.config.sentiment:
            emotion, sentiment = outputs[:, :-1], outputs[:, -1]
        return LeanOutput(
            emotion,
            sentiment,
            self.homogeneous_graph(summary, present),
            self.heterogeneous_graph(private_summary, present),
            shared_activation.transpose(0, 1),
            private_activation.transpose(0, 1),
        )

    def _masks(self, valid: Tensor) -> tuple[Masks, Masks, Masks]:
        """Of valid [M, B, T]: within a modality, across, and for what may ask all that is valid."""
        last = (valid * self.step).amax(2)
        query, key = last.index_select(0, self.student), last.index_select(0, self.teacher)
        lag = (key - query).abs()[:, :, None, None]
        keys = valid.unsqueeze(2)
        own = masks((self.ahead <= 0) & keys, self.dtype)
        other = masks((self.ahead <= lag) & keys.index_select(0, self.teacher), self.dtype)
        return own, other, masks(keys, self.dtype)

    def _endings(self, valid: Tensor, whole: Masks) -> tuple[Ending, Ending]:
        """Of the homogeneous and of the heterogeneous branch; `Recency`."""
        scores = (self.rates * self.step).masked_fill(~valid, MASKED)
        weights = (scores.softmax(3) * valid).unsqueeze(3)
        return Ending(weights[0], whole), Ending(weights[1], whole)


# ----------------------------------------------------------------------------------- exporting


def empty_inputs(config: DHMDConfig, batch: int) -> tuple[Tensor, ...]:
    """Windows in which nothing is present, in the order in which `LeanDHMD` takes them."""
    features = [torch.zeros(batch, m.steps, m.features) for m in config.modalities.values()]
    valid = [torch.zeros(batch, m.steps, dtype=torch.bool) for m in config.modalities.values()]
    return (*features, *valid)


class _Plain(nn.Module):
    """Gives a tuple: a graph that holds a class of ours could not be saved."""

    def __init__(self, network: LeanDHMD) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(*inputs))


def export(network: LeanDHMD, batch: int) -> ExportedProgram:
    """The network as a graph for exactly so many windows at once; every shape is a number.

    It gives the fields of `LeanOutput` as a tuple.
    """
    inputs = tuple(x.to(network.step.device) for x in empty_inputs(network.config, batch))
    return torch.export.export(_Plain(network).eval(), inputs, strict=False)
