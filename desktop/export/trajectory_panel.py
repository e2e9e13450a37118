"""The trajectory as it is burnt into pictures: curves that pass a playhead, drawn by Pillow."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from desktop.export.legible import legible
from desktop.export.material import Material
from desktop.palette import DARK
from extractors.features import EMOTIONS
from extractors.stream import to_seconds

__all__ = ["TrajectoryPanel"]

Picture = npt.NDArray[np.uint8]

SPAN = 12.0
"""Seconds that are visible at once, or about so many."""
BEFORE = 8.0
"""Seconds of them that lie before the playhead."""
CHUNK = 48.0
"""Seconds by which the drawn stretches follow each other; each is 1.5 `SPAN` longer."""
FINER = 2
"""Curves are drawn so many times larger and then averaged: Pillow's lines have hard edges."""
CURVES = 0.848
"""Part of the height that curves, grid, markers and playhead may use: below it stand the words."""
LINES = (0.855, 0.925)
"""Where the two lines of words begin, in parts of the height."""
LEGEND = 0.23
"""Part of the width."""
CAPTION = "estimated expressed emotion"


class TrajectoryPanel:
    """Draws the panel of `width` by `height` pixels for any time. Used by one thread."""

    def __init__(self, found: Material, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._found = found
        self._unit = max(0.45, height / 300)
        self._curves = int(CURVES * height)
        """Pixels above the words."""
        self._strip_width = width - round(LEGEND * width)
        # whole pixels a second, so that stretches join without a seam
        self._scale = max(1, round(self._strip_width / SPAN))
        self._span = self._strip_width / self._scale
        self._chunk = lru_cache(maxsize=2)(self._draw_chunk)
        self._legend = lru_cache(maxsize=2)(self._draw_legend)

    def at(self, time: float) -> Picture:
        """uint8 [height, width, 3] for `time` seconds."""
        left = min(max(time - BEFORE, 0.0), max(0.0, self._found.duration - self._span))
        number = int(left // CHUNK)
        first = round((left - number * CHUNK) * self._scale)
        panel = np.empty((self.height, self.width, 3), np.uint8)
        strip = panel[:, : self._strip_width]
        strip[:] = self._chunk(number)[:, first : first + self._strip_width]
        playhead = min(max(0, round((time - left) * self._scale)), self._strip_width - 1)
        ahead = strip[:, playhead:]
        ahead[:] = (ahead.astype(np.uint16) + 2 * _rgb(DARK.surface).astype(np.uint16)) // 3
        thick = max(1, round(self._unit * 2))
        strip[: self._curves, max(0, playhead - thick // 2) : playhead + (thick + 1) // 2] = _rgb(
            DARK.text
        )
        row = int(np.searchsorted(self._found.timeline.time, time, side="right")) - 1
        panel[:, self._strip_width :] = self._legend(max(row, 0))
        return panel

    def _font(self, size: float) -> ImageFont.FreeTypeFont:
        return _font(max(8, round(size * self._unit)))

    def _draw_chunk(self, number: int) -> Picture:
        """uint8 [height, pixels, 3] of the seconds from `number * CHUNK` on."""
        start, seconds = number * CHUNK, CHUNK + 1.5 * SPAN
        width = round(seconds * self._scale) + 1
        image = Image.new("RGB", (FINER * width, FINER * self.height), DARK.surface)
        draw = ImageDraw.Draw(image)
        timeline = self._found.timeline
        rows = slice(
            max(0, int(np.searchsorted(timeline.time, start)) - 1),
            int(np.searchsorted(timeline.time, start + seconds)) + 1,
        )
        x = (timeline.time[rows] - start) * self._scale * FINER
        known = timeline.known[rows]
        thick = max(2, round(FINER * self._unit * 2.2))
        top, bottom = self._lane(0.11, 0.66)
        for second in range(int(seconds) + 1):
            at = second * self._scale * FINER
            draw.line([(at, 0), (at, FINER * self._curves)], DARK.faint, FINER)
        for part in (0.0, 0.5, 1.0):
            level = bottom + part * (top - bottom)
            draw.line([(0, level), (FINER * width, level)], DARK.border, FINER)
        for index in reversed(range(len(EMOTIONS))):
            y = bottom + timeline.emotions[rows, index].astype(float) * (top - bottom)
            _curve(draw, x, y, known, DARK.emotions[index], thick)
        top, bottom = self._lane(0.70, 0.84)
        middle = (top + bottom) / 2
        draw.line([(0, middle), (FINER * width, middle)], DARK.border, FINER)
        sentiment = np.clip(timeline.sentiment[rows].astype(float), -3, 3)
        y = middle - sentiment / 3 * (bottom - top) / 2
        _curve(draw, x, y, known & np.isfinite(y), DARK.accent, thick)
        small = image.reduce(FINER)
        self._write_words(small, start, seconds)
        return np.asarray(small)

    def _lane(self, top: float, bottom: float) -> tuple[float, float]:
        return top * self.height * FINER, bottom * self.height * FINER

    def _write_words(self, image: Image.Image, start: float, seconds: float) -> None:
        """Words in two lines below the curves, none on another, and markers across the curves."""
        draw = ImageDraw.Draw(image)
        font = self._font(17)
        ends = [-np.inf, -np.inf]
        for word in self._found.words:
            at = to_seconds(word.start) - start
            if not -2.0 <= at <= seconds:
                continue
            line = 0 if ends[0] <= max(at * self._scale, ends[1]) else 1
            x = max(at * self._scale, ends[line])
            text = legible(word.text)
            draw.text((x, LINES[line] * self.height), text, DARK.text, font)
            ends[line] = x + draw.textlength(text + " ", font)
        for mark in self._found.marks:
            x = (mark.time - start) * self._scale
            draw.line([(x, 0), (x, self._curves)], DARK.alert_text, max(1, round(self._unit)))
            draw.text((x + 4, 2), legible(mark.label), DARK.alert_text, font)

    def _draw_legend(self, row: int) -> Picture:
        """uint8 [height, legend, 3] for a row of the timeline."""
        width = self.width - self._strip_width
        image = Image.new("RGB", (width, self.height), DARK.background)
        draw = ImageDraw.Draw(image)
        font = self._font(19)
        pad = 10 * self._unit
        timeline = self._found.timeline
        there = len(timeline) > row and bool(timeline.known[row])
        step = self.height * 0.72 / len(EMOTIONS)
        bar = 0.34 * width
        for index, name in enumerate(EMOTIONS):
            y = pad + (index + 0.5) * step
            draw.text((pad, y), name, DARK.text if there else DARK.muted, font, anchor="lm")
            left, half = width * 0.46, step * 0.26
            draw.rectangle([left, y - half, left + bar, y + half], DARK.faint)
            if there:
                value = float(timeline.emotions[row, index])
                color = DARK.emotions[index]
                draw.rectangle([left, y - half, left + max(1.0, value * bar), y + half], color)
                draw.text((width - pad / 2, y), f"{value:.0%}", color, font, anchor="rm")
        text = "sentiment unknown" if there else "nothing to go by"
        if there and np.isfinite(timeline.sentiment[row]):
            text = f"sentiment {float(timeline.sentiment[row]):+.1f}"
        draw.text((pad, self.height * 0.83), text, DARK.accent, font, anchor="lm")
        draw.text((pad, self.height * 0.93), CAPTION, DARK.muted, self._font(14), anchor="lm")
        return np.asarray(image)


def _curve(
    draw: ImageDraw.ImageDraw,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    known: npt.NDArray[np.bool_],
    color: str,
    thick: int,
) -> None:
    """A line through the points that are known, with gaps between."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        points = [(float(x[i]), float(y[i])) for i in range(begin, end)]
        if len(points) > 1:
            draw.line(points, color, thick, joint="curve")


@lru_cache(maxsize=8)
def _rgb(color: str) -> Picture:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # it brings DejaVu Sans, whatever the machine has

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
