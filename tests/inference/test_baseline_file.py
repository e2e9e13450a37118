"""A person at rest, written and read."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from assets.errors import BadInput
from inference.baseline_file import baseline_sha256, load_baseline, save_baseline
from inference.calibration import RestingPerson


def somebody(value: float = 0.5) -> RestingPerson:
    return RestingPerson(
        {"voice": np.full(3, value, np.float32), "face": np.arange(2, dtype=np.float32)}
    )


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "me.baseline"
    save_baseline(path, somebody(0.25))
    save_baseline(path, somebody())
    read = load_baseline(path)
    assert sorted(read.mean) == ["face", "voice"]
    for name, mean in somebody().mean.items():
        np.testing.assert_array_equal(read.mean[name], mean)
    assert baseline_sha256(read) == baseline_sha256(somebody()) != baseline_sha256(somebody(0.1))
    assert [file.name for file in tmp_path.iterdir()] == ["me.baseline"]


def test_equal_people_have_one_hash_whatever_the_order() -> None:
    mean = somebody().mean
    turned = RestingPerson({name: mean[name] for name in reversed(mean)})
    assert baseline_sha256(turned) == baseline_sha256(somebody())


def test_what_is_no_baseline_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "me.baseline"
    with pytest.raises(BadInput, match="there is no baseline"):
        load_baseline(path)
    path.write_bytes(b"no safetensors at all")
    with pytest.raises(BadInput, match=r"me\.baseline is damaged"):
        load_baseline(path)
    save_file({"face": np.zeros(2, np.float32)}, path)
    with pytest.raises(BadInput, match="has format None, not affectscope-baseline-1; take a new"):
        load_baseline(path)
    wrong = (np.asarray([np.nan], np.float32), np.zeros(2, np.int64), np.zeros((2, 2), np.float32))
    for mean in wrong:
        save_file({"face": mean}, path, {"format": "affectscope-baseline-1"})
        with pytest.raises(BadInput, match="damaged at face"):
            load_baseline(path)
    with pytest.raises(BadInput, match="cannot write the baseline"):
        save_baseline(tmp_path / "nowhere" / "me.baseline", somebody())
