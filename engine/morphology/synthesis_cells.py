"""Recipes of the sample cells that grow branch by branch: pyramidal, striatal and mitral cells.

Counts and lengths follow the published models of the same classes (see
``sample_models/README.md``); the shapes are our own: nothing is traced from a reconstruction.
"""

import numpy as np

from engine.morphology.model import Morphology, Tag
from engine.morphology.synthesis_growth import (
    Caliber,
    Sketch,
    Style,
    Twig,
    diameters,
    fan_headings,
    plan_stems,
    plan_tree,
    plan_trunk,
    scale_to,
    steer,
)

UP = np.array([0.0, 1.0, 0.0])
PYRAMID = (0.42, 0.82, 1.0, 0.86, 0.62, 0.4)
"""Widths of a pyramidal soma from its base to the apical trunk, over the largest."""


def pyramidal(
    name: str,
    seed: int,
    *,
    soma: tuple[float, float],
    basal: tuple[int, int, float, float, float],
    apical: tuple[list[float], list[int], int, float],
    lengths: tuple[float, float, float, float],
    styles: tuple[Style, Style, Style, Style],
    calibers: tuple[Caliber, Caliber],
    axon: tuple[float, float],
    tilt: tuple[float, float] = (-55.0, 5.0),
) -> Morphology:
    """A pyramidal cell: basal skirt, apical trunk with obliques, tuft.

    Parameters
    ----------
    name, seed
    soma : µm
        Length and largest width.
    basal
        Stems, tips, mean lengths of inner and of ending branches, total length (µm).
    apical
        Pieces of the trunk (µm), tips of the oblique after each piece (0: none), tips of the tuft,
        total length (µm).
    lengths : µm
        Mean lengths of inner and of ending branches of the obliques, then of the tuft.
    styles
        Of basal dendrites, trunk, obliques and tuft.
    calibers
        Of basal and apical dendrites.
    axon : µm
        Length and diameter.
    tilt : degrees
        Elevations of the basal stems.
    """
    rng = np.random.default_rng(seed)
    skirt, trunk, oblique, tuft = styles
    n_stem, n_tip, inner, outer, basal_length = basal
    stems = plan_stems(rng, n_stem, n_tip, inner, outer, skirt)
    scale_to(stems, basal_length)
    pieces, side_tips, tuft_tips, apical_length = apical
    sides = [plan_tree(rng, n, lengths[0], lengths[1], oblique) if n else None for n in side_tips]
    top = plan_tree(rng, tuft_tips, lengths[2], lengths[3], tuft)
    free = apical_length - sum(pieces)
    scale_to([top, *(s for s in sides if s is not None)], free)
    tower = plan_trunk(pieces, sides, top, trunk)

    sketch = Sketch(rng)
    soma_radius = sketch.soma(*soma, PYRAMID)
    axon_style = Style(Tag.AXON, away=0.0, drift=(0, -0.02, 0), wander=0.02, step=10.0)
    headings = fan_headings(rng, n_stem, tilt, rng.uniform(0, 6))
    sketch.sprout(
        [
            (tower, len(PYRAMID) - 1, UP, 0.0),
            *(
                (s, 1 + i % 2, to, soma_radius[2])
                for i, (s, to) in enumerate(zip(stems, headings, strict=True))
            ),
            (Twig(axon[0], axon_style), 0, -UP, 0.0),
        ]
    )
    radius = diameters(
        sketch,
        soma_radius,
        {
            Tag.BASAL: calibers[0],
            Tag.APICAL: calibers[1],
            Tag.AXON: Caliber(axon[1], axon[1], flare=1.8, flare_length=12.0, taper=0.1),
        },
    )
    return sketch.morphology(name, radius)


def ca1(seed: int) -> Morphology:
    skirt = Style(Tag.BASAL, away=0.006, drift=(0, -0.008, 0), wander=0.05, angle=32, step=6)
    trunk = Style(Tag.APICAL, away=0.0, drift=(0, 0.05, 0), wander=0.02, step=7)
    oblique = Style(Tag.APICAL, away=0.004, drift=(0, 0.006, 0), wander=0.05, angle=32, step=6)
    tuft = Style(Tag.APICAL, away=0.003, drift=(0, 0.005, 0), wander=0.05, angle=38, step=6)
    return pyramidal(
        "ca1",
        seed,
        soma=(22.0, 16.0),
        basal=(4, 34, 26.0, 105.0, 4362.0),
        apical=(
            [22, 24, 20, 26, 22, 28, 24, 22, 30, 26, 24, 32, 28, 30],
            [2, 3, 4, 2, 5, 3, 4, 3, 5, 2, 4, 3, 2, 4],
            22,
            8190.0,
        ),
        lengths=(32.0, 92.0, 38.0, 90.0),
        styles=(skirt, trunk, oblique, tuft),
        calibers=(Caliber(0.6, 1.7), Caliber(0.55, 3.2, flare=1.35, flare_length=15)),
        axon=(300.0, 0.8),
    )


