"""Text that every format can hold."""

__all__ = ["legible"]


def legible(text: str) -> str:
    """The text without control characters, and with "?" for what is not a whole character.

    A file name that is not UTF-8 holds halves of characters; XML allows neither.
    """
    kept = "".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\x7f\ufffe\uffff"))
    return kept.encode(errors="replace").decode()
