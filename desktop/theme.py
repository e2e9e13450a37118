"""Two sets of colours, one grid, one type scale."""

from dataclasses import dataclass

from PyQt6.QtGui import QColor, QFont, QPalette

__all__ = ["DARK", "GRID", "LIGHT", "RADIUS", "Theme", "figures", "heading", "palette", "scaled"]

GRID = 8
"""Distances are multiples of this many pixels."""

RADIUS = 8
"""Roundness of cards, in pixels."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as #rrggbb.

    The emotions start from the palette of Okabe and Ito (2008), moved until, under normal sight and
    the three dichromacies (Machado, Oliveira and Fernandes, 2009), every two differ by at least
    0.09 in OKLab and each has a contrast of 3 to the surface. Test and numbers: tests/desktop.
    """

    name: str
    dark: bool
    background: str
    surface: str
    border: str
    text: str
    muted: str
    faint: str
    accent: str
    on_accent: str
    alert: str
    alert_text: str
    emotions: tuple[str, ...]
    """In the order of `extractors.features.EMOTIONS`."""

    def emotion(self, index: int, alpha: float = 1.0) -> QColor:
        color = QColor(self.emotions[index])
        color.setAlphaF(alpha)
        return color


LIGHT = Theme(
    name="light",
    dark=False,
    background="#F3F4F7",
    surface="#FFFFFF",
    border="#DDE0E6",
    text="#1A1D23",
    muted="#596070",
    faint="#E9EBF0",
    accent="#4B4FC9",
    on_accent="#FFFFFF",
    alert="#FFF1E5",
    alert_text="#7A2E00",
    emotions=("#4F5363", "#C08905", "#003672", "#D32100", "#AC5990", "#037B47", "#2E9BE0"),
)

DARK = Theme(
    name="dark",
    dark=True,
    background="#131519",
    surface="#1C1F25",
    border="#2E323B",
    text="#E9EBEF",
    muted="#9EA5B3",
    faint="#292D35",
    accent="#A3A6FF",
    on_accent="#15171C",
    alert="#3A2616",
    alert_text="#FFC9A0",
    emotions=("#9C9EA9", "#F5B83D", "#3987E5", "#E5602A", "#B659AA", "#58D7A3", "#B6D7F9"),
)


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
