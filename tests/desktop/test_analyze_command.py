"""`affectscope analyze` as a script sees it: output, exit codes, and what is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.analyze_item import Item, Outcome
from desktop.cli import main
from extractors.session import Session
from inference.models import Models
from tests.extractors.clips import Pictures, Sound, bursts, every, write_clip
from tests.extractors.test_media_left_out import write_many

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLE = CHECKOUT / "assets" / "sample" / "sample.mp4"


@pytest.fixture(scope="module", autouse=True)
def ready(models: Callable[[str], Path]) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second of moving boxes and beeps, without face or speech."""
    return write_clip(
        tmp_path / "clip.mp4",
        Pictures(every(100, 1000)),
        Sound(bursts([0.3, 0.7], 1.0, 16_000), 16_000),
    )


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_one_object_per_video_on_one_line_each(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.mp4"
    other = tmp_path / "other"
    other.mkdir()
    namesake = Path(clip.rename(other / "clip.mp4"))
    again = other / "clip.mkv"
    again.write_bytes(namesake.read_bytes())
    out = tmp_path / "out"
    code = main(["analyze", str(namesake), str(missing), str(again), "--out", str(out), "--json"])
    printed = capsys.readouterr()
    first, failed, second = (json.loads(line) for line in printed.out.splitlines())
    assert code == 2
    assert (first["video"], first["session"]) == (str(namesake), str(out / "clip"))
    assert failed == {"video": str(missing), "error": printed.err.strip()[len("affectscope: ") :]}
    assert second["session"] == str(out / "clip-2")
    assert first["rows"] == second["rows"] == len(Session(out / "clip").timeline)
    assert first["words"] == ""
    assert left(out) == ["clip", "clip-2"]


def test_without_json_it_says_what_it_found(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(clip), "--out", str(tmp_path / "o"), "--picture"]) == 0
    printed = capsys.readouterr()
    assert "words: (none)" in printed.out
    assert str(tmp_path / "o" / "clip" / "trajectories.png") in printed.out
    assert (tmp_path / "o" / "clip" / "trajectories.png").read_bytes()[:4] == b"\x89PNG"


def test_what_is_left_out_of_a_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many, out = write_many(tmp_path / "many.mkv"), tmp_path / "out"
    assert main(["analyze", str(many), "--out", str(out)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert line == (
        "  left out: 1 further video stream, 2 further audio streams, 1 attached picture, "
        "1 attached file"
    )
    assert Session(out / "many").manifest["left_out"][0] == {
        "stream": 1, "kind": "video", "codec": "h264", "what": "further video stream",
    }  # fmt: skip


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_gpu_that_gives_way_is_told(
    jobs: str,
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_item: Item, models: Models, _watch: object) -> dict[str, object]:
        models.on_fallback("speech", "speech: the GPU failed, the CPU goes on: out of memory")
        return {}

    monkeypatch.setattr("desktop.analyze_item._summary_of", fail)
    monkeypatch.setattr("inference.training.item_workers.each_item", here)
    other = clip.with_name("other.mp4")
    other.write_bytes(clip.read_bytes())
    out = ["--out", str(tmp_path / "out"), "--json", "--jobs", jobs]
    assert main(["analyze", str(clip), str(other), *out]) == 0
    told = "affectscope: speech: the GPU failed, the CPU goes on: out of memory"
    assert capsys.readouterr().err.splitlines().count(told) == 2


def here(work: Callable[[Item], Outcome], items: list[Item], _jobs: int) -> Iterator[Any]:
    """As `each_item`, in this process."""
    yield from enumerate(map(work, items))


@pytest.mark.parametrize("place", ["file", "taken"])
def test_a_place_that_cannot_be_written_is_one_line(
    place: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    if place == "file":
        out.write_text("in the way")
    else:
        (out / "clip").mkdir(parents=True)
        (out / "clip" / "thesis.txt").write_text("mine")
    assert main(["analyze", str(clip), "--out", str(out)]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("affectscope: ")
    assert printed.err.count("\n") == 1
    assert "--out" in printed.err
    if place == "taken":
        assert left(out / "clip") == ["thesis.txt"]


def test_a_damaged_checkpoint_is_one_line(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "mine.safetensors"
    damaged.write_bytes(b"not at all")
    out = tmp_path / "out"
    assert main(["analyze", str(clip), "--out", str(out), "--checkpoint", str(damaged)]) == 2
    assert str(damaged) in capsys.readouterr().err
    assert left(out) == []


def test_a_damaged_model_file_is_one_line(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFFECTSCOPE_MODELS", str(tmp_path / "no models"))
    assert main(["analyze", str(clip), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert "models fetch" in printed
    assert printed.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "small"
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(out)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "desktop.cli", "analyze", str(SAMPLE), "--out", str(out)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "No space left" in done.stderr
        assert left(out) == []
    finally:
        subprocess.run(["umount", str(out)], check=True)


def test_killed_in_the_middle_nothing_looks_whole_and_the_next_run_clears_up(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    words = [sys.executable, "-m", "desktop.cli", "analyze", str(SAMPLE), "--out", str(out)]
    running = subprocess.Popen(words, cwd=CHECKOUT)
    deadline = time.monotonic() + 60
    while not left(out) and time.monotonic() < deadline:
        running.poll()
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert all(name.startswith(".") for name in left(out))
    assert left(out) != []
    assert main(["analyze", str(SAMPLE), "--out", str(out)]) == 0
    assert left(out) == ["sample"]
