"""Results of a training as drawings (SVG): voltages from spikes to the answer, weights, samples."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.experiments.hpc_net.analysis import WeightCounts
from engine.exporting.spike_figure import FONT, INK, Theme
from engine.exporting.training_figure import TESTED, TRAIN, page, words
from engine.types import FloatArray, IntArray

WIDTH, LEFT, RIGHT, TOP, BOTTOM, GAP = 720, 78, 92, 46, 54, 40
HEIGHTS = 150, 170, 190
"""Pixels of the three plots of voltages."""
HUES = {
    "light": ("#0b62c4", "#b54708", "#0f766e", "#9d2b87", "#6b5a00", "#5b6675"),
    "dark": ("#6cb0ff", "#ffab66", "#4fd1b8", "#f08bdc", "#e6d36a", "#9aa6b4"),
}
"""Of chosen neurons, in turn."""
SHADE = {"light": "#eef3fa", "dark": "#1b222c"}
"""Ground of the window whose mean answers."""
DIGIT, CAPTION, COLUMNS = 64, 34, 8
"""Pixels of a sample and of the lines under it; samples side by side."""


@dataclass(frozen=True, eq=False)
class Passage:
    """From an image to an answer: what the plots of voltages show.

    Attributes
    ----------
    time : (n_time,) ms
    spike_time : (n_spike,) ms
    spike_pixel : (n_spike,)
    n_in : int
    neurons : sequence of int
        Hidden neurons that are drawn.
    before, after : (n_hidden, n_time) mV
    output : (n_out, n_time) mV
    classes : sequence of str
    label : int
    window : (float, float) ms
        Whose mean output answers.
    names : (str, str)
        Of what ``before`` and ``after`` are.
    """

    time: FloatArray
    spike_time: FloatArray
    spike_pixel: IntArray
    n_in: int
    neurons: Sequence[int]
    before: FloatArray
    after: FloatArray
    output: FloatArray
    classes: Sequence[str]
    label: int
    window: tuple[float, float]
    names: tuple[str, str]


def span(values: Sequence[FloatArray]) -> tuple[float, float]:
    """Limits of an axis that hold all values and 0, with a little room."""
    low = min([0.0, *(float(v.min()) for v in values if v.size)])
    high = max([0.0, *(float(v.max()) for v in values if v.size)])
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def steps(low: float, high: float, n: int = 4) -> list[float]:
    """Round numbers from low to high, about n of them."""
    raw = (high - low) / max(n, 1)
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(k * step) + 0.0 for k in np.arange(first, last + 1)]


def signed(value: float) -> str:
    """A number with a proper minus."""
    return f"{value:.3g}".replace("-", "−")


def voltages_svg(passage: Passage, title: str, theme: Theme = "light") -> str:
    """Input spikes above the chosen hidden neurons' voltages above the output voltages."""
    ground, ink, second, line = INK[theme]
    height = TOP + sum(HEIGHTS) + 2 * GAP + BOTTOM
    parts = page(WIDTH, height, ground)
    parts.append(words(LEFT, 24, title, ink, 14, "start"))
    last = float(passage.time[-1])

    def x(time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time / last

    tops = [TOP, TOP + HEIGHTS[0] + GAP, TOP + sum(HEIGHTS[:2]) + 2 * GAP]
    hidden = [passage.after[j] for j in passage.neurons] + [
        passage.before[j] for j in passage.neurons
    ]
    spans = (0.0, float(passage.n_in)), span(hidden), span([passage.output])
    names = "input neuron", "hidden (mV)", "output (mV)"
    for number, (top, high, (low, most)) in enumerate(zip(tops, HEIGHTS, spans, strict=True)):
        up = number > 0  # pixels count from the top

        def y(
            value: float,
            top: int = top,
            high: int = high,
            low: float = low,
            most: float = most,
            up: bool = up,
        ) -> float:
            share = (value - low) / (most - low)
            return top + high * (1 - share if up else share)

        start, stop = passage.window
        parts.append(
            f"<rect x='{x(start):.1f}' y='{top}' width='{x(stop) - x(start):.1f}' "
            f"height='{high}' fill='{SHADE[theme]}'/>"
        )
        for value in steps(low, most):
            parts.append(
                f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y(value):.1f}' y2='{y(value):.1f}' "
                f"stroke='{line}'/>"
            )
            parts.append(words(LEFT - 8, y(value) + 4, signed(value), second, 12, "end"))
        parts.append(
            f"<text transform='translate(20 {top + high / 2:.0f}) rotate(-90)' {FONT} "
            f"font-size='13' fill='{ink}' text-anchor='middle'>{names[number]}</text>"
        )
        if number == 0:
            dots = "".join(
                f"M{x(t):.1f} {y(float(p) + 0.5):.1f}h1.6"
                for t, p in zip(passage.spike_time, passage.spike_pixel, strict=True)
            )
            parts.append(f"<path d='{dots}' stroke='{ink}' stroke-width='1.6'/>")
            continue
        ends: list[tuple[float, str, str]] = []
        if number == 1:
            for k, j in enumerate(passage.neurons):
                hue = HUES[theme][k % len(HUES[theme])]
                parts.append(_curve(passage.before[j], passage.time, x, y, hue, True))
                parts.append(_curve(passage.after[j], passage.time, x, y, hue, False))
                ends.append((y(float(passage.after[j, -1])), f"neuron {j}", hue))
        else:
            for c, name in enumerate(passage.classes):
                own = c == passage.label
                hue = TESTED[theme] if own else second
                parts.append(_curve(passage.output[c], passage.time, x, y, hue, False, own))
                ends.append((y(float(passage.output[c, -1])), name, hue))
        parts += _named(ends, top, high)
    floor = tops[2] + HEIGHTS[2]
    for time in steps(0, last, 5):
        parts.append(words(x(time), floor + 20, f"{time:g}", second, 12, "middle"))
    parts.append(words((LEFT + WIDTH - RIGHT) / 2, floor + 42, "time (ms)", ink, 13, "middle"))
    before, after = passage.names
    said = f"dashed: {before}, full: {after}; the mean over the shaded time answers"
    parts.append(words(LEFT, 40, said, second, 11, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(values, time, x, y, color, dashed, thick=True):  # type: ignore[no-untyped-def]
    dots = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(time, values, strict=True))
    dash = " stroke-dasharray='5 4'" if dashed else ""
    return (
        f"<polyline points='{dots}' fill='none' stroke='{color}'{dash} "
        f"stroke-width='{1.8 if thick and not dashed else 1}'/>"
    )


def _named(ends: list[tuple[float, str, str]], top: int, high: int) -> list[str]:
    """Names beside the ends of curves, moved apart."""
    ends = sorted(ends)
    at = [y for y, _, _ in ends]
    for i in range(1, len(at)):
        at[i] = max(at[i], at[i - 1] + 13)
    over = max(0.0, at[-1] - (top + high)) if at else 0.0
    return [
        words(WIDTH - RIGHT + 8, y - over + 4, name, color, 11, "start")
        for y, (_, name, color) in zip(at, ends, strict=True)
    ]


def weights_svg(
    hidden: WeightCounts,
    output: WeightCounts,
    names: tuple[str, str],
    title: str,
    theme: Theme = "light",
) -> str:
    """Histograms of the weights of both layers, before (a line) and after (filled).

    Parameters
    ----------
    hidden, output
        Rows: before and after.
    names
        Of what the two rows are.
    title, theme
    """
    ground, ink, second, line = INK[theme]
    wide, high = (WIDTH - LEFT - 24 - GAP - 40) // 2, 230
    parts = page(WIDTH, TOP + high + BOTTOM + 26, ground)
    parts.append(words(LEFT, 24, title, ink, 14, "start"))
    for k, (counts, name) in enumerate(((hidden, "to hidden"), (output, "to output"))):
        left = LEFT + k * (wide + GAP + 40)
        most = max(int(counts.counts.max()), 1)
        edge, low = counts.edge, float(counts.edge[0])

        def x(value: float, left: int = left, low: float = low) -> float:
            return left + wide * (value - low) / (-2 * low)

        def y(count: float, most: int = most) -> float:
            return TOP + high * (1 - count / (1.05 * most))

        for value in steps(0, most):
            parts.append(
                f"<line x1='{left}' x2='{left + wide}' y1='{y(value):.1f}' y2='{y(value):.1f}' "
                f"stroke='{line}'/>"
            )
            parts.append(words(left - 8, y(value) + 4, f"{value:,.0f}", second, 12, "end"))
        parts.append(f"<path d='{_stairs(edge, counts.counts[1], x, y)}Z' "
                     f"fill='{TRAIN[theme]}' fill-opacity='0.55'/>")  # fmt: skip
        parts.append(f"<path d='{_stairs(edge, counts.counts[0], x, y)}' fill='none' "
                     f"stroke='{TESTED[theme]}' stroke-width='1.5'/>")  # fmt: skip
        for value in steps(low, -low, 4):
            parts.append(words(x(value), TOP + high + 20, signed(value), second, 12, "middle"))
        said = f"weight {name} neurons"
        parts.append(words(left + wide / 2, TOP + high + 42, said, ink, 13, "middle"))
    floor = TOP + high + 62
    parts.append(f"<rect x='{LEFT}' y='{floor}' width='16' height='10' fill='{TRAIN[theme]}' "
                 "fill-opacity='0.55'/>")  # fmt: skip
    parts.append(words(LEFT + 22, floor + 10, names[1], second, 12, "start"))
    parts.append(f"<rect x='{LEFT + 120}' y='{floor + 4}' width='16' height='2' "
                 f"fill='{TESTED[theme]}'/>")  # fmt: skip
    parts.append(words(LEFT + 142, floor + 10, names[0], second, 12, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _stairs(edge, counts, x, y):  # type: ignore[no-untyped-def]
    dots = [f"M{x(edge[0]):.1f} {y(0):.1f}"]
    for k, count in enumerate(counts):
        dots.append(f"L{x(edge[k]):.1f} {y(count):.1f}L{x(edge[k + 1]):.1f} {y(count):.1f}")
    dots.append(f"L{x(edge[-1]):.1f} {y(0):.1f}")
    return "".join(dots)


def samples_svg(
    images: FloatArray, captions: Sequence[tuple[str, str]], title: str, theme: Theme = "light"
) -> str:
    """Images with two lines under each.

    Parameters
    ----------
    images : (n, rows, columns)
        Brightness, 0 to 1.
    captions
        Two lines for each.
    title, theme
    """
    ground, ink, second, _ = INK[theme]
    wide, high = DIGIT + 26, DIGIT + CAPTION + 12
    columns = max(min(len(images), COLUMNS), 4)
    rows = -(-len(images) // columns)
    parts = page(24 + columns * wide, 46 + rows * high, ground)
    parts.append(words(24, 26, title, ink, 14, "start"))
    for k, (image, (first, other)) in enumerate(zip(images, captions, strict=True)):
        left, top = 24 + (k % columns) * wide, 44 + (k // columns) * high
        parts.append(
            f"<image x='{left}' y='{top}' width='{DIGIT}' height='{DIGIT}' "
            f"style='image-rendering:pixelated' href='data:image/png;base64,{_png(image)}'/>"
        )
        parts.append(words(left + DIGIT / 2, top + DIGIT + 14, first, ink, 11, "middle"))
        parts.append(words(left + DIGIT / 2, top + DIGIT + 28, other, second, 11, "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _png(image: FloatArray) -> str:
    """A gray picture, dark ink on white, as base64; enlarged so that no program blurs it."""
    scale = max(1, 4 * DIGIT // max(image.shape))
    gray = np.rint(255 * (1 - np.clip(image, 0, 1))).astype(np.uint8)
    gray = np.kron(gray, np.ones((scale, scale), np.uint8))
    rows, columns = gray.shape
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), gray], axis=1).tobytes()

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()
