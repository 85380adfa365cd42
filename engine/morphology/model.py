"""What a morphology file says, and the unbranched sections a simulator makes of it."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np

from engine.types import BoolArray, Float32Array, FloatArray, IntArray


class Tag(IntEnum):
    """The SWC structure types (INCF specification); larger numbers are the user's own."""

    UNDEFINED = 0
    SOMA = 1
    AXON = 2
    BASAL = 3
    APICAL = 4


@dataclass(frozen=True)
class Note:
    """Something odd in a file that could still be read.

    ``code`` names the rule (``topology.several_roots``), ``line`` the line in the file or None,
    ``text`` is one sentence.
    """

    code: str
    text: str
    line: int | None = None


@dataclass(frozen=True, eq=False)
class Morphology:
    """Points as they are in the file, parents first.

    Attributes
    ----------
    xyz : (n_point, 3) µm
    radius : (n_point,) µm
    parent : (n_point,) int32
        ``parent[i] < i``; -1 at a root.
    tag : (n_point,) int32
        SWC structure type, see :class:`Tag`.
    line : (n_point,) int32
        Line of the file each point stands in, from 1; -1 where it was made by the reader.
    name : str
        The file's name without folder and endings.
    source : {"swc", "asc", "made"}
        Decides the conventions for the soma when sections are made.
    contours : tuple of (n, 4) arrays
        Outlines of the soma as drawn in a Neurolucida file: x, y, z, diameter in µm.
    notes : tuple of Note
        What the reader found odd.
    cuts : (n,) int32
        Points that begin a section though they are only children, as single branches of a
        Neurolucida file do.
    """

    xyz: FloatArray
    radius: FloatArray
    parent: IntArray
    tag: IntArray
    line: IntArray
    name: str
    source: Literal["swc", "asc", "made"] = "swc"
    contours: tuple[FloatArray, ...] = ()
    notes: tuple[Note, ...] = ()
    cuts: IntArray = field(default_factory=lambda: np.empty(0, np.int32), repr=False)

    @property
    def n_point(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, eq=False)
class Sections:
    """Unbranched cables, parents first, as NEURON's Import3d makes them.

    Points are kept as float32 because NEURON keeps them so; areas agree to the last bit only then.

    Attributes
    ----------
    parent : (n_section,) int32
        Section this one is attached to, -1 for a root section.
    parent_x : (n_section,)
        Where on the parent its 0 end is attached: 0, 0.5 or 1; 0 for a root.
    tag : (n_section,) int32
    name : tuple of str
        NEURON's names: ``soma[0]``, ``dend[3]``, ``apic[12]``, ``axon[0]``.
    start : (n_section + 1,) int32
        Points ``start[s]:start[s + 1]`` belong to section s (at least two).
    xyz : (n_pt, 3) float32 µm
    diameter : (n_pt,) float32 µm
    point : (n_pt,) int32
        Index of the morphology's point, -1 where the point was made (a sphere drawn as a
        cylinder, a stub).
    wired : (n_section,) bool
        True where a section joins the soma by a wire whose length is not simulated (NEURON's
        pt3dstyle 1).
    """

    parent: IntArray
    parent_x: FloatArray
    tag: IntArray
    name: tuple[str, ...]
    start: IntArray
    xyz: Float32Array
    diameter: Float32Array
    point: IntArray
    wired: BoolArray = field(repr=False)

    @property
    def n_section(self) -> int:
        return len(self.parent)