def ca3b(seed: int) -> Morphology:
    skirt = Style(Tag.BASAL, away=0.008, drift=(0, -0.003, 0), wander=0.05, angle=36, step=6)
    trunk = Style(Tag.APICAL, away=0.002, drift=(0, 0.016, 0), wander=0.025, angle=30, step=6)
    branch = Style(Tag.APICAL, away=0.004, drift=(0, 0.006, 0), wander=0.045, angle=36, step=6)
    rng = np.random.default_rng(seed)
    stems = plan_stems(rng, 6, 29, 36.0, 140.0, skirt)
    scale_to(stems, 4880.0)
    # a short thick trunk, then two main dendrites that give off branches while they rise
    mains = []
    for n_side, tips in ((5, 22), (4, 19)):
        pieces = list(rng.uniform(24, 48, n_side))
        sides = [int(n) for n in rng.integers(1, 4, n_side)]
        top = plan_tree(rng, tips - sum(sides), 60.0, 145.0, branch)
        twigs = [plan_tree(rng, n, 50.0, 150.0, branch) for n in sides]
        for twig in twigs:
            twig.angle = 45.0
        mains.append(plan_trunk(pieces, list(twigs), top, steer(trunk, tag=Tag.APICAL)))
    mains[0].angle = mains[1].angle = 30.0
    tower = Twig(46.0, trunk, mains)
    scale_to(mains, 7473.0 - 46.0)

    sketch = Sketch(rng)
    soma_radius = sketch.soma(16.0, 11.8, PYRAMID)
    axon = Style(Tag.AXON, away=0.0, drift=(0, -0.02, 0), wander=0.02, step=10.0)
    headings = fan_headings(rng, 6, (-60.0, 10.0), 0.4)
    sketch.sprout(
        [
            (tower, len(PYRAMID) - 1, UP, 0.0),
            *(
                (s, 1 + i % 2, to, 5.5)
                for i, (s, to) in enumerate(zip(stems, headings, strict=True))
            ),
            (Twig(97.0, axon), 0, -UP, 0.0),
        ]
    )
    radius = diameters(
        sketch,
        soma_radius,
        {
            Tag.BASAL: Caliber(0.5, 1.6),
            Tag.APICAL: Caliber(0.5, 3.6, flare=1.5, flare_length=20),
            Tag.AXON: Caliber(1.0, 1.0, flare=1.5),
        },
    )
    return sketch.morphology("ca3b", radius)


def l5b(seed: int) -> Morphology:
    skirt = Style(Tag.BASAL, away=0.010, drift=(0, -0.002, 0), wander=0.04, angle=34, step=6)
    trunk = Style(Tag.APICAL, away=0.0, drift=(0, 0.05, 0), wander=0.012, step=9)
    oblique = Style(Tag.APICAL, away=0.006, drift=(0, 0.004, 0), wander=0.04, angle=32, step=6)
    tuft = Style(Tag.APICAL, away=0.003, drift=(0, 0.007, 0), wander=0.04, angle=38, step=6)
    return pyramidal(
        "l5b",
        seed,
        soma=(23.2, 18.0),
        basal=(8, 46, 22.0, 92.0, 5133.0),
        apical=(
            [26, 24, 34, 28, 38, 34, 44, 54, 96, 130, 170, 90],
            [2, 1, 3, 2, 3, 1, 2, 2, 1, 1, 2, 0],
            35,
            7441.0,
        ),
        lengths=(30.0, 95.0, 38.0, 95.0),
        styles=(skirt, trunk, oblique, tuft),
        calibers=(Caliber(0.45, 1.3), Caliber(0.42, 4.2, flare=1.7, flare_length=18)),
        axon=(60.0, 1.2),
        tilt=(-60.0, 25.0),
    )


