"""What the window and the engine's process say to each other, as small values that are pickled."""

from dataclasses import dataclass
from typing import Literal

from engine.experiment import Experiment
from engine.experiments import timings
from engine.experiments.hpc_net.spec import Training
from engine.experiments.hpc_net.state import Epoch, Point, RateChange
from engine.experiments.robustness import Progress as RobustnessProgress
from engine.experiments.robustness import Study as RobustnessStudy
from engine.experiments.spike_probability import Progress
from engine.experiments.spike_study import SpikeStudy
from engine.experiments.spine_effect import SpineEffect
from engine.exporting.training_run import Kept, Order
from engine.recording import Chunk
from engine.types import BackendName, IntArray


@dataclass(frozen=True)
class Run:
    """Run an experiment; everything said about it carries its ``number``."""

    number: int
    experiment: Experiment
    backend: BackendName = "auto"


@dataclass(frozen=True, eq=False)
class Measure:
    """Measure the run time of the solve; everything said about it carries its ``number``."""

    number: int
    job: timings.Job


@dataclass(frozen=True)
class TryEngine:
    """Look for a GPU anew and let it solve something beside the CPU."""

    number: int


@dataclass(frozen=True)
class Cancel:
    """End a run or a measurement between two pieces; what was sent of it stays valid."""

    number: int


@dataclass(frozen=True)
class Ping:
    """Ask for a sign of life; answered even while a run goes on."""

    token: int


@dataclass(frozen=True)
class Shutdown:
    """End the process at once."""


@dataclass(frozen=True)
class CheckOrders:
    """Solve an experiment's equations serially and in the order of its schedule."""

    number: int
    experiment: Experiment


@dataclass(frozen=True)
class RunStudy:
    """Run what is missing of a study; finished trials are kept in ``folder``."""

    number: int
    study: SpikeStudy
    folder: str
    backend: BackendName = "auto"


@dataclass(frozen=True)
class TrySpines:
    """Find what the spines of a study do to its cell, in the ``few`` or the ``full`` model."""

    number: int
    study: SpikeStudy
    model: Literal["few", "full"]
    backend: BackendName = "auto"


@dataclass(frozen=True)
class Train:
    """Train a network; everything is kept in ``folder``.

    ``resume`` goes on from the checkpoint there, with another ``rate`` or smaller batches where
    they are given.
    """

    number: int
    training: Training
    folder: str
    resume: bool = False
    rate: float | None = None
    batch: int | None = None
    backend: BackendName = "auto"


@dataclass(frozen=True)
class Steer:
    """Ask something of a training that goes on."""

    number: int
    order: Order


@dataclass(frozen=True)
class FetchData:
    """Fetch a data set from the network into ``folder``."""

    number: int
    name: str
    folder: str


@dataclass(frozen=True)
class Examine:
    """How robust is the network of a training after an epoch? All is kept in its ``folder``."""

    number: int
    training: Training
    folder: str
    epoch: int
    study: RobustnessStudy


Work = Run | Measure | TryEngine | CheckOrders | RunStudy | TrySpines | Train | FetchData | Examine
"""What takes time: done one after the other."""

Command = Work | Steer | Cancel | Ping | Shutdown


@dataclass(frozen=True)
class Ready:
    """The engine is loaded and its kernels are compiled.

    ``engine`` names it (``CPU · 2 threads``); ``rate`` is what its warm-up run took, in seconds per
    compartment and step, or None where none was made. ``no_gpu`` is the reason why no GPU computes;
    empty where one does. ``cpu`` and ``gpu`` are what both are called, whichever ``auto`` takes;
    ``note`` says why it does not take the GPU that is there.
    """

    engine: str
    rate: float | None = None
    no_gpu: str = ""
    cpu: str = ""
    gpu: str = ""
    note: str = ""


@dataclass(frozen=True)
class Tried:
    """What a test of the engine found: a line for each thing that was looked at.

    ``engine`` and ``no_gpu`` as in :class:`Ready`.
    """

    number: int
    lines: tuple[str, ...]
    engine: str
    no_gpu: str = ""
    gpu: str = ""


@dataclass(frozen=True)
class Checked:
    """How far the solutions of two orders are apart at most, in mV; at so many nodes."""

    number: int
    difference: float
    n_comp: int


@dataclass(frozen=True)
class Measured:
    """How far a measurement is, with all that it has found."""

    number: int
    progress: timings.Progress


