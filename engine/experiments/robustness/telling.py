"""What a robustness study compares, and what its numbers say, in sentences."""

from engine.experiments.robustness.study import Point, Result, Subject

HELP = """\
How often networks still answer rightly when their images are disturbed, as in Fig. 6d, e of Zhang \
et al. 2023. A ResNet-20 is trained on the same images, and every pixel is moved by epsilon in the \
direction that raises that network's loss most (FGSM). The networks compared never see the \
attacker, nor the attacker them: this is a transfer attack. A second curve moves every pixel by as \
much in a random direction.

Compared are the network of dendritic neurons (HPC-Net), an ANN of the same shape with the same \
hidden nonlinearity, and a control the publication lacks: the same ANN, given the mean voltage of \
the input neurons in place of the brightness. The spike encoding makes no spike within a sample \
for dark pixels, so small disturbances of a black ground are gone before any dendrite is reached; \
what that alone does, the control shows. Images keep whole gray levels, so a disturbance is the \
largest multiple of a level that is no more than epsilon. Bars are Wilson's 95 % intervals over \
the images; thin lines are further trainings of an ANN from other first weights.
"""


def conclusion(result: Result) -> str:
    """What the curves under attack say: who leads, and how much of it the encoding explains.

    Differences count where neither Wilson's interval over the images nor the spread of the
    trainings joins the two. Empty while a curve is missing.
    """
    dendrites, plain, encoded = (result.curve(subject) for subject in NAMES)
    if dendrites is None or plain is None or encoded is None:
        return ""
    both = [
        (d, p, e)
        for d in dendrites.points
        if (p := plain.at(d.epsilon)) is not None and (e := encoded.at(d.epsilon)) is not None
    ]
    attacked = [row for row in both if row[0].epsilon > 0]
    if not attacked:
        return ""
    parts = []
    if both[0][0].epsilon == 0:
        clean = ", ".join(f"{NAMES[s]} {_percent(p)}" for s, p in zip(NAMES, both[0], strict=True))
        parts.append(f"Undisturbed: {clean} right of {result.n_test:,} test images.")
    d, p, e = max(attacked, key=lambda row: row[0].accuracy.value - row[1].accuracy.value)
    lead = 100 * (d.accuracy.value - p.accuracy.value)
    if _better(d, p):
        parts.append(
            f"Under attack HPC-Net leads the ANN most at epsilon {d.epsilon:g}: {_percent(d)} "
            f"against {_percent(p)}, {lead:.1f} points."
        )
        gain = 100 * (e.accuracy.value - p.accuracy.value)
        share = gain / lead
        if share >= 1:
            parts.append(
                f"The ANN behind the same spike encoding, without any dendrite, is there at "
                f"{_percent(e)}: the encoding alone explains all of that lead."
            )
        else:
            parts.append(
                f"The ANN behind the same spike encoding, without any dendrite, is there at "
                f"{_percent(e)}: the encoding alone explains {max(0.0, 100 * share):.0f} % of "
                "that lead."
            )
    else:
        parts.append("Under attack HPC-Net leads the ANN nowhere beyond chance.")
    parts.append(_beside_control([(row[0], row[2]) for row in attacked]))
    return " ".join(parts)


NAMES: dict[Subject, str] = {"hpc_net": "HPC-Net", "ann": "ANN", "encoded_ann": "encoded ANN"}


def _beside_control(pairs: list[tuple[Point, Point]]) -> str:
    above = [d.epsilon for d, e in pairs if _better(d, e)]
    below = [d.epsilon for d, e in pairs if _better(e, d)]
    said = []
    if above:
        said.append(f"better beyond chance at epsilon {_listed(above)}")
    if below:
        said.append(f"worse beyond chance at {_listed(below)}")
    if not said:
        return "HPC-Net and that control cannot be told apart at any epsilon."
    rest = "" if len(above) + len(below) == len(pairs) else "; elsewhere they cannot be told apart"
    return f"Than that control HPC-Net is {' and '.join(said)}{rest}."


def _better(one: Point, other: Point) -> bool:
    """Whether all that chance allows for one lies above all it allows for the other."""
    return _ends(one)[0] > _ends(other)[1]


def _ends(point: Point) -> tuple[float, float]:
    interval, (low, high) = point.accuracy, point.spread
    down, up = interval.value - interval.low, interval.high - interval.value
    return low - down, high + up


def _percent(point: Point) -> str:
    return f"{100 * point.accuracy.value:.1f} %"


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
