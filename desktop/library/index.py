"""An index of a folder of sessions in SQLite: words, dates, markers, emotion peaks.

Nothing is only in the index: it is made from the folders, brought up to date by `refresh`, and made
anew when it is missing, damaged or of another version.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from assets.errors import BadInput, SessionError
from desktop.export.legible import legible
from desktop.export.material import Stretch
from desktop.export.subtitles import cues
from desktop.interruption import interruption_of
from desktop.library.places import index_file
from desktop.library.session_folder import NOTES, notes_of
from extractors.features import EMOTIONS
from extractors.session import Session
from extractors.session_layout import MANIFEST
from extractors.session_writer import is_session
from extractors.stream import to_seconds
from extractors.timeline import Timeline

__all__ = ["PEAK", "Entry", "Hit", "Library", "Peak", "Query", "peaks"]

VERSION = 2
"""Of the tables below; another one is made anew."""
PEAK = 0.5
"""An emotion peaks where it is above this; the highest point of each such stretch is kept."""
WATCHED = (MANIFEST, "timeline.parquet", "words.jsonl", "markers.jsonl", NOTES)
"""Files of a session whose change means that it is read again."""

TABLES = """
CREATE TABLE session (
    id INTEGER PRIMARY KEY, folder BLOB UNIQUE NOT NULL, stamp TEXT NOT NULL, title TEXT NOT NULL,
    began REAL, duration REAL NOT NULL, words INTEGER NOT NULL, markers INTEGER NOT NULL,
    strongest TEXT, notes TEXT NOT NULL, problem TEXT, interruption TEXT
);
CREATE TABLE marker (session INTEGER NOT NULL, time REAL NOT NULL, label TEXT NOT NULL);
CREATE TABLE peak (
    session INTEGER NOT NULL, emotion TEXT NOT NULL, time REAL NOT NULL, probability REAL NOT NULL
);
CREATE INDEX marker_of ON marker (session);
CREATE INDEX peak_of ON peak (session, emotion);
CREATE VIRTUAL TABLE spoken USING fts5 (
    text, session UNINDEXED, time UNINDEXED, tokenize = "unicode61 remove_diacritics 2"
);
"""


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest point of an emotion in one stretch above `PEAK`."""

    emotion: str
    time: float
    """Seconds of session time."""
    probability: float


@dataclass(frozen=True, slots=True)
class Hit:
    """What in a session matches the query: words as spoken, a marker or a peak."""

    time: float
    """Seconds of session time."""
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; all conditions hold together, and an empty one holds always."""

    words: str = ""
    """Each a word, or its beginning, that was spoken; all of them within one sentence."""
    since: date | None = None
    until: date | None = None
    """The last day that counts, in local time; sessions without a date have none."""
    marker: str = ""
    """Part of a marker's label, in any case."""
    emotion: str | None = None
    """One that peaks at `least` or higher."""
    least: float = PEAK

    def __post_init__(self) -> None:
        if self.emotion is not None and self.emotion not in EMOTIONS:
            raise BadInput(
                f"there is no emotion {self.emotion!r}; choose from {', '.join(EMOTIONS)}"
            )


@dataclass(frozen=True, slots=True)
class Entry:
    """One session of the library."""

    folder: Path
    title: str
    began: datetime | None
    """When it was recorded or, for an analysed file, analysed; in local time."""
    duration: float
    words: int
    markers: int
    strongest: str | None
    """The emotion with the highest mean."""
    notes: str
    problem: str | None
    """Why it cannot be read, or what of it cannot; None if it is whole."""
    hits: tuple[Hit, ...] = ()
    """Where the query was found, in the order of time."""
    interruption: str | None = None
    """When and why the recording was cut off and what is lost, in one line; None if it was not."""


