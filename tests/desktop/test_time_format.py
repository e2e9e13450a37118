import math

import pytest

from desktop.time_format import clock_text, sentiment_text, span_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (3.2, "0:03.2"), (59.99, "0:59.9"), (754.3, "12:34.3"), (3723.4, "1:02:03.4")],
)
def test_clock_rounds_down_and_never_shows_sixty_seconds(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_spans_and_signs() -> None:
    assert [span_text(s) for s in (7.6, 125, 3720)] == ["8 s", "2 min 05 s", "1 h 02 min"]
    assert [sentiment_text(v) for v in (1.24, -0.4, -0.04, math.nan)] == [
        "+1.2",
        "−0.4",
        "0.0",
        "–",
    ]
