"""The real engine as the process serves it; importing it is left until the process runs."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from dendview.wording import plural
from dendview.worker.protocol import (
    Checked,
    Examine,
    FetchData,
    Nodes,
    Ready,
    RunStudy,
    Started,
    Trace,
    Train,
    Tried,
    TriedSpines,
    TrySpines,
)
from dendview.worker.serving import Engine, Opened
from dendview.worker.trainer import Trainer
from engine.backends.base import Backend
from engine.discretize import Rule
from engine.errors import BackendError
from engine.experiment import Experiment, Probe, default_experiment
from engine.experiments import robustness
from engine.experiments.spike_probability import Progress as StudyProgress
from engine.experiments.timings import Job, Progress
from engine.exporting.training_run import Kept, Order
from engine.model import Model
from engine.morphology.model import Morphology, Tag
from engine.stimuli import CurrentClamp, Site
from engine.types import BackendName

WARM_STEPS = 4000
EACH = "which engine is faster is measured once for each cell, membrane and number of cells"
"""What is said before the first run."""
CHECK_TIMES = 12
"""Times at which two orders are compared; the last is 4095 steps after the first."""


def load_engine() -> Engine:
    """Import the engine (numba takes its time)."""
    return LocalEngine()


class LocalEngine:
    """Builds and runs experiments in this process; keeps the last morphology it has read."""

    def __init__(self) -> None:
        from engine import model, simulation
        from engine.backends import choose_backend
        from engine.backends.cpu import available_cores

        self._model, self._simulation, self._choose = model, simulation, choose_backend
        self._cores = available_cores()
        self._read: tuple[Any, Morphology] | None = None
        self._trainer = Trainer()

    def warm(self) -> Ready:
        """Compile or load the kernels of the default experiment, and measure them."""
        model, auto = self._warm_up_model(), self._choose("auto")
        for _ in self._simulation.simulate(model, auto):
            pass  # compiled now
        begin = perf_counter()
        for _ in self._simulation.simulate(model, auto):
            pass
        rate = (perf_counter() - begin) / (model.n_comp * WARM_STEPS)
        engine, _ = self._describe(auto)
        cpu, _ = self._describe(self._choose("cpu"))
        gpu, reason = self._gpu()
        note = EACH if gpu else ""
        return Ready(engine, rate, reason, cpu, gpu, note)

    def _warm_up_model(self) -> Model:
        experiment = replace(
            default_experiment("warm-up"),
            rule=Rule("max_length", 4.0),
            stimuli=(CurrentClamp(Site("soma[0]"), 0.0, 100.0, 0.5),),
            probes=(Probe(Site("soma[0]")),),
            duration=WARM_STEPS * 0.025,
            frame_interval=1.0,
        )
        return self._model.build(experiment, cell=_ball_and_stick())

    def _describe(self, backend: Backend) -> tuple[str, str]:
        """``CPU · 2 threads`` or the GPU's name, as it ran last; why it was not the GPU."""
        name = backend.describe()
        if name == "CPU":
            name = f"CPU · {plural(self._cores, 'thread')}"
        return name, getattr(backend, "reason", "")

    def _gpu(self) -> tuple[str, str]:
        """The GPU's name, or the reason why there is none."""
        try:
            return self._choose("gpu").describe(), ""
        except BackendError as error:
            return "", str(error)

    def measure(self, job: Job) -> Iterator[Progress]:
        """Measure the run time of the solve."""
        from engine.experiments.device_solves import find_device
        from engine.experiments.run_time import measure

        if job.experiment is not None:
            from engine.experiments.spiny_step import with_spines

            job = with_spines(job, self._morphology(job.experiment.morphology))
        device = find_device()
        return measure(job, no_device=device) if isinstance(device, str) else measure(job, device)

    def check_orders(self, number: int, experiment: Experiment) -> Checked:
        """Compare the two orders at times that double, up to some 100 ms of the run."""
        cell = self._morphology(experiment.morphology)
        model = self._model.build(experiment, cell=cell, kept=False)
        difference = self._simulation.compare_orders(model, CHECK_TIMES)
        return Checked(number, difference, model.n_comp)

    def try_out(self, number: int) -> Tried:
        """Look for a GPU anew, and let each engine that is there run the same model."""
        from engine.experiments.engine_trial import try_engines

        lines = try_engines(self._warm_up_model())
        gpu, reason = self._gpu()
        engine, _ = self._describe(self._choose("auto"))
        return Tried(number, lines, engine, reason, gpu)

    def study(self, work: RunStudy) -> Iterator[StudyProgress]:
        """Run what is missing of a study, on processes of its own."""
        from engine.experiments.spike_probability import run_study

        return run_study(work.study, Path(work.folder), backend=work.backend, resume=True)

    def try_spines(self, work: TrySpines) -> TriedSpines:
        """What the spines of a study do to its cell."""
        from engine.experiments.spine_effect import spine_effect

        return TriedSpines(work.number, spine_effect(work.study, work.model, backend=work.backend))

    def train(self, work: Train) -> Generator[Kept, Order | None, None]:
        """Train a network; what it needs before its first batch is kept for the next time."""
        return self._trainer.train(work)

    def fetch(self, work: FetchData) -> Iterator[float]:
        """Fetch a data set from the network."""
        from engine.experiments.hpc_net.data import fetch

        return fetch(work.name, Path(work.folder))

    def examine(self, work: Examine) -> Generator[robustness.Progress, None, None]:
        """Disturb the images of a training, and ask its network and others."""
        from engine.experiments.hpc_net import load, prepare
        from engine.exporting.training_run import load_snapshot

        training, folder = work.training, Path(work.folder)
        data = load(training.data)
        network, weights = prepare(training, data), load_snapshot(folder, work.epoch).weights
        return robustness.examine(
            work.study, network, weights, training.learning, data, folder,
            simulate=training.way == "compartmental", epoch=work.epoch,
        )  # fmt: skip

    def open(self, number: int, experiment: Experiment, backend: BackendName) -> Opened:
        """Build the model of an experiment."""
        chosen = self._choose(backend)
        model = self._model.build(
            experiment, cell=self._morphology(experiment.morphology), kept=False
        )
        started = Started(
            number,
            chosen.describe(),
            experiment,
            n_time=model.n_time,
            n_frame=model.n_frame,
            n_instance=model.n_instance,
            probes=tuple(Trace(probe.label, probe.unit) for probe in model.probes),
            tree=Nodes(model.tree.segment),
        )
        chunks = self._simulation.simulate(model, chosen)
        return Opened(started, chunks, lambda: self._describe(chosen))

    def _morphology(self, source: str) -> Morphology:
        """Read a morphology, if it is not the one read last."""
        from engine.morphology.reading import read_morphology
        from engine.morphology.samples import resolve

        path = Path(resolve(source))
        key = (path, path.stat().st_mtime_ns if path.exists() else None)
        if self._read is None or self._read[0] != key:
            self._read = key, read_morphology(path)
        return self._read[1]


def _ball_and_stick() -> Morphology:
    """A soma of 20 µm with a dendrite of 4 mm: 1000 compartments to measure on."""
    return Morphology(
        xyz=np.array([[0.0, 0.0, 0.0], [0.0, 10.0, 0.0], [0.0, 4010.0, 0.0]]),
        radius=np.array([10.0, 1.0, 1.0]),
        parent=np.array([-1, 0, 1], np.int32),
        tag=np.array([Tag.SOMA, Tag.BASAL, Tag.BASAL], np.int32),
        line=np.array([-1, -1, -1], np.int32),
        name="ball and stick",
        source="made",
    )
