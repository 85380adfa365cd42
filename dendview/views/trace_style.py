"""Colors, names and units of traces, the same in plot, legend and on the cell."""

from PyQt6.QtCore import Qt

from dendview.colors import OKABE_ITO, THEMES, ThemeName, hex_color, readable, rgb

DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
"""Traces beyond the eighth repeat the colors with another dash."""

QUANTITY = {
    "mV": "voltage (mV)",
    "1": "open fraction",
    "mA/cm2": "current density (mA/cm²)",
    "mA/cm²": "current density (mA/cm²)",
    "mM": "concentration (mM)",
    "nA": "clamp (nA)",
}
"""What stands at the axis of a unit."""


def trace_color(index: int, theme: ThemeName) -> str:
    """Color of the probe with an index, readable on the theme's canvas."""
    ground = rgb(THEMES[theme].canvas)
    return hex_color(readable(rgb(OKABE_ITO[index % len(OKABE_ITO)]), ground, 2.2))


def trace_dash(index: int) -> Qt.PenStyle:
    return DASHES[index // len(OKABE_ITO) % len(DASHES)]


def axis_label(unit: str) -> str:
    return QUANTITY.get(unit, unit)


def signed(value: float, digits: int = 1) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")
