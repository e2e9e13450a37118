"""`affectscope live --headless` as a script sees it."""

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import ASSETS
from assets.errors import BadInput
from desktop.cli import main
from desktop.live_opening import make_live
from extractors.features import FACE_FEATURES
from extractors.recording import RecordingPlan
from extractors.session import Session
from extractors.sources import camera, devices
from inference.baseline_file import baseline_sha256, save_baseline
from inference.calibration import RestingPerson
from inference.checkpoint import save_checkpoint
from tests.extractors.sources.fake_camera import FakeCamera
from tests.inference.backends.small_checkpoint import small_checkpoint

HEADLESS = ["live", "--headless"]
OTHERS = (
    ({}, "the checkpoint was not trained on what the app senses; take live"),
    ({"windows": None}, "the checkpoint does not predict what the app shows; take live"),
)


def other_checkpoint(folder: Path, changes: dict[str, Any]) -> Path:
    """Of a network whose windows hold other features, or whose corpus had no clock."""
    path = folder / "other.safetensors"
    save_checkpoint(path, dataclasses.replace(small_checkpoint(), **changes))
    return path


@pytest.fixture
def pretrained(models: Callable[[str], Path]) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)


def code_of(words: list[str]) -> int:
    """The exit code, whoever has found the words wrong."""
    try:
        return main(words)
    except SystemExit as left:
        return int(left.code or 0)


@pytest.mark.usefixtures("pretrained")
def test_a_baseline_is_in_force_from_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "me.baseline", tmp_path / "session"
    person = RestingPerson({"face": np.zeros(FACE_FEATURES, np.float32)})
    save_baseline(file, person)
    words = [*HEADLESS, "--video", "synthetic", "--audio", "none", "--seconds", "1"]
    words = [*words, "--out", str(out), "--baseline"]
    assert main([*words, str(file)]) == 0
    assert "fitted to the face of a person at rest" in capsys.readouterr().out
    (entry,) = Session(out).manifest["live"]["baselines"]
    assert (entry["from"], entry["sha256"]) == (0.0, baseline_sha256(person))
    save_baseline(file, RestingPerson({"face": np.zeros(3, np.float32)}))
    words[words.index(str(out))] = str(tmp_path / "other")
    for wrong in (file, tmp_path / "none.baseline"):
        assert main([*words, str(wrong)]) == 2
        assert "baseline" in capsys.readouterr().err


