"""What holds for every format: nothing half-written, nothing replaced unasked, what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assets.errors import BadInput, SessionError
from desktop.cli import main
from desktop.export import FORMATS, ExportOptions, export
from extractors.session import Session
from tests.desktop.export.made_sessions import MARKS, made_session

NAMES = [entry.name for entry in FORMATS]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session(made_session(tmp_path_factory.mktemp("made") / "talk", marks=MARKS))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_one_format_may_name_its_file(name: str, session: Session, tmp_path: Path) -> None:
    ((entry, exported),) = export(session, [name], tmp_path / "deep" / "in")
    assert exported.files[0] == tmp_path / "deep" / "in" / f"talk{entry.suffix}"
    own = tmp_path / f"own{entry.suffix}"
    ((_, again),) = export(session, [name], own)
    assert again.files[0] == own
    assert all(file.stat().st_size for file in (*exported.files, *again.files))
    assert left(tmp_path) == sorted(["deep", *(file.name for file in again.files)])


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        (["csv", "vtt"], "x.csv is the name of one file, and there are several; give a folder"),
        (["vtt"], "x.csv does not end in .vtt; give such a name, or a folder"),
    ],
)
def test_the_name_of_another_format_is_no_folder(
    formats: list[str], said: str, session: Session, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=said):
        export(session, formats, tmp_path / "x.csv")
    assert left(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_same_session_gives_the_same_bytes(name: str, session: Session, tmp_path: Path) -> None:
    files = export(session, [name], tmp_path)[0][1].files
    first = [file.read_bytes() for file in files]
    export(session, [name], tmp_path, ExportOptions(replace=True))
    assert [file.read_bytes() for file in files] == first


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_is_not_replaced_unasked(name: str, session: Session, tmp_path: Path) -> None:
    files = export(session, [name], tmp_path)[0][1].files
    for file in files:
        for other in files:
            other.unlink(missing_ok=True)
        file.write_text("mine")
        with pytest.raises(BadInput, match="exists; choose another --out, or give --replace"):
            export(session, [name], tmp_path)
        assert left(tmp_path) == [file.name]
        assert file.read_text() == "mine"
        export(session, [name], tmp_path, ExportOptions(replace=True))
        assert file.read_bytes() != b"mine"


@pytest.mark.parametrize("name", NAMES)
def test_an_export_that_is_cancelled_leaves_nothing(
    name: str, session: Session, tmp_path: Path
) -> None:
    def cancel(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(session, [name], tmp_path, progress=cancel)
    assert left(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_session_with_nothing_in_it_is_exported_and_says_so(name: str, tmp_path: Path) -> None:
    folder = made_session(tmp_path / "bare", words=(), seen=False, rows=1, pictures=())
    for file in ("timeline.parquet", "features/voice.parquet"):
        (folder / file).unlink()
    ((_, exported),) = export(Session(folder), [name], tmp_path / "out")
    assert exported.files[0].is_file()
    assert list(exported.missing[:6]) == [
        "no emotions", "no words", "no face", "no voice",
        "timeline.parquet is missing", "features/voice.parquet is missing",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_not_utf_8(name: str, tmp_path: Path) -> None:
    folder = made_session(tmp_path / os.fsdecode(b"talk \xff\x01"))
    ((entry, exported),) = export(Session(folder), [name], tmp_path / "out")
    assert os.fsencode(exported.files[0]).endswith(b"talk \xff\x01" + entry.suffix.encode())


def test_what_a_killed_export_left_is_cleared_up_by_the_next(
    session: Session, tmp_path: Path
) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from desktop.export import export\n"
        "from extractors import Session\n"
        "def progress(share):\n"
        "    if share > 0.1: os.kill(os.getpid(), signal.SIGKILL)\n"
        "export(Session(sys.argv[1]), ['csv'], Path(sys.argv[2]), progress=progress)\n"
    )
    words = [sys.executable, "-c", code, str(session.folder), str(tmp_path)]
    assert subprocess.run(words, check=False).returncode < 0
    assert [name[:8] for name in left(tmp_path)] == [".export-"]
    export(session, ["vtt"], tmp_path)
    assert left(tmp_path) == ["talk.vtt"]


def test_what_a_living_export_writes_is_left_alone(session: Session, tmp_path: Path) -> None:
    def progress(share: float) -> None:
        if share > 0.5:
            export(session, ["vtt"], tmp_path, ExportOptions(replace=True))

    export(session, ["csv"], tmp_path, progress=progress)
    assert {"talk.csv", "talk.voice.csv", "talk.vtt"} <= set(left(tmp_path))


def test_a_session_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    folder = made_session(tmp_path / "talk")
    for file in ("timeline.parquet", "words.jsonl", "features/voice.parquet"):
        (folder / file).unlink()
    (folder / "features" / "face.parquet").write_text("x")
    with pytest.raises(SessionError, match=r"timeline.parquet is missing"):
        export(Session(folder), ["csv"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_several_formats_from_the_command_line(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(session.folder), "--format", "srt,vtt", "xdf", "--out", str(tmp_path)]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / f"talk.{suffix}") for suffix in ("srt", "vtt", "xdf")
    ]
    assert main(words) == 2
    assert "exists; choose another --out" in capsys.readouterr().err
    assert main([*words, "--replace"]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--format", "doc"], "there is no export format 'doc'; choose from csv, parquet, vtt"),
        (["--format", "csv,"], None),
        (["--format", ","], "name at least one export format"),
        ([], "the following arguments are required: --format"),
    ],
)
def test_formats_that_make_no_sense_are_one_line(
    words: list[str],
    says: str | None,
    session: Session,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        code = main(["export", str(session.folder), "--out", str(tmp_path), *words])
    except SystemExit as left_by_the_parser:
        code = int(left_by_the_parser.code or 0)
    error = capsys.readouterr().err
    assert code == (2 if says else 0)
    assert (says or "") in error
    assert error.count("\n") == (1 if says else 0)


@pytest.mark.parametrize("place", ["read only", "file", "folder"])
def test_a_place_that_cannot_be_written_is_one_line(
    place: str, session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    if place == "file":
        out.write_text("mine")
    elif place == "folder":
        (out / "talk.csv").mkdir(parents=True)
    else:
        out = Path("/proc/affectscope")
    assert main(["export", str(session.folder), "--format", "csv", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "choose another --out" in error
    assert error.count("\n") == 1


def test_no_qt_is_loaded_and_help_needs_no_numpy(session: Session, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from desktop.cli import main\n"
        "try:\n"
        "    main(['export', '--help'])\n"
        "except SystemExit:\n"
        "    assert 'numpy' not in sys.modules\n"
        "main(['export', sys.argv[1], '--format', *sys.argv[3].split(), '--out', sys.argv[2]])\n"
        "assert not [name for name in sys.modules if name.startswith(('PyQt', 'torch'))]\n"
    )
    words = [str(session.folder), str(tmp_path), " ".join(NAMES)]
    command = [sys.executable, "-X", "faulthandler", "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_words_that_can_still_be_heard_are_told_of(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(session.folder), "--out", str(tmp_path), "--no-words"]
    assert main([*words, "--format", "html"]) == 0
    assert "can still be heard" in capsys.readouterr().out
    assert main([*words, "--format", "html", "--no-voice", "--replace"]) == 0
    assert main([*words, "--format", "vtt"]) == 0
    assert "heard" not in capsys.readouterr().out
