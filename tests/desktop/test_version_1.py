"""A session of version 1 is replayed and exported like one of today."""

import csv
from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from desktop.export import FORMATS, export
from desktop.library import Library
from desktop.loaded_recording import LoadedRecording
from desktop.time_format import percent_text
from extractors.session import Session
from extractors.stream import SECOND, VirtualClock
from tests.desktop.conftest import OpenWindow
from tests.desktop.fake_media import FakeMedia
from tests.extractors.clips import Pictures, Sound, every, write_clip
from tests.extractors.version_1 import WORDS, write_version_1


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """With its recording, which says at 1 s by a flash what it shows."""
    media = tmp_path / "talk.mp4"
    sound = Sound(np.zeros(3 * 48000), 48000)
    write_clip(media, Pictures(every(50, 3000), flash=1000), sound)
    return write_version_1(tmp_path / "old", media)


def test_it_is_replayed(old: Path, open_window: OpenWindow, clock: VirtualClock) -> None:
    window = open_window(FakeMedia(3.0))
    window.open_path(old)
    recording = window.page.recording
    assert isinstance(recording, LoadedRecording)
    recording._thread.join(10.0)
    window._refresh()
    assert recording.complete
    assert recording.failure is None
    assert recording.media == old.parent / "talk.mp4"
    assert window.windowTitle() == "talk.mp4 \N{EN DASH} Affectscope"
    assert [word.text for word in window.page.transcript.words] == [word for word, *_ in WORDS]
    said = []
    for time in (1.0, 2.0):
        window.page.seek(time)
        said.append(window.page.now.description())
    assert said[0].startswith(f"neutral {percent_text(0.625)}")
    assert f"happy {percent_text(0.625)}" in said[1]
    window.page.play()
    window._tick()
    clock.advance(10 * SECOND)
    window._tick()
    assert window.page.seconds == recording.duration == 3.0
    assert recording.landmarks_at(1.0) is not None


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS])
def test_it_is_exported(old: Path, tmp_path: Path, name: str) -> None:
    ((_, exported),) = export(Session(old), [name], tmp_path / "out")
    assert exported.missing == ()
    assert all(file.stat().st_size for file in exported.files)


def test_what_it_did_not_keep_is_empty_in_its_tables(old: Path, tmp_path: Path) -> None:
    export(Session(old), ["csv"], tmp_path / "out")
    with (tmp_path / "out" / "old.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["uncertainty"] for row in rows} == {""}
    assert [float(row["happy"]) for row in rows[:9]] == pytest.approx([1 / 16] * 8 + [10 / 16])
    export(Session(old), ["elan"], tmp_path / "out")
    with (tmp_path / "out" / "old_timeseries.csv").open(newline="") as file:
        assert "uncertainty" not in next(csv.reader(file))


def test_it_stands_in_the_library(old: Path, tmp_path: Path) -> None:
    with Library(old.parent, tmp_path / "index.sqlite") as library:
        library.refresh()
        (entry,) = library.find()
    assert (entry.title, entry.duration, entry.words) == ("talk.mp4", 3.0, len(WORDS))
    assert (entry.strongest, entry.problem) == ("neutral", None)


def test_it_cannot_be_predicted_again_and_says_so(old: Path) -> None:
    from inference.rerun import session_face, session_voice

    with pytest.raises(BadInput, match="384 states of the voice in place of 1024; analyse"):
        list(session_voice(Session(old)))
    with pytest.raises(BadInput, match="without the measures of the face; analyse"):
        list(session_face(Session(old)))
