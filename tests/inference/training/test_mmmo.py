"""ICT-MMMO as it is given: features of others, in arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets.errors import BadInput
from inference.training.example_files import load_examples, save_examples
from inference.training.extract import extract_corpus


def arrays(videos: int, text: bool) -> dict[str, np.ndarray[Any, Any]]:
    generator = np.random.default_rng(0)
    shapes = {"audio": (videos, 20, 74), "video": (videos, 20, 36)}
    if text:
        shapes["text"] = (videos, 20, 300)
    made = {name: generator.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    return made | {"label": np.linspace(1, 5, videos, dtype=np.float32)}


def write(folder: Path, **changes: Any) -> Path:
    np.savez(folder / "train.npz", **(arrays(3, text=False) | changes))
    np.savez(folder / "valid.npz", **arrays(2, text=True))
    return folder


def test_videos_keep_their_modalities(tmp_path: Path) -> None:
    sound = arrays(3, text=False)["audio"]
    sound[1, 5:] = 0.0
    sound[2, 0, 3] = -np.inf
    found, failed = extract_corpus(write(tmp_path, audio=sound), "mmmo")
    assert not failed
    save_examples(tmp_path / "out", found)
    examples = load_examples(tmp_path / "out").examples
    assert {e.split for e in examples} == {""}
    assert len({e.person for e in examples}) == 5
    assert [e.sentiment for e in examples] == [-3.0, 0.0, 3.0, -3.0, 3.0]
    assert {e.emotion for e in examples} == {-1}
    assert [sorted(e.samples) for e in examples[2:4]] == [
        ["face", "voice"],
        ["face", "text", "voice"],
    ]
    assert len(examples[1].samples["voice"]) == 5
    assert examples[2].samples["voice"][0].data.vector[3] == 0
    assert examples[3].samples["text"][0].data.states.shape == (20, 300)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"audio": np.zeros((3, 20, 70), np.float32)},
            r"field audio is float32 \[3, 20, 70\], not",
        ),
        ({"label": np.asarray([0, 1, 2], np.float32)}, "field label is not in 1 to 5"),
        ({"label": np.asarray(3.0, np.float32)}, "field label is float32"),
        ({"video": np.full((3, 20, 36), np.nan, np.float32)}, "field video is not a number"),
        ({"video": np.zeros((3, 20, 36), np.int64)}, "field video is int64"),
        ({"audio": np.asarray([{}, {}, {}], object)}, "is damaged or no archive of arrays"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told) as error:
        extract_corpus(write(tmp_path, **changes), "mmmo")
    assert str(tmp_path / "train.npz") in str(error.value)


def test_a_part_that_is_missing_or_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"train\.npz is missing"):
        extract_corpus(tmp_path, "mmmo")
    write(tmp_path)
    (tmp_path / "valid.npz").write_bytes(b"no archive")
    with pytest.raises(BadInput, match=r"valid\.npz is damaged"):
        extract_corpus(tmp_path, "mmmo")
