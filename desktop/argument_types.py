"""Words of the command line that mean a day, a number of days, a probability or pictures."""

import re
from argparse import ArgumentTypeError
from datetime import date

__all__ = ["day", "days", "days_or_forever", "picture_rate", "picture_size", "probability"]

FASTEST = 240
"""Pictures a second."""


def day(text: str) -> date:
    """A calendar day. Raises ArgumentTypeError, as all here do."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day; write it as 2026-03-01") from None


def days(text: str) -> int:
    """For how many days something is kept, one or more."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of days, 1 or more")
    return int(text)


def days_or_forever(text: str) -> int | None:
    """The same; None for "forever"."""
    return None if text == "forever" else days(text)


def probability(text: str) -> float:
    """From 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text!r} is no probability from 0 to 1")
    return value


def picture_size(text: str) -> tuple[int, int]:
    """Width and height in pixels."""
    found = re.fullmatch(r"([1-9]\d{1,3})x([1-9]\d{1,3})", text.lower())
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no size of pictures; write it as 1280x720")
    return int(found[1]), int(found[2])


def picture_rate(text: str) -> float:
    """Pictures a second."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= FASTEST:
        raise ArgumentTypeError(f"{text!r} is no number of pictures a second, 1 to {FASTEST}")
    return value
