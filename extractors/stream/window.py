"""Sliding windows: what was sensed in the last seconds, as fixed arrays with validity masks.

A window is a pure function of samples and a `WindowSpec`. Training, live use and replay call the
same function, so the network sees the same numbers for the same moment.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from extractors.stream.sample import Sample

__all__ = ["ContextWindow", "StepWindow", "Window", "WindowBuilder", "WindowSpec", "build_window"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StepWindow:
    """A modality on a regular grid: the mean of the samples in each of `steps` equal bins.

    The last bin ends at the window's end. A bin without a sample that has features is not valid.
    """

    features: int
    steps: int
    step: int
    """Length of a bin in nanoseconds."""
    fresh: int = 10
    """The whole modality is absent if none of this many last bins is valid: who left is gone."""

    @property
    def span(self) -> int:
        """How far back the window looks, in nanoseconds."""
        return self.steps * self.step


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """A modality of events in context (words): the states of the newest sample, newest step last.

    A sample's data is a `Context`: events with their ends and one row of states per event. Events
    that ended more than `span` before the window's end are not valid.
    """

    features: int
    steps: int
    span: int
    """How far back the window looks, in nanoseconds."""


class Features(Protocol):
    """Data of a sample for a `StepWindow`: None where the modality is absent."""

    @property
    def vector(self) -> FloatArray | None: ...


class Context(Protocol):
    """Data of a sample for a `ContextWindow`."""

    @property
    def ends(self) -> Sequence[int]: ...

    @property
    def states(self) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """The three modalities of a window and the distance between windows."""

    hop: int
    """Nanoseconds between the ends of successive windows."""
    text: ContextWindow
    voice: StepWindow
    face: StepWindow

    @property
    def modalities(self) -> Mapping[str, StepWindow | ContextWindow]:
        return {"text": self.text, "voice": self.voice, "face": self.face}

    @property
    def span(self) -> int:
        """How far back any modality looks, in nanoseconds."""
        return max(modality.span for modality in self.modalities.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for a checkpoint's or a session's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "WindowSpec":
        """Inverse of `to_dict`. Raises TypeError or KeyError if a field is unknown or missing."""
        return cls(
            hop=values["hop"],
            text=ContextWindow(**values["text"]),
            voice=StepWindow(**values["voice"]),
            face=StepWindow(**values["face"]),
        )


@dataclass(frozen=True, slots=True)
class Window:
    """What the network sees at one moment.

    `features[m]` float32 [steps, features], zero where not valid; `valid[m]` bool [steps]. The last
    step is now.
    """

    end: int
    features: dict[str, FloatArray]
    valid: dict[str, BoolArray]

    def present(self, modality: str) -> bool:
        """Whether any step of the modality is valid."""
        return bool(self.valid[modality].any())


def build_window(
    spec: WindowSpec, end: int, samples: Mapping[str, Iterable[Sample[Any]]]
) -> Window:
    """The window that ends at `end` (session nanoseconds), from the samples of each modality.

    Samples belong to the bin in which they end; a bin is open at its start and closed at its end.
    Samples after `end`, or whose data is None, are left out. Modalities that are not in `samples`
    are absent.
    """
    features: dict[str, FloatArray] = {}
    valid: dict[str, BoolArray] = {}
    for name, modality in spec.modalities.items():
        if name not in samples:
            features[name] = np.zeros((modality.steps, modality.features), np.float32)
            valid[name] = np.zeros(modality.steps, np.bool_)
            continue
        fill = _fill_steps if isinstance(modality, StepWindow) else _fill_context
        features[name], valid[name] = fill(modality, end, samples[name])  # type: ignore[arg-type]
    return Window(end, features, valid)


def _fill_steps(
    modality: StepWindow, end: int, samples: Iterable[Sample[Features | None]]
) -> tuple[FloatArray, BoolArray]:
    total = np.zeros((modality.steps, modality.features), np.float64)
    count = np.zeros(modality.steps, np.int64)
    for sample in samples:
        age = end - sample.end
        if sample.data is None or not 0 <= age < modality.span:
            continue
        vector = sample.data.vector
        if vector is None:
            continue
        index = modality.steps - 1 - age // modality.step
        total[index] += vector
        count[index] += 1
    valid = count > 0
    if not valid[-modality.fresh :].any():
        return np.zeros_like(total, np.float32), np.zeros_like(valid)
    mean = total / np.maximum(count, 1)[:, None]
    return mean.astype(np.float32), valid


def _fill_context(
    modality: ContextWindow, end: int, samples: Iterable[Sample[Context | None]]
) -> tuple[FloatArray, BoolArray]:
    features = np.zeros((modality.steps, modality.features), np.float32)
    valid = np.zeros(modality.steps, np.bool_)
    newest: Context | None = None
    for sample in samples:
        if sample.end <= end and sample.data is not None:
            newest = sample.data
    if newest is not None:
        recent = [i for i, at in enumerate(newest.ends) if end - modality.span < at <= end]
        recent = recent[-modality.steps :]
        if recent:
            features[-len(recent) :] = newest.states[recent]
            valid[-len(recent) :] = True
    return features, valid


class WindowBuilder:
    """Windows every hop from samples that come in time order; keeps only what can still be seen."""

    def __init__(self, spec: WindowSpec, first: int | None = None) -> None:
        self.spec = spec
        self._next = spec.hop if first is None else first
        self._kept: dict[str, deque[Sample[Any]]] = {name: deque() for name in spec.modalities}

    def add(self, modality: str, sample: Sample[Any]) -> Iterator[Window]:
        """Take a sample, not earlier than those before, and give the windows that it completes.

        A window is complete when a sample that ends after it has come. A sample whose data is None
        only says that time has passed. Raises KeyError for a modality that is not in the
        specification.
        """
        kept = self._kept[modality]
        yield from self.advance(sample.end - 1)
        if sample.data is not None:
            kept.append(sample)

    def advance(self, time: int) -> Iterator[Window]:
        """Give the windows that end at `time` or before: no earlier sample will come."""
        while self._next <= time:
            end = self._next
            self._next += self.spec.hop
            window = build_window(self.spec, end, self._kept)
            self._forget(end)
            yield window

    def _forget(self, end: int) -> None:
        """Drop what no later window can see. Of a context the newest sample always stays."""
        for name, modality in self.spec.modalities.items():
            kept = self._kept[name]
            keep_one = isinstance(modality, ContextWindow)
            while len(kept) > keep_one and kept[0].end <= end - modality.span:
                kept.popleft()
