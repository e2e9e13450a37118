"""The page of what inference costs, and the script for who has a GPU."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from benchmarks.gpu_backends import merged, rows_of
from benchmarks.gpu_rows import measured, on_cpu, row
from benchmarks.limited_process import end_with_children, last_told
from benchmarks.onnx_operators import products_of
from benchmarks.sample_windows import read_windows, write_windows
from inference.backends.opening import noise
from inference.backends.source import Source
from inference.nvidia_gpu import nvidia_gpu
from scripts.write_inference import (
    PAGES,
    RECORDS,
    backends,
    gpu,
    number,
    threads,
    with_numbers,
)
from tests.conftest import CHECKOUT
from tests.inference.backends.small_checkpoint import small_file


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_numbers_are_up_to_date(path: Path) -> None:
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    page = path.read_text(encoding="utf-8")
    assert with_numbers(path, page, records) == page, "run: python scripts/write_inference.py"


def test_a_page_without_its_markers_is_refused() -> None:
    path = next(iter(PAGES))
    with pytest.raises(BadInput, match="goals: begin"):
        with_numbers(path, "no markers", {})


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (4.0, "4"), (12.34, "12.3"), (12345.0, "12300")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_without_a_gpu_nothing_is_measured_and_the_script_says_so() -> None:
    if nvidia_gpu() is not None:
        pytest.skip("there is a GPU here")
    before = RECORDS.read_bytes()
    done = subprocess.run(
        [sys.executable, "benchmarks/gpu_backends.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert done.returncode == 2
    assert done.stderr == "there is no NVIDIA GPU with a driver here: nothing is measured\n"
    assert RECORDS.read_bytes() == before


def test_what_the_script_would_measure(tmp_path: Path) -> None:
    """On the CPU: eager has both precisions, and tensorrt is not here."""
    pytest.importorskip("onnxscript")
    source = Source(small_file(tmp_path))
    columns = zip(*noise(source, 1), strict=True)
    file = tmp_path / "windows.npz"
    write_windows(file, [np.concatenate(column) for column in columns])
    windows = read_windows(file)
    rows = measured(source, windows, ["eager", "tensorrt"], rounds=1)
    assert [(row["backend"], row["precision"]) for row in rows] == [
        ("eager", "float32"),
        ("eager", "float16"),
        ("tensorrt", "float32"),
        ("tensorrt", "float16"),
    ]
    full, half, *absent = rows
    assert (full["device"], full["windows"], full["same_class"]) == ("CPU", 8, 1.0)
    assert (full["apart"], full["apart_on_noise"]) == (0.0, 0.0)
    assert 0 < half["apart"] < 2e-2
    assert all("torch_tensorrt" in row["problem"] for row in absent)
    full["memory_mib"] = half["memory_mib"] = 100.0
    as_gpu = [{**row, "backend": "ort-cuda", "build_s": 12.345} for row in (full, half)]
    as_gpu[0]["remark"] = "with the old driver"
    found = {"name": "NVIDIA H100", "capability": "9.0", "driver": "580.65.06"}
    record = {
        "gpu": found,
        "network_sha256": "0123456789abcdef",
        "computer": {"processor": "A", "cores": 2, "versions": {"torch": "2"}, "revision": "abc"},
        "built_at_once": 1,
        "windows": 8,
        "cpu": on_cpu(source, windows, rounds=1),
        "rows": [*absent, *as_gpu],
    }
    text = gpu({"gpu": record})
    assert text.startswith("NVIDIA H100, compute capability 9.0, driver 580.65.06; torch 2;")
    assert "TensorRT for RTX" not in text
    unlike = " That network is not the one that is shipped now."
    assert unlike in text
    assert unlike not in gpu({"gpu": record}, shipped="0123456789abcdef")
    assert "\n- `tensorrt` FP32, `tensorrt` FP16: the backend tensorrt needs torch_tensorrt" in text
    table = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    said = {(cells[1].strip(), cells[2].strip()): cells[3:] for cells in table}
    assert said["tensorrt", "FP16"][0].strip() == "not measured"
    assert float(said["ort-cuda", "FP32"][0]) > 0
    assert said["ort-cuda", "FP16"][6].strip() == "12.3"
    record["computer"]["versions"]["torch-tensorrt-rtx"] = "2"
    assert text.endswith("\n- `ort-cuda` FP32: with the old driver.")
    assert "`tensorrt` is TensorRT for RTX here" in gpu({"gpu": record})


def test_what_a_row_has_found_is_told_before_it_fails(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    source, told = Source(small_file(tmp_path)), list[dict[str, object]]()
    windows = [np.concatenate(column) for column in zip(*noise(source, 1), strict=True)]
    found = row(source, windows, "eager", False, 1, [1, -1], told.append)
    assert "1" in found
    assert str(found["remark"]).startswith("-1 at once: ")
    assert "problem" not in found
    assert told == [{key: found[key] for key in found if key != "remark"}]


Told = tuple[dict[str, object], str | None]


def test_each_row_is_built_and_measured_by_itself_and_the_longest_build_is_last() -> None:
    asked = list[tuple[object, ...]]()
    slow = "it had not ended after 600 s"

    def run(*words: object) -> Told:
        asked.append(words)
        match words:
            case ("--build", "tensorrt", "float32", 1):
                return {"problem": "no TensorRT"}, None
            case ("--build", "ort-cuda", "float16", 64) | ("--build", "aotinductor", _, _):
                return {}, slow
            case ("--build", *_):
                return {"build_s": 2.0}, None
            case ("--row", "tensorrt", *_):
                return {}, "the process ended with -11: it said nothing"
            case ("--row", "eager", "float16", *_):
                return {"1": {}}, slow
        return {"1": {}, "64": {}}, None

    found = rows_of(["aotinductor", "tensorrt", "eager", "ort-cuda"], 2, run)
    assert next(found) == {"backend": "eager", "precision": "float32", "1": {}, "64": {},
                           "build_s": None}  # fmt: skip
    assert [words[1] for words in asked] == ["eager"], "nothing else has begun"
    rows = {(one["backend"], one["precision"]): one for one in found}
    assert list(rows)[-2:] == [("aotinductor", "float32"), ("aotinductor", "float16")]
    assert rows["eager", "float16"]["remark"] == slow
    assert "remark" not in rows["ort-cuda", "float32"]
    assert rows["ort-cuda", "float16"]["remark"] == f"build for 64 at once: {slow}"
    assert rows["ort-cuda", "float16"]["build_s"] == 2.0
    assert ("--row", "ort-cuda", "float16", "--batches", 1) in asked
    problems = {key: one["problem"] for key, one in rows.items() if "problem" in one}
    assert problems == {
        ("tensorrt", "float32"): "build for 1 at once: no TensorRT",
        ("tensorrt", "float16"): "the process ended with -11: it said nothing",
        ("aotinductor", "float32"): f"build for 1 at once: {slow}",
        ("aotinductor", "float16"): f"build for 1 at once: {slow}",
    }
    assert not [words for words in asked if words[:2] == ("--row", "aotinductor")]


def test_a_row_without_a_batch_leaves_its_cells_empty() -> None:
    one = {"median_ms": 2.0, "faster_than_cpu": 1.5}
    found = {"backend": "ort-cuda", "precision": "float32", "1": one, "apart": 0.0,
             "apart_on_noise": 0.0, "same_class": 1.0, "build_s": None, "ready_s": 1.0,
             "memory_mib": 700.0, "remark": "no memory"}  # fmt: skip
    record = {
        "gpu": {"name": "A", "capability": "9.0", "driver": "580"},
        "network_sha256": "0123456789abcdef",
        "computer": {"processor": "A", "cores": 2, "versions": {}, "revision": "abc"},
        "built_at_once": 1, "windows": 8, "cpu": [], "rows": [found],
    }  # fmt: skip
    text = gpu({"gpu": record})
    assert "| ort-cuda | FP32 | 2 | 1.5 x |  |  | 0.0e+00 | 100.0% |  | 1 | 700 |" in text
    assert text.endswith("- `ort-cuda` FP32: no memory.")


@pytest.mark.parametrize(
    ("code", "seconds", "found", "why"),
    [
        ("print('{\"a\": 1}\\nwords')", 60.0, {"a": 1}, None),
        ("print('{\"a\": 1}'); exit('no more')", 60.0, {"a": 1}, "ended with 1: no more"),
        ("print('words')", 60.0, {}, "told nothing"),
        ("import os; os.kill(os.getpid(), 9)", 60.0, {}, "ended with -9: it said nothing"),
    ],
)
def test_the_last_thing_that_a_process_told(
    code: str, seconds: float, found: dict[str, int], why: str | None
) -> None:
    told, reason = last_told([sys.executable, "-c", code], seconds)
    assert told == found
    assert (reason is None) == (why is None)
    assert (why or "") in (reason or "")


def test_a_process_that_does_not_end_is_ended() -> None:
    told, why = last_told([sys.executable, "-c", "import time; time.sleep(600)"], 0)
    assert (told, why) == ({}, "it had not ended after 0 s")


def test_children_end_with_their_process(tmp_path: Path) -> None:
    """The child holds a lock until it ends."""
    code = """
