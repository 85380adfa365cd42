"""A robustness study as a drawing (SVG): accuracy over epsilon, under attack and under noise."""

from collections.abc import Callable
from html import escape

from engine.experiments.robustness import (
    DISTURBANCES,
    SUBJECTS,
    Curve,
    Result,
)
from engine.experiments.robustness.study import Subject
from engine.exporting.spike_figure import FONT, INK, Theme

WIDE, HIGH, GAP = 420, 320, 34
LEFT, RIGHT, TOP, ROW, BOTTOM = 70, 22, 40, 20, 74
"""Pixels: room around the two plots, height of a line of the legend."""
COLORS: dict[Theme, dict[Subject, str]] = {
    "light": {"hpc_net": "#0b62c4", "moved": "#5b8bd0", "ann": "#b54708", "encoded_ann": "#0f766e",
              "passed_ann": "#9d2b87", "resnet": "#6b7280"},
    "dark": {"hpc_net": "#6cb0ff", "moved": "#3f7fc4", "ann": "#ffab66", "encoded_ann": "#4fd1b8",
             "passed_ann": "#f08bdc", "resnet": "#9aa6b4"},
}  # fmt: skip
Place = Callable[[float], float]


def robustness_svg(result: Result, theme: Theme = "light") -> str:
    """Accuracy over the size of the disturbance as SVG, one plot for each kind of disturbance.

    Bars are Wilson's 95 % intervals, thin lines further trainings. The dotted vertical line is the
    brightness below which a pixel is as good as black to an input neuron.
    """
    ground, ink, second, line = INK[theme]
    shown = [s for s in SUBJECTS if any(c.subject == s for c in result.curves)]
    top = TOP + ROW * max(len(shown), 1) + 26
    width, height = LEFT + 2 * WIDE + GAP + RIGHT, top + HIGH + BOTTOM
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
        f"height='{height}'>",
        f"<rect width='{width}' height='{height}' fill='{ground}'/>",
    ]
    shape = "–".join(map(str, result.shape))
    many = f"{result.n_test:,} test images" if result.n_test < result.n_all else (
        f"all {result.n_all:,} test images"
    )  # fmt: skip
    whole = "" if result.complete else ", not finished"
    epoch = "" if result.epoch is None else f", epoch {result.epoch}"
    title = f"{result.data}, {shape}{epoch}: right answers to {many}{whole}"
    parts.append(_text(LEFT, 24, title, ink, 14, "start"))
    most = max((*result.study.epsilons, 0.02))

    def y(value: float) -> float:
        return top + HIGH * (1 - value)

    for row, subject in enumerate(shown):
        at = TOP + ROW * row + 4
        color = COLORS[theme][subject]
        parts.append(f"<path d='M{LEFT} {at}h26' stroke='{color}' stroke-width='2' fill='none'/>")
        parts.append(_marker(subject, LEFT + 13, at, color, ground))
        parts.append(_text(LEFT + 36, at + 4, _legend(result, subject), ink, 12, "start"))
    for number, disturbance in enumerate(DISTURBANCES):
        left = LEFT + number * (WIDE + GAP)

        def x(epsilon: float, left: float = left) -> float:
            return left + WIDE * epsilon / (1.04 * most)

        for k in range(0, 11, 2):
            parts.append(
                f"<line x1='{left}' x2='{left + WIDE}' y1='{y(k / 10):.1f}' y2='{y(k / 10):.1f}' "
                f"stroke='{line}'/>"
            )
            if number == 0:
                parts.append(_text(LEFT - 10, y(k / 10) + 4, f"{10 * k} %", second, 12, "end"))
        for value in _ticks(most):
            parts.append(_text(x(value), top + HIGH + 20, f"{value:g}", second, 12, "middle"))
        if 0 < result.threshold < most:
            at_x = x(result.threshold)
            parts.append(
                f"<line x1='{at_x:.1f}' x2='{at_x:.1f}' y1='{top}' y2='{top + HIGH}' "
                f"stroke='{second}' stroke-dasharray='2 4'/>"
            )
        parts.append(_text(left + WIDE / 2, top - 10, DISTURBANCES[disturbance], ink, 13, "middle"))
        parts.append(
            _text(left + WIDE / 2, top + HIGH + 40, "epsilon, part of the brightness", ink, 12,
                  "middle")
        )  # fmt: skip
        for subject in reversed(shown):  # the first one on top
            if (curve := result.curve(subject, disturbance)) is not None:
                parts += _drawn(curve, x, y, COLORS[theme][subject], ground)
    note = "bars: Wilson 95 %; thin lines: further trainings"
    if 0 < result.threshold < most:
        note += (
            f"; dotted: a pixel darker than {result.threshold:.3f} gives no spike within a sample"
        )
    parts.append(_text(width - RIGHT, height - 10, note, second, 11, "end"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn(curve: Curve, x: Place, y: Place, color: str, ground: str) -> list[str]:
    """Line, intervals and marks of a curve, and the lines of its further trainings."""
    parts = []
    for number in range(min((len(p.others) for p in curve.points), default=0)):
        dots = " ".join(f"{x(p.epsilon):.1f},{y(p.others[number] / p.n):.1f}" for p in curve.points)
        parts.append(
            f"<polyline points='{dots}' fill='none' stroke='{color}' stroke-width='0.9' "
            "opacity='0.55'/>"
        )
    dots = " ".join(f"{x(p.epsilon):.1f},{y(p.accuracy.value):.1f}" for p in curve.points)
    parts.append(
        f"<polyline points='{dots}' fill='none' stroke='{color}' stroke-width='2' "
        "stroke-linejoin='round'/>"
    )
    for p in curve.points:
        at, told = x(p.epsilon), p.accuracy
        parts.append(
            f"<path d='M{at:.1f} {y(told.low):.1f}V{y(told.high):.1f}' stroke='{color}' "
            "stroke-width='1.2' fill='none'/>"
        )
        parts.append(_marker(curve.subject, at, y(told.value), color, ground))
    return parts


def _legend(result: Result, subject: Subject) -> str:
    """Name, trainings, and accuracy undisturbed."""
    curve = next(c for c in result.curves if c.subject == subject)
    point = curve.points[0]
    many = f", {1 + len(point.others)} trainings" if point.others else ""
    clean = f": {100 * point.accuracy.value:.1f} % undisturbed" if point.epsilon == 0 else ""
    return f"{SUBJECTS[subject]}{many}{clean}"


def _marker(subject: Subject, x: float, y: float, color: str, ground: str) -> str:
    """Each network's own shape: disk, square, ring, open square, diamond."""
    fill = color if subject in ("hpc_net", "ann") else ground
    look = f"fill='{fill}' stroke='{color}' stroke-width='1.6'"
    if subject == "moved":
        return f"<path d='M{x:.1f} {y - 4.6:.1f}l4.4 8h-8.8z' {look}/>"
    if subject in ("ann", "passed_ann"):
        return f"<rect x='{x - 3.4:.1f}' y='{y - 3.4:.1f}' width='6.8' height='6.8' {look}/>"
    if subject == "resnet":
        return f"<path d='M{x - 4.6:.1f} {y:.1f}l4.6 -4.6l4.6 4.6l-4.6 4.6z' {look}/>"
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.8' {look}/>"


def _ticks(most: float) -> list[float]:
    step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if most / s <= 6 or s == 0.2)
    return [round(step * k, 6) for k in range(int(most / step + 1e-9) + 1)]


def _text(x: float, y: float, text: str, color: str, size: int, anchor: str) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' fill='{color}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )
