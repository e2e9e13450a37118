"""The rows of a live timeline that are in sight, with its gaps made visible."""

from dataclasses import fields

import numpy as np

from extractors.timeline import Timeline

__all__ = ["GAP", "rows_since", "with_gaps"]

GAP = 0.5
"""Seconds between rows from which on nothing was known in between: a pause, a computer asleep."""


def rows_since(timeline: Timeline, seconds: float) -> Timeline:
    """The rows from `seconds` on, with one more before, as they are now: a copy, since a running
    session corrects its rows in place."""
    first = max(0, int(np.searchsorted(timeline.time, seconds)) - 1)
    return Timeline(*(getattr(timeline, field.name)[first:].copy() for field in fields(Timeline)))


def with_gaps(timeline: Timeline) -> Timeline:
    """Put a row without any modality into each hole, so that curves break and the hole shows."""
    before = np.flatnonzero(np.diff(timeline.time) > GAP)
    if not len(before):
        return timeline
    columns = {
        field.name: np.insert(
            getattr(timeline, field.name), before + 1, getattr(timeline, field.name)[before], axis=0
        )
        for field in fields(Timeline)
    }
    holes = before + 1 + np.arange(len(before))
    columns["time"][holes] += GAP / 2
    columns["present"][holes] = False
    columns["sentiment"][holes] = np.nan
    columns["uncertainty"][holes] = 1.0
    return Timeline(**columns)
