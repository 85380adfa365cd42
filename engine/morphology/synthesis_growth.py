"""Growing dendrites: a branching plan is made first, then laid out in space.

The plan (:class:`Twig`) fixes how many branches there are and how long; so counts and total length
of a cell are exact. The layout lets every branch wander: its heading diffuses, is drawn away from
the soma and by a drift, and at every fork the plane is chosen in which the twigs have most room.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from engine.morphology.model import Morphology, Tag
from engine.types import FloatArray


@dataclass(frozen=True)
class Style:
    """How branches of one kind run.

    Attributes
    ----------
    tag : int
        SWC structure type.
    away : 1/µm
        Draw away from the soma.
    drift : (x, y, z) 1/µm
        Constant draw.
    flatten : (x, y, z) 1/µm²
        Draw back to the planes through the soma.
    wander : µm^-0.5
        Diffusion of the heading.
    angle : degrees
        Between a twig and its parent's heading at an even fork.
    step : µm
        Between points.
    """

    tag: int
    away: float = 0.008
    drift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    flatten: tuple[float, float, float] = (0.0, 0.0, 0.0)
    wander: float = 0.035
    angle: float = 35.0
    step: float = 6.0


@dataclass(eq=False)
class Twig:
    """One unbranched piece of the plan: ``length`` in µm, ``angle`` at its fork in degrees."""

    length: float
    style: Style
    twigs: list["Twig"] = field(default_factory=list)
    angle: float | None = None

    @property
    def n_tip(self) -> int:
        return sum(t.n_tip for t in self.twigs) if self.twigs else 1

    def every(self) -> Iterator["Twig"]:
        stack = [self]
        while stack:
            twig = stack.pop()
            yield twig
            stack.extend(twig.twigs)


def total_length(twigs: list[Twig]) -> float:
    return sum(t.length for top in twigs for t in top.every())


def plan_tree(
    rng: np.random.Generator,
    n_tip: int,
    inner: float,
    outer: float,
    style: Style,
    spread: float = 0.35,
    even: float = 2.0,
) -> Twig:
    """A random binary plan.

    Parameters
    ----------
    rng
    n_tip : int
    inner, outer : µm
        Mean lengths of inner branches and of those that end.
    style : Style
    spread
        Standard deviation of the lengths over their mean.
    even
        Larger values share the tips more evenly at forks.
    """

    def draw(mean: float, cv: float) -> float:
        return max(0.25 * mean, rng.gamma(1 / cv**2, mean * cv**2))

    if n_tip == 1:
        return Twig(draw(outer, spread), style)
    left = int(np.clip(round(n_tip * rng.beta(even, even)), 1, n_tip - 1))
    twigs = [plan_tree(rng, n, inner, outer, style, spread, even) for n in (left, n_tip - left)]
    return Twig(draw(inner, 1.5 * spread), style, twigs)


def plan_stems(
    rng: np.random.Generator,
    n_stem: int,
    n_tip: int,
    inner: float,
    outer: float,
    style: Style,
    spread: float = 0.35,
) -> list[Twig]:
    """Several plans that share ``n_tip`` tips about evenly."""
    share = rng.dirichlet(np.full(n_stem, 8.0)) * (n_tip - n_stem)
    counts = 1 + np.floor(share).astype(int)
    order = np.argsort(np.floor(share) - share, kind="stable")
    counts[order[: n_tip - int(counts.sum())]] += 1
    return [plan_tree(rng, int(n), inner, outer, style, spread) for n in counts]


def plan_trunk(pieces: list[float], sides: list[Twig | None], top: Twig, style: Style) -> Twig:
    """A trunk of pieces with a side twig after each, ending in ``top``."""
    above = top
    for length, side in zip(reversed(pieces), reversed(sides), strict=True):
        forks = [above] if side is None else [above, side]
        if side is not None:
            above.angle, side.angle = 4.0, side.angle or 68.0
        above = Twig(length, style, forks)
    return above


def scale_to(twigs: list[Twig], length: float) -> None:
    """Stretch all branches alike so that they add up to a length in µm."""
    factor = length / total_length(twigs)
    for top in twigs:
        for twig in top.every():
            twig.length *= factor


class Sketch:
    """Points of a growing cell; the soma stands around the origin, the apical side is +y."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.xyz: list[FloatArray] = []
        self.parent: list[int] = []
        self.tag: list[int] = []
        self.branch: list[int] = []  # number of the twig of every point
        self.n_branch = 0

    def add(self, xyz: FloatArray, parent: int, tag: int) -> int:
        self.xyz.append(np.asarray(xyz, float))
        self.parent.append(parent)
        self.tag.append(tag)
        self.branch.append(self.n_branch)
        return len(self.xyz) - 1

    def soma(self, length: float, diameter: float, profile: tuple[float, ...]) -> list[float]:
        """A soma along y whose widths follow a profile; a profile of one value is a sphere.

        Returns
        -------
        Radii of its points.
        """
        n = len(profile)
        heights = np.linspace(-0.5, 0.5, n) * length if n > 1 else [0.0]
        for i, y in enumerate(heights):
            self.add(np.array([0.0, y, 0.0]), i - 1, Tag.SOMA)
        self.n_branch += 1
        return [0.5 * diameter * p for p in profile]

    def sprout(self, stems: list[tuple[Twig, int, FloatArray, float]], neck: float = 1.0) -> None:
        """Lay planned branches out in space.

        Parameters
        ----------
        stems : tuples of
            the plan, the point it hangs on, its first heading, and how far from that point it
            starts (µm; the soma's surface, reached by a wire).
        neck : µm
            Distance of the first point after a fork.
        """
        queue = deque((twig, at, _unit(to), out) for twig, at, to, out in stems)
        while queue:
            twig, at, heading, out = queue.popleft()
            end, heading = self._run(twig, at, heading, out, neck)
            if len(twig.twigs) == 1:
                queue.append((twig.twigs[0], end, heading, 0.0))
            elif twig.twigs:
                for child, to in zip(
                    twig.twigs, self._fork(twig.twigs, self.xyz[end], heading), strict=True
                ):
                    queue.append((child, end, to, 0.0))

    def _run(
        self, twig: Twig, at: int, heading: FloatArray, out: float, neck: float
    ) -> tuple[int, FloatArray]:
        """Add the points of one twig; returns its last point and heading."""
        style, rng = twig.style, self.rng
        self.n_branch += 1
        position = self.xyz[at]
        if out > 0:
            position = position + out * heading
            at = self.add(position, at, style.tag)
        n = max(2, round(twig.length / style.step))
        neck = min(neck, 0.4 * twig.length / n)
        steps = [neck, *np.full(n, (twig.length - neck) / n)]
        drift, flatten = np.array(style.drift), np.array(style.flatten)
        for ds in steps:
            draw = style.away * _unit(position) + drift - flatten * position
            noise = rng.normal(size=3) * style.wander * np.sqrt(ds)
            heading = _unit(heading + ds * draw + noise)
            position = position + ds * heading
            at = self.add(position, at, style.tag)
        return at, heading

    def _fork(self, twigs: list[Twig], at: FloatArray, heading: FloatArray) -> list[FloatArray]:
        """First headings of the twigs of a fork, in the plane with most room."""
        rng = self.rng
        others = np.array(self.xyz)
        others = others[((others - at) ** 2).sum(axis=1) > 15.0**2]
        big = np.array([t.n_tip for t in twigs], float)
        lean = 1.5 - big / big.sum() * len(twigs) / 2  # the larger twig keeps the heading
        angle = [
            np.radians(t.style.angle * k if t.angle is None else t.angle) * rng.uniform(0.8, 1.2)
            for t, k in zip(twigs, lean, strict=True)
        ]
        reach = [0.6 * t.length + 10.0 for t in twigs]
        side = _unit(np.cross(heading, rng.normal(size=3)))
        across = np.cross(heading, side)
        best, most = [heading] * len(twigs), -1.0
        for turn in np.arange(12) * np.pi / 6 + rng.uniform(0, np.pi / 6):
            around = turn + 2 * np.pi * np.arange(len(twigs)) / len(twigs)
            to = [
                _unit(np.cos(a) * heading + np.sin(a) * (np.cos(p) * side + np.sin(p) * across))
                for a, p in zip(angle, around, strict=True)
            ]
            room = 0.0
            for d, r, t in zip(to, reach, twigs, strict=True):
                style = t.style
                probe = at + r * d
                gap = np.sqrt(((others - probe) ** 2).sum(axis=1).min(initial=1e4))
                along = r * d @ (_unit(at) * style.away + np.array(style.drift))
                bent = (probe * np.array(style.flatten)) @ probe
                room += min(gap, 60.0) + 25.0 * along / (r * (style.away + 1e-3)) - 50 * bent
            if room > most or best[0] is heading:
                best, most = to, room
        return best

    def morphology(self, name: str, radius: FloatArray) -> Morphology:
        """The points depth first, every branch in one piece."""
        children: list[list[int]] = [[] for _ in self.xyz]
        for i, p in enumerate(self.parent):
            if p >= 0:
                children[p].append(i)
        order, stack = [], [0]
        while stack:
            i = stack.pop()
            order.append(i)
            # soma first, then the rest in the order in which it grew
            stack.extend(sorted(children[i], key=lambda c: (-(self.tag[c] == Tag.SOMA), c))[::-1])
        number = np.empty(len(order), int)
        number[order] = np.arange(len(order))
        parent = np.array([-1 if self.parent[i] < 0 else number[self.parent[i]] for i in order])
        return Morphology(
            xyz=np.array(self.xyz)[order],
            radius=np.asarray(radius)[order],
            parent=parent.astype(np.int32),
            tag=np.array(self.tag, np.int32)[order],
            line=np.full(len(order), -1, np.int32),
            name=name,
            source="made",
        )


