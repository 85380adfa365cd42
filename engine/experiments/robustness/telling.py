"""What a robustness study compares, and what its numbers say, in sentences."""

from engine.experiments.proportions import wilson
from engine.experiments.robustness.study import Curve, Point, Result, Subject

HELP = """\
How often networks still answer right when their images are disturbed, as in Fig. 6d, e of Zhang \
et al. 2023. A ResNet-20 is trained on the same images, and every pixel is moved by epsilon in \
the direction that raises that network's loss (FGSM). The attacker never saw the networks that \
are compared: this is a transfer attack. A second plot moves every pixel by as much in a random \
direction.

Compared are the network of dendritic neurons (HPC-Net) and an ANN of the same shape with the \
same hidden nonlinearity, and three controls that the publication lacks. Two are the same ANN, \
given the mean voltage of the input neurons in place of the brightness (behind the spike \
encoding), or what is left of that behind the membranes of a hidden and an output neuron. The \
third is the trained HPC-Net itself with every synapse moved to the soma, its weight scaled by \
the transfer resistance. A dark pixel makes no spike within a sample, so a small disturbance of a \
black ground is gone before any dendrite is reached.

What the numbers said (first 2,000 test images; MNIST and, after 7 epochs, Fashion-MNIST): \
HPC-Net does lead the ANN under attack, by up to 37 and 21 points. Up to epsilon 0.12, where the \
encoding hides what happens to black pixels, the same ANN behind the encoding is as good, so no \
dendrite is needed for that lead. Above it the encoding alone is worse than none. With the \
membranes' smoothing the ANN keeps up to 0.14 and 0.16; beyond that HPC-Net is better (90 against \
65 %, 63 against 54 % at 0.2). That rest is not the dendrites' either: with all synapses on the \
soma HPC-Net loses 0.5 and 2 points at most, within chance. What is left is the course of \
voltages in time and how the weights were learned. A stronger attack, made on HPC-Net itself, was \
not tried.

Images keep whole gray levels: a disturbance is the largest multiple of a level that is no more \
than epsilon. Bars are Wilson's 95 % intervals over the images; thin lines are further trainings \
of an ANN from other first weights.
"""

NAMES: dict[Subject, str] = {
    "hpc_net": "HPC-Net",
    "ann": "ANN",
    "encoded_ann": "ANN behind the encoding",
    "passed_ann": "ANN behind encoding and membranes",
}
CONTROLS: tuple[Subject, ...] = ("encoded_ann", "passed_ann")


def conclusion(result: Result) -> str:
    """What the curves under attack say: who leads, and how much of it needs no dendrites.

    A difference counts where neither Wilson's interval over the images nor the spread of the
    trainings joins the two. Empty while the curve of a network is missing.
    """
    curves = {s: curve for s in NAMES if (curve := result.curve(s)) is not None}
    if not {"hpc_net", "ann", "encoded_ann"} <= set(curves):
        return ""
    sizes = [
        p.epsilon for p in curves["hpc_net"].points if all(c.at(p.epsilon) for c in curves.values())
    ]
    rows = [{s: _at(curve, epsilon) for s, curve in curves.items()} for epsilon in sizes]
    attacked = [row for row in rows if row["hpc_net"].epsilon > 0]
    if not attacked:
        return ""
    parts = []
    if len(attacked) < len(rows):
        clean = ", ".join(f"{NAMES[s]} {_percent(p)}" for s, p in rows[0].items())
        parts.append(f"Undisturbed, of {result.n_test:,} test images: {clean}.")
    best = max(attacked, key=lambda row: _lead(row, "hpc_net"))
    if _better(best["hpc_net"], best["ann"]):
        parts.append(
            f"Under attack HPC-Net leads the ANN most at epsilon {best['ann'].epsilon:g}: "
            f"{_percent(best['hpc_net'])} against {_percent(best['ann'])}, "
            f"{_lead(best, 'hpc_net'):.1f} points."
        )
        for control in CONTROLS:
            if control in best:
                share = _lead(best, control) / _lead(best, "hpc_net")
                part = "all" if share >= 1 else f"{max(0.0, 100 * share):.0f} %"
                parts.append(
                    f"The {NAMES[control]}, without any dendrite, has {_percent(best[control])} "
                    f"there, {part} of that lead."
                )
    else:
        parts.append("Under attack HPC-Net leads the ANN nowhere beyond chance.")
    for other in ("ann", *CONTROLS):
        if other in curves:
            parts.append(_beside(other, attacked))
    if (moved := result.curve("moved")) is not None:
        parts.append(_moved(curves["hpc_net"], moved))
    return " ".join(part for part in parts if part)


def _moved(dendrites: Curve, moved: Curve) -> str:
    """What is lost where every synapse of the trained network is put on the soma."""
    pairs = [(p, q) for p in dendrites.points if (q := moved.at(p.epsilon)) is not None]
    attacked = [(p, q) for p, q in pairs if p.epsilon > 0]
    if not attacked:
        return ""
    p, q = max(attacked, key=lambda pair: abs(pair[0].right - pair[1].right))
    told = (
        "With every synapse of HPC-Net moved to the soma, so that no current passes a dendrite, "
        f"it changes most at epsilon {p.epsilon:g}: {_percent(q)} in place of {_percent(p)}"
    )
    if any(_better(p, q) for p, q in attacked):
        return f"{told}; dendrites do make it harder to mislead."
    if any(_better(q, p) for p, q in attacked):
        return f"{told}; dendrites make it easier to mislead."
    return f"{told}, within chance: its strength is not in its dendrites."


def _at(curve: Curve, epsilon: float) -> Point:
    return next(p for p in curve.points if p.epsilon == epsilon)


def _lead(row: dict[Subject, Point], subject: Subject) -> float:
    """Points of a hundred by which a network is better than the ANN."""
    return 100 * (row[subject].accuracy.value - row["ann"].accuracy.value)


def _beside(other: Subject, rows: list[dict[Subject, Point]]) -> str:
    pairs = [(row["hpc_net"], row[other]) for row in rows]
    above = [d.epsilon for d, e in pairs if _better(d, e)]
    below = [d.epsilon for d, e in pairs if _better(e, d)]
    name = NAMES[other]
    if not above and not below:
        return f"HPC-Net and the {name} cannot be told apart at any epsilon."
    said = []
    if above:
        said.append(f"better at epsilon {_listed(above)}")
    if below:
        said.append(f"worse at epsilon {_listed(below)}")
    rest = "" if len(above) + len(below) == len(pairs) else "; elsewhere they cannot be told apart"
    return f"Than the {name} HPC-Net is, beyond chance, {' and '.join(said)}{rest}."


def _better(one: Point, other: Point) -> bool:
    """Whether all that chance allows for one lies above all it allows for the other."""
    return _ends(one)[0] > _ends(other)[1]


def _ends(point: Point) -> tuple[float, float]:
    every = [wilson(right, point.n) for right in (point.right, *point.others)]
    return min(i.low for i in every), max(i.high for i in every)


def _percent(point: Point) -> str:
    return f"{100 * point.accuracy.value:.1f} %"


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
