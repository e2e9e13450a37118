"""`affectscope analyze` on folders, in several processes, and on a cluster: the same sessions."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.analyze_item import (
    Item,
    Outcome,
    among,
    analyse,
    found_in,
    items_of,
    on_the_cluster,
)
from desktop.cli import main
from tests.extractors.clips import Pictures, Sound, bursts, every, write_clip

DATA = ("timeline.parquet", "words.jsonl", "features/face.parquet", "features/voice.parquet",
        "features/text.parquet", "features/landmarks.npy")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def ready(models: Callable[[str], Path]) -> None:
    from inference.models import SETS

    for name in SETS:
        models(name)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips of boxes and beeps, one file that is no video, one that is named like one."""
    folder = tmp_path_factory.mktemp("videos")
    for name, seconds in (("a.mp4", 1.0), ("b.mkv", 1.5), ("c.mp4", 2.0)):
        sound = Sound(bursts([0.3, 0.7], seconds, 16_000), 16_000)
        write_clip(folder / name, Pictures(every(100, int(1000 * seconds))), sound)
    (folder / "notes.txt").write_text("not for us")
    (folder / "d.mov").write_text("no video either")
    return folder


def contents(out: Path) -> dict[str, bytes]:
    sessions = sorted(path for path in out.iterdir() if not path.name.startswith("."))
    return {f"{s.name}/{name}": (s / name).read_bytes() for s in sessions for name in DATA}


@pytest.fixture(scope="module")
def one_by_one(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("one")
    assert main(["analyze", str(videos), "--out", str(out)]) == 2, "d.mov is bad input"
    return out


def test_several_processes_write_the_same_bytes(
    videos: Path, one_by_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["analyze", str(videos), "--out", str(out), "--jobs", "2", "--json"]) == 2
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {Path(told["video"]).name: "error" in told for told in printed} == {
        "a.mp4": False,
        "b.mkv": False,
        "c.mp4": False,
        "d.mov": True,
    }
    assert len(contents(out)) == 3 * len(DATA)
    assert contents(out) == contents(one_by_one)
    assert [path for path in out.iterdir() if path.name.startswith(".")] == []


def test_a_folder_gives_its_recordings_by_name(videos: Path, tmp_path: Path) -> None:
    other = tmp_path / "a.mp4"
    names = [path.name for path in found_in([other, videos])]
    assert names == ["a.mp4", "a.mp4", "b.mkv", "c.mp4", "d.mov"]
    items = items_of(found_in([other, videos]), Path("out"), "live", "auto", False)
    assert [str(item.folder) for item in items] == ["out/a", "out/a-2", "out/b", "out/c", "out/d"]


@pytest.mark.parametrize(("jobs", "share"), [(1, 16), (2, 8), (5, 3), (16, 1), (40, 1)])
def test_those_that_run_at_once_share_the_cores(
    jobs: int, share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.compute_plan.usable_cores", lambda: 16)
    items = items_of([tmp_path / "a.mp4"], tmp_path, "live", "auto", False)
    assert [item.cores for item in among(jobs, items)] == [share]
    assert on_the_cluster(items[0]).cores == 1


def test_the_share_of_the_cores_is_what_the_threads_are_planned_for(
    videos: Path, tmp_path: Path
) -> None:
    plans = {}
    for cores in (2, 6):
        [item] = items_of([videos / "a.mp4"], tmp_path / str(cores), "live", "auto", False)
        assert analyse(replace(item, cores=cores)).code == 0
        manifest = json.loads((item.folder / "manifest.json").read_text())
        plans[cores] = manifest["model"]["compute"]["speech_threads"]
    assert plans == {2: 1, 6: 3}
    assert contents(tmp_path / "2") == contents(tmp_path / "6"), "threads change no number"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--jobs", "0"], "--jobs must be 1 or more, not 0"),
        (["--backend", "xla"], 'there is no backend "xla"'),
    ],
)
def test_bad_options_are_one_line(
    words: list[str], says: str, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(videos), "--out", str(tmp_path / "out"), *words]) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_an_empty_folder_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none").mkdir()
    assert main(["analyze", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "holds no video or sound file" in capsys.readouterr().err


def test_without_ray_it_says_what_to_install(
    videos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inference.ray_cluster.find_spec", lambda _: None)
    assert main(["analyze", str(videos), "--out", str(tmp_path / "out"), "--ray", "local"]) == 2
    assert "pip install 'affectscope[ray]'" in capsys.readouterr().err


def begun(item: Item) -> Path:
    return item.folder.with_name(f"{item.folder.name}.begun")


def dying_once(item: Item) -> Outcome:
    """As `analyse`, but the first process that begins `b` is killed in the middle of it."""
    with begun(item).open("a") as log:
        log.write("begun\n")
    if item.video.stem == "b" and begun(item).read_text() == "begun\n":

        def kill(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        return analyse(item, watch=kill)
    return analyse(item)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_loses_a_worker_loses_nothing(
    videos: Path, one_by_one: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="pip install 'affectscope[ray]' runs this")
    from inference.ray_cluster import each_item_on_ray

    out = tmp_path / "out"
    out.mkdir()
    items = items_of(found_in([videos]), out, "live", "auto", False)
    results = list(each_item_on_ray(dying_once, items, "local"))
    assert sorted(index for index, _ in results) == [0, 1, 2, 3]
    codes = {items[i].video.name: r.code for i, r in results if isinstance(r, Outcome)}
    assert codes == {"a.mp4": 0, "b.mkv": 0, "c.mp4": 0, "d.mov": 2}
    starts = {item.video.stem: begun(item).read_text().count("begun") for item in items}
    assert starts == {"a": 1, "b": 2, "c": 1, "d": 1}, "only what was lost is begun again"
    for item in items:
        begun(item).unlink()
    assert contents(out) == contents(one_by_one)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_from_the_command_line(videos: Path, one_by_one: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'affectscope[ray]' runs this")
    out = tmp_path / "out"
    assert main(["analyze", str(videos), "--out", str(out), "--ray", "local"]) == 2
    assert contents(out) == contents(one_by_one)
