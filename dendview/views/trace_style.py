"""Colors, names and units of traces, the same in plot, legend and on the cell."""

import pyqtgraph as pg
from PyQt6.QtCore import Qt

from dendview.colors import OKABE_ITO, THEMES, Theme, ThemeName, hex_color, readable, rgb
from dendview.wording import UNITS

DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
"""Traces beyond the eighth repeat the colors with another dash."""

STIMULUS = "stimulus"
"""Stands for the clamps where plots are named by their units."""
QUANTITY = {
    "mV": "voltage (mV)",
    "1": "open fraction",
    "mA/cm2": "current density (mA/cm²)",
    "mA/cm²": "current density (mA/cm²)",
    "mM": "concentration (mM)",
    "S/cm2": "conductance density (S/cm²)",
    "uS": "conductance (µS)",
    "nA": "current (nA)",
    "ms": "time constant (ms)",
    STIMULUS: "clamp (nA)",
}
"""What stands at the axis of a unit."""
DEFAULT_RANGE = {"mV": (-90.0, 50.0), "1": (-0.02, 1.02)}
"""Of an axis before there is a run."""
AXIS_WIDTH = 64


def trace_color(index: int, theme: ThemeName) -> str:
    """Color of the probe with an index, readable on the theme's canvas."""
    ground = rgb(THEMES[theme].canvas)
    return hex_color(readable(rgb(OKABE_ITO[index % len(OKABE_ITO)]), ground, 2.2))


def trace_dash(index: int) -> Qt.PenStyle:
    return DASHES[index // len(OKABE_ITO) % len(DASHES)]


def axis_label(unit: str, brief: bool = False) -> str:
    """What stands at an axis; the unit alone where plots are low."""
    if brief and unit != STIMULUS:
        return UNITS.get(unit, unit)
    return "nA" if brief else QUANTITY.get(unit, unit)


def signed(value: float, digits: int = 1) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def style_plot(plot: pg.PlotItem, unit: str, theme: Theme, brief: bool = False) -> None:
    """Colors and behavior of one plot; the time axis of all stands below them."""
    plot.hideButtons()
    plot.setMenuEnabled(False)
    plot.disableAutoRange()
    plot.setMouseEnabled(x=True, y=unit != STIMULUS)
    plot.setYRange(*DEFAULT_RANGE.get(unit, (0.0, 1.0)), padding=0)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.enableAutoSIPrefix(False)
        axis.setPen(theme.grid)
        axis.setTextPen(theme.muted)
    plot.setLabel("left", axis_label(unit, brief), color=theme.muted)
    plot.getAxis("left").setWidth(AXIS_WIDTH)
    plot.showGrid(x=True, y=True, alpha=0.12)
    plot.getAxis("bottom").setStyle(showValues=False)
    plot.getAxis("bottom").setHeight(6)
