"""An experiment says everything about a run; the same experiment gives the same numbers."""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine import codec
from engine.discretize import Rule
from engine.distributions import Value
from engine.errors import FileError
from engine.morphology.model import Sections, Tag
from engine.morphology.sections import STUB_LENGTHS
from engine.regions import Region, Subset
from engine.spines import FFactor, Spine, SpineDensity
from engine.stimuli import CurrentClamp, GapJunction, Site, VoltageClamp, Waveform
from engine.synapses import Synapse
from engine.types import AxonPolicy, NodeSet, ScheduleMethod

SAMPLE_PREFIX = "sample:"


@dataclass(frozen=True)
class Cable:
    """Passive cable of a region: ``cm`` in µF/cm², ``ra`` in Ω·cm.

    Later entries win where regions overlap. ``where`` narrows the region; ``cm`` then holds for the
    segments meant, ``ra``, which belongs to whole sections, for the sections whose middle is meant.
    ``segment_ends`` as in :class:`engine.biophysics.Painter`.
    """

    region: Region = "all"
    cm: Value = 1.0
    ra: float = 150.0
    where: Subset | None = None
    segment_ends: bool = False


@dataclass(frozen=True)
class Insertion:
    """A density mechanism put into a region, with the parameters that differ from its defaults.

    A parameter may be a number or, if it is a RANGE variable, a
    :class:`engine.distributions.Distribution`. ``where`` narrows the region; ``segment_ends`` as in
    :class:`engine.biophysics.Painter`.
    """

    mechanism: str
    region: Region = "all"
    parameters: tuple[tuple[str, Value], ...] = ()
    where: Subset | None = None
    segment_ends: bool = False


@dataclass(frozen=True)
class IonValue:
    """A reversal potential (``ena``, mV) or a concentration at the start (``cai``, mM) of a region.

    Later entries win, and all win over ``Experiment.reversals``. ``fixed`` keeps a reversal
    potential where the concentrations would give another, as ``ion_style("ca_ion", 1, 1, 0, 0, 1)``
    in NEURON.
    """

    name: str
    value: Value
    region: Region = "all"
    where: Subset | None = None
    fixed: bool = False


@dataclass(frozen=True)
class AxonStub:
    """The cylinders that stand for the axon where ``Experiment.axon`` is ``stub``.

    As :func:`engine.morphology.sections.stub_axon`: ``attach`` on the soma 0 to 1, ``lengths`` and
    ``diameter`` in µm; None: as wide as the old axon.
    """

    attach: float = 1.0
    lengths: tuple[float, ...] = STUB_LENGTHS
    diameter: float | None = None


@dataclass(frozen=True)
class Probe:
    """A quantity recorded at a site.

    ``variable`` is ``v`` (mV), a state such as ``m_hh``, or the current density of an ion such as
    ``ina`` (mA/cm²).
    """

    site: Site
    variable: str = "v"


@dataclass(frozen=True)
class Experiment:
    """Everything about one run.

    Attributes
    ----------
    morphology : str
        Path of a file, or ``sample:NAME`` for one that ships with the program.
    axon, stub, rule, nodes
        How the cell is cut into compartments; ``stub`` holds where ``axon`` is ``stub``.
    cables, insertions
        Passive cable and mechanisms by region.
    reversals : tuple of (str, float)
        Reversal potentials by name (``ena``) in mV, over the mechanisms' defaults.
    celsius : °C
    v_init : mV
    dt, duration : ms
    stimuli, probes
    spike_site : Site or None
        Where spikes are counted (upward crossings of ``spike_threshold`` mV); None: the middle of
        the root section.
    frame_interval : ms
        Time between whole-cell voltage frames kept for display.
    method, n_threads
        The schedule the solver follows.
    seed : int
    name : str
    ion_values : tuple of IonValue
        Reversal potentials and concentrations by region.
    tune_rest : bool
        Let the leak ``pas`` reverse, segment by segment, where no net current flows at ``v_init``.
    waveforms, voltage_clamps, synapses, gap_junctions
        What else is put on the cell.
    mechanism_folders : tuple of str
        Folders of ``.mod`` files to be used beside the library; later ones win.
    spines
        Single spines; ``Site("spine[7]", 1.0)`` is the end of the head of entry 7, see
        :func:`engine.spines.place_on_spine`.
    spine_density
        Equal spines on every segment of a region.
    f_factors
        Spines as a factor on the membrane instead; several multiply.
    """

    morphology: str
    axon: AxonPolicy = "keep"
    rule: Rule = field(default_factory=Rule)
    nodes: NodeSet = "merged"
    cables: tuple[Cable, ...] = (Cable(),)
    insertions: tuple[Insertion, ...] = (Insertion("pas"),)
    reversals: tuple[tuple[str, float], ...] = ()
    celsius: float = 6.3
    v_init: float = -65.0
    dt: float = 0.025
    duration: float = 300.0
    stimuli: tuple[CurrentClamp, ...] = ()
    probes: tuple[Probe, ...] = ()
    spike_site: Site | None = None
    spike_threshold: float = 10.0
    frame_interval: float = 0.5
    method: ScheduleMethod = "dhs"
    n_threads: int = 16
    seed: int = 0
    name: str = ""
    ion_values: tuple[IonValue, ...] = ()
    tune_rest: bool = False
    stub: AxonStub = AxonStub()
    waveforms: tuple[Waveform, ...] = ()
    voltage_clamps: tuple[VoltageClamp, ...] = ()
    synapses: tuple[Synapse, ...] = ()
    gap_junctions: tuple[GapJunction, ...] = ()
    mechanism_folders: tuple[str, ...] = ()
    spines: tuple[Spine, ...] = ()
    spine_density: tuple[SpineDensity, ...] = ()
    f_factors: tuple[FFactor, ...] = ()


