"""The Purkinje cell: a flat fan that fills its plane.

Growing branch by branch cannot fill a plane evenly, so this cell is spun the other way round:
places are strewn over the fan, and each in turn is joined to the tree where wire plus path to the
soma are shortest (Cuntz, Forstner, Borst & Häusser, PLoS Comput. Biol. 6:e1000877, 2010).
"""

import numpy as np

from engine.morphology.model import Morphology, Tag
from engine.morphology.synthesis_growth import Caliber, Sketch, Style, Twig, diameters
from engine.types import FloatArray, IntArray


def purkinje(seed: int) -> Morphology:
    """A Purkinje cell of about 1,450 branches in a fan 300 µm wide and high."""
    rng = np.random.default_rng(seed)
    trunk = [np.array([0.0, y, 0.0]) for y in (15.0, 19.0, 23.0, 27.0, 31.0, 35.0)]
    places = strew(rng, spacing=3.5)
    xyz, parent = join(np.vstack([trunk, places]), n_trunk=len(trunk), path_weight=0.1)
    xyz, parent = prune(xyz, parent, n_tip=735)
    xyz = smooth(xyz, parent, passes=3)
    xyz[:, 2] += 1.5 * np.sin(xyz[:, 0] / 40) * np.cos(xyz[:, 1] / 55)

    sketch = Sketch(rng)
    soma_radius = sketch.soma(29.8, 29.8, (0.5, 0.86, 1.0, 0.86, 0.42))
    top = len(sketch.xyz) - 1
    n_child = np.bincount(parent[parent >= 0], minlength=len(parent))
    branch = np.zeros(len(parent), int)
    number = np.zeros(len(parent), int)
    for i, p in enumerate(parent):
        if p < 0 or n_child[p] != 1:
            sketch.n_branch += 1
            branch[i] = sketch.n_branch
        else:
            branch[i] = branch[p]
        number[i] = sketch.add(xyz[i], top if p < 0 else number[p], Tag.BASAL)
        sketch.branch[-1] = branch[i]
    axon = Style(Tag.AXON, away=0.0, drift=(0.01, -0.03, 0), wander=0.02, step=8.0)
    sketch.sprout([(Twig(100.0, axon), 0, np.array([0.0, -1.0, 0.0]), 0.0)])
    radius = diameters(
        sketch,
        soma_radius,
        {
            Tag.BASAL: Caliber(1.0, 8.0, flare=1.0, taper=0.25),
            Tag.AXON: Caliber(0.9, 0.9, flare=2.0, flare_length=15),
        },
    )
    return sketch.morphology("purkinje", radius)


def strew(rng: np.random.Generator, spacing: float) -> FloatArray:
    """(n, 3) µm: a shaken hexagonal grid over the fan, a few µm thick."""
    x, y = np.meshgrid(np.arange(-160, 160, spacing), np.arange(20, 310, spacing * np.sqrt(3) / 2))
    x = x + spacing / 2 * (np.arange(len(x)) % 2)[:, None]
    xy = np.column_stack([x.ravel(), y.ravel()])
    xy += rng.uniform(-0.42, 0.42, xy.shape) * spacing
    # outline: an ellipse with waves, cut by two slopes that open from the soma
    turn = np.arctan2(xy[:, 1] - 160, xy[:, 0])
    edge = 1 + 0.05 * np.sin(3 * turn + 1) + 0.035 * np.sin(7 * turn) + 0.02 * np.sin(13 * turn + 2)
    inside = np.hypot(xy[:, 0] / 148, (xy[:, 1] - 160) / 140) < edge
    inside &= xy[:, 1] > 22 + 0.22 * np.abs(xy[:, 0])
    # clefts between the main branches
    cleft = 4 * np.exp(-(((xy[:, 1] - 190) / 90) ** 2))
    inside &= np.abs(xy[:, 0] - 6 - 9 * np.sin(xy[:, 1] / 45)) > np.where(xy[:, 1] > 75, cleft, 0)
    xy = xy[inside]
    return np.column_stack([xy, rng.normal(0, 2.2, len(xy))])


def join(places: FloatArray, n_trunk: int, path_weight: float) -> tuple[FloatArray, IntArray]:
    """Join places to a tree, parents first.

    Parameters
    ----------
    places : (n, 3) µm
        The first ``n_trunk`` are a chain already.
    n_trunk : int
    path_weight
        What a µm of path to the soma counts, in µm of wire.

    Returns
    -------
    xyz : (n, 3) µm
        In the order of joining.
    parent : (n,) int
    """
    n = len(places)
    path = np.zeros(n)
    cost, over = np.full(n, np.inf), np.zeros(n, int)
    order, rank = [], np.full(n, -1)
    parent = np.full(n, -1)
    for turn in range(n):
        new = turn if turn < n_trunk else int(np.argmin(cost))
        if new:
            p = new - 1 if turn < n_trunk else int(over[new])
            parent[turn] = rank[p]
            path[new] = path[p] + np.linalg.norm(places[new] - places[p])
        rank[new] = turn
        order.append(new)
        wire = np.sqrt(((places - places[new]) ** 2).sum(axis=1)) + path_weight * path[new]
        # the trunk itself carries no side twigs below its top
        closer = (wire < cost) & (rank < 0) if turn >= n_trunk - 1 else np.zeros(n, bool)
        cost[closer], over[closer] = wire[closer], new
        cost[new] = np.inf
    return places[order], parent


def prune(xyz: FloatArray, parent: IntArray, n_tip: int) -> tuple[FloatArray, IntArray]:
    """Take away the shortest ending branches until ``n_tip`` are left."""
    while True:
        n = len(parent)
        n_child = np.bincount(parent[parent >= 0], minlength=n)
        step = np.linalg.norm(xyz - xyz[parent], axis=1)
        tips = np.flatnonzero(n_child == 0)
        excess = len(tips) - n_tip
        if excess <= 0:
            return xyz, parent
        lengths, bodies = [], []
        for tip in tips:
            body, at, length = [], int(tip), 0.0
            while parent[at] >= 0 and n_child[at] <= 1:
                body.append(at)
                length += step[at]
                at = int(parent[at])
            lengths.append(length)
            bodies.append((body, at))
        gone, touched = np.zeros(n, bool), set()
        for k in np.argsort(lengths, kind="stable")[: max(1, excess // 3)]:
            body, fork = bodies[k]
            if fork not in touched:  # one at a fork and round, so that no fork loses all
                touched.add(fork)
                gone[body] = True
        number = np.cumsum(~gone) - 1
        xyz, parent = xyz[~gone], parent[~gone]
        parent = np.where(parent < 0, -1, number[parent])


def smooth(xyz: FloatArray, parent: IntArray, passes: int) -> FloatArray:
    """Draw every inner point towards the middle of its neighbors; tips and the root stay."""
    n = len(parent)
    inner = np.flatnonzero(parent >= 0)
    n_child = np.bincount(parent[inner], minlength=n)
    for _ in range(passes):
        below = np.column_stack(
            [np.bincount(parent[inner], xyz[inner, k], minlength=n) for k in range(3)]
        )
        middle = 0.5 * xyz[parent] + 0.5 * below / np.maximum(n_child, 1)[:, None]
        moves = (n_child > 0) & (parent >= 0)
        xyz = np.where(moves[:, None], 0.5 * xyz + 0.5 * middle, xyz)
    return xyz
