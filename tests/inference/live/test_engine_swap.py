"""A better engine takes over while a session runs: no gap, the same predictions, and it is told.

The clock and the build are moved by the test: the build goes on when the test lets it.
"""

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.stream.window import Window
from inference.backends import opening
from inference.backends.background_build import BackgroundBuild
from inference.backends.interface import Engine, Outputs
from inference.backends.opening import open_engine
from inference.backends.source import Source
from inference.checkpoint import Checkpoint, save_checkpoint
from inference.live.interface import LiveState
from inference.models import Models
from inference.predictor import Predictions, Predictor
from inference.training.calibrate import PLAIN
from tests.inference.live.stand_ins import PATIENCE, Stage
from tests.inference.small_network import small_live

Make = Callable[..., Stage]
WITHIN = 1e-4


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    save_checkpoint(path, small_live())
    return path


@pytest.fixture(scope="module")
def built(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the engine that the builds of this module give."""
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTSCOPE_ENGINES", str(folder))
        opening.compiled(opening.backend("onnxruntime"), Source(checkpoint), 1)
    return folder


class Gate:
    """Holds the build up until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.reached.set()
        assert self.open.wait(PATIENCE)


class Seen:
    """The app's models, of which the network alone is real; keeps what it is asked and says."""

    def __init__(self, checkpoint: Path) -> None:
        self._models = Models(checkpoint)
        self.checkpoint, self.describe = self._models.checkpoint, self._models.describe
        self.engine_name, self.devices = self._models.engine_name, self._models.devices
        self.gave_way = self._models.gave_way
        self.windows: list[Window] = []
        self.said: list[Predictions] = []

    def live_predictor(self, on_change: Callable[[str], None]) -> Any:
        predictor, build = self._models.live_predictor(on_change)

        def predict(windows: Sequence[Window]) -> Predictions:
            self.windows += windows
            self.said.append(predictor(windows))
            return self.said[-1]

        return predict, build

    def furthest(self, predictor: Predictor) -> float:
        """The largest difference of what was said to what `predictor` says of the same windows."""
        wanted = predictor(self.windows)
        apart = []
        for name in ("emotions", "sentiment", "homogeneous", "heterogeneous"):
            found = np.concatenate([getattr(said.timeline, name) for said in self.said])
            apart.append(np.nanmax(np.abs(found - getattr(wanted.timeline, name))))
        for name in ("atoms_homogeneous", "atoms_heterogeneous"):
            found = np.concatenate([getattr(said, name) for said in self.said])
            apart.append(np.abs(found - getattr(wanted, name)).max())
        return float(max(apart))


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: Callable[[str], Path]) -> Path:
    """The cache, empty."""
    from inference.models import SETS

    for name in SETS:
        models(name)
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(tmp_path / "engines"))
    monkeypatch.setattr(opening, "nvidia_gpu", lambda: None)
    return tmp_path / "engines"


