"""The certificate of a recording: how far what was written is from when it was captured."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.straight_line import Line

__all__ = ["certificate", "file_certificate"]

HOUR = 3600.0
GAP = 1.75
"""A step between pictures this many times the usual one is where pictures are missing."""

Floats = npt.NDArray[np.float64]


def certificate(
    pictures: Iterable[Mapping[str, Floats]], sound: Iterable[Mapping[str, Floats]]
) -> dict[str, Any]:
    """What the manifest says of synchrony, from pieces of the tables `pictures` and `sound`.

    - offset_ms: how much later than the pictures the sound is in the file, against how both were
      captured; None where one of them is missing
    - worst_ms: the largest distance of a picture plus that of a block of sound from its capture
    - drift_ms_per_hour: how that offset grows; None for less than a minute
    - sound_clock_ms_per_hour: how the sound card's count runs away from the capture clock, which
      the file's times make up for
    - dropped_frames: pictures that were recorded but could not be written
    - missing_frames: pictures that never came, by the gaps between capture times
    - missing_sound_ms: silence put where sound was missing
    - cut_sound_ms: sound left out because its times overlap
    """
    shown, heard, card = Line(), Line(), Line()
    dropped, missing = 0, 0
    last, usual = math.nan, math.nan
    written_any = False
    for piece in pictures:
        time, written = piece["time"], piece["written"]
        shown.add(time, (written - time) * 1000)
        dropped += int(np.isnan(written).sum())
        written_any |= bool(np.isfinite(written).any())
        for at in time:
            step = float(at) - last
            if step > GAP * usual:
                missing += round(step / usual) - 1
            elif step > 0:
                usual = step if math.isnan(usual) else usual + 0.1 * (step - usual)
            last = float(at)
    filled, cut, first = 0.0, 0.0, True
    for piece in sound:
        start, written, shift = piece["start"], piece["written"], piece["filled"]
        heard.add(start, (written - start) * 1000)
        shift = np.nan_to_num(shift)
        if first and len(shift):
            first, shift = False, np.concatenate([[0.0], shift[1:]])  # before it began
        filled, cut = filled + shift[shift > 0].sum(), cut - shift[shift < 0].sum()
        card.add(start, (start - piece["counted"]) * 1000)
    known = heard.count + shown.count > 0
    return {
        "offset_ms": _difference(heard.mean, shown.mean),
        "worst_ms": _rounded(heard.largest + shown.largest) if known else None,
        "drift_ms_per_hour": _difference(heard.slope, shown.slope, HOUR),
        "sound_clock_ms_per_hour": _difference(card.slope, 0.0, HOUR),
        "dropped_frames": dropped if written_any else 0,
        "missing_frames": missing,
        "missing_sound_ms": _rounded(filled * 1000),
        "cut_sound_ms": _rounded(cut * 1000),
    }


def file_certificate(
    heard: Line | None, *, pictures: bool, dropped: int, missing: float, cut: float
) -> dict[str, Any]:
    """The same of an analysed file, whose pictures have the times that the container gives them.

    `heard`: milliseconds by which pieces of sound lie later than the container says, over seconds;
    None without sound. `missing` and `cut` are seconds of sound.
    """
    both = heard if pictures else None
    return {
        "offset_ms": None if both is None else _difference(both.mean, 0.0),
        "worst_ms": _rounded(0.0 if heard is None else heard.largest),
        "drift_ms_per_hour": None if both is None else _difference(both.slope, 0.0, HOUR),
        "dropped_frames": dropped,
        "missing_sound_ms": _rounded(missing * 1000),
        "cut_sound_ms": _rounded(cut * 1000),
    }


def _difference(a: float | None, b: float | None, unit: float = 1.0) -> float | None:
    return None if a is None or b is None else _rounded((a - b) * unit)


def _rounded(value: float) -> float:
    return round(float(value), 3)
