"""The spike-probability curves as a drawing (SVG): points, intervals, half points, published."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Literal

from engine.experiments.published_spikes import SOURCE
from engine.experiments.spike_probability import Curve, text_of
from engine.exporting.atomic import written_aside

Theme = Literal["light", "dark"]
WIDTH, PLOT = 720, 360
LEFT, RIGHT, ROW, BOTTOM = 74, 22, 20, 66
"""Pixels: room beside the plot, height of a line of the legend above it, room below."""
APART = 2.0
"""Pixels between bars of two conditions at one number of synapses."""
INK = {"light": ("#ffffff", "#1d2530", "#5b6675", "#d9dee5"),
       "dark": ("#14181e", "#e8ecf1", "#9aa6b4", "#313a46")}  # fmt: skip
"""Ground, text, secondary text, lines."""
COLORS = {
    "light": {"few-distributed": "#0b62c4", "few-clustered": "#b54708",
              "full-distributed": "#0f766e", "full-clustered": "#9d2b87"},
    "dark": {"few-distributed": "#6cb0ff", "few-clustered": "#ffab66",
             "full-distributed": "#4fd1b8", "full-clustered": "#f08bdc"},
}  # fmt: skip
TITLES = {
    "few-distributed": "few spines, distributed",
    "few-clustered": "few spines, clustered",
    "full-distributed": "all spines, distributed",
    "full-clustered": "all spines, clustered",
}
FONT = "font-family='Inter, Segoe UI, DejaVu Sans, Helvetica, Arial, sans-serif'"


def export_spike_svg(
    curves: Sequence[Curve], path: Path, theme: Theme = "light", deviation: bool = False
) -> None:
    """Write the drawing.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    with written_aside(path) as aside:
        aside.write_text(spike_svg(curves, theme, deviation), encoding="utf-8")


def spike_svg(curves: Sequence[Curve], theme: Theme = "light", deviation: bool = False) -> str:
    """Spike probability over active synapses as SVG.

    Parameters
    ----------
    curves
        What :func:`engine.experiments.spike_probability.curves` gives.
    theme
    deviation
        Draw mean ± SD of the single outcomes, as the publication does, in place of Wilson's 95 %.
    """
    ground, ink, second, line = INK[theme]
    most = max((p.n_synapses for c in curves for p in c.points), default=1) or 1
    step = nice_step(most)
    last = step * math.ceil(most / step)
    top = 24 + ROW * len(curves)
    height = top + PLOT + BOTTOM

    def x(n: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * n / last

    def y(p: float) -> float:
        return top + PLOT * (1 - p)

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' "
        f"height='{height}'>",
        f"<rect width='{WIDTH}' height='{height}' fill='{ground}'/>",
    ]
    for k in range(0, 11, 2):
        heavy = f"stroke='{line}' stroke-width='1'"
        parts.append(
            f"<line x1='{LEFT}' y1='{y(k / 10):.1f}' x2='{WIDTH - RIGHT}' y2='{y(k / 10):.1f}' "
            f"{heavy}/>"
        )
        parts.append(_text(LEFT - 10, y(k / 10) + 4, f"{k / 10:.1f}", second, 12, "end"))
    for n in range(0, last + 1, step):
        parts.append(_text(x(n), top + PLOT + 20, f"{n}", second, 12, "middle"))
        parts.append(
            f"<line x1='{x(n):.1f}' y1='{y(0):.1f}' x2='{x(n):.1f}' y2='{y(0) + 5:.1f}' "
            f"stroke='{second}'/>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, top + PLOT + 40, "active synapses", ink, 13, "middle"))
    parts.append(
        f"<text transform='translate(20 {top + PLOT / 2:.0f}) rotate(-90)' {FONT} "
        f"font-size='13' fill='{ink}' text-anchor='middle'>spike probability</text>"
    )
    for k, curve in enumerate(curves):
        aside = APART * (k - (len(curves) - 1) / 2)
        color = COLORS[theme][curve.condition]
        shown = [p for p in curve.points if p.n]
        known = sorted((n, p) for n, p in curve.published.items() if n <= last)
        dots = " ".join(f"{x(n):.1f},{y(p):.1f}" for n, p in known)
        parts.append(
            f"<polyline points='{dots}' fill='none' stroke='{color}' stroke-width='1.2' "
            "stroke-dasharray='3 4' opacity='0.8'/>"
        )
        solid = " ".join(
            f"{x(p.n_synapses) + aside:.1f},{y(p.probability.value):.1f}" for p in shown
        )
        parts.append(
            f"<polyline points='{solid}' fill='none' stroke='{color}' stroke-width='2' "
            "stroke-linejoin='round'/>"
        )
        for p in shown:
            low, high = p.band if deviation else (p.probability.low, p.probability.high)
            at = x(p.n_synapses) + aside
            parts.append(
                f"<path d='M{at:.1f} {y(low):.1f}V{y(high):.1f}M{at - 4:.1f} {y(low):.1f}h8"
                f"M{at - 4:.1f} {y(high):.1f}h8' stroke='{color}' stroke-width='1.2' fill='none'/>"
            )
            parts.append(marker(curve.condition, at, y(p.probability.value), color, ground))
        parts.append(marker(curve.condition, LEFT + 6, 20 + ROW * k, color, ground))
        parts.append(_text(LEFT + 18, 24 + ROW * k, _legend(curve), ink, 12, "start"))
    bars = "mean ± SD of the outcomes" if deviation else "bars: Wilson 95 %"
    said = f"{bars}; dotted: {SOURCE}, 50 trials a point"
    parts.append(_text(WIDTH - RIGHT, height - 8, said, second, 11, "end"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(curve: Curve) -> str:
    n = sorted({p.n for p in curve.points if p.n})
    many = f"{n[0]}" if len(n) == 1 else f"{n[0]}–{n[-1]}" if n else "0"
    half = "" if curve.half is None else f", half at {text_of(curve.half.at, 0)}"
    return f"{TITLES[curve.condition]}: {many} trials a point{half}"


def marker(condition: str, x: float, y: float, color: str, ground: str) -> str:
    """Each condition's own shape: disk, square, ring, open square."""
    fill = color if condition.startswith("few") else ground
    look = f"fill='{fill}' stroke='{color}' stroke-width='1.6'"
    if condition.endswith("clustered"):
        return f"<rect x='{x - 4:.1f}' y='{y - 4:.1f}' width='8' height='8' {look}/>"
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4.4' {look}/>"


def nice_step(most: float) -> int:
    """Distance of ticks: 1, 2 or 5 times a power of ten, so that there are at most ten."""
    power = 10 ** max(0, math.floor(math.log10(max(most, 1) / 10)))
    return next(int(k * power) for k in (1, 2, 5, 10, 20) if most / (k * power) <= 10)


def _text(x: float, y: float, text: str, color: str, size: int, anchor: str) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' fill='{color}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )
