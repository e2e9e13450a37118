"""Windows: one pure function, and a builder that gives the same numbers without keeping all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.stream import Sample
from extractors.stream.window import (
    ContextWindow,
    StepWindow,
    Window,
    WindowBuilder,
    WindowSpec,
    build_window,
)
from tests.extractors.stream.threads import at

FloatArray = npt.NDArray[np.float32]

SPEC = WindowSpec(
    hop=20,
    text=ContextWindow(features=2, steps=3, span=80),
    voice=StepWindow(features=2, steps=4, step=10, fresh=2),
    face=StepWindow(features=1, steps=5, step=10),
)


@dataclass(frozen=True)
class Vector:
    vector: FloatArray | None


@dataclass(frozen=True)
class Words:
    ends: tuple[int, ...]
    states: FloatArray


def face(end: int, *values: float) -> Sample[Vector]:
    return at(end, Vector(np.array(values, np.float32) if values else None))


def words(end: int, *ends: int) -> Sample[Words]:
    """A context whose states tell the word's end and the context they come from."""
    return at(end, Words(ends, np.array([[e, end] for e in ends], np.float32).reshape(-1, 2)))


def build(end: int, **samples: list[Sample[Any]]) -> Window:
    return build_window(SPEC, end, samples)


def test_a_bin_is_open_at_its_start_and_closed_at_its_end() -> None:
    window = build(100, face=[face(t, t) for t in (50, 51, 60, 61, 99, 100, 101)])
    # bins (50, 60], (60, 70], ..., (90, 100]
    assert window.valid["face"].tolist() == [True, True, False, False, True]
    assert window.features["face"][:, 0].tolist() == [55.5, 61, 0, 0, 99.5]


def test_a_bin_is_the_mean_of_its_samples_with_features() -> None:
    samples = [face(91, 1.0, 10.0), face(95, 2.0, 20.0), face(96), face(100, 6.0, 0.0)]
    window = build(100, voice=samples)
    assert window.features["voice"][-1].tolist() == [3.0, 10.0]
    assert window.features["voice"].dtype == np.float32


def test_a_sample_belongs_where_it_ends() -> None:
    window = build(100, face=[Sample("face", 40, 95, 95, Vector(np.ones(1, np.float32)))])
    assert window.valid["face"].tolist() == [False] * 4 + [True]


def test_a_modality_that_was_left_longer_than_it_stays_fresh_is_gone() -> None:
    here = build(100, voice=[face(81, 1.0, 1.0)])
    assert here.valid["voice"].tolist() == [False, False, True, False]
    gone = build(100, voice=[face(79, 1.0, 1.0), face(80, 1.0, 1.0)])
    assert not gone.present("voice")
    assert not gone.features["voice"].any()


def test_absent_modalities_are_zero_and_not_valid() -> None:
    nothing = build(100, face=[face(95)], voice=[at(95, None)], text=[at(95, None)])
    for window in (build(100), nothing):
        for name, modality in SPEC.modalities.items():
            assert window.features[name].shape == (modality.steps, modality.features)
            assert window.features[name].dtype == np.float32
            assert window.valid[name].shape == (modality.steps,)
            assert not window.features[name].any()
            assert not window.present(name)


def test_a_context_is_that_of_the_newest_sample_and_stands_at_the_end() -> None:
    samples = [words(50, 50), words(90, 50, 90), words(101, 50, 90, 101)]
    window = build(100, text=samples)
    assert window.valid["text"].tolist() == [False, True, True]
    assert window.features["text"].tolist() == [[0, 0], [50, 90], [90, 90]]


def test_a_heartbeat_does_not_hide_the_words_before_it() -> None:
    window = build(100, text=[words(90, 50, 90), at(95, None)])
    assert window.features["text"].tolist() == [[0, 0], [50, 90], [90, 90]]


def test_words_that_ended_before_the_span_are_out() -> None:
    window = build(100, text=[words(90, 19, 20, 21, 90)])
    assert window.features["text"].tolist() == [[0, 0], [21, 90], [90, 90]]
    assert not build(170, text=[words(90, 21, 90)]).present("text")
    assert build(169, text=[words(90, 21, 90)]).valid["text"].tolist() == [False, False, True]


def test_of_too_many_words_the_newest_stay() -> None:
    window = build(100, text=[words(90, 60, 70, 80, 90)])
    assert window.features["text"][:, 0].tolist() == [70, 80, 90]
    assert window.valid["text"].all()


def test_a_specification_survives_as_plain_numbers() -> None:
    values = SPEC.to_dict()
    assert WindowSpec.from_dict(values) == SPEC
    assert SPEC.span == 80
    with pytest.raises(TypeError):
        WindowSpec.from_dict({**values, "face": {**values["face"], "colour": 1}})
    with pytest.raises(KeyError):
        WindowSpec.from_dict({"hop": 1})


