"""Palettes and themes as plain numbers (no Qt): what every view draws with."""

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["dark", "light"]

OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999")
"""Eight hues that color-blind people tell apart (Okabe & Ito 2008); black replaced by gray."""


@dataclass(frozen=True)
class Theme:
    """Colors of the window, as ``#rrggbb``; text on its ground has a contrast of at least 4.5:1."""

    window: str
    panel: str
    canvas: str
    text: str
    muted: str
    grid: str
    accent: str
    done: str
    warning: str
    error: str


THEMES: dict[ThemeName, Theme] = {
    "dark": Theme("#1e2126", "#262a31", "#14161a", "#e8eaed", "#a3abb8", "#3a404a", "#5aa9ff", "#4cc38a", "#f0b429", "#ff7b72"),
    "light": Theme("#f3f4f6", "#ffffff", "#ffffff", "#1c1f24", "#5a6270", "#d5d9e0", "#0b5fcc", "#1a7f4b", "#8a5a00", "#c1271d"),
}