@pytest.fixture
def gate(built: Path, engines: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The process that builds is done when the test says so."""
    gate = Gate()

    def build(self: BackgroundBuild, _name: str) -> None:
        gate.reached.set()
        while not gate.open.wait(0.01):
            if self._stopped.is_set():
                raise RuntimeError("the process was ended")
        shutil.copytree(built, engines)

    monkeypatch.setattr(BackgroundBuild, "_build", build)
    return gate


def with_network(stage: Make, checkpoint: Path) -> tuple[Stage, Seen]:
    seen = Seen(checkpoint)
    return stage(models=lambda: seen), seen


def test_a_better_engine_takes_over_without_a_gap(
    stage: Make, checkpoint: Path, gate: Gate, tmp_path: Path
) -> None:
    one, seen = with_network(stage, checkpoint)
    one.running(tmp_path)
    one.run(3.1)
    assert one.session.health().engine == "eager on CPU"
    assert gate.reached.wait(PATIENCE), "it is built while the session runs"
    gate.open.set()
    one.run(2.0)  # it takes over somewhere in here, between two windows
    one.until(lambda: one.session.health().engine == "onnxruntime on CPU")
    one.run(4.0)
    one.close()

    recorded = np.concatenate([s.data.timeline.time for s in one.sink.of("timeline")])
    np.testing.assert_allclose(recorded, np.arange(1, 46) / 5, err_msg="each row once, none left")
    shown = one.session.timeline().time
    np.testing.assert_allclose(shown, np.arange(1, len(shown) + 1) / 5)
    eager, _ = open_engine(Source(checkpoint), "eager")
    assert seen.furthest(Predictor(seen.checkpoint(), eager)) < WITHIN

    (event,) = [s.data for s in one.sink.of("event") if s.data.kind == "engine"]
    assert event.text == "onnxruntime (CPU) took over from eager"
    model = one.sink.manifest["model"]
    assert (model["backend"], model["device"]) == ("onnxruntime", "CPU")
    assert [(ran["backend"], ran["device"]) for ran in model["engines"]] == [
        ("eager", "CPU"),
        ("onnxruntime", "CPU"),
    ]
    assert "onnxruntime is not built" in model["engines"][0]["why"]
    assert sum(ran["windows"] for ran in model["engines"]) == len(seen.windows)
    assert one.sink.manifest["live"]["health"]["engine"] == "onnxruntime on CPU"


def test_another_network_would_be_noticed(stage: Make, checkpoint: Path, gate: Gate) -> None:
    """What the comparison above says of an engine that gives other numbers."""
    one, seen = with_network(stage, checkpoint)
    one.running()
    one.run(1.1)
    one.until(lambda: len(seen.windows) >= 5)
    one.close()
    assert not gate.open.is_set()
    off = seen.checkpoint()
    louder = {name: 1.01 * weight for name, weight in off.weights.items()}
    other = Predictor(Checkpoint(off.config, off.windows, off.normaliser, louder, dict(PLAIN), {}))
    assert seen.furthest(other) > WITHIN


def test_a_gpu_that_fails_under_way_loses_no_row(
    stage: Make, checkpoint: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It takes over, runs out of memory, and the CPU answers the same windows."""

    class Gpu:
        backend, device, batch = "tensorrt", "NVIDIA H100", 1

        def __init__(self) -> None:
            self.engine: Engine = open_engine(Source(checkpoint), "eager")[0]
            self.calls = 0

        def __call__(self, inputs: Any) -> Outputs:
            self.calls += 1
            if self.calls > 5:
                raise RuntimeError("CUDA out of memory")
            return self.engine(inputs)

    real = opening._open
    monkeypatch.setattr(opening, "_open", _gpu_in_place_of("onnxruntime", Gpu, real))
    one, seen = with_network(stage, checkpoint)
    one.running(tmp_path)
    one.run(1.1)
    gate.open.set()
    one.until(lambda: one.session.health().engine == "tensorrt on NVIDIA H100")
    monkeypatch.setattr(opening, "_open", real)  # what goes on is the engine that was built
    one.run(4.0)
    one.close()
    recorded = np.concatenate([s.data.timeline.time for s in one.sink.of("timeline")])
    np.testing.assert_allclose(recorded, np.arange(1, 26) / 5)
    eager, _ = open_engine(Source(checkpoint), "eager")
    assert seen.furthest(Predictor(seen.checkpoint(), eager)) < WITHIN
    texts = [s.data.text for s in one.sink.of("event") if s.data.kind == "engine"]
    assert texts == [
        "tensorrt (NVIDIA H100) took over from eager",
        "tensorrt (NVIDIA H100) failed, onnxruntime (CPU) goes on: "
        "RuntimeError: CUDA out of memory",
    ]
    model = one.sink.manifest["model"]
    assert [ran["backend"] for ran in model["engines"]] == ["eager", "tensorrt", "onnxruntime"]
    assert model["engines"][1]["windows"] == 5
    assert model["engines"][2]["why"].endswith("CUDA out of memory")
    assert (model["backend"], model["device"]) == ("onnxruntime", "CPU")


def _gpu_in_place_of(name: str, gpu: Callable[[], Engine], real: Any) -> Callable[..., Engine]:
    def open_it(chosen: Any, *rest: Any) -> Engine:
        return gpu() if chosen.name == name else real(chosen, *rest)

    return open_it


def test_a_session_that_stops_stops_its_build(
    stage: Make, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that builds is told to end, and nothing of it is left."""
    begun = threading.Event()

    def build(self: BackgroundBuild, _name: str) -> None:
        begun.set()
        assert self._stopped.wait(PATIENCE)
        raise RuntimeError("the process was ended")

    monkeypatch.setattr(BackgroundBuild, "_build", build)
    one, _ = with_network(stage, checkpoint)
    one.running()
    assert begun.wait(PATIENCE)
    one.run(0.5)
    assert one.close()
    assert one.session.stragglers == ()
    assert [e.data.text for e in one.session.events() if e.data.kind == "engine"] == []


def test_a_library_that_hangs_while_it_opens_does_not_hold_up_the_stop(
    stage: Make, checkpoint: Path, built: Path, engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    real = opening._open

    def open_it(chosen: Any, *rest: Any) -> Engine:
        if chosen.name == "onnxruntime":
            gate.wait()
        return real(chosen, *rest)

    monkeypatch.setattr(BackgroundBuild, "_build", lambda *_: shutil.copytree(built, engines))
    monkeypatch.setattr(opening, "_open", open_it)
    one, _ = with_network(stage, checkpoint)
    one.running()
    assert gate.reached.wait(PATIENCE)
    one.session.stop()
    one.clock.leave()
    assert not one.session.wait(3.0), "the library still holds its thread"
    assert one.session.state is LiveState.STOPPED
    assert one.session.stragglers == ("build of onnxruntime",)
    gate.open.set()
    one.until(lambda: not one.session.stragglers)


def test_nothing_is_built_for_an_engine_that_is_ready(
    stage: Make, checkpoint: Path, built: Path, engines: Path
) -> None:
    shutil.copytree(built, engines)
    one, _ = with_network(stage, checkpoint)
    one.running()
    assert one.session._threads.build is None
    assert one.session.health().engine == "onnxruntime on CPU"
