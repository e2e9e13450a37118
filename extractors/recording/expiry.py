"""Which sessions are to be removed by themselves.

None is unless its own manifest says after how many days.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

__all__ = ["Removal", "expired"]

Removal = Literal["trash", "delete"]
"""Into the trash, or for good."""


def expired(manifest: Mapping[str, Any], now: datetime) -> Removal | None:
    """How a session is to be removed at `now` (with a time zone); None if it stays.

    A session stays while it is being recorded, without a whole number of `keep_days`, and without a
    time at which it was recorded, or one that has not come yet: a clock that is wrong deletes
    nothing that is not old by its own account.
    """
    days, recorded = manifest.get("keep_days"), manifest.get("recorded")
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        return None
    if manifest.get("state", "recording") == "recording":
        return None
    try:
        began = datetime.fromisoformat(str(recorded))
    except ValueError:
        return None
    if began.tzinfo is None or now < began + timedelta(days=days) or now < began:
        return None
    return "delete" if manifest.get("then") == "delete" else "trash"
