"""What can be recorded at a site: a probe's variable as a place in the arrays of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.experiment import Experiment, Probe
from engine.mechanisms.model import Mechanism
from engine.placing import Placed, ion_currents
from engine.stimuli import Site
from engine.types import FloatArray
from engine.validation import locate

N_NAMED = 12
"""Of what is there, so many are named in an error."""


@dataclass(frozen=True)
class ProbeTarget:
    """Where a probe reads: ``kind`` says which array, ``index`` its row.

    A ``voltage`` or ``ion`` row is a node, a ``state`` row (of any variable of a mechanism) a
    position among the nodes of mechanism number ``mechanism``, a ``hold`` or ``gap`` row the
    number of a voltage clamp or gap junction.
    """

    label: str
    unit: str
    kind: str
    index: int
    variable: str
    mechanism: int = -1


def recorded(mechanism: Mechanism, probes: Sequence[Probe]) -> tuple[str, ...]:
    """The variables of a mechanism that are neither states nor kept anyway and that probes want."""
    suffix = f"_{mechanism.name}"
    wanted = {p.variable.partition("[")[0].removesuffix(suffix) for p in probes}
    return tuple(v.name for v in mechanism.recordable if v.name in wanted)


def target(
    probe: Probe,
    experiment: Experiment,
    tree: CompartmentTree,
    placed: Sequence[Placed],
    ions: dict[str, FloatArray],
) -> ProbeTarget:
    """Where a probe reads.

    Raises
    ------
    UserError
        If there is no such variable at its site; names those that are there.
    """
    choices = list(offered(probe.site, experiment, tree, placed, ions))
    for name, found in choices:
        if name == probe.variable:
            return replace(found, label=f"{probe.site} {name}")
    names = list(dict.fromkeys(name for name, _ in choices))
    there = ", ".join(names[:N_NAMED]) + " …" * (len(names) > N_NAMED)
    close = get_close_matches(probe.variable, names, 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise UserError(
        f"'{probe.variable}' cannot be recorded at {probe.site}; there is {there}{hint}"
    )


def offered(
    site: Site,
    experiment: Experiment,
    tree: CompartmentTree,
    placed: Sequence[Placed],
    ions: dict[str, FloatArray],
) -> Iterator[tuple[str, ProbeTarget]]:
    """Everything at a site by what a probe calls it; labels are still empty.

    Parameters are as in :func:`target`.
    """
    node = locate(tree, site, "probe")
    segment = int(tree.node_of_segment[tree.segment[node]])  # where an end has no membrane
    yield "v", ProbeTarget("", "mV", "voltage", node, "v")
    known = {*ion_currents(placed), *ions}
    units: dict[str, str] = {}
    found: list[tuple[int, list[int]]] = []
    for number, p in enumerate(placed):
        at = np.flatnonzero(p.node == (node if p.is_point else segment))
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
    for kind, name, sites in (
        ("hold", "i_VoltageClamp", [clamp.site for clamp in experiment.voltage_clamps]),
        ("gap", "i_GapJunction", [gap.site for gap in experiment.gap_junctions]),
    ):
        rows = [n for n, at_site in enumerate(sites) if locate(tree, at_site, kind) == node]
        for k, row in enumerate(rows):
            which = name + (f"[{k}]" if k else "")
            yield which, ProbeTarget("", "nA", kind, row, f"{kind}_current")


def _variables(
    number: int, own: Mechanism, rows: list[int], variables: list[tuple[str, str, str]]
) -> Iterator[tuple[str, ProbeTarget]]:
    """Variables (name, array, unit) of a mechanism; of a second point there ``g_ExpSyn[1]``."""
    for variable, array, unit in variables:
        for k, row in enumerate(rows):
            name = f"{variable}_{own.name}" + (f"[{k}]" if k else "")
            yield name, ProbeTarget("", unit or "1", "state", row, array, number)
