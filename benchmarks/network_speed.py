"""What DHMD costs: parameters, one live forward pass, one training step; as ratios in one run.

    python benchmarks/network_speed.py
    python benchmarks/network_speed.py --records docs/results.json

The peers are DMD (the same code without dictionary), late fusion (each modality alone, and the mean
of what they say) and the bare limit: a multiplication of
256 x 256 matrices, repeated until it has done as many floating point operations. A window is timed
in the form that is trained, in the lean form and in ONNX Runtime; late fusion has the first alone.
Times are the least of several rounds, in which the candidates take turns. Where other processes
want the same cores, set OMP_WAIT_POLICY=PASSIVE: threads that spin while they wait for one another
made a training step on 2 threads about 8 times slower there.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from inference.backends.onnx_file import write_onnx
from inference.backends.opening import backend
from inference.backends.source import Source
from inference.checkpoint import load_checkpoint
from inference.model import DHMD, DHMDConfig
from inference.training.configuration import network, read_settings
from inference.training.losses import Targets, total

LIVE = network(read_settings("live"))
DMD = dataclasses.replace(LIVE, dictionary=False, gate="dmd")
LATE = dataclasses.replace(
    LIVE, fusion="late", decoupling=False, homogeneous=False, heterogeneous=False, dictionary=False
)
FORMS = {"DHMD": LIVE, "DMD": DMD, "late fusion": LATE}


def batch(size: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    modalities = LIVE.modalities.items()
    features = {name: torch.randn(size, m.steps, m.features) for name, m in modalities}
    valid = {name: torch.rand(size, m.steps) < 0.8 for name, m in modalities}
    return features, valid


def live(config: DHMDConfig) -> Callable[[], object]:
    network, inputs = DHMD(config).eval(), batch(1)

    def run() -> object:
        with torch.inference_mode():
            return network(*inputs)

    return run


def predicting(config: DHMDConfig, folder: Path) -> dict[str, Callable[[], object]]:
    """The same in the forms for prediction alone, of NumPy arrays; none if it has no such form."""
    weights = {name: tensor.numpy() for name, tensor in DHMD(config).state_dict().items()}
    source = Source(dataclasses.replace(load_checkpoint("live"), config=config, weights=weights))
    if source.without_lean_form():
        return {}
    file = folder / f"{config.gate}.onnx"
    write_onnx(source, 1, False, file)
    features, valid = batch(1)
    inputs = [x.numpy() for x in (*features.values(), *valid.values())]
    lean = backend("eager").open(source, 1, False, None, 1)
    onnx = backend("onnxruntime").open(source, 1, False, file, 1)
    return {"lean": lambda: lean(inputs), "onnxruntime": lambda: onnx(inputs)}


def training(config: DHMDConfig, size: int, backward: bool = True) -> Callable[[], object]:
    network, inputs = DHMD(config), batch(size)
    targets = Targets(torch.arange(size) % len(config.emotions), torch.rand(size) * 6 - 3)

    def run() -> object:
        network.zero_grad()
        loss, _ = total(network(*inputs), targets, config)
        if backward:
            torch.autograd.backward(loss)
        return loss

    return run


def limit(run: Callable[[], object]) -> Callable[[], object]:
    counter = FlopCounterMode(display=False)
    with counter:
        run()
    square = torch.randn(256, 256)
    repeats = max(1, round(counter.get_total_flops() / (2 * 256**3)))

    def multiply() -> object:
        return [square @ square for _ in range(repeats)]

    return multiply


def least_seconds(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def show(title: str, times: dict[str, float]) -> None:
    first = next(iter(times.values()))
    print(title)
    for name, seconds in times.items():
        print(f"  {name:<28} {1000 * seconds:8.1f} ms   DHMD / this = {first / seconds:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--records", type=Path, help="put parameters and times into this file")
    options = parser.parse_args()
    torch.manual_seed(0)

    counts = {n: sum(p.numel() for p in DHMD(c).parameters()) for n, c in FORMS.items()}
    for name, count in counts.items():
        print(f"{name}: {count:,} parameters, {4 * count / 2**20:.1f} MiB in float32")

    torch.set_num_threads(1)
    runs = {name: live(config) for name, config in FORMS.items()}
    runs["matrix products alone"] = limit(runs["DHMD"])
    with tempfile.TemporaryDirectory() as folder:
        for name, config in FORMS.items():
            for form, run in predicting(config, Path(folder)).items():
                runs[f"{name}, {form}"] = run
        forward = least_seconds(runs, 5 * options.rounds)
    show("forward pass, batch 1, 1 thread", forward)

    torch.set_num_threads(2)
    runs = {name: training(config, options.batch) for name, config in FORMS.items()}
    runs["DHMD, without backward"] = training(LIVE, options.batch, backward=False)
    runs["matrix products alone"] = limit(runs["DHMD"])
    show(
        f"training step with all losses, batch {options.batch}, 2 threads",
        steps := least_seconds(runs, options.rounds),
    )
    if options.records is not None:
        made: dict[str, dict[str, float]] = {}
        for name in FORMS:
            made[name] = {
                "parameters": counts[name],
                "forward": forward[name],
                "step": steps[name],
            }
            for form in ("lean", "onnxruntime"):
                if f"{name}, {form}" in forward:
                    made[name][form] = forward[f"{name}, {form}"]
        known = json.loads(options.records.read_text(encoding="utf-8"))
        kept = [record for record in known if record["line"] != "cost"]
        text = json.dumps(
            [*kept, {"line": "cost", "rounds": options.rounds, "forms": made}], indent=1
        )
        options.records.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
