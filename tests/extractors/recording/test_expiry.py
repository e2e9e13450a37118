from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extractors.recording.expiry import expired

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANIFEST = {"state": "complete", "recorded": BEGAN.isoformat(), "keep_days": 30}


@pytest.mark.parametrize(
    ("changed", "days", "how"),
    [
        ({}, 29.99, None),
        ({}, 30, "trash"),
        ({}, 3000, "trash"),
        ({}, -1, None),
        ({"then": "delete"}, 30, "delete"),
        ({"then": "delete"}, 29, None),
        ({"then": "burn"}, 30, "trash"),
        ({"keep_days": None}, 3000, None),
        ({"keep_days": "30"}, 3000, None),
        ({"keep_days": True}, 3000, None),
        ({"keep_days": -1}, 3000, None),
        ({"keep_days": 0}, 0, "trash"),
        ({"state": "recording"}, 3000, None),
        ({"state": "repaired"}, 30, "trash"),
        ({"recorded": None}, 3000, None),
        ({"recorded": "yesterday"}, 3000, None),
        ({"recorded": "2026-03-01T12:00:00"}, 3000, None),
    ],
)
def test_when_and_how_a_session_is_removed(
    changed: dict[str, Any], days: float, how: str | None
) -> None:
    now = BEGAN + timedelta(days=days)
    assert expired({**MANIFEST, **changed}, now) == how


def test_a_manifest_that_asks_for_nothing_stays() -> None:
    assert expired({}, BEGAN) is None