@dataclass(frozen=True)
class Caliber:
    """Diameters of the branches of one type.

    A branch that carries N tips is ``tip * N**(1 / power)`` wide: Rall's rule has power 1.5;
    dendrites whose trunk is ``stem`` wide with N tips have the power that fits both. ``flare``
    widens the first ``flare_length`` µm at the soma by a factor; ``taper`` is the loss over an
    ending branch.
    """

    tip: float
    stem: float
    flare: float = 1.3
    flare_length: float = 8.0
    taper: float = 0.3


def diameters(sketch: Sketch, soma_radius: list[float], calibers: dict[int, Caliber]) -> FloatArray:
    """(n_point,) µm: radii of all points of a sketch."""
    n = len(sketch.xyz)
    parent, tag = np.array(sketch.parent), np.array(sketch.tag)
    xyz = np.array(sketch.xyz)
    has_child = np.zeros(n, bool)
    has_child[parent[parent >= 0]] = True
    tips = (~has_child).astype(float)
    for i in range(n - 1, 0, -1):
        tips[parent[i]] += tips[i]
    # distances from the soma and along each branch
    path, along = np.zeros(n), np.zeros(n)
    branch = np.array(sketch.branch)
    for i in range(1, n):
        if tag[i] == Tag.SOMA:
            continue
        ds = float(np.linalg.norm(xyz[i] - xyz[parent[i]]))
        wire = tag[parent[i]] == Tag.SOMA
        path[i] = 0.0 if wire else path[parent[i]] + ds
        along[i] = 0.0 if wire or branch[i] != branch[parent[i]] else along[parent[i]] + ds
    longest = np.zeros(sketch.n_branch + 1)
    np.maximum.at(longest, branch, along)
    radius = np.zeros(n)
    for t, caliber in calibers.items():
        of = tag == t
        most = max(tips[of].max(), 2.0)
        stems = tips[of & (tag[parent] == Tag.SOMA)]
        usual = max(float(np.median(stems)) if stems.size > 1 else most, 2.0)
        power = np.log(usual) / np.log(max(caliber.stem / caliber.tip, 1.01))
        d = caliber.tip * tips ** (1 / power)
        relative = along / np.maximum(longest[branch], 1e-9)
        ending = tips == 1
        d = np.where(ending, d * (1 + caliber.taper / 2 - caliber.taper * relative), d)
        d = d * (1 + (caliber.flare - 1) * np.exp(-path / caliber.flare_length))
        radius[of] = 0.5 * d[of]
    # slow unevenness of 5 % along every branch
    bump, noise = np.zeros(n), sketch.rng.normal(size=n)
    for i in range(1, n):
        bump[i] = 0.8 * bump[parent[i]] + 0.6 * noise[i]
    radius *= 1 + 0.05 * bump
    radius[: len(soma_radius)] = soma_radius
    return radius


def fan_headings(
    rng: np.random.Generator, n: int, tilt: tuple[float, float], start: float = 0.0
) -> list[FloatArray]:
    """Headings of n stems around the y axis, their elevations between ``tilt`` degrees."""
    turn = start + 2 * np.pi * (np.arange(n) + rng.uniform(-0.25, 0.25, n)) / n
    lift = np.radians(rng.uniform(*tilt, n))
    return [
        np.array([np.cos(e) * np.cos(a), np.sin(e), np.cos(e) * np.sin(a)])
        for a, e in zip(turn, lift, strict=True)
    ]


def steer(style: Style, **changes: object) -> Style:
    """A style with some values changed."""
    return replace(style, **changes)  # type: ignore[arg-type]


def _unit(v: FloatArray) -> FloatArray:
    norm = float(np.sqrt(v @ v))
    return v / norm if norm > 1e-12 else np.array([0.0, 1.0, 0.0])
