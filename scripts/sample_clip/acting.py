"""Expression weights and head pose at each moment, from the score and the voice."""

import numpy as np
from numpy.typing import NDArray

from scripts.sample_clip.render import Pose
from scripts.sample_clip.score import BLINKS, SMILE, SURPRISE, Expression
from scripts.sample_clip.voice import RATE, Spoken, mouth_shapes

__all__ = ["act"]

Curve = NDArray[np.float64]

SPEECH_JAW = 1.4
"""Makes up for the blur between phonemes, which takes the tops off short vowels."""

CLOSING, SHUT, OPENING = 0.10, 0.04, 0.18
"""Seconds of a blink's parts; lids fall faster than they rise."""


def act(
    spoken: list[Spoken], track: NDArray[np.float32], times: Curve
) -> list[tuple[dict[str, float], Pose]]:
    """Weights by name of expression, and the pose, for each of `times` (N,) in seconds."""
    jaw, wide, rounded, pressed, bite = mouth_shapes(spoken, times).T
    jaw = SPEECH_JAW * jaw
    smile, surprise = held(SMILE, times), held(SURPRISE, times)
    lids = np.max([blink(moment, times) for moment in BLINKS], axis=0)
    gasp = held(Expression(SURPRISE.start, SURPRISE.start + 0.15, SURPRISE.ramp), times)
    closed = np.maximum(pressed, 0.8 * bite)
    curves = {
        # A smile shows the teeth, so lips that must meet take some of it back.
        "neutral": 1 - smile * (1 - 0.35 * closed),
        "jaw": np.maximum(jaw * (1 - 0.25 * smile) + 0.2 * surprise * (1 - closed), 0.9 * gasp),
        "wide": wide * (1 - smile),
        "round": rounded * (1 - 0.5 * smile),
        "pressed": pressed,
        "bite": bite * (1 - smile),
        "blink": lids * (1 - 0.15 * surprise),
        "brows": 1.15 * surprise + 0.12 * smile,
        "eyes": 1.25 * surprise * (1 - lids),
    }
    poses = head_motion(loudness(track, times), smile, surprise, times)
    names = list(curves)
    rows = zip(np.stack(list(curves.values()), axis=1).tolist(), poses, strict=True)
    return [(dict(zip(names, row, strict=True)), pose) for row, pose in rows]


def held(expression: Expression, times: Curve) -> Curve:
    """1 from start to end, smoothly from and to 0 within the ramps."""
    rise = (times - expression.start + expression.ramp) / expression.ramp
    fall = (expression.end + expression.ramp - times) / expression.ramp
    part = np.clip(np.minimum(rise, fall), 0, 1)
    curve: Curve = part * part * (3 - 2 * part)
    return curve


def blink(moment: float, times: Curve) -> Curve:
    """1 while the lids are shut around `moment`, 0 while they are open."""
    late = times - moment
    curve: Curve = np.interp(
        late, [-SHUT / 2 - CLOSING, -SHUT / 2, SHUT / 2, SHUT / 2 + OPENING], [0, 1, 1, 0]
    )
    return curve


def loudness(track: NDArray[np.float32], times: Curve, blur: float = 0.12) -> Curve:
    """Envelope of the voice, about 0 to 1, at `times`."""
    step = RATE // 100
    power = np.square(track[: track.size // step * step].reshape(-1, step)).mean(axis=1)
    reach = np.arange(-50, 51) / 100
    kernel = np.exp(-0.5 * (reach / blur) ** 2)
    smooth = np.convolve(np.sqrt(power), kernel / kernel.sum(), mode="same")
    curve: Curve = np.interp(times, np.arange(smooth.size) / 100, smooth / smooth.max())
    return curve


def head_motion(loud: Curve, smile: Curve, surprise: Curve, times: Curve) -> list[Pose]:
    """Slow sway, nods with the voice, a tilt with the smile, a start back with the surprise."""

    def sway(*waves: tuple[float, float, float]) -> Curve:
        total = [size * np.sin(2 * np.pi * (times / period + at)) for size, period, at in waves]
        curve: Curve = np.sum(total, axis=0)
        return curve

    yaw = sway((1.6, 5.3, 0.1), (0.8, 2.7, 0.6)) + 1.0 * smile
    pitch = sway((0.7, 4.1, 0.3), (0.4, 1.9, 0.0)) + 1.8 * loud * (1 - surprise) - 2.2 * surprise
    roll = sway((0.6, 6.7, 0.2), (0.3, 3.1, 0.5)) + 1.3 * smile
    across, down = sway((1.5, 7.3, 0.4)), sway((0.8, 5.9, 0.7)) + 1.0 * loud - 1.5 * surprise
    columns = np.stack([yaw, pitch, roll, across, down], axis=1).tolist()
    return [Pose(row[0], row[1], row[2], (row[3], row[4])) for row in columns]
