"""The icons, drawn as vectors in the colour of the theme."""

from PyQt6.QtCore import QByteArray, QRectF, Qt
from PyQt6.QtGui import QIcon, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

__all__ = ["SHAPES", "icon", "pixmap"]

_LINE = 'fill="none" stroke="{c}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"'

SHAPES = {
    "play": '<path fill="{c}" d="M8 5.2v13.6c0 .6.7 1 1.2.7l10.6-6.8c.5-.3.5-1.1 0-1.4L9.2 4.5C8.7 4.2 8 4.6 8 5.2z"/>',
    "pause": '<rect fill="{c}" x="6.5" y="5" width="4" height="14" rx="1.2"/>'
    '<rect fill="{c}" x="13.5" y="5" width="4" height="14" rx="1.2"/>',
    "sound": f'<path {_LINE} d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9.2a4 4 0 0 1 0 5.6M18 6.8a7.4 7.4 0 0 1 0 10.4"/>',
    "mute": f'<path {_LINE} d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5"/>',
    "fullscreen": f'<path {_LINE} d="M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15"/>',
    "restore": f'<path {_LINE} d="M9 4.5V9H4.5M19.5 9H15V4.5M15 19.5V15h4.5M4.5 15H9v4.5"/>',
    "open": f'<path {_LINE} d="M3.5 18.5v-12c0-.6.4-1 1-1h4.6l2 2.5h7.4c.6 0 1 .4 1 1v9.5c0 .6-.4 1-1 1h-14c-.6 0-1-.4-1-1z"/>',
    "dark": f'<path {_LINE} d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z"/>',
    "light": f'<circle {_LINE} cx="12" cy="12" r="3.8"/><path {_LINE} d="M12 3v2M12 19v2M3 12h2M19 12h2'
    'M5.6 5.6L7 7M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4"/>',
    "menu": f'<path {_LINE} d="M4.5 7h15M4.5 12h15M4.5 17h15"/>',
    "close": f'<path {_LINE} d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
    "alert": f'<path {_LINE} d="M12 4.2l8.6 15.1H3.4zM12 10v4.2"/><circle fill="{{c}}" cx="12" cy="16.9" r="1.1"/>',
    "film": f'<rect {_LINE} x="3.5" y="5.5" width="17" height="13" rx="2"/>'
    f'<path {_LINE} d="M10.3 9.2v5.6l4.6-2.8z"/>',
}  # fmt: skip
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
