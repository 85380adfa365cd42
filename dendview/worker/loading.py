"""The real engine as the process serves it; importing it is left until the process runs."""

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from dendview.worker.protocol import Nodes, Ready, Started, Trace
from dendview.worker.serving import Engine, Opened
from engine.discretize import Rule
from engine.experiment import Experiment, default_experiment
from engine.morphology.model import Morphology, Tag
from engine.stimuli import CurrentClamp, Site
from engine.types import BackendName

WARM_STEPS = 4000


def load_engine() -> Engine:
    """Import the engine (numba takes its time)."""
    return LocalEngine()


class LocalEngine:
    """Builds and runs experiments in this process; keeps the last morphology it has read."""

    def __init__(self) -> None:
        from engine import model, simulation
        from engine.backends import choose_backend

        self._model, self._simulation, self._choose = model, simulation, choose_backend
        self._read: tuple[Any, Morphology] | None = None

    def warm(self) -> Ready:
        """Compile or load the kernels of the default experiment, and measure them."""
        ball_and_stick = _ball_and_stick()
        experiment = replace(
            default_experiment("warm-up"),
            rule=Rule("max_length", 4.0),
            stimuli=(CurrentClamp(Site("soma[0]"), 0.0, 100.0, 0.5),),
            duration=WARM_STEPS * 0.025,
            frame_interval=1.0,
        )
        model = self._model.build(experiment, cell=ball_and_stick)
        for _ in self._simulation.simulate(model):
            pass  # compiled now
        begin = perf_counter()
        for _ in self._simulation.simulate(model):
            pass
        seconds = perf_counter() - begin
        return Ready(self._choose("auto").describe(), seconds / (model.n_comp * WARM_STEPS))

    def open(self, number: int, experiment: Experiment, backend: BackendName) -> Opened:
        """Build the model of an experiment."""
        model = self._model.build(experiment, cell=self._morphology(experiment.morphology))
        started = Started(
            number,
            self._choose(backend).describe(),
            experiment,
            n_time=model.n_time,
            n_frame=model.n_frame,
            n_instance=model.n_instance,
            probes=tuple(Trace(probe.label, probe.unit) for probe in model.probes),
            tree=Nodes(model.tree.segment),
        )
        return Opened(started, self._simulation.simulate(model, backend))

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
