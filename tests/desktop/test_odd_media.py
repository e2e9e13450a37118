"""Whatever a file holds, `analyze` analyses it or says in one line why it cannot, and goes on."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from desktop.cli import main
from extractors.session import Session
from inference.models import SETS
from tests.extractors.odd_media import damaged, odd


@pytest.fixture(scope="module", autouse=True)
def ready(models: Callable[[str], Path]) -> None:
    for name in SETS:
        models(name)


def analyse(
    files: Iterable[Path], out: Path, capfd: pytest.CaptureFixture[str]
) -> dict[str, Session | str]:
    """The session of each file by its name, or what was said of it."""
    given = list(files)
    code = main(["analyze", *map(str, given), "--out", str(out), "--json"])
    printed = capfd.readouterr()
    summaries = [json.loads(line) for line in printed.out.splitlines()]
    errors = [summary["error"] for summary in summaries if "error" in summary]
    assert printed.err.splitlines() == [f"affectscope: {error}" for error in errors]
    assert code == (2 if errors else 0)
    assert [summary["video"] for summary in summaries] == list(map(str, given))
    sessions = {Path(s["session"]).name for s in summaries if "session" in s}
    assert {path.name for path in out.iterdir()} == sessions, "nothing half-written is left"
    found: dict[str, Session | str] = {}
    for file, summary in zip(given, summaries, strict=True):
        found[file.name] = summary.get("error") or Session(summary["session"])
    for name, session in found.items():
        if isinstance(session, Session):
            assert session.problems == (), name
            assert len(session.timeline) == int(session.duration / 0.2 + 1e-6), name
    return found


def test_odd_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = analyse(odd(tmp_path / "odd"), tmp_path / "out", capfd)
    said = {name for name, session in found.items() if isinstance(session, str)}
    assert said == {"nothing.mp4", "noise.mkv", "no packets.mkv", "no samples.wav"}

    def manifest(name: str) -> dict[str, object]:
        session = found[name]
        assert isinstance(session, Session)
        return dict(session.manifest)

    def left_out(name: str) -> list[str]:
        entries = manifest(name)["left_out"]
        assert isinstance(entries, list)
        return [entry["what"] for entry in entries]

    nothing = "stream of which nothing can be decoded"
    assert left_out("no sound packets.mkv") == [f"audio {nothing}"]
    assert left_out("no picture packets.mkv") == [f"video {nothing}"]
    assert left_out("turned 90.mp4") == []
    assert manifest("late.mkv")["duration"] == pytest.approx(0.6, abs=0.05)
    assert manifest("a jump.mkv")["duration"] == pytest.approx(0.6, abs=0.05)
    assert manifest("sound jumps.mkv")["duration"] == pytest.approx(0.56, abs=0.05)
    streams = manifest("sound again.mkv")["streams"]
    assert isinstance(streams, dict)
    assert streams["audio"]["overlap"] == pytest.approx(0.3, abs=0.01)
    assert manifest("sound again.mkv")["synchrony"] == {
        "offset_ms": 0.0, "worst_ms": 0.0, "drift_ms_per_hour": None, "dropped_frames": 0,
        "missing_sound_ms": 0.0, "cut_sound_ms": 300.0,
    }  # fmt: skip
    for name in ("turned 90.mp4", "8000 Hz.wav", "no sound packets.mkv"):
        synchrony = manifest(name)["synchrony"]
        assert isinstance(synchrony, dict)
        assert synchrony["worst_ms"] < 20.0


def test_damaged_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = analyse(damaged(tmp_path / "damaged", 0, 28), tmp_path / "out", capfd)
    read = sum(isinstance(session, Session) for session in found.values())
    assert 10 < read < len(found) - 3, "some can be read and some cannot"
