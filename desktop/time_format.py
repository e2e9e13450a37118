"""Times and numbers as the window writes them; every figure keeps its width."""

import math

__all__ = ["MINUS", "clock_text", "percent_text", "sentiment_text", "span_text"]

MINUS = "\N{MINUS SIGN}"


def clock_text(seconds: float, tenths: bool = True) -> str:
    """Position in a recording: 0:03.2, 12:00.0 or 1:02:03.4; rounded down, never negative."""
    ticks = math.floor(max(0.0, seconds) * 10 + 1e-6)
    whole, tenth = divmod(ticks, 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{tenth}" if tenths else text


def span_text(seconds: float) -> str:
    """A remaining time in words: 8 s, 2 min 05 s, 1 h 02 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, second = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {second:02} s"
    hours, minute = divmod(minutes, 60)
    return f"{hours} h {minute:02} min"


def percent_text(fraction: float) -> str:
    """62 %, with a thin no-break space."""
    return f"{round(fraction * 100)}\N{NARROW NO-BREAK SPACE}%"


def sentiment_text(value: float) -> str:
    """+1.2, −0.4, 0.0; an en dash where nothing is known."""
    if math.isnan(value):
        return "\N{EN DASH}"
    rounded = round(value, 1)
    if rounded == 0:
        return "0.0"
    return f"+{rounded:.1f}" if rounded > 0 else f"{MINUS}{-rounded:.1f}"
