"""Trials of a spike study as plain values, from which a script of another program builds them.

What is taken from the engine are the numbers of every segment (densities, capacitances, reversal
potentials); morphology, matrix and time steps are the other program's own.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.biophysics import section_cables
from engine.errors import UserError
from engine.experiment import Experiment
from engine.mechanisms.loading import LIBRARY, library
from engine.model import Model, build_batch
from engine.morphology.model import Sections
from engine.morphology.samples import resolve
from engine.placing import Placed
from engine.spines import place_on_spine
from engine.synapses import SpikeTrain, Synapse
from engine.types import IntArray
from engine.units import NF_PER_UF_CM2_UM2

BUILT_IN = ("pas", "hh", "ExpSyn", "Exp2Syn")
"""Mechanisms of the library that NEURON has itself."""
_NAMED = re.compile(r"^\s*(?:SUFFIX|POINT_PROCESS)\s+(\w+)", re.MULTILINE)


def described(experiments: Sequence[Experiment], cell: Sections) -> dict[str, Any]:
    """What the trials share, and each trial's own synapses and spines.

    Raises
    ------
    UserError
        If an event has no time known before the run.
    """
    shared, model = experiments[0], build_batch(experiments, cell)
    site = shared.spike_site
    return {
        "path": str(resolve(shared.morphology)),
        **cell_of(model),
        "spike_site": (model.tree.sections.name[0], 0.5)
        if site is None
        else (site.section, site.x),
        "trials": [
            {"spines": spines_of(model, k), "synapses": [row_of(y) for y in e.synapses]}
            for k, e in enumerate(experiments)
        ],
        **{
            name: getattr(shared, name)
            for name in ("celsius", "dt", "v_init", "duration", "spike_threshold")
        },
    }


def cell_of(model: Model, name_of: Callable[[str], str] = str) -> dict[str, Any]:
    """What another program has to put on its own import of the morphology.

    Parameters
    ----------
    model
    name_of
        The other program's name of a mechanism.

    Returns
    -------
    dict
        ``sections``: by name nseg, Ra (Ω·cm), and of every segment cm (µF/cm²) and the parameters
        of its mechanisms; ``stub``: where the cylinders of a cut axon are put and their lengths and
        diameters (µm); ``reversals`` (mV).
    """
    shared, tree = model.experiment, model.tree
    cm = model.capacitance / np.where(tree.massless, 1.0, tree.area) / NF_PER_UF_CM2_UM2
    ra, _ = section_cables(shared.cables, tree.sections)
    placed = [p for p in model.placed if p.mechanism.name in library() and not p.is_point]
    sections = {}
    for s, name in enumerate(tree.sections.name):
        nodes = tree.node_of_segment[tree.segment_start[s] : tree.segment_start[s + 1]]
        sections[name] = {
            "nseg": len(nodes),
            "ra": ra[s],
            "cm": cm[nodes].tolist(),
            "mechanisms": {
                name_of(p.mechanism.name): on_segments(p, nodes)
                for p in placed
                if np.isin(nodes, p.node).any()
            },
        }
    stub = None
    if shared.axon == "stub":
        axon = [s for s, name in enumerate(tree.sections.name) if name.startswith("axon")]
        wide = [float(tree.sections.diameter[tree.sections.start[s]]) for s in axon]
        long = [float(tree.length[tree.section == s].sum()) for s in axon]
        cylinders = list(zip(long, wide, strict=True))  # from points of single precision
        stub = {"attach": shared.stub.attach, "cylinders": cylinders}
    return {"stub": stub, "sections": sections, "reversals": dict(shared.reversals)}


def on_segments(placed: Placed, nodes: IntArray) -> dict[str, list[float]]:
    """Parameters on a section's segments; where the mechanism is not, its density is 0."""
    here = np.isin(nodes, placed.node)
    row = np.searchsorted(placed.node, nodes)
    found = {}
    for name, values in placed.values.items():
        without = 0.0 if name in ("gbar", "g") else placed.mechanism.parameter(name).default
        found[name] = np.where(here, values[np.where(here, row, 0)], without).tolist()
    return found


def row_of(synapse: Synapse) -> list[Any]:
    """Mechanism, spine or section, x, parameters, weights, arrival times (ms)."""
    if not isinstance(synapse.source, SpikeTrain):
        raise UserError(f"the synapse at {synapse.site} has no train of known times; give it one")
    on_spine = place_on_spine(synapse.site)
    where: int | str = synapse.site.section if on_spine is None else on_spine[0]
    times = [t + synapse.delay for t in synapse.source.times]
    return [synapse.mechanism, where, synapse.site.x, dict(synapse.parameters),
            list(synapse.weights), times]  # fmt: skip


def spines_of(model: Model, instance: int) -> list[list[Any]]:
    """Section, x, how many, and shape of the spines of an instance: the explicit ones first."""
    twigs, tree = model.twigs, model.tree
    if twigs is None:
        return []
    mine = np.ones(twigs.n_twig, bool) if twigs.instance is None else twigs.instance == instance
    explicit = np.flatnonzero(mine & (twigs.spine >= 0))
    explicit = explicit[np.argsort(twigs.spine[explicit])]
    rest = np.flatnonzero(mine & (twigs.spine < 0))
    rows = []
    for twig in (*explicit.tolist(), *rest.tolist()):
        node = int(twigs.parent[twig])
        numbers = {name: float(column[twigs.kind[twig]]) for name, column in twigs.by_name.items()}
        where = tree.sections.name[tree.section[node]], float(tree.x[node])
        rows.append([*where, int(twigs.multiplicity[twig]), cylinders(numbers)])
    return rows


def cylinders(numbers: dict[str, float]) -> dict[str, list[float]]:
    """Length, diameter (µm), cm (µF/cm²), g (S/cm²), e (mV) and Ra (Ω·cm) of neck and head."""
    found = {}
    for part in ("neck", "head"):
        area, wide = numbers[f"area_{part}"], numbers[f"diameter_{part}"]
        length = area / (np.pi * wide)
        g, i = numbers[f"leak_g_{part}"], numbers[f"leak_i_{part}"]
        own = numbers["g_neck"] if part == "neck" else numbers["g_end"]  # of half its length
        ra = (np.pi * wide**2 / 4) / (own * length / 2) / 1e-2
        found[part] = [length, wide, numbers[f"c_{part}"] / area / 1e-5, g / area / 1e-2,
                       -i / g if g else 0.0, ra]  # fmt: skip
    return found


def write_mechanisms(names: Sequence[str], folder: Path) -> list[str]:
    """Copy the library's files of mechanisms that NEURON has not; gives their names."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(LIBRARY.glob("*.mod"))}
    copied = []
    for path, text in texts.items():
        named = _NAMED.search(text)
        if named and named[1] in names and named[1] not in BUILT_IN:
            (folder / path.name).write_text(text, encoding="utf-8")
            copied.append(named[1])
    return copied