@dataclass(frozen=True, eq=False)
class Studied:
    """Trials that have ended, and how far the study is."""

    number: int
    progress: Progress


@dataclass(frozen=True)
class TriedSpines:
    """What the spines do."""

    number: int
    effect: SpineEffect


@dataclass(frozen=True, eq=False)
class Trained:
    """Where a training is: its curves so far, without its weights, which are in its folder.

    The fields are those of :class:`engine.experiments.hpc_net.state.State`, ``Progress`` and
    :class:`engine.exporting.training_run.Kept`; ``epoch`` counts the finished ones.
    """

    number: int
    points: tuple[Point, ...]
    epochs: tuple[Epoch, ...]
    changes: tuple[RateChange, ...]
    phase: Literal["learning", "testing"]
    batch: int
    n_batch: int
    loss: float
    accuracy: float
    fraction: float
    rate: float
    samples_per_second: float
    remaining: float
    saved: float | None
    kept: tuple[int, ...]
    warning: str
    trouble: str
    no_numbers: bool

    @classmethod
    def of(cls, number: int, kept: Kept) -> "Trained":
        """What is sent of a run's progress."""
        progress, state = kept.progress, kept.progress.state
        return cls(
            number=number,
            points=state.points,
            epochs=state.epochs,
            changes=state.changes,
            phase=progress.phase,
            batch=state.batch,
            n_batch=kept.n_batch,
            loss=progress.loss,
            accuracy=progress.accuracy,
            fraction=progress.fraction,
            rate=state.rate,
            samples_per_second=progress.samples_per_second,
            remaining=progress.remaining,
            saved=kept.saved,
            kept=kept.epochs,
            warning=kept.warning,
            trouble=kept.trouble,
            no_numbers=bool(progress.trouble),
        )


@dataclass(frozen=True, eq=False)
class Examined:
    """How far a robustness study is, with all it has found."""

    number: int
    progress: RobustnessProgress


@dataclass(frozen=True)
class Fetched:
    """How much of a data set is there."""

    number: int
    fraction: float


@dataclass(frozen=True)
class Compiling:
    """The model is built; its machine code is made or loaded, and the first steps are taken."""

    number: int


@dataclass(frozen=True)
class Pong:
    token: int


@dataclass(frozen=True)
class Trace:
    """What a trace is called and its unit."""

    label: str
    unit: str


@dataclass(frozen=True, eq=False)
class Nodes:
    """Which segment each node is, (n_comp,) int32."""

    segment: IntArray

    @property
    def n_comp(self) -> int:
        return len(self.segment)


@dataclass(frozen=True, eq=False)
class Started:
    """The model is built and the first step is about to be taken.

    Everything :class:`engine.recording.RecordingBuilder` asks of a model, under the same names, so
    that the window keeps the recording without the model's many arrays. ``engine`` is what took
    the first steps; ``note`` says why that is the CPU where a GPU is there; ``experiments`` are
    those of a batch.
    """

    number: int
    engine: str
    experiment: Experiment
    n_time: int
    n_frame: int
    n_instance: int
    probes: tuple[Trace, ...]
    tree: Nodes
    note: str = ""
    experiments: tuple[Experiment, ...] = ()

    @property
    def n_step(self) -> int:
        return self.n_time - 1


@dataclass(frozen=True, eq=False)
class Grown:
    """The next piece of a run."""

    number: int
    chunk: Chunk


@dataclass(frozen=True)
class Finished:
    """All chunks were sent; ``seconds`` is the time the engine spent stepping."""

    number: int
    seconds: float


@dataclass(frozen=True)
class Cancelled:
    number: int
    seconds: float


FailureKind = Literal["input", "unstable", "memory", "defect"]


@dataclass(frozen=True)
class Failed:
    """A run ended early: ``sentence`` is for the person, ``details`` for a report.

    ``on_device``: it was the memory of a GPU that was too small.
    """

    number: int
    sentence: str
    details: str = ""
    kind: FailureKind = "defect"
    on_device: bool = False


@dataclass(frozen=True)
class Stopped:
    """The process is gone, said by the window's side: why, and what it wrote last."""

    sentence: str
    details: str = ""


Reply = (
    Ready
    | Pong
    | Compiling
    | Started
    | Grown
    | Measured
    | Tried
    | Checked
    | Studied
    | TriedSpines
    | Trained
    | Fetched
    | Examined
    | Finished
    | Cancelled
    | Failed
    | Stopped
)
