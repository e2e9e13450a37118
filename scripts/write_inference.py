"""The numbers of docs/inference.md and the table of GPUs in docs/results.md.

    python scripts/write_inference.py

They come from docs/inference.json, into which benchmarks/inference_costs.py and
benchmarks/gpu_backends.py write; both call this. The numbers stand between marker comments; the
text around them is left alone.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assets import ASSETS
from assets.errors import BadInput
from scripts.write_results import table

__all__ = ["PAGES", "RECORDS", "with_numbers", "write"]

DOCS = Path(__file__).resolve().parents[1] / "docs"
RECORDS = DOCS / "inference.json"
SHIPPED = ASSETS / "live.safetensors"

Records = Mapping[str, Mapping[str, Any]]

NONE_YET = "Not measured yet."
BATCH = 64
"""Windows at once, where many are measured."""


def number(value: float) -> str:
    """Three significant digits, no exponent: 0.0123, 1.23, 123, 12300."""
    digits = f"{value:.3g}"
    return f"{float(digits):.0f}" if abs(value) >= 100 else digits


def times(value: float) -> str:
    return f"{value:.1f} x"


def measured_on(record: Mapping[str, Any]) -> str:
    found = record["computer"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"{found['processor']}, {found['cores']} cores, load {found['load']} before; {versions}; "
        f"revision {found['revision']}"
    )


def backends(records: Records) -> str:
    record = records["backends"]
    rows = []
    for part in ("backends", "compilers"):
        for name, row in records.get(part, {}).get("rows", {}).items():
            if part == "compilers" and name in record["rows"]:
                continue
            rows.append(
                [
                    name,
                    times(row["faster_than_training form"]),
                    times(row["faster_than_eager"]),
                    number(row["median_ms"]),
                    number(row["least_ms"]),
                    number(row["ready_s"]) if "ready_s" in row else "",
                ]
            )
    rows += [[name, "not here", "", "", "", ""] for name in record["absent"]]
    apart = records.get("compilers", {}).get("rows", {})
    head = ["", "against the training form", "against eager", "median, ms", "least, ms",
            "to build and open, s"]  # fmt: skip
    text = f"One window, one thread. {measured_on(record)}.\n\n{table(head, rows)}"
    if "onnxruntime" in apart:
        onnx = apart["onnxruntime"]
        text += (
            "\n\nPyTorch's compilers were measured in a run of their own, in which onnxruntime was "
            f"{times(onnx['faster_than_eager'])} as fast as eager ({number(onnx['median_ms'])} ms)."
        )
    return f"{text}\n\n{_products(records)}" if "operators" in records else text


def _products(records: Records) -> str:
    """Why ONNX Runtime is not faster."""
    found, rows = records["operators"], records["backends"]["rows"]
    onnx, eager = rows["onnxruntime"], rows["eager"]
    left = found["share"] / onnx["faster_than_eager"]
    return (
        f"ONNX Runtime spends {found['share']:.0%} of a window in {found['products']} matrix "
        f"products and convolutions, the rest in {found['operators'] - found['products']} small "
        f"operators. The products alone are {left:.2f} of the lean form's time in eager: were all "
        f"else free, it would be {1 / left:.1f} times as fast as that "
        f"({number(eager['median_ms'] * left)} ms a window)."
    )


def goals(records: Records) -> str:
    rows = records["backends"]["rows"]
    starts = records["start"]["rows"]
    lean = rows["eager"]["faster_than_training form"]
    onnx = rows["onnxruntime"]["faster_than_eager"]
    whole = rows["onnxruntime"]["faster_than_training form"]
    window, first = rows["onnxruntime"]["median_ms"], starts["onnxruntime"]["first_s"]
    imported = starts["onnxruntime"]["import_s"]
    lines = [
        ("lean form against the training form, eager, batch 1", times(lean), "2 x", lean >= 2),
        ("ONNX Runtime against the training form, eager", times(whole), "3 x", whole >= 3),
        ("ONNX Runtime against the lean form, eager", times(onnx), "3 x", onnx >= 3),
        ("DHMD per window, one core (ONNX Runtime)", f"{number(window)} ms", "4 ms", window <= 4),
        ("`import inference`", f"{imported:.3f} s", "0.2 s", imported < 0.2),
        ("launch to first prediction, models cached", f"{first:.2f} s", "1.5 s", first < 1.5),
    ]
    if "jobs" in records:
        core, job = (records["jobs"][f"against_one_{what}"] for what in ("core", "job"))
        lines += [
            ("`--jobs 2` on 2 cores against one job on one", times(core), "1.8 x", core >= 1.8),
            ("`--jobs 2` against one job, both on 2 cores", times(job), "1.8 x", job >= 1.8),
        ]
    cells = [[what, found, goal, "yes" if met else "no"] for what, found, goal, met in lines]
    return table(["", "measured", "goal", "met"], cells)


def network(records: Records) -> str:
    """Sentences about the network alone."""
    lines = []
    batches, lengths, counted = records["batches"], records["lengths"], records["counted"]
    for name, row in batches["rows"].items():
        lines.append(
            f"`{name}`, batch {batches['batch']}: {number(row['windows_per_s'])} windows a "
            f"second, {row['share']:.2f} of the time a window takes alone"
        )
    grown = ", ".join(f"{value:.1f}" for value in lengths["times"][1:])
    factors = " and ".join(str(f) for f in lengths["factors"][1:])
    lines.append(
        f"windows of {factors} times as many steps take {grown} times as long (lean form, eager): "
        f"the power is {lengths['power']:.2f}, that of the counted operations up to "
        f"{counted['lengths'][-1]} times as many steps {counted['length_power']:.2f}"
    )
    for name, shares in records["modalities"]["rows"].items():
        found = ", ".join(f"{share:.2f}" for share in shares)
        lines.append(
            f"`{name}`: a window with one, two and three modalities takes {found} of the time of "
            "one with all: shapes are fixed"
        )
    grown = " and ".join(f"{value:.1f}" for value in counted["modalities"][1:])
    lines.append(
        f"counted, the training form with two and three modalities does {grown} times the "
        "operations of one with one (the edges are 0, 2 and 6)"
    )
    memory = records["memory"]
    held = ", ".join(f"{name} {number(mib)}" for name, mib in memory["mib"].items())
    lines.append(
        f"memory of a process that only predicts, MiB at most: {held}; "
        f"the weights are {number(memory['weights_mib'])} MiB"
    )
    counts = {form: counted[form] for form in ("training", "lean")}
    lines.append(
        "counted for one window, training form and lean form: "
        + " and ".join(f"{c['operators']:,} operators" for c in counts.values())
        + ", "
        + " and ".join(f"{c['operations'] / 1e6:.1f} million operations" for c in counts.values())
        + ", "
        + " and ".join(f"{c['bytes'] / 2**20:.2f} MiB of results" for c in counts.values())
    )
    return bullets(lines)


def start(records: Records) -> str:
    lines = []
    for name, row in records["start"]["rows"].items():
        loaded = "with" if row["torch"] else "without"
        lines.append(
            f"`{name}`: `import inference` {row['import_s']:.3f} s, first prediction "
            f"{row['first_s']:.2f} s after the launch, {loaded} PyTorch"
        )
    return bullets(lines)


def whole(records: Records) -> str:
    """Sentences about `analyze`."""
    bare, video = records["bare libraries"]["median"], records["video lengths"]
    lengths = ", ".join(number(x) for x in video["lengths_s"])
    seconds = ", ".join(number(x) for x in video["seconds"])
    found = bullets(
        [
            f"`analyze` takes {bare['analyze / slowest stage alone']:.2f} times as long as its "
            "slowest stage alone with the bare library, and is "
            f"{bare['times real time']:.1f} times as fast as the clip plays",
            f"clips of {lengths} s take {seconds} s with models loaded: {video['marginal']:.3f} s "
            f"for each further second, the power is {video['power']:.2f}",
        ]
    )
    return f"{measured_on(records['video lengths'])}.\n\n{found}"


def jobs(records: Records) -> str:
    record = records["jobs"]
    rows = [
        [name, number(row["wall_s"]), number(row["processor_s"]), f"{row['busy']:.2f}"]
        for name, row in record["rows"].items()
    ]
    head = ["", "wall, s", "processor, s", "cores busy"]
    one, two = record["rows"]["one job"], record["rows"]["two jobs"]
    most = one["wall_s"] * record["cores"] / min(one["processor_s"], two["processor_s"])
    rounds = record.get("rounds", 1)
    return (
        f"{record['clips']} clips of 12 s, whole commands on {record['cores']} cores"
        + (f", the fastest of {rounds}" if rounds > 1 else "")
        + ". "
        f"{measured_on(record)}.\n\n{table(head, rows)}\n\n"
        f"Two jobs are {record['against_one_job']:.2f} times as fast as one that may use both "
        f"cores, and {record['against_one_core']:.2f} times as fast as one on one core. One job "
        f"keeps {one['busy']:.2f} cores busy by itself; were {record['cores']} always busy, it "
        f"would be {most:.2f} times as fast"
        + (": a goal of 1.8 times cannot be met there" if most < 1.8 else "")
        + " (`benchmarks/many_jobs.py`)."
    )


def threads(records: Records) -> str:
    record = records["threads"]
    rows = [
        [
            str(row["speech_threads"]),
            str(row["network_threads"]),
            number(row["face_p95_ms"]),
            number(row["network_p95_ms"]),
            number(row["speech_p50_ms"]),
            str(row["passes"]),
            "yes" if row["planned"] else "",
        ]
        for row in record["rows"]
    ]
    head = ["threads of speech", "of DHMD", "picture, p95 ms", "window, p95 ms",
            "pass of speech, p50 ms", "passes", "planned"]  # fmt: skip
    return (
        f"{record['seconds']:.0f} s each on {record['cores']} cores. {measured_on(record)}.\n\n"
        f"{table(head, rows)}"
    )


def gpu(records: Records, shipped: str | None = None) -> str:
    """`shipped`: the hash of the checkpoint that is shipped, if not what lies in assets."""
    record = records.get("gpu")
    if record is None:
        return "Nobody has measured it yet."
    found, computer = record["gpu"], record["computer"]
    shipped = shipped or hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    versions = ", ".join(f"{name} {version}" for name, version in computer["versions"].items())
    title = (
        f"{found['name']}, compute capability {found['capability']}, driver {found['driver']}; "
        f"{versions}; revision {computer['revision']}; network {record['network_sha256'][:12]}; "
        f"{record['windows']} windows of recordings, {record['built_at_once']} built at once."
    )
    if record["network_sha256"] != shipped:
        title += " That network is not the one that is shipped now."
    if "torch-tensorrt-rtx" in computer["versions"]:
        title += " `tensorrt` is TensorRT for RTX here, not the classic TensorRT."
    rows: list[list[str]] = []
    remarks: dict[str, list[str]] = {}
    for row in record["rows"]:
        cells = [row["backend"], {"float32": "FP32", "float16": "FP16"}[row["precision"]]]
        remark = row.get("problem", row.get("remark"))
        if remark:
            remarks.setdefault(remark, []).append(f"`{cells[0]}` {cells[1]}")
        if "problem" in row:
            rows.append([*cells, "not measured", *[""] * 8])
            continue
        one, many = row["1"], row.get(str(BATCH))
        built = row.get("build_s")
        rows.append(
            [
                *cells,
                number(one["median_ms"]),
                times(one["faster_than_cpu"]),
                number(many["windows_per_s"]) if many else "",
                times(many["faster_than_cpu"]) if many else "",
                f"{max(row['apart'], row['apart_on_noise']):.1e}",
                f"{row['same_class']:.1%}",
                number(built) if built else "",
                number(row["ready_s"]),
                number(row["memory_mib"]),
            ]
        )
    head = ["", "precision", "window, ms", "against the CPU", f"windows a second at {BATCH}",
            "against the CPU", "apart from eager", "same emotion", "to build, s", "to open, s",
            "memory, MiB"]  # fmt: skip
    cpu = [
        f"{row['backend']} on {row['threads']} thread{'s' if row['threads'] > 1 else ''} "
        f"{number(row['1']['median_ms'])} ms, at {BATCH} "
        f"{number(row[str(BATCH)]['windows_per_s'])} windows a second"
        for row in record["cpu"]
    ]
    text = (
        f'{title}\n\n{table(head, rows)}\n\n"The CPU" is onnxruntime on one thread, in turns '
        f"with the GPU, on that computer: {computer['processor']}, {computer['cores']} cores."
    )
    if cpu:
        text += f" By itself it takes: {'; '.join(cpu)}."
    told = [f"{', '.join(of)}: {remark}" for remark, of in remarks.items()]
    return f"{text}\n\n{bullets(told)}" if told else text


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line[:1].upper()}{line[1:]}." for line in lines)


Block = tuple[Callable[[Records], str], Sequence[str]]
"""What writes a block, and the parts of the records that it needs."""
PAGES: dict[Path, dict[str, Block]] = {
    DOCS / "inference.md": {
        "goals": (goals, ("backends", "start")),
        "backends": (backends, ("backends",)),
        "network": (network, ("batches", "lengths", "modalities", "memory", "counted")),
        "start": (start, ("start",)),
        "whole": (whole, ("bare libraries", "video lengths")),
        "jobs": (jobs, ("jobs",)),
        "threads": (threads, ("threads",)),
    },
    DOCS / "results.md": {"gpu": (gpu, ())},
}


def with_numbers(path: Path, page: str, records: Records) -> str:
    """A page with all its numbers between their markers. Raises BadInput if a marker is missing."""
    for name, (render, needs) in PAGES[path].items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, has_begin, rest = page.partition(begin)
        _, has_end, after = rest.partition(end)
        if not has_begin or not has_end:
            raise BadInput(f"{path.name} lacks the lines {begin} and {end}")
        text = render(records) if all(part in records for part in needs) else NONE_YET
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


def write() -> None:
    """Write all pages."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    for path in PAGES:
        page = with_numbers(path, path.read_text(encoding="utf-8"), records)
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write()
