"""What is said of a recording that was cut off, in one line."""

from desktop.export.legible import legible
from desktop.time_format import clock_text
from extractors.session import Session

__all__ = ["interruption_of"]


def interruption_of(session: Session) -> str | None:
    """When it was cut off, why, and what is lost; None of a session that was not."""
    found = session.interruption
    if found is None:
        return None
    lost = ", ".join(["what came after", *found.lost])
    when = "" if found.until is None else f" at {clock_text(found.until, tenths=False)}"
    return legible(f"Cut off{when}: {found.reason}; lost: {lost}")
