"""Palettes and themes as plain numbers (no Qt): what every view draws with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    "dark": Theme(
        "#1e2126",
        "#262a31",
        "#14161a",
        "#e8eaed",
        "#a3abb8",
        "#3a404a",
        "#5aa9ff",
        "#4cc38a",
        "#f0b429",
        "#ff7b72",
    ),
    "light": Theme(
        "#f3f4f6",
        "#ffffff",
        "#ffffff",
        "#1c1f24",
        "#5a6270",
        "#d5d9e0",
        "#0b5fcc",
        "#1a7f4b",
        "#8a5a00",
        "#c1271d",
    ),
}


ColorTable = NDArray[np.uint8]
"""(n, 3) red, green, blue."""

TypePalette = Literal["okabe-ito", "snt", "neurom", "neuromorphovis"]
MapName = Literal["viridis", "cividis", "inferno"]

TYPE_NAMES: dict[int, str] = {
    0: "undefined",
    1: "soma",
    2: "axon",
    3: "basal dendrite",
    4: "apical dendrite",
    5: "custom",
    6: "unspecified neurite",
    7: "glia",
    31: "basal",
    41: "apical trunk",
    42: "apical tuft",
    43: "apical oblique",
}
"""Names of the SWC structure types (INCF), with DendroTweaks' finer dendrites (31, 41-43)."""

_TYPE_COLORS: dict[TypePalette, dict[int, str]] = {
    "okabe-ito": {
        1: "#E69F00", 2: "#F0E442", 3: "#009E73", 4: "#0072B2", 5: "#CC79A7",
        6: "#D55E00", 7: "#56B4E9",
        31: "#009E73", 41: "#0072B2", 42: "#56B4E9", 43: "#CC79A7",
    },
    "snt": {1: "#0000FF", 2: "#FF0000", 3: "#00FF00", 4: "#00FFFF"},
    "neurom": {1: "#000000", 2: "#0000FF", 3: "#FF0000", 4: "#A020F0"},
    "neuromorphovis": {1: "#FFD700", 2: "#3C64FF", 3: "#FF3C3C", 4: "#3CB43C"},
}  # fmt: skip

_VIRIDIS = (
    "440154470d6048186a482374472d7b4536814240863f49893b528b375a8d33638d2f6a8e2c728e297a8e26818e23898e21908c1f988b1f9f88"
    "21a68528ae8031b57b3ebc744cc26c5dc9636ece5882d34c96d83fabdc32c0df24d5e21aeae51afde725"
)
_CIVIDIS = (
    "00204d00265a002c6800306f05366e1e3c6d2c426c37476b414d6b4a536b52596c595e6d61646f686a716f70737576767c7b788482798c8879"
    "948e789c9477a49b76aca174b4a872bdaf6fc5b66ccebd68d7c463e0cb5ee9d358f2da50fbe248ffea46"
)
_INFERNO = (
    "0000040403120b0724150b37210c4a2e0a5a3c09654a0c6b57106d63146e70196e7d1e6d89226a962766a32b61af315cbb3755c63e4dd14644"
    "db4f3be35932eb6528f1711ef67f14f98d0afb9c06fcab0ffbba1ff9ca32f5d949f2e865f3f586fcffa4"
)
_MAPS: dict[MapName, str] = {"viridis": _VIRIDIS, "cividis": _CIVIDIS, "inferno": _INFERNO}
"""33 evenly spaced colors of each map (Smith, van der Walt, Nuñez; CC0), linear between them:
within 2 of 255 of the published tables, cividis within 5."""


def rgb(color: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three numbers 0..255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def hex_color(color: ArrayLike) -> str:
    """Three numbers 0..255 as ``#rrggbb``."""
    r, g, b = (int(v) for v in np.asarray(color)[:3])
    return f"#{r:02x}{g:02x}{b:02x}"


def table(colors: Sequence[str]) -> ColorTable:
    """(n, 3) of ``#rrggbb`` colors."""
    return np.array([rgb(c) for c in colors], np.uint8).reshape(-1, 3)


@cache
def color_map(name: MapName = "viridis") -> ColorTable:
    """(256, 3) of a perceptually uniform map; do not write into it."""
    knots = np.frombuffer(bytes.fromhex(_MAPS[name]), np.uint8).reshape(-1, 3)
    at = np.linspace(0, len(knots) - 1, 256)
    columns = [np.interp(at, np.arange(len(knots)), knots[:, c]) for c in range(3)]
    result = np.rint(np.stack(columns, axis=1)).astype(np.uint8)
    result.setflags(write=False)
    return result


def map_for(theme: ThemeName, name: MapName = "viridis") -> ColorTable:
    """(256, 3): the map without the end that sinks into the theme's canvas."""
    low, high = (0.14, 1.0) if theme == "dark" else (0.0, 0.9)
    full = color_map(name)
    at = np.linspace(low * 255, high * 255, 256)
    columns = [np.interp(at, np.arange(256), full[:, c]) for c in range(3)]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)


