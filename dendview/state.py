"""All that the window shows, in one evented dataclass.

``state.events.<field>`` fires when a field is replaced. Views read it and connect to its events;
controllers replace its fields. No Qt here.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from psygnal import SignalGroupDescriptor

from dendview.colors import ThemeName
from dendview.lab import LabEffect, LabPreview, LabRun, Point
from dendview.race import Race
from dendview.training import NOTHING_CHOSEN, TrainingChoice, TrainingData, TrainingRun
from dendview.training_findings import Findings, WeightsShown
from engine.compartments import CompartmentTree
from engine.experiment import Experiment
from engine.experiments.hpc_net.spec import Training
from engine.experiments.robustness.study import Result
from engine.experiments.spike_study import SpikeStudy, Trial
from engine.experiments.timings import RunTimes
from engine.morphology.model import Morphology, Sections
from engine.recording import Recording
from engine.schedule.costs import CostCurve, MethodCost
from engine.schedule.model import Schedule
from engine.stimuli import Site
from engine.types import BackendName, FloatArray, NodeSet, ScheduleMethod

ColorBy = Literal["type", "depth", "thread", "step", "distance", "voltage", "weight"]
Perspective = Literal["start", "explore", "schedule", "simulate", "spike_lab", "training"]


@dataclass(frozen=True, eq=False)
class Cell:
    """An open cell: the file, its cables, and both node sets of its tree, made when it is opened.

    ``distance`` is the path distance of every segment from the soma, (n_segment,) µm.
    """

    source: str
    morphology: Morphology
    sections: Sections
    trees: dict[NodeSet, CompartmentTree]
    distance: FloatArray

    @property
    def n_segment(self) -> int:
        return self.trees["neuron"].n_segment

    def site(self, segment: int) -> Site:
        """The middle of a segment."""
        tree = self.trees["neuron"]
        node = tree.node_of_segment[segment]
        return Site(self.sections.name[tree.section[node]], float(tree.x[node]))

    def segment(self, site: Site) -> int:
        """The segment that holds a site."""
        tree = self.trees["neuron"]
        return int(tree.segment[tree.locate(site.section, site.x)])


Action = Literal[
    "", "restart_engine", "halve_dt", "discard_run", "keep_less", "use_cpu",
    "resume_study",
    "resume_training", "halve_batch", "end_training",
]  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A line for the person: ``kind`` decides its color and stay; ``details`` opens on a click.

    ``action`` is what a button beside the text offers; the window wires it to a controller.
    ``training`` is the number of the training it is for, where it is for one.
    """

    text: str
    kind: Literal["info", "done", "warning", "error"] = "info"
    details: str = ""
    action: Action = ""
    training: int | None = None


@dataclass(frozen=True)
class Job:
    """A long job: ``fraction`` 0..1 or None where it cannot be told; ``remaining`` in s or None.

    ``kind`` is what does it, for the panel that shows it. ``late``: it was cancelled and goes on to
    the end of a piece of work, so that this is kept; cancelling once more ends it at once.
    """

    text: str
    fraction: float | None = None
    remaining: float | None = None
    cancelling: bool = False
    late: bool = False
    kind: Literal["", "run_time", "spike_lab", "training", "robustness"] = ""


@dataclass(frozen=True)
class Picking:
    """A place is asked for: the one that is chosen next, on the cell or elsewhere.

    Attributes
    ----------
    purpose
        ``gap_junction``: a new one's other end; ``synapse``: where the spikes come from that drive
        a new one; ``other_end`` and ``source``: the same of the one numbered ``index``.
    site : Site
        Where the thing itself sits.
    mechanism : str
        Of a new synapse.
    index : int
    """

    purpose: Literal["gap_junction", "synapse", "other_end", "source"]
    site: Site
    mechanism: str = ""
    index: int = -1


@dataclass(frozen=True, eq=False)
class Run:
    """A finished, cancelled or growing run; ``given`` where it is not of the open experiment."""

    number: int
    experiment: Experiment
    recording: Recording
    state: Literal["running", "done", "cancelled", "failed"]
    seconds: float = 0.0
    message: str = ""
    given: bool = False


