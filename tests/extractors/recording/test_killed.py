"""A recording that is killed loses at most two seconds, whenever it is killed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors import Session
from extractors.features import SAMPLE_RATE
from extractors.recording.repair import repair_all, unfinished
from extractors.stream import to_seconds
from extractors.video_file import VideoFile
from tests.extractors.recording.killed import MODEL

CHECKOUT = Path(__file__).resolve().parents[3]
TIMES = 50
HOP = 0.2
"""Seconds between predictions."""
MOST_LOST = 2.0


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    root = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.extractors.recording.killed", str(root), str(TIMES)],
        cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def kept(session: Session) -> dict[str, float]:
    """Session seconds up to which each stream can be read."""
    ends = dict.fromkeys(("video", "sound", "face", "voice", "timeline", "text", "marker"), 0.0)
    if session.media is not None:
        video = VideoFile(session.media)
        assert video.info.duration, "the file was left without a length"
        for frame in video.frames():
            ends["video"] = to_seconds(frame.end)
        for block in video.audio():
            ends["sound"] = to_seconds(block.end)
    for name in ("face", "voice", "timeline"):
        times = session.table(name)["time"].to_pylist()
        ends[name] = times[-1] if times else 0.0
    ends["tentative timeline"], ends["tentative voice"] = ends["timeline"], ends["voice"]
    ends["text"] = max((to_seconds(word.end) for word in session.words), default=0.0)
    ends["marker"] = max((marker["time"] for marker in session.markers), default=0.0)
    return ends


def test_at_most_two_seconds_are_lost(killed: list[dict[str, Any]]) -> None:
    assert len(killed) == TIMES
    root = Path(killed[0]["folder"]).parent
    found = unfinished(root)
    told = {repaired.folder: repaired for repaired in repair_all(root)}  # type: ignore[union-attr]
    assert set(told) == set(found)
    assert unfinished(root) == ()
    seen = {"cut off": 0, "while finishing": 0}
    for take in killed:
        folder = Path(take["folder"])
        if not folder.exists():
            assert max(take["taken"].values()) < MOST_LOST, "something was recorded"
            continue
        session = Session(folder)
        assert session.problems == ()
        state = session.manifest["state"]
        assert state == ("repaired" if folder in told else "complete")
        if state == "complete":
            assert take["finishing"]
        else:
            seen["while finishing" if take["finishing"] else "cut off"] += 1
            assert "cut off and is whole again" in str(told[folder])
            assert session.manifest["interruption"]["until"] == session.duration
        for stream, end in kept(session).items():
            assert end >= take["taken"][stream] - MOST_LOST, (folder.name, stream)
        if take["taken"]["face"] > MOST_LOST:
            assert session.landmarks_at(0.5) is not None
    assert seen["cut off"] > TIMES // 2, "most were to be killed while they recorded"


def test_the_newest_predictions_are_kept(killed: list[dict[str, Any]]) -> None:
    """Also those that were never settled; a settled one counts where it is there."""
    repair_all(Path(killed[0]["folder"]).parent)
    seen = 0
    for take in killed:
        if not Path(take["folder"]).exists():
            continue
        session = Session(take["folder"])
        timeline = session.timeline
        taken = max(take["taken"]["timeline"], take["taken"]["tentative timeline"])
        if taken > HOP:
            assert timeline.time[-1] >= taken - HOP - 0.001, take
            np.testing.assert_allclose(np.diff(timeline.time), HOP)
        first = session.manifest["streams"]["timeline"].get("tentative_from", np.inf)
        np.testing.assert_array_equal(np.isfinite(timeline.sentiment), timeline.time < first)
        seen += bool((timeline.time >= first).any() and (timeline.time < first).any())
    assert seen > TIMES // 2


def test_voice_is_kept_before_it_is_settled(killed: list[dict[str, Any]]) -> None:
    """Someone who speaks on is settled four seconds late."""
    repair_all(Path(killed[0]["folder"]).parent)
    both = 0
    for take in killed:
        if not Path(take["folder"]).exists():
            continue
        session = Session(take["folder"])
        table = session.table("voice")
        time = table["time"].to_numpy()
        np.testing.assert_allclose(np.diff(time), 0.1)
        first = session.manifest["streams"]["voice"].get("tentative_from", np.inf)
        spoken = np.asarray([states is not None for states in table["states"].to_pylist()])
        np.testing.assert_array_equal(spoken, time < first)
        both += bool(spoken.any() and not spoken.all())
        assert not list(session.folder.glob("*.arrows"))
    assert both > TIMES // 10


def test_a_repaired_session_names_its_model(killed: list[dict[str, Any]]) -> None:
    repair_all(Path(killed[0]["folder"]).parent)
    for take in killed:
        if take["taken"]["video"] > 0:
            assert Session(take["folder"]).manifest["model"] == MODEL


def test_what_is_repaired_stays_in_time(killed: list[dict[str, Any]]) -> None:
    """The clap and the flash of a repaired session are where they were."""
    longest = max(killed, key=lambda take: float(take["taken"]["video"]))
    root = Path(longest["folder"]).parent
    repair_all(root)
    media = Session(longest["folder"]).media
    assert media is not None
    video = VideoFile(media)
    flash = next(f.end for f in video.frames() if f.data.image[-1, -1].mean() > 128)
    for block in video.audio():
        loud = abs(block.data.samples) > 0.1
        if loud.any():
            clap = to_seconds(block.start) + int(loud.argmax()) / SAMPLE_RATE
            break
    assert abs(to_seconds(flash) - 1.0) < 0.045  # a picture's time later at most
    assert abs(clap - 1.0) < 0.002
