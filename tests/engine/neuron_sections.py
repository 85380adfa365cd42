"""Cells built by NEURON, and what NEURON makes of them: the truth the engine is held against."""

import gzip
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.morphology.model import Sections
from engine.types import FloatArray, IntArray

TAGS = {"soma": 1, "axon": 2, "dend": 3, "apic": 4}


class Cell:
    """Holds NEURON sections; they die with it."""

    def __init__(self) -> None:
        self.soma, self.axon, self.dend, self.apic, self.all = [], [], [], [], []

    def __str__(self) -> str:
        return "cell"


def import_cell(h, path: Path):
    """Build a cell from a file with Import3d; keep the cell, its sections die with it."""
    for section in list(h.allsec()):
        h.delete_section(sec=section)
    with tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".gz":
            plain = Path(folder, path.stem)
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            path = plain
        if path.suffix.lower() == ".swc":
            reader = h.Import3d_SWC_read()
        else:
            reader = h.Import3d_Neurolucida3()
        reader.quiet = 1
        reader.input(str(path))
        cell = Cell()
        gui = h.Import3d_GUI(reader, 0)
        gui.instantiate(cell)
    return cell, parents_first(list(h.allsec()))


def parents_first(sections: list) -> list:
    placed, order = set(), []
    for section in sections:
        chain = []
        while section is not None and section not in placed:
            chain.append(section)
            up = section.parentseg()
            section = up.sec if up is not None else None
        for one in reversed(chain):
            placed.add(one)
            order.append(one)
    return order


def section_name(section) -> str:
    return section.name().split(".")[-1]


def sections_of(h, order: list) -> Sections:
    """NEURON's sections with their 3-D points as our :class:`Sections`."""
    number = {section: i for i, section in enumerate(order)}
    ups = [section.parentseg() for section in order]
    names = tuple(section_name(section) for section in order)
    points = [[(s.x3d(i), s.y3d(i), s.z3d(i), s.diam3d(i)) for i in range(s.n3d())] for s in order]
    start = np.concatenate([[0], np.cumsum([len(p) for p in points])]).astype(np.int32)
    flat = np.array([q for p in points for q in p], np.float32)
    return Sections(
        parent=np.array([-1 if up is None else number[up.sec] for up in ups], np.int32),
        parent_x=np.array([0.0 if up is None else up.x for up in ups]),
        tag=np.array([TAGS.get(re.sub(r"\W.*", "", name), 0) for name in names], np.int32),
        name=names,
        start=start,
        xyz=flat[:, :3].copy(),
        diameter=flat[:, 3].copy(),
        point=np.full(len(flat), -1, np.int32),
        wired=np.array([s.pt3dstyle() == 1 for s in order]),
    )


@dataclass(frozen=True, eq=False)
class NeuronNodes:
    """NEURON's nodes in our order: a root's 0 end, then per section its segments and its 1 end."""

    area: FloatArray
    diameter: FloatArray
    ri: FloatArray
    distance: FloatArray
    index: IntArray


def nodes_of(h, order: list, origin) -> NeuronNodes:
    """Read areas, diameters, resistances, distances and matrix rows of every node."""
    h.finitialize()  # numbers the rows
    rows = []
    for section in order:
        if section.parentseg() is None:
            rows.append((0.0, 0.0, np.inf, h.distance(origin, section(0)), section(0).node_index()))
        for seg in section:
            rows.append((seg.area(), seg.diam, seg.ri(), h.distance(origin, seg), seg.node_index()))
        end = section(1)
        rows.append((0.0, 0.0, end.ri(), h.distance(origin, end), end.node_index()))
    area, diameter, ri, distance, index = np.array(rows).T
    return NeuronNodes(area, diameter, ri, distance, index.astype(np.int32))


def parents_of(h, order: list) -> IntArray:
    """Parent of every matrix row, from the file NEURON writes for CoreNEURON."""
    pc = h.ParallelContext()
    pc.gid_clear()
    root = next(section for section in order if section.parentseg() is None)
    connection = h.NetCon(root(0.5)._ref_v, None, sec=root)
    pc.set_gid2node(0, pc.id())
    pc.cell(0, connection)
    h.cvode.cache_efficient(1)
    h.finitialize()
    with tempfile.TemporaryDirectory() as folder:
        pc.nrncore_write(folder)
        data = Path(folder, "0_2.dat").read_bytes()
    pc.gid_clear()
    header, _, body = data.partition(b"chkpnt 2\n")
    n_node = int(re.search(rb"(\d+) nnode", header)[1])
    parent = np.frombuffer(body[: 4 * n_node], np.int32).copy()
    parent[0] = -1  # the root's own row
    return parent
