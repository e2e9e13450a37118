import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from assets.errors import AffectscopeError, BadInput
from desktop import cli

CHECKOUT = Path(cli.__file__).parents[1]


def command_that(run: object) -> SimpleNamespace:
    return SimpleNamespace(add_arguments=lambda _: None, run=run)


def raising(error: BaseException) -> object:
    def run(_: object) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("no file x.mp4"), 2, "affectscope: no file x.mp4\n"),
        (AffectscopeError("a worker stopped"), 1, "affectscope: a worker stopped\n"),
        (KeyboardInterrupt(), 130, "affectscope: stopped\n"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "desktop.models_command", command_that(raising(error)))
    assert cli.main(["models"]) == code
    assert capsys.readouterr().err == line


def test_no_command_opens_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, cli.WINDOW.module, command_that(lambda _: 7))
    assert cli.main([]) == 7


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["models", "fetch", "whisper-huge"], "known sets: whisper-tiny.en"),
        (["models", "nonsense"], "nonsense"),
        (["models"], "ACTION"),
    ],
)
def test_bad_words_are_one_line_and_exit_code_2(words: list[str], names: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop.cli", *words], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("affectscope: ")
    assert done.stderr.count("\n") == 1
    assert names in done.stderr


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert all(command.name in shown and command.help in shown for command in cli.COMMANDS)


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code in (None, 0)
    assert capsys.readouterr().out.startswith("affectscope ")


@pytest.mark.parametrize("module", ["desktop.cli", *(entry.module for entry in cli.COMMANDS)])
def test_a_command_module_imports_the_standard_library_alone(module: str) -> None:
    script = (
        "import sys, importlib\n"
        "before = set(sys.modules)\n"
        f"found = importlib.import_module({module!r})\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(tops - sys.stdlib_module_names - {'desktop', 'assets'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_models_list_and_verify_tell_programs_what_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFFECTSCOPE_MODELS", str(tmp_path))
    face = tmp_path / "face-landmarker" / "face_landmarker.task"
    face.parent.mkdir()
    face.write_bytes(b"not a model")
    assert cli.main(["models", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    states = {entry["key"]: entry["state"] for entry in told["sets"]}
    assert told["folder"] == str(tmp_path)
    assert states["face-landmarker"] == "damaged"
    assert states["minilm-fp32"] == "absent"
    assert cli.main(["models", "verify", "--json"]) == 2
    shown = capsys.readouterr()
    assert {entry["key"] for entry in json.loads(shown.out)["sets"]} == {
        "whisper-tiny.en",
        "face-landmarker",
        "minilm",
        "whisper-base",
    }
    assert (
        "`affectscope models fetch whisper-tiny.en face-landmarker minilm whisper-base`"
        in shown.err
    )


def test_output_into_a_closed_pipe_leaves_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "desktop.cli", "models", "list"],
            cwd=CHECKOUT,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == ""
