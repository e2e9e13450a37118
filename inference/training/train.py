"""The training run: examples in, checkpoint out."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from assets.errors import BadInput
from extractors.features import EMOTIONS, LIVE_WINDOWS, MODALITIES, FloatArray
from extractors.stream.window import Window, WindowSpec
from extractors.timeline import Timeline
from inference.checkpoint import Checkpoint, Normaliser
from inference.model import DHMD, DHMDConfig, ModalityConfig
from inference.predictor import Predictor
from inference.training.composer import Composer, resting_faces, wander
from inference.training.configuration import TrainingSettings
from inference.training.examples import Example, ExampleSet, require_widths
from inference.training.losses import LossWeights, Targets, total
from inference.training.metrics import emotion_metrics, sentiment_metrics
from inference.training.split import Split, split_by_person

__all__ = ["LICENCE", "Progress", "evaluate", "train"]

LICENCE = (
    "Trained on RAVDESS (CC BY-NC-SA 4.0), CK+ and MELD (research only): "
    "these weights are for research, non-commercial use."
)

EVALUATED_AT_ONCE = 64
"""Windows in a batch of `evaluate`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: steps done and in all, mean loss since the last report, seconds left."""

    step: int
    steps: int
    loss: float
    seconds_left: float


def network(settings: TrainingSettings, spec: WindowSpec) -> DHMDConfig:
    """The configuration of the network for windows of `spec`. Raises BadInput for wrong sizes."""
    chosen: dict[str, Any] = asdict(settings.network)
    for name, modality in spec.modalities.items():
        chosen[name] = ModalityConfig(features=modality.features, steps=modality.steps)
    try:
        return DHMDConfig(emotions=EMOTIONS, **chosen)
    except ValueError as error:
        raise BadInput(f"the configuration of the network: {error}") from error


def train(
    settings: TrainingSettings,
    sets: Sequence[ExampleSet],
    report: Callable[[Progress], None] | None = None,
    spec: WindowSpec = LIVE_WINDOWS,
) -> Checkpoint:
    """Train on the people of the sets that `settings.fold` does not hold out.

    Measures every modality alone on those held out; the numbers stand in the checkpoint's origin.
    The same settings and examples give the same checkpoint on the same machine. Raises BadInput
    before the first step if the settings or the examples cannot be trained on.
    """
    config = network(settings, spec)
    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    for examples in sets:
        require_widths(examples.examples, spec)
    splits = [split_by_person(examples, settings.fold) for examples in sets]
    held_out = _held_out(sets, splits)
    known = [example for split in splits for example in split.train]
    for name in MODALITIES:
        if not any(name in e.samples and e.variant == 0 for e in known):
            raise BadInput(f"no example to train on has {name}; add one to the configuration")
    normaliser = Normaliser.fitted({name: _windows_with(name, known, spec) for name in MODALITIES})
    faces = [e for e in known if "face" in e.samples]
    known += resting_faces(faces, settings.rest, generator) if faces else []
    composer = Composer(known, spec, generator, settings.balance, settings.turning)

    model = DHMD(config)
    weights = _optimise(model, composer, normaliser, settings, generator, report)
    checkpoint = Checkpoint(config, spec, normaliser, weights, 1.0, {})
    measured = {name: evaluate(checkpoint, test) for name, test in held_out.items()}
    origin = {
        "settings": asdict(settings),
        "licence": LICENCE,
        "examples": {s.kind: len(split.train) for s, split in zip(sets, splits, strict=True)},
        "people_held_out": {m: len({e.person for e in test}) for m, test in held_out.items()},
        "held_out": measured,
        "torch": torch.__version__,
    }
    return Checkpoint(config, spec, normaliser, weights, 1.0, origin)


def evaluate(checkpoint: Checkpoint, examples: Sequence[Example]) -> dict[str, float | None]:
    """Metrics by name, of emotions and of sentiment, on the last whole window of each example.

    What is undefined is None. Raises BadInput without examples, or if they are of another width
    than the checkpoint's windows.
    """
    if not examples:
        raise BadInput("there is no example to evaluate on")
    require_widths(examples, checkpoint.windows)
    predictor = Predictor(checkpoint, threads=torch.get_num_threads())
    parts = []
    for first in range(0, len(examples), EVALUATED_AT_ONCE):
        some = examples[first : first + EVALUATED_AT_ONCE]
        parts.append(predictor([e.window(checkpoint.windows) for e in some]).timeline)
    timeline = Timeline.joined(parts)
    emotions = emotion_metrics(np.asarray([e.emotion for e in examples]), timeline.emotions)
    known = timeline.known
    labels = np.asarray([example.sentiment for example in examples], np.float32)
    sentiment = sentiment_metrics(labels[known], timeline.sentiment[known])
    return asdict(emotions) | asdict(sentiment)


def _held_out(
    sets: Sequence[ExampleSet], splits: Sequence[Split]
) -> Mapping[str, tuple[Example, ...]]:
    """Examples to test on by modality, of all sets that have it. Raises BadInput without any."""
    found: dict[str, tuple[Example, ...]] = {}
    for examples, split in zip(sets, splits, strict=True):
        if not split.train or not split.test:
            raise BadInput(
                f"the examples of {examples.kind} are of too few people to hold some out"
            )
        found[examples.modality] = found.get(examples.modality, ()) + split.test
    return found


def _windows_with(name: str, examples: Sequence[Example], spec: WindowSpec) -> Iterator[Window]:
    """Windows of the items that have this modality; one at a time, for they are large."""
    return (e.window(spec) for e in examples if name in e.samples and e.variant == 0)


def _optimise(
    model: DHMD,
    composer: Composer,
    normaliser: Normaliser,
    settings: TrainingSettings,
    generator: np.random.Generator,
    report: Callable[[Progress], None] | None,
) -> dict[str, FloatArray]:
    """AdamW with warm-up and a cosine; the weights are the mean over the last part of the run."""
    optimiser = _optimiser(model, settings)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: _rate(s, settings))
    losses = LossWeights(**asdict(settings.losses))
    averaged = torch.optim.swa_utils.AveragedModel(model)
    began, recent = time.monotonic(), 0.0
    model.train()
    for step in range(1, settings.steps + 1):
        features, valid, targets = _batch(composer, normaliser, settings, generator)
        loss, _ = total(model(features, valid), targets, model.config, losses)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        schedule.step()
        if step > settings.average_from * settings.steps:
            averaged.update_parameters(model)
        recent += loss.item()
        if report is not None and step % settings.evaluate_every == 0:
            left = (time.monotonic() - began) / step * (settings.steps - step)
            report(Progress(step, settings.steps, recent / settings.evaluate_every, left))
            recent = 0.0
    state = averaged.module.state_dict()
    return {name: tensor.detach().numpy().copy() for name, tensor in state.items()}


def _optimiser(model: DHMD, settings: TrainingSettings) -> torch.optim.Optimizer:
    atoms = [p for name, p in model.named_parameters() if name.endswith("atoms")]
    others = [p for name, p in model.named_parameters() if not name.endswith("atoms")]
    return torch.optim.AdamW(
        [
            {"params": others, "lr": settings.learning_rate},
            {"params": atoms, "lr": settings.dictionary_learning_rate, "weight_decay": 0.0},
        ],
        weight_decay=settings.weight_decay,
    )


def _rate(step: int, settings: TrainingSettings) -> float:
    """Factor on the learning rate: linear up, then half a cosine down to a twentieth."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    done = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def _noise(shape: tuple[int, ...], memory: float, generator: np.random.Generator) -> FloatArray:
    """Noise [n, steps, features] of unit variance: a constant and a wandering part."""
    offset = generator.standard_normal((shape[0], 1, shape[2]), np.float32)
    return np.asarray((offset + wander(shape, memory, generator)) / 2**0.5, np.float32)


def _batch(
    composer: Composer,
    normaliser: Normaliser,
    settings: TrainingSettings,
    generator: np.random.Generator,
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], Targets]:
    subset = composer.draw_subset()
    drawn = [composer.draw(subset) for _ in range(settings.batch)]
    features: dict[str, torch.Tensor] = {}
    valid: dict[str, torch.Tensor] = {}
    for name in MODALITIES:
        # one empty step stands for a modality that is left out: it costs next to nothing
        steps = slice(None) if name in subset else slice(1)
        mask = np.stack([sample.window.valid[name][steps] for sample in drawn])
        raw = np.stack([sample.window.features[name][steps] for sample in drawn])
        scaled = normaliser(name, raw, mask)
        noise = _noise(raw.shape, settings.noise.memory, generator)
        scaled += getattr(settings.noise, name) * noise
        features[name], valid[name] = torch.from_numpy(scaled), torch.from_numpy(mask)
    targets = Targets(
        torch.as_tensor([sample.emotion for sample in drawn]),
        torch.as_tensor([sample.sentiment for sample in drawn], dtype=torch.float32),
    )
    return features, valid, targets
