"""What stands in a line of a session's files of JSON lines."""

from collections.abc import Callable, Mapping
from typing import Any

from extractors.features import Word
from extractors.stream import from_seconds

__all__ = ["LINE_ERRORS", "Line", "line_of", "parser_of", "word_of"]

Line = Mapping[str, Any]

LINE_ERRORS = (ValueError, KeyError, TypeError, OverflowError)
"""What the functions here, and `json.loads`, raise of a damaged line."""


def word_of(line: Any) -> Word:
    """A line of words.jsonl."""
    start, end = from_seconds(line["start"]), from_seconds(line["end"])
    return Word(str(line["word"]), start, end, float(line["probability"]))


def line_of(line: Any) -> Line:
    """A line of any other file."""
    if not isinstance(line, dict) or not isinstance(line.get("time"), int | float):
        raise ValueError("a line without a time")
    return line


def parser_of(name: str) -> Callable[[Any], Word | Line]:
    """Of the file `name`.jsonl."""
    return word_of if name == "words" else line_of
