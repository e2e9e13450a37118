"""`affectscope baseline`: a checkpoint fitted to one person."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assets import ASSETS
from desktop.cli import main
from extractors.features import FACE_FEATURES, VOICE_STATES
from inference.baseline_file import load_baseline
from inference.checkpoint import load_checkpoint, save_checkpoint
from tests.desktop.export.made_sessions import made_session
from tests.inference.untrained import untrained

Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("general") / "general.safetensors"
    sizes = {"voice": VOICE_STATES + 6, "face": FACE_FEATURES}
    rest = {name: np.full(size, 0.25, np.float32) for name, size in sizes.items()}
    save_checkpoint(file, replace(untrained(), rest=rest))
    return file


def test_a_session_gives_a_checkpoint_that_can_be_used_as_any(
    general: Path, tmp_path: Path, capsys: Said
) -> None:
    session, out = made_session(tmp_path / "me", duration=8.0), tmp_path / "me.safetensors"
    assert main(["baseline", str(session), "--out", str(out), "--checkpoint", str(general)]) == 0
    assert f"{out}: fitted to the face of {session}" in capsys.readouterr().out
    fitted = load_checkpoint(out)
    assert fitted.live_windows() == load_checkpoint(general).live_windows()
    assert fitted.origin["fitted_to_rest_of"] == ["face"]


def test_the_person_alone_is_a_file_for_the_live_session(
    general: Path, tmp_path: Path, capsys: Said
) -> None:
    session, out = made_session(tmp_path / "me", duration=8.0), tmp_path / "me.baseline"
    words = ["baseline", str(session), "--checkpoint", str(general), "--out"]
    assert main([*words, str(out)]) == 0
    assert f"affectscope live --baseline {out}" in capsys.readouterr().out
    assert list(load_baseline(out).mean) == ["face"]
    (tmp_path / "taken").touch()
    assert main([*words, str(tmp_path / "taken" / "me.baseline")]) == 2
    assert "cannot write the baseline" in capsys.readouterr().err


def test_a_video_does_too(
    general: Path, tmp_path: Path, models: Callable[[str], Path], capsys: Said
) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)
    video, out = ASSETS / "sample" / "sample.mp4", tmp_path / "me.safetensors"
    assert main(["baseline", str(video), "--out", str(out), "--checkpoint", str(general)]) == 0
    assert "fitted to the face" in capsys.readouterr().out
    assert load_checkpoint(out).origin["fitted_to_rest_of"][0] == "face"
    assert [path.name for path in tmp_path.iterdir()] == ["me.safetensors"]


def test_what_is_wrong_is_one_line_and_nothing_is_written(
    general: Path, tmp_path: Path, capsys: Said
) -> None:
    short, out = made_session(tmp_path / "short"), tmp_path / "me.safetensors"
    for recording, place, said in (
        (tmp_path / "none", out, "no such file or session folder"),
        (short, tmp_path / "me.txt", "must end in .safetensors"),
        (short, out, "less than 5 s"),
    ):
        words = ["baseline", str(recording), "--out", str(place), "--checkpoint", str(general)]
        assert main(words) == 2
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1
        assert not place.exists()


def test_a_video_of_nobody_is_named_as_it_was_given(
    general: Path, tmp_path: Path, shared: Path, models: Callable[[str], Path], capfd: Said
) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)
    video = shared / "media" / "face_mostly_absent_5s.mp4"
    words = ["baseline", str(video), "--out", str(tmp_path / "me.safetensors")]
    assert main([*words, "--checkpoint", str(general)]) == 2
    assert capfd.readouterr().err.startswith(f"affectscope: {video.name} has less than 5 s")
    assert not list(tmp_path.iterdir())
