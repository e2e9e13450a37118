"""What has been extracted already, by the hash of the content: one SQLite file.

Every item is stored as soon as it is done, so a run that was killed goes on where it stopped, and a
corpus to which a file was added costs that file.
"""

import hashlib
import sqlite3
from pathlib import Path
from types import TracebackType

from assets.errors import BadInput

__all__ = ["ExtractionCache", "content_key"]

BLOCK = 1 << 20


def content_key(*parts: str | Path) -> str:
    """SHA-256 over texts and the contents of files, in hexadecimal. Raises OSError for a file."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with part.open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        else:
            digest.update(part.encode())
        digest.update(b"\0")  # "ab", "c" is not "a", "bc"
    return digest.hexdigest()


class ExtractionCache:
    """Bytes by key. For one thread; a key that is stored again is replaced."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises BadInput, naming it, if that cannot be."""
        self.path = path
        try:
            self._database = sqlite3.connect(path)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, content BLOB NOT NULL)"
            )
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def get(self, key: str) -> bytes | None:
        """What is stored under the key. Raises BadInput if the file is damaged."""
        try:
            row = self._database.execute("SELECT content FROM items WHERE key = ?", [key])
            found: tuple[bytes] | None = row.fetchone()
        except sqlite3.Error as error:
            raise self._damaged(error) from error
        return None if found is None else found[0]

    def put(self, key: str, content: bytes) -> None:
        """Store at once. Raises BadInput if it cannot be, a full disk among others."""
        try:
            with self._database:
                self._database.execute("REPLACE INTO items VALUES (?, ?)", [key, content])
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.Error) -> BadInput:
        return BadInput(
            f"cannot use {self.path}, where extracted items are kept ({error}); if it is damaged, "
            "delete it"
        )

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> "ExtractionCache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
