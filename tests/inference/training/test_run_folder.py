"""A run that is stopped anywhere and goes on ends as one that never was."""

import csv
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from assets.errors import BadInput
from inference.checkpoint import save_checkpoint
from inference.training.configuration import TrainingSettings
from inference.training.plan import Plan, plan
from inference.training.run_folder import (
    DIGEST,
    LOG,
    STATE,
    RunFolder,
    forget,
    identity,
    resumable_run,
)
from inference.training.train import Progress
from tests.inference.training.made_examples import made_sets, settings
from tests.inference.training.made_sequences import made_sequences, sequence_settings


class Stopped(Exception):
    """Stands for a kill: nothing after the report is run."""


def bytes_of(planned: Plan, folder: Path, report: Any = None) -> bytes:
    checkpoint = resumable_run(planned, folder, report, clock=lambda: 0.0)
    save_checkpoint(folder / "a.safetensors", checkpoint)
    return (folder / "a.safetensors").read_bytes()


def stop_at(step: int) -> Any:
    def report(progress: Progress) -> None:
        if progress.step == step:
            raise Stopped

    return report


def composed() -> Plan:
    return plan(settings(steps=30, accumulation=2, average_from=0.3), made_sets())


def together(**values: Any) -> Plan:
    return plan(sequence_settings(**values), [made_sequences()])


@pytest.mark.parametrize(
    ("make", "stops"),
    [(composed, (10, 20)), (together, (2, 4, 10)), (together, (12,))],
    ids=["composed", "together", "at the end"],
)
def test_a_stopped_run_goes_on_to_the_same_bytes(
    make: Any, stops: tuple[int, ...], tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    whole = bytes_of(make(), tmp_path / "whole")
    for step in stops:
        with pytest.raises(Stopped):
            resumable_run(make(), tmp_path / "stopped", stop_at(step), clock=lambda: 0.0)
        torch.rand(3)  # where torch's generator stands must not matter
    assert bytes_of(make(), tmp_path / "stopped") == whole
    logs = [(tmp_path / name / LOG).read_text() for name in ("whole", "stopped")]
    assert logs[0] == logs[1]


def test_early_stopping_is_remembered_over_a_stop(tmp_path: Path) -> None:
    wanted = {"learning_rate": 0.0, "dictionary_learning_rate": 0.0, "stop_after": 3, "epochs": 50}
    steps: list[int] = []
    resumable_run(together(**wanted), tmp_path / "whole", lambda p: steps.append(p.step))
    # the first validation is the best there will be; three more, two steps each, are no better
    assert steps == [2, 4, 6, 8]
    with pytest.raises(Stopped):
        resumable_run(together(**wanted), tmp_path / "stopped", stop_at(4))
    steps.clear()
    resumable_run(together(**wanted), tmp_path / "stopped", lambda p: steps.append(p.step))
    assert steps == [6, 8]


def test_the_log_is_a_table_of_every_report(tmp_path: Path) -> None:
    resumable_run(together(), tmp_path)
    with (tmp_path / LOG).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8, 10, 12]
    assert float(rows[-1]["validation"]) < float(rows[0]["validation"])
    assert {"loss", "learning_rate", "task", "homogeneous_logit"} <= rows[0].keys()
    assert all(float(value) == float(value) for row in rows for value in row.values())


def test_tensorboard_gets_the_same_numbers(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c

    resumable_run(together(), tmp_path)
    (file,) = tmp_path.glob("events.*")
    content, found = file.read_bytes(), {}
    while content:
        # a record: length, its checksum, the event, its checksum; all little-endian
        size = int.from_bytes(content[:8], "little")
        event = Event.FromString(content[12 : 12 + size])
        checksum = int.from_bytes(content[12 + size : 16 + size], "little")
        assert checksum == masked_crc32c(content[12 : 12 + size])
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        content = content[16 + size :]
    with (tmp_path / LOG).open(newline="") as table:
        for row in csv.DictReader(table):
            step = int(row["step"])
            assert found["loss/total", step] == pytest.approx(float(row["loss"]), rel=1e-6)
            watched = found["loss/validation", step]
            assert watched == pytest.approx(float(row["validation"]), rel=1e-6)


def stopped_run(folder: Path, wanted: TrainingSettings) -> None:
    with pytest.raises(Stopped):
        resumable_run(plan(wanted, [made_sequences()]), folder, stop_at(4))


def test_a_run_of_other_settings_or_data_is_told(tmp_path: Path) -> None:
    stopped_run(tmp_path, sequence_settings())
    other = made_sequences()
    other.sentiment[0] += 0.5  # the same features, told otherwise
    for planned in (
        together(seed=1),
        plan(sequence_settings(), [made_sequences(seed=1)]),
        plan(sequence_settings(), [other]),
    ):
        with pytest.raises(BadInput, match=r"state\.pt is of a run with other settings or data"):
            resumable_run(planned, tmp_path)


def test_a_label_that_was_changed_makes_another_run() -> None:
    sets = made_sets()
    relabelled = [
        replace(one, examples=(replace(one.examples[0], sentiment=1.5), *one.examples[1:]))
        for one in sets
    ]
    before, after = (identity(plan(settings(), some)) for some in (sets, relabelled))
    assert before != after
    assert before == identity(plan(settings(), made_sets()))


def forged(file: Path, **values: Any) -> None:
    """A state whose hash is right, whatever is in it."""
    content = io.BytesIO()
    torch.save(values, content)
    file.write_bytes(hashlib.sha256(content.getvalue()).digest() + content.getvalue())


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "number", "version", "field"])
def test_a_damaged_state_is_told(tmp_path: Path, damage: str) -> None:
    stopped_run(tmp_path, sequence_settings())
    file = tmp_path / STATE
    whole = file.read_bytes()
    if damage == "version":
        forged(file, version=0, identity=identity(together()), run={}, reports=[])
    elif damage == "field":
        forged(file, version=1)
    else:
        saved = torch.load(io.BytesIO(whole[DIGEST:]), weights_only=True)
        weight = whole.index(saved["run"]["model"]["conv.text.weight"].numpy().tobytes())
        flipped = bytes([whole[weight] ^ 1])
        file.write_bytes(
            {
                "empty": b"",
                "cut": whole[:-100],
                "text": b"no state",
                "number": whole[:weight] + flipped + whole[weight + 1 :],
            }[damage]
        )
    with pytest.raises(BadInput, match=rf"state\.pt .*delete {tmp_path} to begin anew") as told:
        resumable_run(together(), tmp_path)
    assert "\n" not in str(told.value)


def test_a_state_that_holds_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    forged(tmp_path / STATE, version=1, identity=Evil())
    with pytest.raises(BadInput, match="is damaged"):
        RunFolder(tmp_path, identity(together())).load()
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(BadInput, match="cannot write the run"):
        resumable_run(together(), tmp_path / "taken" / "inside")
    forget(tmp_path)  # nothing there is nothing to forget
