"""What can be recorded at a site: a probe's variable as a place in the arrays of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from engine.errors import UserError
from engine.experiment import Experiment, Probe
from engine.mechanisms.model import Mechanism
from engine.places import Places
from engine.placing import Placed, ion_currents
from engine.stimuli import Site
from engine.types import FloatArray

N_NAMED = 12
"""Of what is there, so many are named in an error."""


@dataclass(frozen=True)
class ProbeTarget:
    """Where a probe reads: ``kind`` says which array, ``index`` its row.

    A ``voltage`` or ``ion`` row is a node, a ``state`` row (of any variable of a mechanism) a
    position among the nodes of mechanism number ``mechanism``, a ``hold`` or ``gap`` row the
    number of a voltage clamp or gap junction. ``rows`` are those of every instance where they
    differ, else empty.
    """

    label: str
    unit: str
    kind: str
    index: int
    variable: str
    mechanism: int = -1
    rows: tuple[int, ...] = ()


def recorded(mechanism: Mechanism, probes: Sequence[Probe]) -> tuple[str, ...]:
    """The variables of a mechanism that are neither states nor kept anyway and that probes want."""
    suffix = f"_{mechanism.name}"
    wanted = {p.variable.partition("[")[0].removesuffix(suffix) for p in probes}
    return tuple(v.name for v in mechanism.recordable if v.name in wanted)


def target(
    probe: Probe,
    experiments: Sequence[Experiment],
    places: Places,
    placed: Sequence[Placed],
    ions: dict[str, FloatArray],
    tagged: bool = False,
) -> ProbeTarget:
    """Where a probe reads.

    Parameters
    ----------
    probe
    experiments
        One, or one of every instance.
    places, placed, ions
    tagged
        What sits on single nodes is of one instance each.

    Raises
    ------
    UserError
        If there is no such variable at its site; names those that are there.
    """
    found = [
        _target(probe, experiments, places, placed, ions, i if tagged else None)
        for i in range(len(experiments))
    ]
    rows = tuple(each.index for each in found)
    return replace(found[0], rows=rows if len(set(rows)) > 1 else ())


def _target(
    probe: Probe,
    experiments: Sequence[Experiment],
    places: Places,
    placed: Sequence[Placed],
    ions: dict[str, FloatArray],
    instance: int | None,
) -> ProbeTarget:
    choices = list(offered(probe.site, experiments, places, placed, ions, instance))
    for name, found in choices:
        if name == probe.variable:
            return replace(found, label=f"{probe.site} {name}")
    names = list(dict.fromkeys(name for name, _ in choices))
    there = ", ".join(names[:N_NAMED]) + " …" * (len(names) > N_NAMED)
    close = get_close_matches(probe.variable, names, 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    of = f" in instance {instance}" if instance else ""
    raise UserError(
        f"'{probe.variable}' cannot be recorded at {probe.site}{of}; there is {there}{hint}"
    )


def offered(
    site: Site,
    experiments: Sequence[Experiment],
    places: Places,
    placed: Sequence[Placed],
    ions: dict[str, FloatArray],
    instance: int | None = None,
) -> Iterator[tuple[str, ProbeTarget]]:
    """Everything at a site by what a probe calls it; labels are still empty.

    Parameters are as in :func:`target`; ``instance`` is None where all have the same.
    """
    tree, number_of = places.tree, instance or 0
    node = places.node(site, "probe", number_of)
    on_twig = node >= tree.n_comp
    segment = -1 if on_twig else int(tree.node_of_segment[tree.segment[node]])  # an end has none
    yield "v", ProbeTarget("", "mV", "voltage", node, "v")
    known = {*ion_currents(placed), *ions}
    units: dict[str, str] = {}
    found: list[tuple[int, list[int]]] = []
    for number, p in enumerate(placed):
        here = p.node == (node if p.is_point else segment)
        if instance is not None and p.instance is not None:
            here &= p.instance == instance
        at = np.flatnonzero(here)
        if not at.size:
            continue
        for ion in p.mechanism.ions:
            units |= {ion.current: "mA/cm2", f"e{ion.name}": "mV"}
            units |= dict.fromkeys(ion.concentrations, "mM")
        own = p.mechanism
        found.append((number, at.tolist()))
        yield from _variables(
            number, own, at.tolist(), [(v.name, v.name, v.unit) for v in own.states]
        )
    for name, unit in units.items():
        if name in known:
            yield name, ProbeTarget("", unit, "ion", segment, name)
    for number, rows in found:
        own = placed[number].mechanism
        kept = [(v.name, getattr(v, "stored", v.name), v.unit) for v in own.recordable]
        yield from _variables(number, own, rows, kept)
    experiment = experiments[number_of]
    for kind, name, sites in (
        ("hold", "i_VoltageClamp", [clamp.site for clamp in experiment.voltage_clamps]),
        ("gap", "i_GapJunction", [gap.site for gap in experiment.gap_junctions]),
    ):
        first = number_of * len(sites)  # every instance has as many
        rows = [n for n, at_site in enumerate(sites)
                if places.node(at_site, kind, number_of) == node]  # fmt: skip
        for k, row in enumerate(rows):
            which = name + (f"[{k}]" if k else "")
            yield which, ProbeTarget("", "nA", kind, first + row, f"{kind}_current")


def _variables(
    number: int, own: Mechanism, rows: list[int], variables: list[tuple[str, str, str]]
) -> Iterator[tuple[str, ProbeTarget]]:
    """Variables (name, array, unit) of a mechanism; of a second point there ``g_ExpSyn[1]``."""
    for variable, array, unit in variables:
        for k, row in enumerate(rows):
            name = f"{variable}_{own.name}" + (f"[{k}]" if k else "")
            yield name, ProbeTarget("", unit or "1", "state", row, array, number)
