"""The colours of light and dark, as plain data: pictures without Qt use them too."""

from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "Theme"]


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
