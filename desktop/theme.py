"""Two sets of colours, one grid, one type scale."""

from PyQt6.QtGui import QColor, QFont, QPalette

from desktop.palette import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "GRID",
    "LIGHT",
    "RADIUS",
    "Theme",
    "emotion_color",
    "figures",
    "heading",
    "palette",
    "scaled",
]

GRID = 8
"""Distances are multiples of this many pixels."""

RADIUS = 8
"""Roundness of cards, in pixels."""


def emotion_color(theme: Theme, index: int, alpha: float = 1.0) -> QColor:
    """The colour of an emotion, in the order of `extractors.features.EMOTIONS`."""
    color = QColor(theme.emotions[index])
    color.setAlphaF(alpha)
    return color


def palette(theme: Theme) -> QPalette:
    """The colours for what Qt draws by itself."""
    colors = QPalette()
    role = QPalette.ColorRole
    for which, color in (
        (role.Window, theme.background),
        (role.Base, theme.surface),
        (role.AlternateBase, theme.faint),
        (role.Button, theme.surface),
        (role.WindowText, theme.text),
        (role.Text, theme.text),
        (role.ButtonText, theme.text),
        (role.ToolTipBase, theme.surface),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.muted),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.Link, theme.accent),
    ):
        colors.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        colors.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.muted))
    return colors


def scaled(font: QFont, factor: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font at another size."""
    copy = QFont(font)
    copy.setPointSizeF(font.pointSizeF() * factor)
    copy.setWeight(weight)
    return copy


def heading(font: QFont) -> QFont:
    """For the name of a card."""
    return scaled(font, 1.0, QFont.Weight.DemiBold)


def figures(font: QFont, factor: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font with figures of equal width, so that running numbers stand still."""
    copy = scaled(font, factor, weight)
    copy.setFeature(QFont.Tag("tnum"), 1)
    return copy