import fcntl, subprocess, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[file.fileno()])
print("locked", flush=True)
time.sleep(600)
"""
    file = tmp_path / "lock"
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        end_with_children(process)
    with file.open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX)  # waits for ever if the child lives


def test_without_measurements_the_page_says_so() -> None:
    assert gpu({}) == "Nobody has measured it yet."


def test_what_was_measured_before_stays_if_it_does_not_run_now() -> None:
    old = [{"backend": "tensorrt", "precision": "float32", "median_ms": 1.0}]
    gone = {"backend": "tensorrt", "precision": "float32", "problem": "not installed"}
    new = {"backend": "ort-cuda", "precision": "float32", "median_ms": 2.0}
    assert merged(old, [gone, new]) == [old[0], new]
    assert merged([], [gone]) == [gone]
    other = {"backend": "aotinductor", "precision": "float16", "median_ms": 3.0}
    assert merged([new, other], old) == [*old, new, other]
    assert merged(old, [{**gone, "median_ms": 0.5, "problem": "x"}]) == old


def test_the_share_of_products_in_a_profile() -> None:
    def node(name: str, kind: str, time: int) -> dict[str, object]:
        return {"cat": "Node", "name": name, "args": {"op_name": kind}, "dur": time}

    events = [
        {"cat": "Session", "name": "model_run", "dur": 1000},
        *(node("a_kernel_time", "MatMul", time) for time in (20, 500, 20)),
        node("b_kernel_time", "MatMul", 10),
        node("c_kernel_time", "Reshape", 10),
        node("c_fence_before", "Reshape", 99),
    ]
    assert products_of(events) == {"operators": 3, "products": 2, "share": 0.75}


def test_why_onnx_runtime_is_not_faster_is_told() -> None:
    row = {"faster_than_training form": 4.0, "median_ms": 3.0, "least_ms": 3.0}
    rows = {"eager": {**row, "faster_than_eager": 1.0, "median_ms": 5.0},
            "onnxruntime": {**row, "faster_than_eager": 1.5}}  # fmt: skip
    computer = {"processor": "A", "cores": 2, "load": 0, "versions": {}, "revision": "abc"}
    records = {
        "backends": {"computer": computer, "rows": rows, "absent": {}},
        "operators": {"operators": 300, "products": 40, "share": 0.6},
    }
    text = backends(records)
    assert "spends 60% of a window in 40 matrix products and convolutions, the rest in 260" in text
    assert "0.40 of the lean form's time" in text
    assert "it would be 2.5 times as fast as that (2 ms a window)." in text
    assert "products" not in backends({"backends": records["backends"]})
    records["compilers"] = {"rows": {**rows, "aotinductor": {**row, "faster_than_eager": 2.0}}}
    text = backends(records)
    assert "| aotinductor | 4.0 x | 2.0 x | 3 | 3 |  |" in text
    assert text.count("| onnxruntime |") == 1
    assert "in which onnxruntime was 1.5 x as fast as eager (3 ms)." in text


def test_splits_of_threads_are_told_with_the_one_that_is_planned() -> None:
    computer = {"processor": "A", "cores": 2, "load": 0, "versions": {}, "revision": "abc"}
    row = {"speech_threads": 1, "network_threads": 1, "planned": True, "face_p95_ms": 20.33,
           "network_p95_ms": 9.386, "speech_p50_ms": 658.9,
           "pictures": 30, "passes": 6}  # fmt: skip
    other = {**row, "speech_threads": 2, "planned": False}
    record = {"computer": computer, "cores": 2, "seconds": 16.0, "rows": [row, other]}
    text = threads({"threads": record})
    assert "| 1 | 1 | 20.3 | 9.39 | 659 | 6 | yes |" in text
    assert "| 2 | 1 | 20.3 | 9.39 | 659 | 6 |  |" in text
