import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from assets.errors import SessionError
from extractors.features import EMOTIONS
from extractors.session import Session
from extractors.session_layout import FORMAT
from extractors.session_writer import LONGEST_NAME, SessionWriter, session_folder
from extractors.stream import SECOND
from extractors.timeline import EDGES
from tests.extractors import sessions

MANIFEST = {"duration": 1.0, "media": {"path": "clip.mp4", "name": "clip.mp4"}}


def write(folder: Path, mark: str = "new", rows: int = 3) -> Path:
    """A session of one second: a face in the second of three pictures, two words."""
    with SessionWriter(folder) as writer:
        assert writer.add_face(sessions.face(0, None)) == -1
        assert writer.add_face(sessions.face(SECOND // 5, 1)) == 0
        assert writer.add_face(sessions.face(2 * SECOND // 5, None)) == -1
        writer.add_voice(sessions.voice(SECOND // 10, spoken=False))
        writer.add_voice(sessions.voice(2 * SECOND // 10, spoken=True))
        writer.add_text(sessions.text(("Grüße,", 0, SECOND // 3)))
        writer.add_text(sessions.text(("Grüße,", 0, SECOND // 3), ("you", SECOND // 3, SECOND)))
        writer.add_timeline(sessions.timeline(rows), sessions.activations(rows))
        writer.add_timeline(sessions.timeline(2, known=False, first=0.8), sessions.activations(2))
        return writer.finish({**MANIFEST, "mark": mark})


def mark(folder: Path) -> str:
    return str(Session(folder).manifest["mark"])


def test_a_session_is_read_as_it_was_written(tmp_path: Path) -> None:
    session = Session(write(tmp_path / "clip"))
    expected = sessions.timeline(3)
    timeline = session.timeline
    np.testing.assert_allclose(timeline.time, [0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_array_equal(timeline.emotions[:3], expected.emotions)
    np.testing.assert_array_equal(timeline.sentiment, [-1.5, -1.5, -1.5, np.nan, np.nan])
    np.testing.assert_array_equal(timeline.present[:3], expected.present)
    np.testing.assert_array_equal(timeline.heterogeneous[:3], expected.heterogeneous)
    assert [(w.text, w.start, w.end, w.probability) for w in session.words] == [
        ("Grüße,", 0, 333_000_000, 0.75),
        ("you", 333_000_000, SECOND, 0.75),
    ]
    assert session.duration == 1.0
    assert session.media is None


def test_the_tables_have_the_columns_that_are_documented(tmp_path: Path) -> None:
    folder = write(tmp_path / "clip")
    table = pyarrow.parquet.read_table(folder / "timeline.parquet")
    edges = [f"{space}_{a}_to_{b}" for space in ("homogeneous", "heterogeneous") for a, b in EDGES]
    assert table.column_names == [
        "time", *EMOTIONS, "sentiment", "face_present", "voice_present", "words_present", *edges,
        "homogeneous_atoms", "heterogeneous_atoms",
        "homogeneous_activations", "heterogeneous_activations", "uncertainty",
    ]  # fmt: skip
    expected = sessions.timeline(3).uncertainty
    np.testing.assert_array_equal(table["uncertainty"].to_numpy()[:3], expected)
    assert table["uncertainty"].to_pylist()[3:] == [1.0, 1.0]
    assert table["sentiment"].to_pylist() == [-1.5, -1.5, -1.5, None, None]
    assert table["face_present"].to_pylist() == [True, True, True, False, False]
    assert table["homogeneous_atoms"].to_pylist() == [[2, 5]] * 5
    assert table["homogeneous_activations"].to_pylist() == [[0.5, 0.25]] * 5
    lines = (folder / "words.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {"word": "Grüße,", "start": 0, "end": 0.333, "probability": 0.75}
    voice = Session(folder).table("voice")
    assert voice["states"][0].as_py() is None
    assert voice["f0"].to_pylist() == [None, 120.0]
    assert Session(folder).table("text")["word"].to_pylist() == ["Grüße,", "you"]


def test_landmarks_are_those_of_the_newest_picture(tmp_path: Path) -> None:
    session = Session(write(tmp_path / "clip"))
    face = sessions.face(0, 1).data.landmarks
    assert face is not None
    assert session.landmarks_at(-0.1) is None
    assert session.landmarks_at(0.1) is None
    for time in (0.2, 0.39):
        found = session.landmarks_at(time)
        assert found is not None
        np.testing.assert_allclose(found, face, atol=0.00025)
    assert session.landmarks_at(5.0) is None


def test_rows_in_any_number_of_parts_are_the_same_table(tmp_path: Path) -> None:
    many = sessions.timeline(600)
    with SessionWriter(tmp_path / "whole") as writer:
        writer.add_timeline(many, sessions.activations(600))
        writer.finish(MANIFEST)
    assert len(Session(tmp_path / "whole").timeline) == 600
    with SessionWriter(tmp_path / "none") as writer:
        writer.finish(MANIFEST)
    none = Session(tmp_path / "none")
    assert (len(none.timeline), none.words, none.landmarks_at(0)) == (0, (), None)


def test_the_name_is_given_only_when_the_session_is_whole(tmp_path: Path) -> None:
    with SessionWriter(tmp_path / "clip") as writer:
        writer.add_timeline(sessions.timeline(1), sessions.activations(1))
        assert not (tmp_path / "clip").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_session_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    write(tmp_path / "clip", "old")
    with pytest.raises(ZeroDivisionError), SessionWriter(tmp_path / "clip"):
        _ = 1 / 0
    assert mark(tmp_path / "clip") == "old"
    write(tmp_path / "clip", "new")
    assert mark(tmp_path / "clip") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_the_old_session_returns_if_it_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "clip", "old")
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(SessionError, match="No space left on device"):
        write(tmp_path / "clip", "new")
    assert mark(tmp_path / "clip") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_a_link_to_a_session_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "old")
    (tmp_path / "clip").symlink_to("elsewhere")
    write(tmp_path / "clip", "new")
    assert (tmp_path / "clip").is_symlink()
    assert mark(tmp_path / "elsewhere") == "new"


@pytest.mark.parametrize("content", [None, "{}", "[]", '{"name": "a web app"}', "no json"])
def test_what_is_not_a_session_is_left_alone(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    with pytest.raises(SessionError, match=r"exists and is not a session; choose another --out"):
        SessionWriter(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    for folder in (tmp_path / "out", tmp_path / "out" / "clip"):
        with pytest.raises(SessionError, match="choose another --out") as caught:
            SessionWriter(folder)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "out").read_text() == "mine"


WRITING = """
    import os, signal, sys
    from pathlib import Path
    from extractors.session_writer import SessionWriter
    from tests.extractors import sessions
    writer = SessionWriter(Path(sys.argv[1]))
    writer.add_timeline(sessions.timeline(1), sessions.activations(1))
    print(os.getpid(), flush=True)
"""


def start(folder: Path, then: str) -> "subprocess.Popen[str]":
    code = textwrap.dedent(WRITING) + then
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def test_what_a_killed_run_left_is_cleared_up_by_the_next(tmp_path: Path) -> None:
    with start(tmp_path / "clip", "os.kill(os.getpid(), signal.SIGKILL)") as killed:
        killed.communicate(timeout=60)
    assert [path.suffix for path in tmp_path.iterdir()] == [".partial"]
    write(tmp_path / "clip")
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_what_a_living_run_writes_is_not_cleared_up(tmp_path: Path) -> None:
    with start(tmp_path / "clip", "sys.stdin.read(); writer.finish({'mark': 'other'})") as living:
        assert living.stdout is not None
        number = living.stdout.readline().strip()
        write(tmp_path / "clip", "mine")
        assert (tmp_path / f".clip.{number}.partial").is_dir()
        assert mark(tmp_path / "clip") == "mine"
        living.communicate(timeout=60)
    assert living.returncode == 0
    assert mark(tmp_path / "clip") == "other"
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_a_session_taken_away_by_a_killed_run_returns(tmp_path: Path) -> None:
    write(tmp_path / "clip", "old")
    (tmp_path / "clip").rename(tmp_path / ".clip.1.old")
    with pytest.raises(ZeroDivisionError), SessionWriter(tmp_path / "clip"):
        _ = 1 / 0
    assert mark(tmp_path / "clip") == "old"


def test_only_the_session_s_own_leftovers_are_cleared_up(tmp_path: Path) -> None:
    others = {".other.1.partial", ".clip.x.partial", ".clip.1.partial.mp4", "clip.1.partial"}
    for name in others:
        (tmp_path / name).mkdir()
    write(tmp_path / "clip")
    assert {path.name for path in tmp_path.iterdir()} == {"clip", *others}


def test_a_disk_that_fills_up_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from assets.errors import SessionError
try:
    with writer:
        for seed in range(1000):
            writer.add_face(sessions.face(seed, seed))
except SessionError as error:
    print(error)
"""
    with start(tmp_path / "clip", code) as full:
        output, _ = full.communicate(timeout=60)
    assert output.splitlines()[1:] == [
        f"cannot write the session {tmp_path / 'clip'}: File too large; choose another --out"
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_not_utf_8_is_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"clip \xff")
    with SessionWriter(tmp_path / name) as writer:
        writer.add_timeline(sessions.timeline(2), sessions.activations(2))
        writer.finish({**MANIFEST, "media": {"path": name}})
    session = Session(tmp_path / name)
    assert len(session.timeline) == 2
    assert session.manifest["media"]["path"] == name


@pytest.mark.parametrize(
    ("media", "taken", "name"),
    [
        ("a.mp4", [], "a"),
        ("a.tar.mp4", [], "a.tar"),
        ("a.mov", ["a"], "a-2"),
        ("a.mov", ["a", "a-2"], "a-3"),
        (".mp4", [], "mp4"),
        ("...", [], "session"),
        ("ü" * 120 + ".mp4", [], "ü" * (LONGEST_NAME // 2)),
    ],
)
def test_a_session_is_called_as_its_recording(media: str, taken: list[str], name: str) -> None:
    out = Path("out")
    assert session_folder(out, out / media, [out / t for t in taken]) == out / name


def damaged(path: Path, damage: str) -> None:
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.table({"other": [1]}), path)
    else:
        path.write_text("{}\n")


@pytest.mark.parametrize(
    "file",
    ["timeline.parquet", "words.jsonl", "features/face.parquet", "features/voice.parquet",
     "features/text.parquet", "features/landmarks.npy"],
)  # fmt: skip
@pytest.mark.parametrize("damage", ["gone", "cut", "foreign"])
def test_what_is_damaged_is_named_and_the_rest_is_read(
    tmp_path: Path, file: str, damage: str
) -> None:
    assert Session(write(tmp_path / "clip")).problems == ()
    damaged(tmp_path / "clip" / file, damage)
    session = Session(tmp_path / "clip")
    (problem,) = session.problems
    assert problem.startswith(file)
    assert "\n" not in problem
    assert session.problems == (problem,)
    sizes = {
        "timeline.parquet": len(session.timeline),
        "words.jsonl": len(session.words),
        "features/face.parquet": len(session.table("face")),
        "features/voice.parquet": len(session.table("voice")),
        "features/text.parquet": len(session.table("text")),
        "features/landmarks.npy": int(session.landmarks_at(0.2) is not None),
    }
    whole = {
        "timeline.parquet": 5, "words.jsonl": 2, "features/face.parquet": 3,
        "features/voice.parquet": 2, "features/text.parquet": 2, "features/landmarks.npy": 1,
    }  # fmt: skip
    lost = {file, "features/landmarks.npy"} if "face" in file else {file}
    left = 1 if (file, damage) == ("words.jsonl", "cut") else 0
    assert sizes == {name: left if name in lost else size for name, size in whole.items()}


@pytest.mark.parametrize("content", ["no json", "[]", "", None])
def test_a_session_without_its_manifest_is_read(tmp_path: Path, content: str | None) -> None:
    manifest = write(tmp_path / "clip") / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    session = Session(tmp_path / "clip")
    assert (len(session.timeline), session.title, session.media) == (5, "clip", None)
    assert session.duration == 1.0
    first, second = session.problems
    assert first.startswith("manifest.json is ")
    assert second == "manifest.json has no duration"


def test_a_newer_version_shows_what_is_known(tmp_path: Path) -> None:
    manifest = write(tmp_path / "clip") / "manifest.json"
    manifest.write_text(manifest.read_text().replace(FORMAT, "affectscope-session-9"))
    session = Session(tmp_path / "clip")
    assert session.problems == ("manifest.json is of the newer format 9: what 2 knows is shown",)
    assert len(session.timeline) == 5


def test_version_1_still_opens(tmp_path: Path) -> None:
    manifest = write(tmp_path / "clip") / "manifest.json"
    manifest.write_text(manifest.read_text().replace(FORMAT, "affectscope-session-1"))
    session = Session(tmp_path / "clip")
    assert session.problems == ()
    assert (session.began, session.markers, session.duration) == (None, (), 1.0)


def test_times_that_go_backwards_are_sorted_and_named(tmp_path: Path) -> None:
    with SessionWriter(tmp_path / "clip") as writer:
        for first in (0.2, 1.0, 0.6):
            writer.add_timeline(sessions.timeline(2, first=first), sessions.activations(2))
        writer.add_text(sessions.text(("b", SECOND, 2 * SECOND)))
        writer.add_text(sessions.text(("a", 0, SECOND)))
        writer.finish(MANIFEST)
    session = Session(tmp_path / "clip")
    np.testing.assert_allclose(session.timeline.time, [0.2, 0.4, 0.6, 0.8, 1.0, 1.2])
    assert [word.text for word in session.words] == ["a", "b"]
    assert session.problems == (
        "timeline.parquet has times that go backwards; its rows are sorted",
        "words.jsonl has times that go backwards; they are sorted",
        "features/text.parquet has times that go backwards; its rows are sorted",
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not a session"),
        ("no json", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "has format None"),
        ('{"format": "other-1"}', "has format other-1"),
    ],
)
def test_what_cannot_be_read_as_a_session_is_refused(
    tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(SessionError, match=says) as caught:
        Session(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_file_is_no_session(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"x")
    with pytest.raises(SessionError, match=r"clip\.mp4 is a file and not a session"):
        Session(file)


def test_a_manifest_that_lacks_something_is_read(tmp_path: Path) -> None:
    manifest = write(tmp_path / "clip") / "manifest.json"
    manifest.write_text('{"format": "affectscope-session-1", "media": 3}')
    session = Session(tmp_path / "clip")
    assert (session.media, session.title, session.duration) == (None, "clip", 1.0)
    assert session.problems == ("manifest.json has no duration",)