@dataclass(frozen=True)
class Check:
    """What came of comparing the schedule's solution with that of serial Hines."""

    text: str
    state: Literal["running", "same", "differs", "failed"] = "running"


@dataclass(frozen=True)
class Keeping:
    """What is kept of a run: one of so many samples and frames, or no frames; where."""

    every: int = 1
    frames: bool = True
    on_disk: bool = False


KEEP_ALL = Keeping()


@dataclass(frozen=True, eq=False)
class NamedCurve:
    """Cost of a cell against threads, for the chart of costs; ``own`` where it is the open cell."""

    name: str
    curve: CostCurve
    own: bool = False


@dataclass(eq=False)
class AppState:
    """The one state. Indices named *segment* are segment numbers (the same in both node sets)."""

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    cell: Cell | None = None
    experiment: Experiment | None = None
    perspective: Perspective = "start"

    selection: int | None = None  # segment
    hovered: int | None = None  # segment
    picking: Picking | None = None
    color_by: ColorBy = "type"
    voltage_limits: tuple[float, float] = (-90.0, 40.0)  # mV, fixed while playing

    method: ScheduleMethod = "dhs"
    n_threads: int = 16
    nodes: NodeSet = "neuron"  # of the schedule views
    schedule: Schedule | None = None
    step: int = 0  # steps already done in the player, 0..n_step
    step_speed: float = 10.0  # steps per second while playing
    cost_curves: tuple[NamedCurve, ...] = ()  # the open cell first; grows while the chart is seen
    comparison: tuple[MethodCost, ...] = ()  # of all methods; empty until the table is seen
    run_times: RunTimes | None = None  # of the open tree with these threads; grows while measured
    check: Check | None = None  # of this schedule against serial Hines
    race: Race | None = None  # of all methods on the open tree
    playing: Literal["", "schedule", "run", "race"] = ""

    runs: tuple[Run, ...] = ()
    shown_run: int | None = None  # Run.number
    time: float = 0.0  # ms, of the scrubber

    lab_study: SpikeStudy | None = None  # the plan of the spike lab
    lab_trial: Trial | None = None  # whose synapses are previewed
    lab_preview: LabPreview | None = None
    lab_runs: tuple[LabRun, ...] = ()
    lab_shown: int | None = None  # LabRun.number
    lab_point: Point | None = None  # of the shown study, whose trials are listed
    lab_effect: LabEffect | None = None
    lab_deviation: bool = False  # the publication's mean ± SD, not Wilson's intervals
    lab_published: bool = True  # the published points are drawn too

    training_plan: Training | None = None
    training_data: TrainingData | None = None  # of the plan
    training_runs: tuple[TrainingRun, ...] = ()  # oldest first; one at most is running
    training_shown: int | None = None  # TrainingRun.number
    training_choice: TrainingChoice = NOTHING_CHOSEN  # what is looked at of the shown run
    training_mean: bool = False  # responses to a class, not to one image of it
    training_weights: WeightsShown = "after"  # on the cell, where it is colored by weight
    training_findings: Findings | None = None  # of what is looked at
    training_note: str = ""  # why there are none
    robustness: Result | None = None  # of the shown training, or one that was opened
    robustness_from: str = ""  # the file it was opened from
    robustness_note: str = ""  # why it cannot be read
    robustness_missing: str = ""  # why no study can be made here

    job: Job | None = None
    engine: str = ""  # the chip: "CPU · 2 threads" or why there is none
    engine_note: str = ""  # why that is the CPU where a GPU is there
    no_gpu: str = ""  # why no GPU computes; empty where one does or nobody has looked
    backend: BackendName = "auto"  # what the person wants to run on
    engine_trial: tuple[str, ...] | None = None  # what a test of the engines found; None: none yet
    keeping: Keeping = KEEP_ALL  # of the next run
    preflight: str = ""  # what the next run costs: "1 263 comp × 12 000 steps · ~3 s · 46 MB"
    message: Message | None = None
    recent: tuple[str, ...] = ()
    theme: ThemeName = "dark"
