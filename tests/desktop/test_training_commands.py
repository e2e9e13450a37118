"""From a labelled corpus to a measured checkpoint, through the command line alone."""

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from desktop import cli
from extractors.text_adapter import read_text_adapter
from inference.training.example_files import save_examples
from tests.inference.training.made_examples import made_set
from tests.inference.training.test_mmsa import Reduced, written
from tests.inference.training.test_mmsa import made as made_pickle

NUMBERS = [
    *("n", "accuracy", "macro_recall", "macro_f1", "weighted_f1", "ece"),
    *("mae", "corr", "acc2", "acc7", "f1", "acc2_has_zero", "f1_has_zero"),
]
CONFIG = """
examples = ["faces", "voices", "words"]
steps = 6
batch = 8
evaluate_every = 3
[network]
width = 8
heads = 2
layers = 1
atoms = 8
"""


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def strict(text: str) -> dict[str, Any]:
    """JSON as other languages read it: without NaN and Infinity."""

    def refuse(name: str) -> NoReturn:
        pytest.fail(f"{name} is not JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def corpora(data: Path, folder: Path) -> dict[str, Path]:
    """A few people of each corpus, every emotion twice at least."""
    faces, voices, words = folder / "faces", folder / "voices", folder / "words"
    for emotion in ("happy", "anger", "surprise"):
        (faces / emotion).mkdir(parents=True)
        by_person = {p.name[:4]: p for p in (data / "ckplus48" / emotion).glob("*.png")}
        for person in sorted(by_person)[:3]:
            shutil.copy(by_person[person], faces / emotion)
    voices.mkdir()
    for actor in ("01", "02", "03"):
        for emotion in ("03", "05"):
            shutil.copy(data / "ravdess" / f"03-01-{emotion}-02-01-01-{actor}.flac", voices)
    words.mkdir()
    for split, lines in (("train", 40), ("dev", 25)):
        name = f"{split}_sent_emo.csv"
        rows = (data / "meld" / name).read_text("utf-8").splitlines()[: lines + 1]
        (words / name).write_text("\n".join(rows) + "\n", "utf-8")
    (voices / "03-01-04-01-01-01-04.flac").write_bytes(b"damaged")
    return {"ckplus": faces, "ravdess": voices, "meld": words}


def test_extract_train_evaluate(
    shared: Path,
    models: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for key in ("whisper-tiny.en", "whisper-base", "face-landmarker", "minilm"):
        models(key)
    folders = corpora(shared / "data", tmp_path / "corpora")
    for kind, corpus in folders.items():
        out = tmp_path / "examples" / corpus.name
        words = ["extract", str(corpus), "--kind", kind, "--out", str(out), "--workers", "1"]
        assert cli.main(words) == 0
    shown = capsys.readouterr()
    assert "6 examples of 7 items" in shown.out
    assert "1 without example" in shown.err
    assert "  03-01-04-01-01-01-04  " in shown.err
    table = (tmp_path / "examples" / "voices" / "failures.csv").read_text("utf-8")
    assert [line.split(",")[0] for line in table.splitlines()] == ["id", "03-01-04-01-01-01-04"]

    (tmp_path / "tiny.toml").write_text(CONFIG)
    file = tmp_path / "new folder" / "tiny.safetensors"
    words = ["train", str(tmp_path / "tiny.toml"), "--examples", str(tmp_path / "examples")]
    assert cli.main([*words, "--out", str(file), "--threads", "1"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == str(file)
    assert [line.partition(":")[0] for line in shown.out.splitlines()[:3]] == [
        "face", "voice", "text",
    ]  # fmt: skip
    assert "step 6" in shown.err
    assert sorted(path.name for path in file.parent.iterdir()) == ["tiny.run", file.name]
    assert (file.parent / "tiny.run" / "log.csv").is_file()

    for name, count in (("faces", 9), ("voices", 6), ("words", 65)):
        data = str(tmp_path / "examples" / name)
        assert cli.main(["evaluate", str(file), data, "--json"]) == 0
        found = strict(capsys.readouterr().out)
        assert list(found)[: len(NUMBERS)] == NUMBERS
        assert found["n"] == count  # items, not their variants
        assert all(found[name] is None or math.isfinite(found[name]) for name in NUMBERS)
    assert cli.main(["evaluate", str(file), data]) == 0
    shown_names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert shown_names[: len(NUMBERS)] == NUMBERS


def test_adapt(
    models: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models("minilm")
    header = "Utterance,Emotion,Sentiment,Dialogue_ID,Utterance_ID"
    said = [f'"No, {word}!",anger,negative,0,{i}' for i, word in enumerate(("go", "stop", "out"))]
    (tmp_path / "train_sent_emo.csv").write_text("\n".join([header, *said]) + "\n", "utf-8")
    (tmp_path / "dev_sent_emo.csv").write_text(f"{header}\nFine.,joy,positive,0,0\n", "utf-8")
    file = tmp_path / "new folder" / "adapter.safetensors"
    assert cli.main(["adapt", str(tmp_path), "--kind", "meld", "--out", str(file)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("3 utterances, sha256 ")
    assert shown[1] == str(file)
    assert len(read_text_adapter(file).down) == 24
    assert [path.name for path in file.parent.iterdir()] == [file.name]


# ---------------------------------------------------------------------------------- bad input


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must end with exit code 2 and one line, which it gives."""

    def run(*words: object) -> str:
        code: object
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as left:
            code = left.code
        shown = capsys.readouterr()
        assert code == 2
        assert shown.out == ""
        assert shown.err.startswith("affectscope: ")
        assert shown.err.count("\n") == 1
        return shown.err

    return run


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration and examples, in a place where training must not be reached."""
    (tmp_path / "tiny.toml").write_text(CONFIG)
    for modality, name in (("face", "faces"), ("voice", "voices"), ("text", "words")):
        save_examples(tmp_path / "examples" / name, made_set(modality, people=2))

    def reached(*_: object) -> NoReturn:
        pytest.fail("training began")

    monkeypatch.setattr("inference.training.optimisation.Optimisation.advance", reached)
    return tmp_path


def test_a_checkpoint_that_cannot_be_written_is_told_before_training(
    prepared: Path, refused: Callable[..., str]
) -> None:
    words = ["train", prepared / "tiny.toml", "--examples", prepared / "examples", "--out"]
    (prepared / "taken").touch()
    (prepared / "folder.safetensors").mkdir()
    assert "must end in .safetensors" in refused(*words, prepared / "a.pt")
    assert "taken/a.safetensors" in refused(*words, prepared / "taken" / "a.safetensors")
    assert "it is a folder" in refused(*words, prepared / "folder.safetensors")


def test_bad_words_of_train(prepared: Path, refused: Callable[..., str]) -> None:
    out = ["--out", prepared / "a.safetensors"]
    examples = ["--examples", prepared / "examples"]
    config = prepared / "tiny.toml"
    assert "presets are live" in refused("train", "dead", *examples, *out)
    assert "labels.json is missing" in refused("train", config, "--examples", prepared, *out)
    assert "threads" in refused("train", config, *examples, *out, "--threads", "0")
    # made examples are narrower than those of the app
    assert "run: affectscope extract" in refused("train", config, *examples, *out)
    config.write_text(CONFIG + "gate = 'or'\n")
    assert "gate is 'or', not one of dmd, multiply" in refused("train", config, *examples, *out)
    assert not (prepared / "a.safetensors").exists()


def test_bad_words_of_extract(
    tmp_path: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tmp_path / "03-01-03-02-01-01-01.flac"
    clip.touch()
    (tmp_path / "taken").touch()
    monkeypatch.setattr(
        "inference.training.extract.extract_corpus", lambda *_: pytest.fail("extraction began")
    )
    words = ["extract", tmp_path, "--kind", "ravdess", "--out"]
    assert "cannot write examples to" in refused(*words, tmp_path / "taken" / "inside")
    assert "--kind" in refused("extract", tmp_path, "--kind", "iemocap", "--out", tmp_path)
    monkeypatch.undo()
    absent = ["extract", tmp_path / "none", "--kind", "meld", "--out", tmp_path / "new" / "out"]
    assert "there is no folder" in refused(*absent)
    assert not (tmp_path / "new").exists()
    adapt = ["adapt", tmp_path / "absent", "--kind", "meld", "--out"]
    assert "there is no folder" in refused(*adapt, tmp_path / "adapter.safetensors")
    assert "it is a folder" in refused(*adapt, tmp_path)
    assert "-1 is not a whole number" in refused(*adapt, tmp_path / "a", "--seed=-1")


def test_a_pickle_of_mmsa_is_converted_trained_and_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    file = written(tmp_path, made_pickle())
    out, checkpoint = tmp_path / "examples" / "made", tmp_path / "a.safetensors"
    assert cli.main(["extract", str(file), "--kind", "mosi", "--out", str(out)]) == 0
    assert "13 items in" in capsys.readouterr().out
    (tmp_path / "tiny.toml").write_text(
        'examples = ["made"]\nsamples = "together"\nepochs = 2\nbatch = 4\n'
        'evaluate_every = 1\nschedule = "plateau"\nkeep = "best"\n'
        "text = { features = 5, steps = 4 }\nvoice = { features = 3, steps = 4 }\n"
        "face = { features = 2, steps = 4 }\nlabels = { emotions = [] }\n"
        "network = { width = 8, heads = 2, layers = 1, atoms = 8 }\n"
    )
    words = ["train", str(tmp_path / "tiny.toml"), "--examples", str(tmp_path / "examples")]
    assert cli.main([*words, "--out", str(checkpoint), "--threads", "1"]) == 0
    assert "validation" in capsys.readouterr().err
    assert cli.main(["evaluate", str(checkpoint), str(out), "--json"]) == 0
    shown = capsys.readouterr()
    assert strict(shown.out)["n"] == 13
    assert shown.err.startswith("the checkpoint was trained on examples of mosi: ")
    pictures = ["--pictures", str(tmp_path / "none")]
    words = ["evaluate", str(checkpoint), str(out), "--held-out", "--json", *pictures]
    assert cli.main(words) == 0
    shown = capsys.readouterr()
    assert shown.err == "no emotion was measured, so there is nothing to draw\n"
    found = strict(shown.out)
    assert next(iter(found)) == "n"
    assert found["n"] == 4
    assert not {"accuracy", "ece"} & set(found)
    assert found["mae"] >= 0
    assert "holds posix.system" in refused(
        "extract", written(tmp_path, Reduced(os.system, "true")), "--kind", "mosi", "--out", out
    )
    (tmp_path / "examples" / "made" / "sequences.safetensors").write_bytes(b"damaged")
    assert "sequences.safetensors is damaged" in refused("evaluate", checkpoint, out)


def test_bad_words_of_evaluate(prepared: Path, refused: Callable[..., str]) -> None:
    examples = prepared / "examples" / "voices"
    assert "no checkpoint dead" in refused("evaluate", "dead", examples)
    assert "labels.json is missing" in refused("evaluate", "live", prepared)
    (prepared / "bad.safetensors").write_bytes(b"damaged")
    assert "is damaged" in refused("evaluate", prepared / "bad.safetensors", examples, "--json")
    assert "the windows want 1030" in refused("evaluate", "live", examples, "--json")