FORMAT = "dendview-experiment"
VERSION = 2
READABLE = (1, 2)
"""Version 1 lacks fields that have defaults now, so it reads as it is."""

# What a person expects on opening a cell, where nothing else is known about it.
DENDRITE_G_PAS = 5e-5
"""S/cm²: a membrane resistance of 20 kΩ·cm², the middle of what is fitted to pyramidal cells."""
REST = -71.0
"""mV: where hh at these densities rests; the leak of the dendrites reverses there too, so a run
starts at rest (no sample cell drifts by more than 0.2 mV)."""
HH_DENSITIES = (("gnabar", 1.2), ("gkbar", 0.36))
"""S/cm²: ten times the squid's. With the squid's own a soma cannot fire against the current that
passive dendrites draw; published cells have as much (sodium 2.04 in the soma of Hay et al. 2011).
With these every sample cell is silent on its own and fires at 1 nA."""
HH_CELSIUS = 6.3
"""°C of Hodgkin's and Huxley's squid; classic hh does not fire as it should when it is warm."""


def default_experiment(
    morphology: str, sections: Sections | None = None, *, name: str = ""
) -> Experiment:
    """Dense hh in soma and axon, a passive membrane elsewhere, nothing injected.

    Parameters
    ----------
    morphology
        Path or ``sample:NAME``.
    sections
        The cell, if it is already read: its root section's middle is recorded, and a cell without a
        soma gets a passive membrane everywhere.
    name
        Of the experiment.
    """
    leak = (("g", DENDRITE_G_PAS), ("e", REST))
    regions: tuple[Region, ...] = ("dendrite", "other")
    excitable: tuple[Region, ...] = ("soma", "axon")
    if sections is not None and not np.any(sections.tag == Tag.SOMA):
        regions, excitable = ("all",), ()
    insertions = tuple(Insertion("hh", region, HH_DENSITIES) for region in excitable)
    insertions += tuple(Insertion("pas", region, leak) for region in regions)
    probes = () if sections is None else (Probe(Site(sections.name[0])),)
    return Experiment(
        morphology,
        insertions=insertions,
        celsius=HH_CELSIUS,
        v_init=REST,
        probes=probes,
        name=name,
    )


def to_json(experiment: Experiment) -> str:
    """JSON text with a format version; :func:`from_json` gives an equal experiment back."""
    body = {"format": FORMAT, "version": VERSION, **codec.encode(experiment)}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str, source: Path | None = None) -> Experiment:
    """Read an experiment.

    Parameters
    ----------
    text
        What :func:`to_json` wrote.
    source
        The file it came from; relative paths are meant relative to it and made absolute.

    Raises
    ------
    FileError
        Where a field is missing, unknown or of the wrong kind; names the field and a close match.
    """
    file = source if source is not None else Path("experiment.json")
    try:
        body = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        line, why = None, "a number has too many digits"
        if isinstance(error, RecursionError):
            why = "nested too deeply"
        elif isinstance(error, json.JSONDecodeError):
            line, why = error.lineno, f"{error.msg}, column {error.colno}"
        fix = "write an experiment with DendView or mend the text"
        raise FileError(file, f"this is not JSON ({why})", fix, line) from None
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        what = "this JSON is not an experiment"
        raise FileError(file, what, f'it needs "format": "{FORMAT}"')
    if (version := body.pop("version", None)) is None:
        raise FileError(file, "this says no format version", f'add "version": {VERSION}')
    if version not in READABLE or isinstance(version, bool):
        what = f"format version {version} is not known to this program, which reads up to {VERSION}"
        raise FileError(file, what, "open it with a newer DendView")
    try:
        experiment = codec.decode(Experiment, body)
    except codec.FieldError as error:
        raise FileError(file, f"field '{error.where}': {error.what}", error.fix) from None
    if source is None:
        return experiment
    folder = source.parent

    def absolute(path: str) -> str:
        if path.startswith(SAMPLE_PREFIX) or Path(path).is_absolute():
            return path
        return os.path.abspath(folder / path)

    folders = tuple(absolute(path) for path in experiment.mechanism_folders)
    morphology = absolute(experiment.morphology)
    return replace(experiment, morphology=morphology, mechanism_folders=folders)