def human_l23(seed: int) -> Morphology:
    skirt = Style(Tag.BASAL, away=0.008, drift=(0, -0.001, 0), wander=0.04, angle=34, step=8)
    trunk = Style(Tag.APICAL, away=0.0, drift=(0, 0.04, 0), wander=0.012, step=9)
    oblique = Style(Tag.APICAL, away=0.005, drift=(0, 0.004, 0), wander=0.04, angle=34, step=8)
    tuft = Style(Tag.APICAL, away=0.003, drift=(0, 0.007, 0), wander=0.035, angle=32, step=8)
    return pyramidal(
        "human_l23",
        seed,
        soma=(27.0, 21.5),
        basal=(7, 61, 22.0, 147.0, 9589.0),
        apical=(
            [26, 30, 34, 30, 42, 38, 55, 60, 70],
            [2, 3, 2, 4, 2, 3, 2, 3, 2],
            28,
            11044.0,
        ),
        lengths=(45.0, 165.0, 75.0, 190.0),
        styles=(skirt, trunk, oblique, tuft),
        calibers=(Caliber(1.15, 2.9), Caliber(1.1, 4.8, flare=1.4, flare_length=20)),
        axon=(180.0, 1.5),
        tilt=(-55.0, 20.0),
    )


def spn(seed: int) -> Morphology:
    """A striatal projection neuron: eight stems in all directions, even and straight."""
    rng = np.random.default_rng(seed)
    radial = Style(Tag.BASAL, away=0.008, wander=0.045, angle=32, step=5)
    stems = plan_stems(rng, 8, 33, 24.0, 98.0, radial, spread=0.25)
    scale_to(stems, 4035.0)
    sketch = Sketch(rng)
    soma_radius = sketch.soma(14.12, 14.12, (1.0,))
    # stems on a spiral over the sphere, so that no side is bare
    k = np.arange(8) + 0.5
    lift, turn = np.arcsin(1 - 2 * k / 8), np.pi * (1 + 5**0.5) * k
    headings = [
        np.array([np.cos(e) * np.cos(a), np.sin(e), np.cos(e) * np.sin(a)])
        for e, a in zip(lift, turn, strict=True)
    ]
    axon = Style(Tag.AXON, away=0.0, wander=0.02, step=8.0)
    sketch.sprout(
        [
            *((s, 0, to, soma_radius[0]) for s, to in zip(stems, headings, strict=True)),
            (Twig(60.0, axon), 0, np.array([0.5, -0.8, 0.3]), soma_radius[0]),
        ]
    )
    radius = diameters(
        sketch,
        soma_radius,
        {Tag.BASAL: Caliber(0.85, 1.9), Tag.AXON: Caliber(1.0, 1.0, flare=1.3)},
    )
    return sketch.morphology("spn", radius)


def mitral(seed: int) -> Morphology:
    """A mitral cell: one primary dendrite up to a tuft in its glomerulus, long flat laterals."""
    rng = np.random.default_rng(seed)
    flat = (0.0, 0.00012, 0.0)
    lateral = Style(Tag.BASAL, away=0.006, flatten=flat, wander=0.022, angle=24, step=18)
    rise = Style(Tag.APICAL, away=0.0, drift=(0.002, 0.05, 0), wander=0.02, step=14)
    bush = Style(Tag.APICAL, away=0.0, drift=(0, 0.01, 0), wander=0.08, angle=50, step=4)
    stems = plan_stems(rng, 4, 11, 150.0, 640.0, lateral, spread=0.25)
    scale_to(stems, 8620.0)
    tuft = plan_tree(rng, 6, 22.0, 58.0, bush)
    tuft.length = 400.0
    tuft.style = rise
    sketch = Sketch(rng)
    soma_radius = sketch.soma(24.5, 17.8, (0.5, 0.9, 1.0, 0.85, 0.5))
    headings = fan_headings(rng, 4, (-12.0, 8.0), 0.5)
    axon = Style(Tag.AXON, away=0.0, drift=(0, -0.02, 0), wander=0.02, step=8.0)
    sketch.sprout(
        [
            (tuft, 4, UP, 0.0),
            *(
                (s, 1 + i % 2, to, 8.0)
                for i, (s, to) in enumerate(zip(stems, headings, strict=True))
            ),
            (Twig(60.0, axon), 0, -UP, 0.0),
        ]
    )
    radius = diameters(
        sketch,
        soma_radius,
        {
            Tag.BASAL: Caliber(2.15, 3.6, taper=0.4),
            Tag.APICAL: Caliber(0.9, 5.2, flare=1.2),
            Tag.AXON: Caliber(1.5, 1.5, flare=1.5),
        },
    )
    return sketch.morphology("mitral", radius)
