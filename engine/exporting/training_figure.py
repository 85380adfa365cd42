"""A training run as drawings (SVG): curves, confusion matrix, responses of the hidden neurons."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from engine.experiments.hpc_net.state import Curves, Evaluation
from engine.exporting.spike_figure import FONT, INK, Theme, nice_step
from engine.types import FloatArray

WIDTH, PLOT, GAP = 760, 210, 46
LEFT, RIGHT, TOP, BOTTOM = 74, 24, 46, 56
CELL, LABEL = 44, 84
"""Pixels: a square of the matrix, room for the names of its rows and columns."""
TRAIN = {"light": "#0b62c4", "dark": "#6cb0ff"}
TESTED = {"light": "#b54708", "dark": "#ffab66"}
SCALE = {"light": ((255, 255, 255), (11, 98, 196)), "dark": ((20, 24, 30), (108, 176, 255))}
"""Colors of no and of all samples of a row."""
ENDS = {"light": ((11, 98, 196), (181, 71, 8)), "dark": ((108, 176, 255), (255, 171, 102))}
"""Colors of the lowest and the highest voltage."""
PANEL_WIDTH, PANEL_HEIGHT, COLUMNS = 300, 400, 50
"""Of a panel of responses, in pixels, and into how many times it is divided."""


def curves_svg(state: Curves, title: str, theme: Theme = "light") -> str:
    """Loss above accuracy over epochs: while learning, and on the test samples after each epoch.

    Where the rate was changed by hand a vertical line stands.
    """
    ground, ink, second, line = INK[theme]
    last = max(1, math.ceil(max((p.epoch for p in state.points), default=1) - 1e-9))
    height = TOP + 2 * PLOT + GAP + BOTTOM
    parts = page(WIDTH, height, ground)
    parts.append(words(LEFT, 24, title, ink, 14, "start"))

    def x(epoch: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * epoch / last

    highest = max((p.loss for p in state.points), default=1.0)
    highest = max([highest, *(e.test_loss for e in state.epochs), 1e-3])
    tick = 10.0 ** math.floor(math.log10(highest))
    tick = next(k * tick for k in (0.1, 0.2, 0.25, 0.5, 1, 2) if highest <= 6 * k * tick)
    scales = ("loss", tick, math.ceil(highest / tick)), ("accuracy", 0.2, 5)
    for number, (name, tick, n_tick) in enumerate(scales):
        top_value = tick * n_tick
        top = TOP + number * (PLOT + GAP)

        def y(value: float, top: float = top, most: float = top_value) -> float:
            return top + PLOT * (1 - value / most)

        for k in range(n_tick + 1):
            value = tick * k
            parts.append(
                f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y(value):.1f}' y2='{y(value):.1f}' "
                f"stroke='{line}'/>"
            )
            said = f"{value:g}" if number == 0 else f"{100 * value:.0f} %"
            parts.append(words(LEFT - 10, y(value) + 4, said, second, 12, "end"))
        for change in state.changes:
            parts.append(
                f"<line x1='{x(change.epoch):.1f}' x2='{x(change.epoch):.1f}' y1='{top}' "
                f"y2='{top + PLOT}' stroke='{second}' stroke-dasharray='4 3'/>"
            )
            if number == 0:
                said = f"rate {change.rate:g}"
                parts.append(words(x(change.epoch) + 4, top + 12, said, second, 11, "start"))
        dots = " ".join(f"{x(p.epoch):.1f},{y(getattr(p, name)):.1f}" for p in state.points)
        parts.append(
            f"<polyline points='{dots}' fill='none' stroke='{TRAIN[theme]}' stroke-width='1.6'/>"
        )
        tested = [(e.number, getattr(e, f"test_{name}")) for e in state.epochs]
        for epoch, value in tested:
            parts.append(
                f"<circle cx='{x(epoch):.1f}' cy='{y(value):.1f}' r='3.6' fill='{TESTED[theme]}'/>"
            )
        parts.append(
            f"<text transform='translate(20 {top + PLOT / 2:.0f}) rotate(-90)' {FONT} "
            f"font-size='13' fill='{ink}' text-anchor='middle'>{name}</text>"
        )
    floor = TOP + 2 * PLOT + GAP
    for epoch in range(0, last + 1, nice_step(last)):
        parts.append(words(x(epoch), floor + 20, f"{epoch}", second, 12, "middle"))
    parts.append(words((LEFT + WIDTH - RIGHT) / 2, floor + 42, "epoch", ink, 13, "middle"))
    parts.append(f"<rect x='{WIDTH - 236}' y='16' width='16' height='3' fill='{TRAIN[theme]}'/>")
    parts.append(words(WIDTH - 214, 22, "learning", second, 12, "start"))
    parts.append(f"<circle cx='{WIDTH - 138}' cy='18' r='3.6' fill='{TESTED[theme]}'/>")
    parts.append(words(WIDTH - 128, 22, "test samples", second, 12, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def confusion_svg(test: Evaluation, classes: Sequence[str], theme: Theme = "light") -> str:
    """Test samples by label (rows) and answer (columns); the color is the part of the row."""
    ground, ink, second, _ = INK[theme]
    n = len(classes)
    long = max(len(name) for name in classes) > 2
    top = 78 + (LABEL - 30) * long
    left = LABEL + 30 if long else 66
    width, height = left + n * CELL + 24, top + n * CELL + 24
    parts = page(width, height, ground)
    said = f"{100 * test.accuracy:.2f} % of {int(test.confusion.sum()):,} test samples right"
    parts.append(words(24, 26, said, ink, 14, "start"))
    parts.append(words(left + n * CELL / 2, 48, "answer", second, 12, "middle"))
    parts.append(
        f"<text transform='translate(20 {top + n * CELL / 2:.0f}) rotate(-90)' {FONT} "
        f"font-size='12' fill='{second}' text-anchor='middle'>label</text>"
    )
    low, high = SCALE[theme]
    for row, name in enumerate(classes):
        at = left + row * CELL + CELL / 2
        if long:
            parts.append(
                f"<text transform='translate({at + 4:.0f} {top - 10}) rotate(-60)' {FONT} "
                f"font-size='12' fill='{ink}'>{escape(name)}</text>"
            )
        else:
            parts.append(words(at, top - 10, name, ink, 12, "middle"))
        middle = top + row * CELL + CELL / 2 + 4
        parts.append(words(left - 10, middle, name, ink, 12, "end"))
        total = max(int(test.confusion[row].sum()), 1)
        for column in range(n):
            count = int(test.confusion[row, column])
            part = math.sqrt(count / total)  # the few wrong ones shall be seen
            color = "#" + "".join(
                f"{round(a + part * (b - a)):02x}" for a, b in zip(low, high, strict=True)
            )
            place = f"x='{left + column * CELL}' y='{top + row * CELL}'"
            parts.append(f"<rect {place} width='{CELL - 2}' height='{CELL - 2}' fill='{color}'/>")
            if count:
                bright = (part > 0.6) == (theme == "light")
                shade = "#ffffff" if bright else "#10141a"
                at = left + column * CELL + CELL / 2 - 1
                parts.append(words(at, middle, f"{count}", shade, 12, "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def page(width: int, height: int, ground: str) -> list[str]:
    """The beginning of a drawing."""
    return [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
        f"height='{height}'>",
        f"<rect width='{width}' height='{height}' fill='{ground}'/>",
    ]


def words(x: float, y: float, text: str, color: str, size: int, anchor: str) -> str:
    """A line of text; ``anchor`` is start, middle or end."""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' fill='{color}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )


def responses_svg(
    before: FloatArray, after: FloatArray, dt: float, title: str, theme: Theme = "light"
) -> str:
    """Somatic voltages of the hidden neurons over time, before and after a training.

    Parameters
    ----------
    before, after : (n_hidden, n_time) mV
        To the same image.
    dt : ms
    title, theme
    """
    ground, ink, second, _ = INK[theme]
    n_hidden, n_time = before.shape
    columns = min(n_time, COLUMNS)
    edge = np.linspace(0, n_time, columns + 1).astype(int)
    largest = float(max(np.abs(before).max(), np.abs(after).max(), 1e-12))
    cell_height = max(3, min(10, PANEL_HEIGHT // n_hidden))
    wide, high = PANEL_WIDTH, cell_height * n_hidden
    height = TOP + 24 + high + BOTTOM + 26
    width = LEFT + 2 * wide + GAP + RIGHT
    parts = page(width, height, ground)
    parts.append(words(LEFT, 24, title, ink, 14, "start"))
    top = TOP + 24
    for number, (name, values) in enumerate((("before", before), ("after", after))):
        left = LEFT + number * (wide + GAP)
        parts.append(words(left + wide / 2, top - 8, name, ink, 13, "middle"))
        for row in range(n_hidden):
            for k in range(columns):
                mean = float(values[row, edge[k] : edge[k + 1]].mean())
                color = diverging(mean / largest, theme)
                x, next_x = (left + wide * m / columns for m in (k, k + 1))
                parts.append(
                    f"<rect x='{x:.1f}' y='{top + row * cell_height}' "
                    f"width='{next_x - x + 0.4:.1f}' height='{cell_height}' fill='{color}'/>"
                )
        for part in (0, 0.5, 1):
            said = f"{part * (n_time - 1) * dt:g}"
            parts.append(words(left + wide * part, top + high + 18, said, second, 12, "middle"))
        parts.append(words(left + wide / 2, top + high + 38, "time (ms)", ink, 13, "middle"))
    parts.append(
        f"<text transform='translate(40 {top + high / 2:.0f}) rotate(-90)' {FONT} "
        f"font-size='13' fill='{ink}' text-anchor='middle'>hidden neuron</text>"
    )
    for k in range(41):
        parts.append(
            f"<rect x='{LEFT + 5 * k}' y='{top + high + 54}' width='5.4' height='10' "
            f"fill='{diverging(k / 20 - 1, theme)}'/>"
        )
    said = f"−{largest:.3g} … {largest:.3g} mV at the soma"
    parts.append(words(LEFT + 215, top + high + 63, said, second, 12, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def diverging(value: float, theme: Theme) -> str:
    """Color of a number from -1 (blue) over 0 (ground) to 1 (orange)."""
    middle = SCALE[theme][0]
    end = ENDS[theme][value > 0]
    part = min(abs(value), 1.0)
    return "#" + "".join(
        f"{round(a + part * (b - a)):02x}" for a, b in zip(middle, end, strict=True)
    )
