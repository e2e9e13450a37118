"""Expressions as displacements of the mesh, in the manner of linear blendshapes.

Lengths are hundredths of the face's height, along the line of the eyes (x, to the picture's right)
and down the face (y). Each expression names the displacement of a few landmarks; a thin-plate
spline carries it to all the others. `neutral` undoes the portrait's own smile; every other
expression is added to that.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from scripts.sample_clip.portrait import LEFT_EYE, OVAL, RIGHT_EYE, Portrait

__all__ = ["NAMES", "displacements", "face_axes"]

NAMES = ("neutral", "jaw", "wide", "round", "pressed", "bite", "blink", "brows", "eyes")

OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
BROWS = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
FOREHEAD = (10, 151, 109, 108, 69, 104, 68, 67, 103, 54, 338, 337, 299, 333, 298, 297, 332, 284)
NOSE = (1, 2, 4, 5, 6, 168, 98, 327, 129, 358, 197, 195, 64, 294)
CHIN = {152: 1.0, 148: 0.98, 377: 0.98, 176: 0.9, 400: 0.9, 149: 0.78, 378: 0.78, 150: 0.62}
CHIN |= {379: 0.62, 136: 0.46, 365: 0.46, 172: 0.32, 397: 0.32, 58: 0.16, 288: 0.16, 132: 0.05}
CHIN |= {361: 0.05, 199: 1.0, 200: 1.0, 18: 1.0}

# Rings of the lids from the lashes outward, matched to the contour's upper and lower half.
UPPER_RINGS = (
    (247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414),
    (113, 225, 224, 223, 222, 221, 189, 342, 445, 444, 443, 442, 441, 413),
)
LOWER_RING = (25, 110, 24, 23, 22, 26, 112, 255, 339, 254, 253, 252, 256, 341)

RELAXED_THICKNESS = {OUTER_UPPER: 3.8, OUTER_LOWER: -5.4, INNER_UPPER: 0.0, INNER_LOWER: 0.0}
"""From each contour down to the line between the relaxed lips, at the middle."""

Shifts = dict[int, tuple[float, float]]


def face_axes(portrait: Portrait) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origin between the mouth's corners (2,), and the axes (2, 2) as rows, one unit long each."""
    p = portrait.points
    right = (p[263] - p[33]) / np.linalg.norm(p[263] - p[33])
    unit = np.linalg.norm(p[152] - p[10]) / 100.0
    return (p[61] + p[291]) / 2, np.array([right, [-right[1], right[0]]]) * unit


def displacements(portrait: Portrait) -> NDArray[np.float64]:
    """Displacement (E, V, 2) in pixels of every mesh point for each of `NAMES` in full."""
    origin, axes = face_axes(portrait)
    local = (portrait.points - origin) @ np.linalg.inv(axes)
    makers = {
        "neutral": neutral,
        "jaw": jaw,
        "wide": wide,
        "round": rounded,
        "pressed": pressed,
        "bite": bite,
        "blink": blink,
        "brows": brows,
        "eyes": eyes,
    }
    return np.stack([spread(local, makers[name](local)) @ axes for name in NAMES])


def spread(local: NDArray[np.float64], shifts: Shifts) -> NDArray[np.float64]:
    """Carry the named shifts to all points (V, 2), still where nothing is named."""
    still = [i for i in (*OVAL, *NOSE) if i not in shifts]
    far = [i for i in range(468, len(local)) if np.linalg.norm(local[i] + (0, 15)) > 75]
    fixed = [*still, *far]
    named = list(shifts)
    values = np.vstack([np.array([shifts[i] for i in named]), np.zeros((len(fixed), 2))])
    carry = RBFInterpolator(local[[*named, *fixed]], values, kernel="thin_plate_spline")
    moved: NDArray[np.float64] = carry(local)
    moved[far] = 0.0
    return moved


def still_eyes() -> Shifts:
    """Eyes and brows held where they are, for expressions of the lower face."""
    rings = (*RIGHT_EYE, *LEFT_EYE, *UPPER_RINGS[0], *LOWER_RING, *BROWS)
    return dict.fromkeys(rings, (0.0, 0.0))


def still_mouth() -> Shifts:
    """The mouth held where it is, for expressions of the upper face."""
    return dict.fromkeys((*OUTER_UPPER, *OUTER_LOWER, *INNER_UPPER, *INNER_LOWER), (0.0, 0.0))


def across(count: int = 11) -> NDArray[np.float64]:
    """Place along the lips from -1 (the person's right corner) to 1, as lip landmarks lie."""
    return np.sin(np.linspace(-np.pi / 2, np.pi / 2, count))


def neutral(local: NDArray[np.float64]) -> Shifts:
    """Closed, relaxed lips in place of the portrait's broad smile; cheeks come down."""
    t = across()
    half, line = 15.2, 6.0 - 0.5 * t**2
    bow = 3.9 * (1 - np.abs(t) ** 2.2) - 0.5 * np.exp(-((t / 0.16) ** 2))
    full = 5.4 * (1 - np.abs(t) ** 2.4)
    lips = {
        OUTER_UPPER: (half * t, line - bow),
        OUTER_LOWER: (half * t, line + full),
        INNER_UPPER: (0.95 * half * t, line - 0.05),
        INNER_LOWER: (0.95 * half * t, line + 0.05),
    }
    shifts = still_eyes()
    for ring, (x, y) in lips.items():
        for place, i in enumerate(ring):
            shifts[i] = (x[place] - local[i, 0], y[place] - local[i, 1])
    for i, side in ((205, 1), (425, -1), (187, 1), (411, -1), (206, 1), (426, -1)):
        shifts[i] = (1.0 * side, 1.8)
    for i in (50, 280):
        shifts[i] = (0.0, 1.2)
    for i in LOWER_RING:
        shifts[i] = (0.0, 0.5)
    return shifts


def jaw(_: NDArray[np.float64]) -> Shifts:
    """The jaw drops by 11, lips part; the corners come in a little."""
    t, drop = across(), 11.0
    shifts = still_eyes()
    for place, i in enumerate(OUTER_UPPER):
        shifts[i] = (-1.6 * t[place], 0.30 * drop * abs(t[place]) ** 3 - 0.5)
    for place, i in enumerate(INNER_UPPER):
        shifts[i] = (-1.6 * t[place], 0.30 * drop * abs(t[place]) ** 3 - 0.6)
    for place, i in enumerate(OUTER_LOWER):
        shifts[i] = (-1.6 * t[place], drop * (0.30 + 0.70 * (1 - t[place] ** 4)))
    for place, i in enumerate(INNER_LOWER):
        shifts[i] = (-1.6 * t[place], drop * (0.30 + 0.68 * (1 - t[place] ** 2)))
    shifts[61] = shifts[78] = (1.6, 0.3 * drop)
    shifts[291] = shifts[308] = (-1.6, 0.3 * drop)
    shifts |= {i: (0.0, drop * share) for i, share in CHIN.items()}
    return shifts


def wide(_: NDArray[np.float64]) -> Shifts:
    """Corners drawn apart, as in "ee"; the lips grow a little thinner."""
    return along_lips(out=2.4, lift=0.5, thin=0.05)


def rounded(_: NDArray[np.float64]) -> Shifts:
    """Corners brought together, as in "oo"; the lips grow fuller and part."""
    return along_lips(out=-4.2, thin=-0.18, part=1.3)


def pressed(_: NDArray[np.float64]) -> Shifts:
    """Lips pressed together, as in "m"."""
    return along_lips(out=0.4, thin=0.25)


def bite(_: NDArray[np.float64]) -> Shifts:
    """The lower lip under the upper teeth, as in "f"."""
    shifts = along_lips()
    t = across()
    for place, i in enumerate(INNER_UPPER):
        shifts[i] = (0.0, -0.9 * (1 - t[place] ** 2))
    for place, i in enumerate(OUTER_UPPER):
        shifts[i] = (0.0, -0.9 * (1 - t[place] ** 2))
    for place, i in enumerate(OUTER_LOWER):
        shifts[i] = (0.0, -1.0 * (1 - t[place] ** 2))
    return shifts


def along_lips(out: float = 0.0, lift: float = 0.0, thin: float = 0.0, part: float = 0.0) -> Shifts:
    """Move the corners `out` and up by `lift`, thin the lips by a share, part them by a length."""
    t = across()
    middle = 1 - t**2
    shifts = still_eyes()
    for ring, thickness in RELAXED_THICKNESS.items():
        away = part if ring in (OUTER_LOWER, INNER_LOWER) else -part
        x, y = out * t, (away + thin * thickness) * middle - lift * t**2
        shifts |= {i: (float(x[place]), float(y[place])) for place, i in enumerate(ring)}
    shifts |= {i: (0.0, 0.0) for i in CHIN if i not in (18, 200)}
    return shifts


def blink(local: NDArray[np.float64]) -> Shifts:
    """Upper lids come down to the lower ones; the skin above follows less and less."""
    shifts = dict.fromkeys((*BROWS, *FOREHEAD), (0.0, 0.0)) | still_mouth()
    upper = (*RIGHT_EYE[1:8], *LEFT_EYE[1:8])
    lower = (*RIGHT_EYE[:8:-1], *LEFT_EYE[:8:-1])
    for near, far, above, over in zip(upper, lower, *UPPER_RINGS, strict=True):
        fall = 1.05 * (local[far] - local[near])
        shifts[near] = (0.0, float(fall[1]))
        shifts[far] = (0.0, 0.0)
        shifts[above] = (0.0, float(0.72 * fall[1]))
        shifts[over] = (0.0, float(0.16 * fall[1]))
    shifts |= dict.fromkeys((*LOWER_RING, 33, 133, 263, 362), (0.0, 0.0))
    return shifts


def brows(local: NDArray[np.float64]) -> Shifts:
    """Brows go up by 5, the forehead's skin with them."""
    shifts = still_mouth() | dict.fromkeys((*RIGHT_EYE, *LEFT_EYE, *LOWER_RING), (0.0, 0.0))
    shifts |= dict.fromkeys(BROWS, (0.0, -5.0))
    shifts |= dict.fromkeys(UPPER_RINGS[1], (0.0, -2.6))
    for i in FOREHEAD:
        shifts[i] = (0.0, -5.0 * float(np.clip((local[i, 1] + 66) / 18, 0, 1)))
    return shifts


def eyes(_: NDArray[np.float64]) -> Shifts:
    """Eyes open wide: upper lids up by 1.5, lower lids down by 0.5."""
    shifts = still_mouth() | dict.fromkeys((*BROWS, *FOREHEAD), (0.0, 0.0))
    shifts |= dict.fromkeys((33, 133, 263, 362), (0.0, 0.0))
    shifts |= dict.fromkeys(UPPER_RINGS[0], (0.0, -1.3))
    for ring in (RIGHT_EYE, LEFT_EYE):
        for place, i in enumerate(ring[1:8]):
            shifts[i] = (0.0, -1.5 * float(np.sin(np.pi * (place + 1) / 8)) ** 0.6)
        for place, i in enumerate(ring[9:]):
            shifts[i] = (0.0, 0.5 * float(np.sin(np.pi * (place + 1) / 8)))
    return shifts
