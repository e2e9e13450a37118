import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet

from desktop.export import ExportOptions
from desktop.export.tables import export_csv, export_parquet
from extractors.features import BLENDSHAPES, EMOTIONS, MEASURES, POSE, PROSODY
from extractors.session import Session
from extractors.timeline import EDGES
from tests.desktop.export.made_sessions import MARKS, WORDS, made_session


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_timeline_as_csv_reads_back(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk", marks=MARKS))
    exported = export_csv(session, tmp_path / "out.csv")
    assert [file.name for file in exported.files] == [
        "out.csv", "out.graph.csv", "out.atoms.csv", "out.words.csv", "out.markers.csv",
        "out.face.csv", "out.voice.csv",
    ]  # fmt: skip
    assert exported.missing == ()
    found = rows(tmp_path / "out.csv")
    assert list(found[0]) == [
        "session", "time", *EMOTIONS, "sentiment", "face_present", "voice_present", "words_present",
        "uncertainty",
    ]  # fmt: skip
    assert {row["session"] for row in found} == {"talk"}
    np.testing.assert_array_equal([float(row["time"]) for row in found], session.timeline.time)
    emotions = np.array([[row[name] for name in EMOTIONS] for row in found], np.float32)
    np.testing.assert_array_equal(emotions, session.timeline.emotions)
    assert [row["sentiment"] for row in found] == ["-1.5"] * 19 + [""]
    uncertainty = [float(row["uncertainty"]) for row in found]
    np.testing.assert_allclose(uncertainty, session.timeline.uncertainty, atol=1e-6)
    assert uncertainty[-1] == 1.0 > uncertainty[0] > 0
    assert [row["face_present"] for row in found] == ["true"] * 19 + ["false"]


def test_words_and_markers_as_csv(tmp_path: Path) -> None:
    export_csv(Session(made_session(tmp_path / "talk", marks=MARKS)), tmp_path / "out.csv")
    words = rows(tmp_path / "out.words.csv")
    assert [(w["word"], float(w["start"]), float(w["end"])) for w in words] == [
        (text, round(start / 1e9, 3), round(end / 1e9, 3)) for text, start, end in WORDS
    ]
    marks = rows(tmp_path / "out.markers.csv")
    assert [(m["time"], m["label"], m["note"]) for m in marks] == [
        ("0.5", "begin", 'say "hi" & <go>'), ("2.5", "end", ""),
    ]  # fmt: skip


def table(path: Path) -> Any:
    return pyarrow.parquet.read_table(path)


def test_parquet_keeps_types_and_has_one_value_a_cell(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk"))
    files = export_parquet(session, tmp_path / "out.parquet").files
    for file in files:
        for field in table(file).schema:
            assert not pyarrow.types.is_nested(field.type), (file, field)
    face = table(tmp_path / "out.face.parquet")
    assert face.column_names == [
        "session", "time", "present", "faces", "switched", *BLENDSHAPES, *POSE, *MEASURES,
    ]  # fmt: skip
    assert str(face["time"].type) == "double"
    assert face.drop_columns(["session"]).equals(
        session.table("face").drop_columns(["landmark_row"])
    )
    voice = table(tmp_path / "out.voice.parquet")
    assert voice.column_names == ["session", "time", "present", *PROSODY]
    timeline = table(tmp_path / "out.parquet")
    assert timeline["sentiment"].null_count == 1
    assert str(timeline["face_present"].type) == "bool"


def test_graph_and_atoms_have_a_row_per_edge_and_atom(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk"))
    export_parquet(session, tmp_path / "out.parquet")
    graph = table(tmp_path / "out.graph.parquet").to_pylist()
    assert len(graph) == 20 * 2 * len(EDGES)
    assert {(r["teacher"], r["student"]) for r in graph} == set(EDGES)
    weights = {r["space"]: r["weight"] for r in graph if r["time"] == session.timeline.time[3]}
    assert weights == {"homogeneous": np.float32(1 / 6), "heterogeneous": 0.25}
    atoms = table(tmp_path / "out.atoms.parquet").to_pylist()
    assert len(atoms) == 20 * 3
    assert [(a["space"], a["atom"], a["activation"]) for a in atoms[:3]] == [
        ("homogeneous", 2, 0.5), ("homogeneous", 5, 0.25), ("heterogeneous", 2, 0.5),
    ]  # fmt: skip


def test_blanked_words_keep_their_times_only(tmp_path: Path) -> None:
    session = Session(made_session(tmp_path / "talk"))
    export_csv(session, tmp_path / "out.csv", ExportOptions(words=False))
    words = rows(tmp_path / "out.words.csv")
    assert [w["word"] for w in words] == ["___"] * len(WORDS)
    assert words[-1]["start"] == "3"
