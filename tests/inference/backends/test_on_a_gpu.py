"""What only a real GPU can show: it is taken, takes over, and gives way when it fails."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assets import ASSETS
from inference.backends.eager import TorchEngine
from inference.backends.interface import Engine, Outputs
from inference.backends.opening import (
    ON_GPU,
    TOLERANCE,
    backend,
    noise,
    open_engine,
    open_while_building,
)
from inference.backends.source import Source
from inference.nvidia_gpu import nvidia_gpu

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTSCOPE_ENGINES", str(tmp_path / "engines"))


@pytest.fixture
def source() -> Source:
    return Source(ASSETS / "live.safetensors")


@pytest.fixture
def name() -> str:
    gpu = nvidia_gpu()
    assert gpu is not None, "there is no NVIDIA GPU with a driver here"
    return gpu.name


def best() -> str:
    """The backend that "auto" takes here once it is built."""
    for candidate in ON_GPU:
        if not (backend(candidate).missing() or backend(candidate).cannot_build()):
            return candidate
    pytest.skip("no backend for a GPU is installed")


def assert_same(engine: Engine, source: Source) -> None:
    eager, _ = open_engine(source, "eager", batch=engine.batch)
    for window in noise(source, engine.batch):
        assert apart(engine(window), eager(window)) < TOLERANCE[False]


def apart(found: Outputs, wanted: Outputs) -> float:
    return max(float(np.abs(f - w).max()) for f, w in zip(found, wanted, strict=True))


def filled() -> list[object]:
    """All memory of the GPU, until it is let go."""
    import torch

    size, taken = torch.cuda.mem_get_info()[0], list[object]()
    while size >= 1 << 20:
        try:
            taken.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
        except torch.OutOfMemoryError:
            size //= 2
    return taken


@pytest.fixture
def let_go() -> Iterator[None]:
    """Memory of the GPU is free again afterwards."""
    yield
    import torch

    torch.cuda.empty_cache()


def test_auto_takes_the_gpu_once_its_engine_is_built(source: Source, name: str) -> None:
    wanted = best()
    open_engine(source, wanted)
    engine, reason = open_engine(source)
    assert (engine.backend, engine.device) == (wanted, name)
    assert name in reason
    assert_same(engine, source)


def test_it_takes_over_from_the_cpu_without_a_gap(source: Source, name: str) -> None:
    wanted = best()
    engine, _, build = open_while_building(source)
    assert build is not None
    assert engine.device == "CPU"
    eager, _ = open_engine(source, "eager")
    windows = list(noise(source, 1))
    right = [eager(window) for window in windows]
    asked = 0
    build.start()
    while build.alive:
        which = asked % len(windows)
        assert apart(engine(windows[which]), right[which]) < TOLERANCE[False]
        asked += 1
    assert (engine.backend, engine.device) == (wanted, name), engine.remarks
    assert_same(engine, source)
    stints = engine.since()
    assert [stint["device"] for stint in stints] == ["CPU", name]
    assert sum(stint["windows"] for stint in stints) == asked + len(windows)


@pytest.mark.usefixtures("name", "let_go")
def test_a_gpu_whose_memory_is_taken_leaves_the_start_to_the_cpu(source: Source) -> None:
    wanted = best()
    open_engine(source, wanted)
    taken = filled()
    engine, reason = open_engine(source)
    assert engine.device == "CPU", "the engine needed no memory"
    assert f"{wanted} failed" in reason
    assert "so the CPU goes on" in engine.remarks[0]
    assert_same(engine, source)
    assert taken


@pytest.mark.usefixtures("let_go")
def test_a_gpu_that_runs_out_of_memory_under_way_gives_way_to_the_cpu(
    source: Source, name: str
) -> None:
    wanted = best()
    open_engine(source, wanted, batch=64)
    engine, _ = open_engine(source, batch=64)
    assert engine.device == name
    taken = filled()
    assert_same(engine, source)
    assert engine.device == "CPU", "the engine needed no memory"
    [remark] = engine.remarks
    assert remark.startswith(f"{wanted} ({name}) failed, ")
    assert taken


def test_pytorch_computes_in_full_precision_there(source: Source) -> None:
    assert_same(TorchEngine("eager", source.lean().to("cuda"), 1, 1, "cuda"), source)