def equal(one: Window, other: Window) -> bool:
    return one.end == other.end and all(
        np.array_equal(one.features[m], other.features[m])
        and np.array_equal(one.valid[m], other.valid[m])
        for m in SPEC.modalities
    )


def test_a_window_waits_for_the_first_sample_after_its_end() -> None:
    builder = WindowBuilder(SPEC)
    assert list(builder.add("face", face(19, 1.0))) == []
    assert list(builder.add("face", face(20, 3.0))) == []
    (window,) = builder.add("voice", at(21, None))
    assert window.end == 20
    assert window.features["face"][-1].tolist() == [2.0]


def test_a_gap_gives_every_window_in_it() -> None:
    builder = WindowBuilder(SPEC)
    assert list(builder.add("face", face(10, 1.0))) == []
    ends = [(w.end, w.present("face")) for w in builder.add("face", face(121, 2.0))]
    assert ends == [(20, True), (40, True), (60, False), (80, False), (100, False), (120, False)]
    assert [w.end for w in builder.advance(160)] == [140, 160]
    assert list(builder.advance(160)) == []


def test_the_first_window_can_be_chosen() -> None:
    builder = WindowBuilder(SPEC, first=7)
    assert [w.end for w in builder.advance(30)] == [7, 27]


def test_an_unknown_modality_is_refused() -> None:
    with pytest.raises(KeyError):
        list(WindowBuilder(SPEC).add("smell", face(1, 1.0)))


finite = st.floats(-1e3, 1e3, width=32)


@st.composite
def recordings(draw: st.DrawFn) -> list[tuple[str, Sample[Any]]]:
    """Samples of all modalities in the order of time: rushes, gaps, absences, heartbeats."""
    time = 0
    spoken: list[int] = []
    recording: list[tuple[str, Sample[Any]]] = []
    for _ in range(draw(st.integers(0, 40))):
        time += draw(st.sampled_from([0, 0, 1, 3, 9, 10, 11, 20, 35, 150]))
        name = draw(st.sampled_from(["text", "voice", "face"]))
        kind = draw(st.sampled_from(["features", "features", "absent", "heartbeat"]))
        if kind == "heartbeat":
            recording.append((name, at(time, None)))
        elif name == "text":
            spoken = [*spoken, time][-6:]
            recording.append((name, words(time, *spoken)))
        elif kind == "absent":
            recording.append((name, face(time)))
        else:
            width = SPEC.modalities[name].features
            recording.append((name, face(time, *draw(st.tuples(*[finite] * width)))))
    return recording


@settings(max_examples=150)
@given(recordings(), st.integers(1, 30), st.sampled_from([1, 7, 20]))
def test_the_builder_equals_the_pure_function_on_everything(
    recording: list[tuple[str, Sample[Any]]], first: int, hop: int
) -> None:
    spec = replace(SPEC, hop=hop)
    builder = WindowBuilder(spec, first)
    end = recording[-1][1].end + 30 if recording else 30
    given_out: list[Window] = []
    for name, sample in recording:
        given_out += builder.add(name, sample)
        assert all(window.end < sample.end for window in given_out)
    given_out += builder.advance(end)
    everything: Mapping[str, list[Sample[Any]]] = {
        name: [sample for modality, sample in recording if modality == name]
        for name in spec.modalities
    }
    assert [window.end for window in given_out] == list(range(first, end + 1, hop))
    for window in given_out:
        assert equal(window, build_window(spec, window.end, everything))


def test_what_the_builder_keeps_does_not_grow_with_the_recording() -> None:
    builder = WindowBuilder(SPEC)
    most = dict.fromkeys(SPEC.modalities, 0)
    for time in range(1, 5000):
        for name, sample in (
            ("text", words(time, time)),
            ("voice", face(time, 1.0, 1.0)),
            ("face", face(time, 1.0)),
        ):
            list(builder.add(name, sample))
            most[name] = max(most[name], len(builder._kept[name]))
    assert most == {
        name: modality.span + SPEC.hop for name, modality in SPEC.modalities.items()
    }  # one sample a nanosecond


def test_the_last_words_stay_however_long_nobody_speaks() -> None:
    """Of a context one sample stays; the rest is forgotten also without new samples."""
    builder = WindowBuilder(SPEC)
    for time in (1, 2, 3):
        list(builder.add("text", words(time, time)))
        list(builder.add("face", face(time, 1.0)))
    list(builder.advance(10_000))
    assert {name: len(kept) for name, kept in builder._kept.items()} == {
        "text": 1,
        "voice": 0,
        "face": 0,
    }
