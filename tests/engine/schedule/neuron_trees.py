"""Parent arrays of cells built in NEURON: nseg nodes and an end node a section, and one root."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from engine.types import IntArray


def parent_of_sections(sections: list[Any]) -> IntArray:
    """Nodes of a live cell, numbered section by section; sections must come after their parents."""
    parent, first, last = [-1], {}, {}
    for section in sections:
        above = section.parentseg()
        if above is None:
            hook = 0
        elif above.x == 1:
            hook = last[above.sec]
        elif above.x == 0:
            hook = parent[first[above.sec]]
        else:
            hook = first[above.sec] + int(above.x * above.sec.nseg)
        start = len(parent)
        parent += [hook, *range(start, start + section.nseg)]
        first[section], last[section] = start, start + section.nseg
    return np.array(parent, np.int32)


def parents_first(root: Any) -> list[Any]:
    """All sections below a root section, depth first."""
    found, waiting = [], [root]
    while waiting:
        section = waiting.pop()
        found.append(section)
        waiting.extend(reversed(section.children()))
    return found


def clear(h: Any) -> None:
    """Remove every section of the interpreter."""
    for section in list(h.allsec()):
        h.delete_section(sec=section)


def ca1(h: Any, data: Path) -> IntArray:
    """CA1 pyramidal cell of Migliore et al. 2004 (ModelDB 32992), without its scale bar."""
    clear(h)
    h.load_file(1, str(data / "morphologies/paper/CA1PC_migliore2004_n128su.hoc"))
    h.delete_section(sec=h.bar)
    parent = parent_of_sections(parents_first(h.soma))
    clear(h)
    return parent


def ca3b(h: Any, data: Path) -> IntArray:
    """CA3b pyramidal cell of Hemond et al. 2008 (ModelDB 101629), cut by d_lambda 0.1 at 100 Hz."""
    clear(h)
    h.load_file("stdlib.hoc")
    h.load_file(1, str(data / "morphologies/paper/CA3bPC_hemond2008_geo-cell1zr.hoc"))
    sections = parents_first(h.soma[0])
    for section in sections:
        section.Ra, section.cm = 150.0, 1.41
    h("forall nseg = int((L/(0.1*lambda_f(100))+0.9)/2)*2 + 1")
    parent = parent_of_sections(sections)
    clear(h)
    return parent


def purkinje(h: Any, data: Path) -> IntArray:
    """Purkinje cell of Masoli et al. 2015 (ModelDB 229585) with its axon of 9 + 2 sections, nseg 1.

    Dendrites as in the connection table, the first on the soma's 1 end, where the axon begins too;
    the collateral leaves its second node of Ranvier.
    """
    folder = data / "morphologies/paper/purkinje_masoli2015"
    clear(h)
    soma = h.Section(name="soma")
    n_dendrite = sum(1 for line in (folder / "PC_dendnames.dlist").open() if line.strip())
    dendrite = [h.Section(name=f"dend{i}") for i in range(n_dendrite)]
    joined = set()
    with (folder / "connections.csv").open() as file:
        for row in csv.reader(file):
            child, at, above, end = row if len(row) > 1 else row[0].split()
            dendrite[int(child)].connect(dendrite[int(above)](float(end)), float(at))
            joined.add(int(child))
    for i in set(range(n_dendrite)) - joined:
        dendrite[i].connect(soma(1), 0)
    axon = [h.Section(name=f"axon{i}") for i in range(9)]
    axon[0].connect(soma(1), 0)
    for above, section in pairwise(axon):
        section.connect(above(1), 0)
    collateral = [h.Section(name=f"collateral{i}") for i in range(2)]
    collateral[0].connect(axon[5](1), 0)
    collateral[1].connect(collateral[0](1), 0)
    parent = parent_of_sections(parents_first(soma))
    clear(h)
    return parent
