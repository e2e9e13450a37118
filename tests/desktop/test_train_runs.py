"""`affectscope train` as a process: killed and gone on with, and in two processes at once."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inference.training.example_files import save_examples
from inference.training.sequence_files import save_sequences
from tests.inference.training.made_examples import KINDS, made_sets
from tests.inference.training.made_sequences import made_sequences

COMPOSED = """
examples = ["text", "voice", "face"]
steps = 60
batch = 8
evaluate_every = 5
text = { features = 5, steps = 4, span = 8.0 }
voice = { features = 6, steps = 10, span = 1.0 }
face = { features = 52, steps = 10, span = 1.0 }
network = { width = 8, heads = 2, layers = 1, atoms = 8 }
"""
TOGETHER = """
examples = ["made"]
samples = "together"
epochs = 4
batch = 8
accumulation = 2
evaluate_every = 1
text = { features = 5, steps = 4 }
voice = { features = 3, steps = 6 }
face = { features = 2, steps = 6 }
labels = { emotions = [] }
network = { width = 8, heads = 2, layers = 1, atoms = 8, dropout = 0.2 }
"""
RUN = ("-m", "desktop.cli", "train", "run.toml", "--examples", ".", "--threads", "1", "--out")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for modality, examples in zip(KINDS, made_sets(people=5), strict=True):
        save_examples(tmp_path / modality, examples)
    save_sequences(tmp_path / "made", made_sequences())
    return tmp_path


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    code = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """What it wrote to standard error."""
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    return errors


def test_a_killed_run_goes_on_to_the_same_bytes(folder: Path) -> None:
    (folder / "run.toml").write_text(COMPOSED)
    finish(start(folder, *RUN, "whole.safetensors"))
    with start(folder, *RUN, "killed.safetensors") as process:
        assert process.stderr is not None
        # a line comes after the state was kept, and many steps before the end
        assert process.stderr.readline().startswith("step 5 ")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "killed.safetensors").exists()
    assert (folder / "killed.run" / "state.pt").is_file()
    process = start(folder, *RUN, "killed.safetensors")
    assert process.stderr is not None
    assert not process.stderr.readline().startswith("step 5 ")
    finish(process)
    whole, killed = (folder / f"{name}.safetensors" for name in ("whole", "killed"))
    assert killed.read_bytes() == whole.read_bytes()
    assert (folder / "killed.run/log.csv").read_text() == (folder / "whole.run/log.csv").read_text()
    assert not (folder / "killed.run" / "state.pt").exists()


def test_two_processes_have_the_loss_curve_of_one(folder: Path) -> None:
    """Dropout and losses over pairs of samples too; 3 batches in steps of 2 leave one over."""
    (folder / "run.toml").write_text(TOGETHER)
    finish(start(folder, *RUN, "one.safetensors"))
    both = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    assert "Warning" not in finish(start(folder, *both, *RUN, "two.safetensors"))
    curves = []
    for name in ("one", "two"):
        with (folder / f"{name}.run" / "log.csv").open(newline="") as file:
            curves.append([float(row["loss"]) for row in csv.DictReader(file)])
    one, two = curves
    assert len(one) == 8
    assert two == pytest.approx(one, rel=1e-4)
    assert len(set(one)) == len(one)
