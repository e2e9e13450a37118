"""What a configuration file may say, and how a wrong one is told."""

from pathlib import Path

import pytest

from assets.errors import BadInput
from inference.training.configuration import PRESETS, TrainingSettings, read_settings


def write(folder: Path, text: str) -> Path:
    file = folder / "run.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_tables_are_read_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    settings = read_settings(
        write(
            tmp_path,
            'examples = ["a", "b"]\nsteps = 7\nlearning_rate = 1\n'
            '[network]\ngate = "dmd"\ndropout = 0\n[losses]\ncoarse = 0.5\n',
        )
    )
    assert settings.examples == ("a", "b")
    assert (settings.steps, settings.network.gate, settings.losses.coarse) == (7, "dmd", 0.5)
    assert (settings.learning_rate, settings.network.dropout) == (1.0, 0.0)
    assert type(settings.learning_rate) is type(settings.network.dropout) is float
    default = TrainingSettings(examples=("a", "b"))
    assert (settings.batch, settings.network.width) == (default.batch, default.network.width)


@pytest.mark.parametrize("preset", [path.stem for path in PRESETS.glob("*.toml")])
def test_presets_are_read_by_name_and_by_path(preset: str) -> None:
    assert read_settings(preset) == read_settings(PRESETS / f"{preset}.toml")


EXAMPLES = 'examples = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps = 3\n", "examples is missing"),
        ("examples = []\n", "examples names no folder"),
        ('examples = "ckplus"\n', "examples is 'ckplus', not a list"),
        ("examples = [1]\n", "examples is [1], not a list"),
        (EXAMPLES + "step = 3\n", "unknown key step; known are examples, modalities, samples"),
        (EXAMPLES + "[network]\nwidht = 8\n", "[network]: unknown key widht; known are width"),
        (EXAMPLES + "network = 3\n", "[network] is 3, not a table"),
        (EXAMPLES + "steps = 3.0\n", "steps is 3.0, not of type int"),
        (EXAMPLES + 'steps = "3"\n', "steps is '3', not of type int"),
        (EXAMPLES + "seed = true\n", "seed is True, not of type int"),
        (EXAMPLES + "rest = true\n", "rest is True, not of type float"),
        (EXAMPLES + "[network]\ngate = 1\n", "gate is 1, not of type str"),
        (EXAMPLES + "fold = 5\n", "fold is 5, not 0 to 4"),
        (EXAMPLES + "fold = -1\n", "fold is -1"),
        (EXAMPLES + "steps = 0\n", "steps is 0, not 1 or more"),
        (EXAMPLES + "evaluate_every = 0\n", "have no epochs; set evaluate_every"),
        (EXAMPLES + "evaluate_every = -1\n", "evaluate_every is -1"),
        (EXAMPLES + "average_from = 1\n", "average_from is 1"),
        (EXAMPLES + "learning_rate = nan\n", "learning_rate is nan"),
        (EXAMPLES + "learning_rate = inf\n", "learning_rate is inf"),
        (EXAMPLES + "[network]\ndropout = 1.0\n", "dropout is 1.0"),
        (EXAMPLES + "steps = \n", "is not a TOML file"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_file_and_key(
    tmp_path: Path, text: str, told: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(BadInput) as error:
        read_settings(file)
    assert str(file) in str(error.value)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    for name in ("run.toml", "folder.toml"):
        with pytest.raises(BadInput, match=name):
            read_settings(tmp_path / name)


@pytest.mark.parametrize("which", ["dead", "dead.toml"])
def test_a_missing_configuration_names_the_presets(which: str) -> None:
    with pytest.raises(BadInput, match=rf"no configuration {which}; presets are live"):
        read_settings(which)
