"""From outlines of a soma to the straight cylinder NEURON stacks in their place.

A single outline is resampled along its way around, its principal axes are found, and 21 disks are
laid along the longest. Outlines whose boxes overlap from one to the next are slices of one soma:
each becomes one disk. The arithmetic follows NEURON 9's Import3d in every step, also where one
could do better (the way around is measured in the xy-plane and leaves out the closing edge),
because areas of published models depend on it.
"""

from dataclasses import dataclass

import numpy as np

from engine.types import FloatArray

N_AROUND = 101
N_DISK = 21
MARGIN = 0.5
"""µm around a single outline within which a stem counts as starting in it."""
_EPSILON = 1e-11  # NEURON compares numbers with this slack


@dataclass(frozen=True, eq=False)
class Soma:
    """A cylinder of disks in a row: ``xyz`` (n, 3) and ``diameter`` (n,) in µm; where stems are
    drawn to; its box.
    """

    xyz: FloatArray
    diameter: FloatArray
    center: FloatArray
    low: FloatArray
    high: FloatArray
    round: bool = False  # True where no longest axis could be found and a sphere was taken


def somata(outlines: list[FloatArray]) -> list[Soma]:
    """The somata that outlines, each (n, 4) in the file's order, stand for."""
    return [_stack(group) if len(group) > 1 else _single(group[0]) for group in _groups(outlines)]


def _groups(outlines: list[FloatArray]) -> list[list[FloatArray]]:
    groups: list[list[FloatArray]] = []
    for outline in outlines:
        if groups and _overlap(groups[-1][-1], outline):
            groups[-1].append(outline)
        else:
            groups.append([outline])
    return groups


def _overlap(a: FloatArray, b: FloatArray) -> bool:
    low = np.maximum(a[:, :2].min(axis=0), b[:, :2].min(axis=0))
    high = np.minimum(a[:, :2].max(axis=0), b[:, :2].max(axis=0))
    return bool((low <= high + _EPSILON).all())


def _stack(group: list[FloatArray]) -> Soma:
    disks = [_disk(outline[:, :3]) for outline in group]
    xyz = np.array([center for center, _ in disks])
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xyz, axis=0), axis=1))])
    middle = xyz[0] if way[-1] == 0 else np.array([np.interp(way[-1] / 2, way, v) for v in xyz.T])
    points = np.concatenate(group)[:, :2]
    diameter = np.array([width for _, width in disks])
    return Soma(xyz, diameter, middle, points.min(axis=0), points.max(axis=0))


def _single(outline: FloatArray) -> Soma:
    points = outline[:, :3]
    around = _around(points)
    center = around.mean(axis=0)
    low, high = points[:, :2].min(axis=0) - MARGIN, points[:, :2].max(axis=0) + MARGIN
    row = _disks_along_axis(around - center)
    if row is not None:
        return Soma(row[0] + center, row[1], center, low, high)
    center, width = _disk(points)
    x = np.array([-0.5, 0.0, 0.5])[:, None] * width * np.array([1.0, 0.0, 0.0])
    return Soma(center + x, np.full(3, width), center, low, high, round=True)


def _around(points: FloatArray) -> FloatArray:
    """(101, 3) µm: the outline resampled at equal steps of the way around."""
    edge = np.roll(points, -1, axis=0) - points
    step = np.hypot(edge[:, 0], edge[:, 1])
    way = np.concatenate([[0.0], np.cumsum(step[:-1])])
    at = np.arange(N_AROUND) * (way[-1] / (N_AROUND - 1))
    return np.column_stack([_interpolate(at, way, column) for column in points.T])


def _interpolate(at: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Linear between points of a rising x, constant outside; at a double x the earlier y holds."""
    i = np.clip(np.searchsorted(x, at, side="left"), 1, len(x) - 1)
    gap = x[i] - x[i - 1]
    part = (at - x[i - 1]) / np.where(gap > 0, gap, 1.0)
    inside = (1.0 - part) * y[i - 1] + part * y[i]
    return np.where(at <= x[0], y[0], np.where(at > x[-1], y[-1], inside))


def _disk(points: FloatArray) -> tuple[FloatArray, float]:
    """Center and diameter (mean radius plus perimeter / 2π) of the circle nearest to an outline."""
    perimeter = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1).sum()
    around = _around(points)
    center = around.mean(axis=0)
    return center, float(
        np.sqrt(((around - center) ** 2).sum(axis=1)).mean() + perimeter / (2 * np.pi)
    )


def _disks_along_axis(around: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Centers and diameters of 21 disks along the longest axis of a centered outline; None where it
    has no width.
    """
    value, vector = np.linalg.eigh(around.T @ around)
    long_axis, cross = vector[:, 2], vector[:, 1].copy()
    if long_axis[np.abs(long_axis).argmax()] < 0:
        long_axis = -long_axis
    cross[2] = 0.0
    size = np.linalg.norm(cross)
    if value[2] <= 0 or size < 1e-6:
        return None
    cross /= size
    along, aside = around @ long_axis, around @ cross
    start = int(along.argmax())
    along, aside = np.roll(along, -start), np.roll(aside, -start)
    turn = int(along.argmin())
    first = _rising(along[:turn][::-1], aside[:turn][::-1])
    second = _rising(along[turn:], aside[turn:])
    if not (len(first[0]) and len(second[0])):
        return None
    both = np.sort(np.concatenate([first[0], second[0]]))
    if both[-2] - both[1] <= 0:
        return None
    at = both[1] + np.arange(N_DISK) * ((both[-2] - both[1]) / (N_DISK - 1))
    diameter = np.abs(_interpolate1(at, *first) - _interpolate1(at, *second))
    if not (diameter > 0).any():
        return None
    diameter[0] = (diameter[0] + diameter[1]) / 2  # no point at the ends
    diameter[-1] = (diameter[-1] + diameter[-2]) / 2
    return at[:, None] * long_axis, diameter


def _interpolate1(at: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    return np.full(len(at), y[0]) if len(x) == 1 else _interpolate(at, x, y)


def _rising(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Without the points that do not lie beyond the one before, seen from the far end, so that x
    only rises.
    """
    xs, ys = x.tolist(), y.tolist()
    j = len(xs) - 1
    while j > 0:
        if xs[j] <= xs[j - 1] + _EPSILON:
            del xs[j], ys[j]
            if j == len(xs):
                j -= 1
        else:
            j -= 1
    return np.array(xs), np.array(ys)
