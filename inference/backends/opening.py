"""From a checkpoint and the name of a backend, or "auto", to an engine that runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np

from assets.errors import AffectscopeError, BadInput, one_line
from inference.backends import engine_cache
from inference.backends.background_build import BackgroundBuild, Better
from inference.backends.exchange import ExchangeableEngine
from inference.backends.interface import Backend, BackendMissing, Engine, Inputs, Outputs
from inference.backends.source import Source
from inference.checkpoint import checkpoint_path
from inference.nvidia_gpu import nvidia_gpu

__all__ = [
    "AUTO",
    "BACKENDS",
    "Choice",
    "backend",
    "choose",
    "compiled",
    "open_engine",
    "open_on_cpu",
    "open_while_building",
    "runs_in_torch",
]

AUTO = "auto"
BACKENDS = {
    "eager": "eager.Eager",
    "torch-compile": "torch_compile.TorchCompile",
    "aotinductor": "aotinductor.AOTInductor",
    "onnxruntime": "onnx_runtime.OnnxRuntime",
    "openvino": "openvino.OpenVino",
    "tensorrt": "tensorrt.TensorRT",
    "ort-tensorrt": "onnx_runtime.OnnxRuntimeTensorRT",
    "ort-cuda": "onnx_runtime.OnnxRuntimeCuda",
}
ON_GPU = ("tensorrt", "ort-tensorrt", "ort-cuda")
ON_CPU = ("onnxruntime", "eager")
TOLERANCE = {False: 1e-4, True: 2e-2}
"""By how much an engine may differ from eager, for numbers around 1; half precision or not."""


def backend(name: str) -> Backend:
    """Raises BadInput for a name that is not in the table."""
    if name not in BACKENDS:
        raise BadInput(f'there is no backend "{name}"; take one of {", ".join([AUTO, *BACKENDS])}')
    module, _, kind = BACKENDS[name].partition(".")
    made: Backend = getattr(import_module(f"inference.backends.{module}"), kind)()
    return made


@dataclass(frozen=True)
class Choice:
    """A backend, and why it was taken."""

    backend: Backend
    reason: str


def choose(
    wanted: str, source: Source, batch: int, *, half: bool = False, ready: bool = False
) -> Choice:
    """The backend that was asked for, or the best that can run here.

    With `ready` nothing is taken that would have to be built first. Raises BackendMissing, which
    says what to install, if the one asked for cannot run, and BadInput if it has no such precision.
    """
    if wanted != AUTO:
        asked = backend(wanted)
        precision = "float16" if half else "float32"
        if precision not in asked.precisions:
            raise BadInput(f"the backend {wanted} computes in {' or '.join(asked.precisions)} only")
        obstacle = _obstacle(asked, source, batch, half, ready)
        if obstacle:
            raise BackendMissing(obstacle)
        return Choice(asked, "asked for")
    gpu = nvidia_gpu()
    reasons = [f"the GPU is an {gpu.name}" if gpu else "there is no NVIDIA GPU"]
    for name in _in_order():
        candidate = backend(name)
        obstacle = _obstacle(candidate, source, batch, half, ready)
        if obstacle is None:
            return Choice(candidate, "; ".join(reasons))
        reasons.append(obstacle)
    raise BackendMissing("; ".join(reasons))


def _obstacle(
    candidate: Backend, source: Source, batch: int, half: bool, ready: bool
) -> str | None:
    missing = candidate.missing()
    if missing or candidate.name == "eager" or _found(candidate, source, batch, half):
        return missing
    if ready and candidate.file is not None:
        return f"the engine of {candidate.name} is not built (affectscope compile builds it)"
    return source.without_lean_form() or candidate.cannot_build()


def _found(candidate: Backend, source: Source, batch: int, half: bool) -> Path | None:
    if candidate.file is None or source.path is None:
        return None
    return engine_cache.find(engine_cache.entry_of(candidate, source, batch, half))


def compiled(chosen: Backend, source: Source, batch: int, half: bool = False) -> Path | None:
    """The engine's file, built now unless the cache has it; None if there is nothing to build.

    Before a new one gets into the cache it is held against eager. Raises BackendMissing if it
    cannot be built here and AffectscopeError if it does not give the same numbers.
    """
    if chosen.file is None:
        return None
    entry = engine_cache.entry_of(chosen, source, batch, half)
    found = engine_cache.find(entry)
    if found is not None:
        return found
    obstacle = chosen.cannot_build()
    if obstacle:
        raise BackendMissing(obstacle)

    def write(file: Path) -> None:
        chosen.build(source, batch, half, file)
        require_same(chosen.open(source, batch, half, file, 1), source, half)

    return engine_cache.build(entry, write)


def open_engine(
    source: Source, wanted: str = AUTO, *, batch: int = 1, half: bool = False, threads: int = 1
) -> tuple[ExchangeableEngine, str]:
    """The engine, and why this one.

    One that is asked for by name is built first if need be; "auto" takes the best that is ready. A
    GPU that fails to take it (out of memory, say), or later to run it, makes "auto" go on with the
    CPU and say so. Raises BackendMissing or BadInput as `choose` does.
    """
    choice = choose(wanted, source, batch, half=half, ready=wanted == AUTO)
    reason = choice.reason
    if wanted != AUTO:  # who asks for it by name is told when it fails
        engine = _open(choice.backend, source, batch, half, threads)
        return ExchangeableEngine(engine, why=reason), reason

    def on_cpu() -> Engine:
        return open_on_cpu(source, batch, threads)

    try:
        engine = _open(choice.backend, source, batch, half, threads)
    except Exception as error:
        if not choice.backend.on_gpu:
            raise
        failed = f"{choice.backend.name} failed ({one_line(error)}), so the CPU goes on"
    else:
        return ExchangeableEngine(engine, on_cpu, why=reason), reason
    reason += f"; {failed}"
    exchangeable = ExchangeableEngine(on_cpu(), on_cpu, why=reason)
    exchangeable.remark(failed)
    return exchangeable, reason


def open_on_cpu(source: Source, batch: int = 1, threads: int = 1) -> Engine:
    """The best engine for the CPU that needs no building."""
    for name in ON_CPU:
        candidate = backend(name)
        if _obstacle(candidate, source, batch, False, True) is None:
            return _open(candidate, source, batch, False, threads)
    raise AssertionError("eager needs nothing")


def open_while_building(
    source: Source, *, half: bool = False, threads: int = 1
) -> tuple[ExchangeableEngine, str, BackgroundBuild | None]:
    """An engine for live use, and why this one: the best that is ready, until a better is built.

    The build is None if nothing better can be had; else its owner starts and stops it.
    """
    engine, reason = open_engine(source, threads=threads, half=half)
    if source.path is None:
        return engine, reason, None
    better = []
    for name in _in_order():
        if name == engine.backend:
            break
        candidate = backend(name)
        if _obstacle(candidate, source, 1, half, False) is None:
            better.append(Better(name, partial(_open, candidate, source, 1, half, threads)))
    if not better:
        return engine, reason, None
    return engine, reason, BackgroundBuild(source.path, better, batch=1, half=half, target=engine)


def runs_in_torch(checkpoint: str | Path) -> bool:
    """Whether "auto" opens this network in PyTorch, found out without loading a library.

    Always with an NVIDIA GPU, as its backends tell only with their libraries loaded whether they
    run, and TensorRT comes with PyTorch. Raises ModelFileError if there is no such checkpoint.
    """
    source = Source(checkpoint_path(checkpoint))
    if nvidia_gpu() is not None:
        return True
    return choose(AUTO, source, 1, ready=True).backend.name == "eager"


def _in_order() -> tuple[str, ...]:
    """The backends that "auto" takes, the best first."""
    return (*(ON_GPU if nvidia_gpu() else ()), *ON_CPU)


def _open(chosen: Backend, source: Source, batch: int, half: bool, threads: int) -> Engine:
    return chosen.open(source, batch, half, compiled(chosen, source, batch, half), threads)


def require_same(engine: Engine, source: Source, half: bool) -> None:
    """Hold an engine against eager on windows of noise, in all subsets of the modalities.

    Raises AffectscopeError if they differ by more than TOLERANCE.
    """
    reference = backend("eager").open(source, engine.batch, False, None, 1)
    for inputs in noise(source, engine.batch):
        for name, one, other in zip(
            Outputs._fields, engine(inputs), reference(inputs), strict=True
        ):
            largest = max(1.0, float(np.abs(other).max(initial=0)))
            apart = float(np.abs(one - other).max(initial=0)) / largest
            if not apart <= TOLERANCE[half]:
                raise AffectscopeError(
                    f"the engine of {engine.backend} is not used: its {name} differs from eager's "
                    f"by {apart:.1e}"
                )


def noise(source: Source, batch: int, times: int = 1) -> Iterator[Inputs]:
    """Batches of random windows in which each subset of the modalities is present so many times."""
    random = np.random.default_rng(0)
    modalities = source.checkpoint.config.modalities.values()
    for subset in range(0, 8 * times, min(batch, 8)):
        present = [(subset + row) % 8 for row in range(batch)]
        features = [
            random.normal(size=(batch, m.steps, m.features)).astype(np.float32) for m in modalities
        ]
        valid = []
        for bit, modality in enumerate(modalities):
            mask = random.random((batch, modality.steps)) < 0.7
            valid.append(mask & np.array([[bool(p >> bit & 1)] for p in present]))
        yield [*features, *valid]
