"""What a configuration file may say, and how a wrong one is told."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from assets.errors import BadInput
from extractors.features import EMOTIONS, LIVE_WINDOWS
from inference.training.configuration import (
    PRESETS,
    TrainingSettings,
    network,
    read_settings,
    settings_from,
    windows,
)


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
        (EXAMPLES + '[network]\ngate = "shut"\n', "gate is 'shut', not one of dmd, multiply"),
        (EXAMPLES + "fold = 5\n", "fold is 5, not 0 to 4"),
        (EXAMPLES + "fold = -1\n", "fold is -1"),
        (EXAMPLES + "steps = 0\n", "steps is 0, not 1 or more"),
        (EXAMPLES + "evaluate_every = 0\n", "have no epochs; set evaluate_every"),
        (EXAMPLES + "evaluate_every = -1\n", "evaluate_every is -1"),
        (EXAMPLES + "average_from = 1\n", "average_from is 1"),
        (EXAMPLES + "learning_rate = nan\n", "learning_rate is nan"),
        (EXAMPLES + "learning_rate = inf\n", "learning_rate is inf"),
        (EXAMPLES + "[network]\ndropout = 1.0\n", "dropout is 1.0"),
        (
            EXAMPLES + '[teachers]\nof = ["sound"]\n',
            "[teachers]: of has sound, not modalities",
        ),
        (EXAMPLES + '[teachers]\nof = ["voice+voice"]\n', "of has voice+voice, not modalities"),
        (EXAMPLES + "[teachers]\nshrinkage = 0\n", "[teachers]: shrinkage is 0, not 0.01 to 1.0"),
        (EXAMPLES + "[teachers]\nmixing = 2\n", "[teachers]: mixing is 2, not 0.0 to 1.0"),
        (
            EXAMPLES
            + 'samples = "together"\n[labels]\nemotions = []\n[teachers]\nof = ["voice"]\n',
            "[teachers]: they teach emotions, and labels has none",
        ),
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


# ------------------------------------------------------------------------------------- presets


def test_live_has_the_windows_of_the_app() -> None:
    assert windows(read_settings("live")) == LIVE_WINDOWS
    assert network(read_settings("live")).emotions == EMOTIONS


@pytest.mark.parametrize(
    ("preset", "features", "steps", "kernels", "width", "heads"),
    [
        ("mosi", (768, 5, 20), (50, 50, 50), (5, 5, 5), 50, 10),
        ("mosi_unaligned", (768, 5, 20), (50, 375, 500), (5, 5, 5), 50, 10),
        ("mosei", (768, 74, 35), (50, 50, 50), (5, 1, 3), 30, 6),
        ("mosei_unaligned", (768, 74, 35), (50, 500, 500), (5, 1, 3), 30, 6),
    ],
)
def test_presets_of_the_field_have_the_sizes_and_the_schedule_of_dmd(
    preset: str,
    features: tuple[int, ...],
    steps: tuple[int, ...],
    kernels: tuple[int, ...],
    width: int,
    heads: int,
) -> None:
    settings = read_settings(preset)
    config = network(settings)
    sizes = config.modalities.values()
    assert tuple(m.features for m in sizes) == features
    assert tuple(m.steps for m in sizes) == steps
    assert tuple(m.kernel for m in sizes) == kernels
    assert (config.width, config.heads, config.layers, config.atoms) == (width, heads, 4, 512)
    assert config.outputs == 1
    assert windows(settings) is None
    assert (settings.optimiser, settings.learning_rate) == ("adam", 1e-4)
    assert (settings.batch, settings.accumulation) == (16, 10)
    assert (settings.clip, settings.clip_by) == (0.6, "value")
    assert (settings.schedule, settings.patience, settings.stop_after) == ("plateau", 5, 10)
    assert settings.keep == "best"


def test_ravdess_has_eight_emotions_and_no_words() -> None:
    settings = read_settings("ravdess")
    config = network(settings)
    assert len(config.emotions) == 8
    assert not config.sentiment
    assert settings.modalities == ("voice", "face")
    assert (config.face.features, config.face.steps, config.text.features) == (35, 1, 1)
    assert windows(settings) is not None


# ----------------------------------------------------------------------------- set on the way


def test_single_values_are_set_anew(tmp_path: Path) -> None:
    file = write(tmp_path, EXAMPLES + "[network]\nwidth = 8\nheads = 2\n")
    settings = read_settings(
        file,
        [
            "seed=3",
            "network.dictionary = false",
            "network.gate=dmd",
            'modalities=["face"]',
            "labels.merge.calm=happy",
            "losses.code_matching=0",
        ],
    )
    assert (settings.seed, settings.modalities) == (3, ("face",))
    assert (settings.network.width, settings.network.dictionary) == (8, False)
    assert settings.network.gate == "dmd"
    assert settings.labels.merge == {"calm": "happy"}
    assert settings.losses.code_matching == 0.0


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("seed", "seed does not say KEY=VALUE"),
        ("=3", "does not say KEY=VALUE"),
        ("sead=3", "unknown key sead"),
        ("network.widht=3", "unknown key widht"),
        ("seed.more=3", "seed is {'more': 3}, not of type int"),
        ("samples=apart", "samples is 'apart', not one of composed, together"),
        ("labels.emotions=[]", "samples are composed by emotion"),
        ("modalities=[]", "modalities must name each"),
        ('modalities=["smell"]', "modalities has smell"),
        ("epochs=3", "composed samples have no epochs"),
        ("stop_after=3", 'must keep the "best" or the "last"'),
        ("labels.merge.calm=3", "merge is {'calm': 3}, not a table of names"),
    ],
)
def test_what_is_set_wrongly_is_told(assignment: str, told: str) -> None:
    with pytest.raises(BadInput) as error:
        read_settings("live", [assignment])
    assert told in str(error.value)


@pytest.mark.parametrize("preset", [path.stem for path in PRESETS.glob("*.toml")])
def test_settings_come_back_from_a_checkpoint(preset: str) -> None:
    settings = read_settings(preset)
    assert settings_from(json.loads(json.dumps(asdict(settings))), "a checkpoint") == settings
