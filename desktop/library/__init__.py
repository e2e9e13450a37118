"""The library: a folder of sessions, an index to search them, and what can be done with one.

Without Qt. Everything that is known lies in the session folders; the index can be deleted.
"""

from desktop.library.index import PEAK, Entry, Hit, Library, Peak, Query
from desktop.library.places import index_file, library_folder
from desktop.library.session_folder import move_to_trash, notes_of, rename, write_notes
from desktop.library.upkeep import delete_for_good, keep_for, look_after

__all__ = [
    "PEAK",
    "Entry",
    "Hit",
    "Library",
    "Peak",
    "Query",
    "delete_for_good",
    "index_file",
    "keep_for",
    "library_folder",
    "look_after",
    "move_to_trash",
    "notes_of",
    "rename",
    "write_notes",
]
