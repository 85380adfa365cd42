"""An experiment says everything about a run; the same experiment gives the same numbers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.discretize import Rule
from engine.stimuli import CurrentClamp, Site
from engine.types import AxonPolicy, NodeSet, ScheduleMethod

Region = Literal["all", "soma", "axon", "basal", "apical", "dendrite", "other"]


@dataclass(frozen=True)
class Cable:
    """Passive cable of a region: ``cm`` in µF/cm², ``ra`` in Ω·cm. Later entries win where regions overlap."""

    region: Region = "all"
    cm: float = 1.0
    ra: float = 150.0


@dataclass(frozen=True)
class Insertion:
    """A density mechanism put into a region, with the parameters that differ from its defaults."""

    mechanism: str
    region: Region = "all"
    parameters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Probe:
    """A quantity recorded at a site; ``variable`` is ``v`` or ``<state>_<mechanism>`` such as ``m_hh``."""

    site: Site
    variable: str = "v"


@dataclass(frozen=True)
class Experiment:
    """Everything about one run.

    Attributes
    ----------
    morphology : str
        Path of a file, or ``sample:NAME`` for one that ships with the program.
    axon, rule, nodes
        How the cell is cut into compartments.
    cables, insertions
        Passive cable and mechanisms by region.
    reversals : tuple of (str, float)
        Reversal potentials by name (``ena``) in mV, over the mechanisms' defaults.
    celsius : °C
    v_init : mV
    dt, duration : ms
    stimuli, probes
    spike_site : Site or None
        Where spikes are counted (upward crossings of ``spike_threshold`` mV); None: the middle of the root section.
    frame_interval : ms
        Time between whole-cell voltage frames kept for display.
    method, n_threads
        The schedule the solver follows.
    seed : int
    name : str
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


def to_json(experiment: Experiment) -> str:
    """The experiment as JSON text with a format version; :func:`from_json` gives an equal experiment back."""
    raise NotImplementedError


def from_json(text: str, source: Path | None = None) -> Experiment:
    """Read an experiment.

    Parameters
    ----------
    text
        What :func:`to_json` wrote.
    source
        The file it came from; a relative morphology path is meant relative to it.

    Raises
    ------
    FileError
        Where a field is missing, unknown or of the wrong kind; names the field and a close match.
    """
    raise NotImplementedError
