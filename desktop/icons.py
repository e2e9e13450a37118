"""The icons, drawn as vectors in the colour of the theme."""

from PyQt6.QtCore import QByteArray, QRectF, Qt
from PyQt6.QtGui import QIcon, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

__all__ = ["SHAPES", "icon", "pixmap"]


def _line(*paths: str, more: str = "") -> str:
    """Strokes along the paths, with other shapes drawn in the same way."""
    style = 'fill="none" stroke="{c}" stroke-width="1.8" stroke-linecap="round"'
    drawn = "".join(f'<path d="{path}"/>' for path in paths)
    return f'<g {style} stroke-linejoin="round">{drawn}{more}</g>'


def _bar(x: float) -> str:
    return f'<rect fill="{{c}}" x="{x}" y="5" width="4" height="14" rx="1.2"/>'


_LOUDSPEAKER = "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z"
_RAYS = (
    "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4",
    "M18.4 5.6L17 7M7 17l-1.4 1.4",
)

SHAPES = {
    "play": '<path fill="{c}" stroke="{c}" stroke-width="1.6" stroke-linejoin="round"'
    ' d="M9 5.6v12.8L18.6 12z"/>',
    "pause": _bar(6.5) + _bar(13.5),
    "sound": _line(_LOUDSPEAKER, "M15.5 9.2a4 4 0 0 1 0 5.6", "M18 6.8a7.4 7.4 0 0 1 0 10.4"),
    "mute": _line(_LOUDSPEAKER, "M16 9.5l5 5M21 9.5l-5 5"),
    "fullscreen": _line("M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15"),
    "restore": _line("M9 4.5V9H4.5M19.5 9H15V4.5M15 19.5V15h4.5M4.5 15H9v4.5"),
    "dark": _line("M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z"),
    "light": _line(*_RAYS, more='<circle cx="12" cy="12" r="3.8"/>'),
    "menu": _line("M4.5 7h15M4.5 12h15M4.5 17h15"),
    "close": _line("M6.5 6.5l11 11M17.5 6.5l-11 11"),
    "stop": '<rect fill="{c}" x="6.5" y="6.5" width="11" height="11" rx="1.6"/>',
    "record": '<circle fill="{c}" cx="12" cy="12" r="5.5"/>',
    "camera": _line(
        "M15.5 10.5l5-3v9l-5-3z", more='<rect x="3.5" y="6.5" width="12" height="11" rx="2"/>'
    ),
    "microphone": _line(
        "M6 11.5a6 6 0 0 0 12 0M12 17.5v3",
        more='<rect x="9" y="3.5" width="6" height="11" rx="3"/>',
    ),
    "options": _line(
        "M4 7.5h8M18 7.5h2M4 16.5h2M12 16.5h8",
        more='<circle cx="15" cy="7.5" r="2.6"/><circle cx="9" cy="16.5" r="2.6"/>',
    ),
    "mark": _line("M6.5 20.5v-16h11l-2.6 4 2.6 4h-11"),
    "chip": _line(
        "M9 3.5v3M15 3.5v3M9 17.5v3M15 17.5v3M3.5 9h3M3.5 15h3M17.5 9h3M17.5 15h3",
        more='<rect x="6.5" y="6.5" width="11" height="11" rx="2"/>',
    ),
    "home": _line("M4.5 11.5L12 4.5l7.5 7M6.5 10v9.5h11V10M10.2 19.5v-5h3.6v5"),
    "people": _line(
        "M3.5 19a5.5 5.5 0 0 1 11 0M15.5 13.8A5 5 0 0 1 20.5 19",
        more='<circle cx="9" cy="8.5" r="3.4"/><circle cx="16.6" cy="9.4" r="2.6"/>',
    ),
    "repeat": _line("M6 15.5A6.5 6.5 0 1 1 8.2 18", "M6.2 11.5V15.6H10.2"),
    "alert": _line("M12 4.2l8.6 15.1H3.4z", "M12 10v4.2M12 16.7v.2"),
    "film": _line(
        "M10.3 9.2v5.6l4.6-2.8z", more='<rect x="3.5" y="5.5" width="17" height="13" rx="2"/>'
    ),
}
"""Contents of an SVG of 24 by 24; {c} stands for the colour."""


def pixmap(name: str, color: str, side: int, ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of `side` logical pixels. Raises KeyError for an unknown name."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{SHAPES[name]}</svg>'
    renderer = QSvgRenderer(QByteArray(svg.replace("{c}", color).encode()))
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return picture


def icon(name: str, color: str, side: int = 20) -> QIcon:
    """The icon for a control, sharp on dense screens too."""
    picture = QIcon()
    for ratio in (1.0, 2.0):
        picture.addPixmap(pixmap(name, color, side, ratio))
    return picture