@cache
def diverging_map(theme: ThemeName, on_ground: bool = False) -> ColorTable:
    """(256, 3): blue for less, orange for more than a gray middle; do not write into it.

    ``on_ground`` has the theme's canvas in the middle: for maps without gaps.

    The ends are told apart by color-blind people, and get away from the ground as they grow.
    """
    blue, gray, orange = (
        ("#4aa8ff", "#5d636e", "#ff9a3d") if theme == "dark" else ("#0b5fcc", "#c3c8d0", "#c24a00")
    )
    gray = THEMES[theme].canvas if on_ground else gray
    ends = np.array([rgb(blue), rgb(gray), rgb(orange)], float)
    at = np.linspace(0, 2, 256)
    result = np.rint(np.stack([np.interp(at, (0, 1, 2), ends[:, c]) for c in range(3)], axis=1))
    table_ = result.astype(np.uint8)
    table_.setflags(write=False)
    return table_


def type_color(tag: int, palette: TypePalette = "okabe-ito") -> str:
    """Color of an SWC type; a user's own types get Okabe-Ito hues in turn, others gray."""
    colors = _TYPE_COLORS[palette]
    if tag in colors:
        return colors[tag]
    return "#999999" if tag <= 0 or tag in TYPE_NAMES else OKABE_ITO[tag % 7]


def type_name(tag: int) -> str:
    """``basal dendrite``; ``type 12`` for a number of the user's own."""
    return TYPE_NAMES.get(tag, f"type {tag}")


def thread_colors(k: int) -> ColorTable:
    """Colors of k threads, so that threads with neighboring numbers differ.

    Up to 8 threads are Okabe-Ito hues. Beyond, hues go round the OKLCH circle in strides of about
    0.382 turns and lightness alternates; so many are not told apart by color alone, and views add
    the number.

    Parameters
    ----------
    k : int
        Number of threads, at least 1.

    Returns
    -------
    (k, 3) uint8
    """
    if k <= len(OKABE_ITO):
        return table(OKABE_ITO[:k])
    stride = round(0.382 * k)
    while np.gcd(stride, k) != 1:
        stride += 1
    i = np.arange(k)
    hue = 2 * np.pi * (i * stride % k) / k
    lightness = np.array([0.74, 0.62, 0.84])[i % 3]
    chroma = np.array([0.13, 0.15, 0.11])[i % 3]
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    return np.rint(255 * _from_oklab(lab)).astype(np.uint8)


def luminance(color: ArrayLike) -> float:
    """Relative luminance 0..1 of a color 0..255 (WCAG 2)."""
    c = np.asarray(color, float)[:3] / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: ArrayLike, b: ArrayLike) -> float:
    """Contrast ratio 1..21 of two colors 0..255 (WCAG 2)."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(color: ArrayLike, ground: ArrayLike, ratio: float = 3.0) -> ColorTable:
    """The color (3,), lighter or darker until it stands out from its ground by a contrast ratio."""
    result = np.asarray(color, np.uint8)[:3]
    target = 255.0 if luminance(ground) < 0.18 else 0.0
    for share in np.linspace(0, 1, 41):
        result = np.rint((1 - share) * np.asarray(color, float)[:3] + share * target).astype(
            np.uint8
        )
        if contrast(result, ground) >= ratio:
            break
    return result


def mix(a: ArrayLike, b: ArrayLike, share: float) -> ColorTable:
    """(3,): ``share`` of b in a."""
    return np.rint(
        (1 - share) * np.asarray(a, float)[:3] + share * np.asarray(b, float)[:3]
    ).astype(np.uint8)


def _from_oklab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) sRGB 0..1 of OKLab colors, clipped (Ottosson 2020, public domain)."""
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.291485548],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.707614701],
        ]
    )
    linear = np.clip((lab @ to_lms.T) ** 3 @ to_rgb.T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
