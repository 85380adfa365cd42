"""What a robustness study compares, and what its numbers say, in sentences."""

from engine.experiments.proportions import mcnemar, wilson
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

What the numbers said (first 2,000 test images; one training of HPC-Net on MNIST, 10 epochs, and \
one on Fashion-MNIST, 12 epochs; three of every ANN): HPC-Net leads the ANN under attack, by up to \
37 and 21 points. Up to epsilon 0.12, where the encoding hides what happens to black pixels, the \
same ANN behind the encoding cannot be told apart from it; from 0.16 on that ANN is worse than \
without the encoding. With the membranes' smoothing the ANN keeps up to 0.14 and 0.18; beyond that \
HPC-Net is better (90 against 65 %, 59 against 54 % at 0.2). With all synapses on the soma the \
trained HPC-Net cannot be told apart from itself on MNIST (0.5 points less at most). On \
Fashion-MNIST it has fewer images right at 2 of the 10 sizes, 1.6 points at 0.18 and 3.6 at 0.2: \
there, what currents do on the dendrites is part of what its weights rely on, and elsewhere a \
difference is not shown, which does not mean that there is none. The rest may be the course of \
voltages in time, or how the weights were learned. What another training of HPC-Net would change \
is not known, and a stronger attack, made on HPC-Net itself, was not tried.

Images keep whole gray levels: a disturbance is the largest multiple of a level that is no more \
than epsilon. Bars are Wilson's 95 % intervals over the images; thin lines are further trainings \
of an ANN from other first weights. An ANN and HPC-Net are told apart where neither these \
intervals nor the trainings of the ANN join them; HPC-Net and itself with moved synapses by the \
images that only one of the two has right (McNemar's exact test, 5 % shared out over the sizes).
"""

NAMES: dict[Subject, str] = {
    "hpc_net": "HPC-Net",
    "ann": "ANN",
    "encoded_ann": "ANN behind the encoding",
    "passed_ann": "ANN behind encoding and membranes",
}
CONTROLS: tuple[Subject, ...] = ("encoded_ann", "passed_ann")
CHANCE = 0.05
"""Of telling two networks apart, at any of the sizes together, that are equally often right."""
TEST = f"on the same images; McNemar's exact test, {100 * CHANCE:g} % shared out over the sizes"


def conclusion(result: Result) -> str:
    """What the curves under attack say: who leads, and how much of it needs no dendrites.

    A difference from an ANN counts where neither Wilson's interval over the images nor the spread
    of the ANN's trainings joins the two. The network with its synapses moved is the same training
    on the same images: there, the images that only one of the two has right are compared (McNemar's
    exact test at 5 %, shared out over the sizes). Empty while the curve of a network is missing.
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
    leads = [row for row in attacked if _better(row["hpc_net"], row["ann"])]
    if leads:
        best = max(leads, key=lambda row: _lead(row, "hpc_net"))
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
    parts.append(_chance_left(curves["ann"]))
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
    only = [(q.epsilon, q.discordant) for _, q in attacked if q.discordant is not None]
    if len(only) < len(attacked):
        return f"{told}; image by image the two were not compared."
    apart = [(e, a > b) for e, (a, b) in only if mcnemar(a, b) < CHANCE / len(only)]
    lost, won = ([e for e, less in apart if less is wanted] for wanted in (True, False))
    many = f"the {len(only)} sizes" if len(only) > 1 else "this size"
    if not apart:
        return f"{told}; at none of {many} can the two be told apart ({TEST})."
    said = [
        f"{word} images right at {len(sizes)} of {many} (epsilon {_listed(sizes)})"
        for word, sizes in (("fewer", lost), ("more", won))
        if sizes
    ]
    rest = "" if len(apart) == len(only) else "; elsewhere the two cannot be told apart"
    return f"{told}. The moved one has, beyond chance, {' and '.join(said)}{rest} ({TEST})."


def _chance_left(ann: Curve) -> str:
    """How many trainings are behind the numbers."""
    many = 1 + min((len(p.others) for p in ann.points), default=0)
    trained = f"{many} trainings" if many > 1 else "one training"
    return (
        f"Each ANN: {trained}; HPC-Net: one training, so what another one of it would change is "
        "not known."
    )


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