@pytest.mark.usefixtures("pretrained")
def test_made_up_sources_become_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "session"
    words = [*HEADLESS, "--video", "synthetic", "--audio", "synthetic", "--seconds", "2"]
    assert main([*words, "--out", str(out), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = [line for line in lines if "emotions" in line]
    assert rows
    assert rows[-1]["states"]["face"] == "absent"
    assert sum(rows[-1]["emotions"].values()) == pytest.approx(1, abs=0.01)
    assert {line["event"] for line in lines if "event" in line} >= {"camera open"}
    session = Session(out)
    assert session.manifest["state"] == "complete"
    assert len(session.timeline) > 0


@pytest.mark.usefixtures("pretrained")
def test_a_source_that_never_opens_is_told_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no recording\n" * 50)
    words = [*HEADLESS, "--video", str(notes), "--audio", "none", "--seconds", "0.5"]
    assert main(words) == 1
    assert "notes.txt" in capsys.readouterr().out


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--video", "no such file.mp4"], "names no source"),
        (["--audio", "gopher://x"], "give a URL"),
        (["--checkpoint", "missing.safetensors"], "missing.safetensors"),
        (["--video", "none", "--audio", "none"], "neither pictures nor sound"),
        (["--size", "1280"], "'1280' is no size of pictures; write it as 1280x720"),
        (["--size", "0x0"], "'0x0' is no size of pictures"),
        (["--rate", "fast"], "'fast' is no number of pictures a second, 1 to 240"),
        (["--rate", "0"], "'0' is no number of pictures a second"),
        (["--rate", "nan"], "'nan' is no number of pictures a second"),
        (["--video", "synthetic", "--size", "640x480"], "for a camera, which synthetic is not"),
        (["--video", "none", "--rate", "30"], "for a camera, which none is not"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of([*HEADLESS, *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize(("changes", "says"), OTHERS)
def test_a_checkpoint_that_is_not_for_the_app_is_bad_input(
    changes: dict[str, Any], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(other_checkpoint(tmp_path, changes))
    out = tmp_path / "out"
    words = ["--video", "synthetic", "--audio", "synthetic", "--seconds", "1"]
    assert main([*HEADLESS, *words, "--out", str(out), "--checkpoint", file]) == 2
    error = capsys.readouterr().err
    assert error == f"affectscope: {says}\n"
    assert not out.exists(), "nothing was begun"
    with pytest.raises(BadInput, match=says):
        make_live(None, None, RecordingPlan, file)
    clip = str(ASSETS / "sample" / "sample.mp4")
    assert main(["analyze", clip, "--out", str(out), "--checkpoint", file]) == 2
    assert says in capsys.readouterr().err
    assert not list(out.glob("*"))


@pytest.mark.usefixtures("pretrained")
def test_without_sound_nothing_is_opened_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "session"
    words = ["--video", "synthetic", "--audio", "none", "--seconds", "1", "--json"]
    assert main([*HEADLESS, *words, "--out", str(out)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert not any(line.get("event", "").startswith("microphone o") for line in lines)
    session = Session(out)
    assert session.manifest["live"]["sources"]["microphone"] is None
    assert session.manifest["streams"]["sound"]["rows"] == 0
    assert len(session.table("pictures")) > 0


@pytest.mark.usefixtures("pretrained")
def test_a_camera_is_asked_for_pictures_and_what_it_gives_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = {"YUYV": [(640, 480, 30.0)], "MJPG": [(800, 600, 30.0)]}
    fake = FakeCamera(5, modes=modes)
    openings = [fake]
    opener = lambda _number: openings.pop() if openings else FakeCamera(opened=False)  # noqa: E731
    monkeypatch.setattr(camera, "Camera", partial(camera.Camera, opener=opener))
    monkeypatch.setattr(camera, "cameras", lambda: (devices.Device("2", "Desk", True),))
    out = tmp_path / "session"
    words = ["--video", "device:2", "--audio", "none", "--size", "1280x720", "--rate", "60"]
    assert main([*HEADLESS, *words, "--seconds", "1", "--json", "--out", str(out)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (opened,) = [line["text"] for line in lines if line.get("event") == "camera open"]
    gives = "it gives 800 x 600 at 30/s (MJPG), not 1280 x 720 at 60/s"
    assert opened == f"device 2 is open; {gives}"
    assert fake.mode == (800, 600, 30.0)


def test_none_is_told_by_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["live", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("or none to open nothing") == 2
    assert "--size WxH of the camera's pictures, as 1280x720" in told
    assert "--rate N pictures of the camera a second" in told


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert main([*HEADLESS, "--out", str(tmp_path)]) == 2
    assert "choose another --out" in capsys.readouterr().err


def test_devices_are_listed_with_what_opens_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "cameras", lambda: (devices.Device("2", "Desk", True),))
    monkeypatch.setattr(devices, "microphones", lambda: ())
    assert main(["live", "--devices"]) == 0
    told = capsys.readouterr().out
    assert "device:2  Desk  (default)" in told
    assert "microphone  none found" in told


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--seconds", "-3"], "--seconds -3: give more than 0, or leave it away"),
        (["--seconds", "1", "--out", "{file}/session"], "cannot record into {file}/session: "),
    ],
)
def test_what_could_never_run_is_said_before_anything_opens(
    more: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    words = [word.format(file=file) for word in more]
    assert main([*HEADLESS, "--video", "synthetic", "--audio", "none", *words]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"affectscope: {says.format(file=file)}")
    assert not printed.out, "nothing was opened"