class Library:
    """The sessions in a folder, as a context manager. Used by one thread."""

    def __init__(self, folder: Path, index: Path | None = None) -> None:
        """Open the index, by default in the user's cache. Raises BadInput."""
        self.folder = folder
        self._index = index or index_file(folder)
        self._base: sqlite3.Connection = self._open()

    def refresh(self) -> int:
        """Read what is new or has changed, forget what is gone. Returns how many were read."""
        with self._base:
            known = {
                os.fsdecode(name): (number, stamp)
                for number, name, stamp in self._base.execute(
                    "SELECT id, folder, stamp FROM session"
                )
            }
            read = 0
            for name, stamp in self._present():
                number, before = known.pop(name, (None, ""))
                if stamp != before:
                    self._forget(number)
                    self._read(name, stamp)
                    read += 1
            for number, _ in known.values():
                self._forget(number)
        return read

    def rebuild(self) -> int:
        """Make the index anew from the folders. Returns how many sessions there are."""
        self._base.close()
        self._index.unlink(missing_ok=True)
        self._base = self._open()
        return self.refresh()

    def find(self, query: Query | None = None) -> list[Entry]:
        """The sessions that match, the newest first; without a query, all."""
        query = query or Query()
        conditions, values = ["1"], list[object]()
        if query.since is not None:
            conditions.append("began >= ?")
            values.append(_midnight(query.since))
        if query.until is not None:
            conditions.append("began < ?")
            values.append(_midnight(query.until + timedelta(days=1)))
        rows = self._base.execute(
            "SELECT id, folder, title, began, duration, words, markers, strongest, notes, problem,"
            f" interruption FROM session WHERE {' AND '.join(conditions)}"
            " ORDER BY began DESC, title",
            values,
        ).fetchall()
        hits = self._hits(query)
        found = []
        for (
            number,
            folder,
            title,
            began,
            duration,
            words,
            markers,
            strongest,
            notes,
            problem,
            interruption,
        ) in rows:
            if hits is None or number in hits:
                when = None if began is None else datetime.fromtimestamp(began, UTC).astimezone()
                place = self.folder / os.fsdecode(folder)
                where = sorted((hits or {}).get(number, ()), key=lambda hit: hit.time)
                entry = Entry(
                    place, title, when, duration, words, markers, strongest, notes, problem,
                    tuple(where), interruption,
                )  # fmt: skip
                found.append(entry)
        return found

    def peaks_of(self, folder: Path) -> tuple[Peak, ...]:
        """The peaks of one session in the order of time; none if it is not in the index."""
        rows = self._base.execute(
            "SELECT emotion, time, probability FROM peak JOIN session ON session.id = peak.session"
            " WHERE folder = ? ORDER BY time",
            (os.fsencode(folder.name),),
        )
        return tuple(Peak(*row) for row in rows)

    def close(self) -> None:
        """Close the index. Twice does no harm."""
        self._base.close()

    def __enter__(self) -> "Library":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hits(self, query: Query) -> dict[int, list[Hit]] | None:
        """Where each session matches all that is looked for; None if that is nothing."""
        words = _all_words(query.words)
        found: dict[int, list[Hit]] | None = None
        for wanted, sql, values in (
            (words, "SELECT session, time, text FROM spoken WHERE spoken MATCH ?", [words]),
            (
                query.marker,
                "SELECT session, time, label FROM marker WHERE instr(casefold(label), ?)",
                [query.marker.casefold()],
            ),
            (
                query.emotion,
                "SELECT session, time, emotion || ' ' || CAST(round(100 * probability) AS INTEGER)"
                " || ' %' FROM peak WHERE emotion = ? AND probability >= ?",
                [query.emotion, query.least],
            ),
        ):
            if not wanted:
                continue
            here: dict[int, list[Hit]] = {}
            for number, at, text in self._base.execute(sql, values):
                here.setdefault(number, []).append(Hit(at, text))
            if found is not None:
                here = {number: found[number] + here[number] for number in found if number in here}
            found = here
        return found

    def _open(self) -> sqlite3.Connection:
        """The index, made anew if it is damaged or of another version."""
        try:
            self._index.parent.mkdir(parents=True, exist_ok=True)
            for _ in range(2):
                base = sqlite3.connect(self._index, timeout=10.0)
                # SQLite's own lower() knows the letters of ASCII alone
                base.create_function("casefold", 1, str.casefold, deterministic=True)
                try:
                    if base.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                        base.execute("SELECT count(*) FROM session").fetchone()
                        return base
                except sqlite3.DatabaseError:
                    pass
                base.close()
                self._make()
            raise BadInput(f"the index {self._index} cannot be used; delete it")
        except (OSError, sqlite3.Error) as error:
            raise BadInput(f"cannot open the index {self._index}: {error}") from error

    def _make(self) -> None:
        for ending in ("", "-journal", "-wal", "-shm"):
            Path(f"{self._index}{ending}").unlink(missing_ok=True)
        with closing(sqlite3.connect(self._index)) as base, base:
            base.executescript(TABLES)
            base.execute(f"PRAGMA user_version = {VERSION}")

    def _present(self) -> Iterator[tuple[str, str]]:
        """Name and stamp of each session that is there. Raises BadInput without the folder."""
        try:
            folders = sorted(self.folder.iterdir()) if self.folder.exists() else []
        except OSError as error:
            raise BadInput(f"{self.folder} cannot be read: {error.strerror or error}") from error
        for folder in folders:
            if not folder.name.startswith(".") and is_session(folder):
                yield folder.name, _stamp(folder)

    def _forget(self, number: int | None) -> None:
        for table, column in (
            ("spoken", "session"), ("marker", "session"), ("peak", "session"), ("session", "id"),
        ):  # fmt: skip
            self._base.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))

    def _read(self, name: str, stamp: str) -> None:
        folder = self.folder / name
        problem = interruption = None
        try:
            session = Session(folder)
            timeline, words, markers = session.timeline, session.words, session.markers
            title, duration, began = session.title, session.duration, session.began
            problem = "; ".join(session.problems) or None
            interruption = interruption_of(session)
        except SessionError as error:
            title, duration, began, problem = name, 0.0, None, str(error)
            timeline, words, markers = Timeline.empty(), (), ()
        when = _made(folder) if began is None else began.timestamp()
        number = self._base.execute(
            "INSERT INTO session (folder, stamp, title, began, duration, words, markers, strongest,"
            " notes, problem, interruption) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                os.fsencode(name), stamp, legible(title), when, duration, len(words), len(markers),
                _strongest(timeline), notes_of(folder), problem and legible(problem), interruption,
            ),
        ).lastrowid  # fmt: skip
        spoken = [Stretch(to_seconds(w.start), to_seconds(w.end), legible(w.text)) for w in words]
        self._base.executemany(
            "INSERT INTO spoken (text, session, time) VALUES (?, ?, ?)",
            [(" ".join(w.label for w in cue), number, cue[0].start) for cue in cues(spoken)],
        )
        self._base.executemany(
            "INSERT INTO marker VALUES (?, ?, ?)",
            [(number, m["time"], legible(str(m.get("label") or ""))) for m in markers],
        )
        self._base.executemany(
            "INSERT INTO peak VALUES (?, ?, ?, ?)",
            [(number, peak.emotion, peak.time, peak.probability) for peak in peaks(timeline)],
        )


