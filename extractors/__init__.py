"""The world as time-stamped numbers: sources, extractors, sessions."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractors.session import Session

__all__ = ["Session"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that `import extractors` alone stays instant."""
    if name == "Session":
        from extractors.session import Session

        return Session
    raise AttributeError(f"module {__name__} has no attribute {name}")
