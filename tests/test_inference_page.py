"""The page of what inference costs, and the script for who has a GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from benchmarks.gpu_backends import measured, merged, on_cpu
from benchmarks.sample_windows import read_windows, write_windows
from inference.backends.opening import noise
from inference.backends.source import Source
from inference.nvidia_gpu import nvidia_gpu
from scripts.write_inference import PAGES, RECORDS, gpu, number, threads, with_numbers
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
    assert "\n- `tensorrt` FP32, `tensorrt` FP16: the backend tensorrt needs torch_tensorrt" in text
    table = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    said = {(cells[1].strip(), cells[2].strip()): cells[3:] for cells in table}
    assert said["tensorrt", "FP16"][0].strip() == "not measured"
    assert float(said["ort-cuda", "FP32"][0]) > 0
    assert said["ort-cuda", "FP16"][6].strip() == "12.3"
    record["computer"]["versions"]["torch-tensorrt-rtx"] = "2"
    assert text.endswith("\n- `ort-cuda` FP32: with the old driver.")
    assert "`tensorrt` is TensorRT for RTX here" in gpu({"gpu": record})


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