def peaks(timeline: Timeline, least: float = PEAK) -> list[Peak]:
    """The highest point of each stretch in which an emotion is above `least`."""
    found = []
    for index, emotion in enumerate(EMOTIONS):
        values = np.where(timeline.known, timeline.emotions[:, index], 0.0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], values > least, [0]])))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            at = begin + int(values[begin:end].argmax())
            found.append(Peak(emotion, float(timeline.time[at]), float(values[at])))
    return sorted(found, key=lambda peak: peak.time)


def _strongest(timeline: Timeline) -> str | None:
    known = timeline.emotions[timeline.known]
    return EMOTIONS[int(known.mean(axis=0).argmax())] if len(known) else None


def _all_words(text: str) -> str:
    """A query of FTS5 for all words, or their beginnings, whatever signs they hold."""
    quoted: Sequence[str] = [word.replace('"', '""') for word in legible(text).split()]
    return " ".join(f'"{word}" *' for word in quoted if any(c.isalnum() for c in word))


def _midnight(day: date) -> float:
    return datetime.combine(day, time()).astimezone().timestamp()


def _made(folder: Path) -> float:
    """When a session without a date was made: that of its timeline, which nobody writes again."""
    for name in ("timeline.parquet", MANIFEST):
        with suppress(OSError):
            return (folder / name).stat().st_mtime
    return 0.0


def _stamp(folder: Path) -> str:
    """Changes when a watched file does."""
    parts = []
    for name in WATCHED:
        try:
            found = (folder / name).stat()
            parts.append(f"{found.st_size}.{found.st_mtime_ns}.{found.st_ino}")
        except OSError:
            parts.append("-")
    return " ".join(parts)
