"""The error tree: every error raised on purpose derives from `AffectscopeError`."""

__all__ = [
    "AffectscopeError",
    "BadInput",
    "ModelFileError",
    "SessionError",
    "StreamError",
    "one_line",
]


def one_line(error: BaseException) -> str:
    """The kind and the text of an error, 200 characters at most."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


class AffectscopeError(Exception):
    """Root of the tree. Its text is one line fit to be shown to a person."""


class BadInput(AffectscopeError):
    """Something the caller can put right: a file, an option, a place to write. Exit code 2."""


class ModelFileError(BadInput):
    """A pretrained file or checkpoint is missing, damaged or of another version."""


class SessionError(BadInput):
    """A session folder cannot be read or written."""


class StreamError(AffectscopeError):
    """A channel or worker of the stream core was used wrongly or could not go on."""
