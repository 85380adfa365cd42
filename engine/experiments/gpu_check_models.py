"""Does every kind of thing that a run can have give the processor's numbers on a device?

Published membranes with all of the library's mechanisms, every synapse and source of events, every
clamp and probe, points that send to each other, trials of the spike lab, single precision, and
several devices side by side.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from engine.backends.base import Samples
from engine.backends.cpu import CpuBackend
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.device import Device
from engine.backends.gpu.several import DeviceMaker
from engine.backends.gpu.shape import Shape
from engine.discretize import Rule
from engine.errors import BackendError
from engine.experiment import Experiment, Insertion, Probe
from engine.experiments.gpu_check import MODEL_LIMIT, CheckRow, relative, run_whole
from engine.experiments.spike_presets import preset
from engine.experiments.spike_study import Condition, Trial
from engine.experiments.spike_trials import trial_experiment
from engine.model import Model, build, build_batch
from engine.recipes import RECIPES, recipe
from engine.stimuli import CurrentClamp, GapJunction, NoiseClamp, RampClamp, SineClamp, Site
from engine.stimuli import VoltageClamp as Clamp
from engine.synapses import NetStim, PointSource, SpikeSource, SpikeTrain, Synapse

SHAPES = (Shape(32, 32), Shape(128, 64, "contract"))
SINGLE_LIMIT = 1e-3
"""Of a run in single precision, relative to the largest value: 24 bits a number, some hundred
steps."""
SHORT = 4.0
"""ms of a published membrane or a trial."""
SOMA, TIP = Site("soma[0]"), Site("dend[0]", 0.9)
RELAY = """
NEURON { POINT_PROCESS CheckRelay NONSPECIFIC_CURRENT i RANGE wait }
PARAMETER { wait = 0.7 (ms) }
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT { SOLVE decay METHOD cnexp i = g * v }
DERIVATIVE decay { g' = -g / 3 }
NET_RECEIVE(w (uS)) {
    if (flag == 0) { g = g + w net_send(wait, 1) } else { net_event(t) }
}
"""
"""A synapse that passes on what it hears."""


def check_everything(
    device: Device, shapes: Sequence[Shape] = SHAPES, names: Sequence[str] = ()
) -> Iterator[CheckRow]:
    """A row for every model and shape, the last ones in single precision.

    ``names`` chooses some models; all are run if it is empty.
    """
    for name, make in makers().items():
        if names and name not in names:
            continue
        model = make()
        right = run_whole(CpuBackend(), model)
        for shape in shapes:
            yield _row(f"{name} {shape.name}", model, right, GpuBackend(device, shape))
        if name == "clamps":
            single = GpuBackend(device, shapes[0], single=True)
            yield _row(f"{name} single precision", model, right, single, SINGLE_LIMIT)


def check_several(
    makers_of: Sequence[DeviceMaker], device: Device, shape: Shape = SHAPES[0]
) -> Iterator[CheckRow]:
    """Cells on several devices have the bits of one; nothing to check where there is only one."""
    if len(makers_of) < 2:
        return
    n_cell = len(makers_of) * device.properties.n_multiprocessor
    model = build(_clamped(), n_cell)
    row = CheckRow("model", f"{len(makers_of)} devices {shape.name}", f"{n_cell} cells")
    try:
        one = run_whole(GpuBackend(device, shape), model)
    except BackendError as error:
        yield replace(row, problem=str(error))
        return
    split = GpuBackend(device, shape, makers_of)
    yield replace(_row(row.name, model, one, split, 0.0), cells=row.cells)


def _row(
    name: str, model: Model, right: Samples, backend: GpuBackend, limit: float = MODEL_LIMIT
) -> CheckRow:
    cells = "1 cell" if model.n_instance == 1 else f"{model.n_instance} cells"
    row = CheckRow("model", name, cells, model.n_step, limit=limit)
    try:
        first, second = (run_whole(backend, model) for _ in range(2))
    except BackendError as reason:
        return replace(row, problem=str(reason))
    pairs = zip(first.traces, right.traces, strict=True)
    error = max(relative(one, other) for one, other in pairs)
    exact = limit <= MODEL_LIMIT
    same = np.array_equal(first.spikes, right.spikes) or not exact
    return replace(
        row,
        error=error if same else np.inf,
        same_twice=np.array_equal(first.traces, second.traces),
        problem="" if exact or error > MODEL_LIMIT else "it is not in single precision",
    )


def makers() -> dict[str, Callable[[], Model]]:
    """How each model is built, by its name."""
    membranes = {f"membrane {name}": partial(_membrane, name) for name in RECIPES}
    return membranes | {
        "clamps": lambda: build(_clamped(), 2),
        "points": lambda: build(_reached()),
        "relays": _relays,
        "lab few": lambda: _trials("few-distributed"),
        "lab full": lambda: _trials("full-clustered"),
    }


def _membrane(name: str) -> Model:
    """A published cell with a current that makes it spike."""
    return build(
        replace(
            recipe(name),
            stimuli=(CurrentClamp(SOMA, 0.5, SHORT, 3.0),),
            probes=(Probe(SOMA),),
            duration=SHORT,
        )
    )


def _base() -> Experiment:
    leak = ("g", 5e-5), ("e", -65.0)
    return Experiment(
        "sample:ball_and_stick",
        rule=Rule("max_length", 20),
        insertions=(Insertion("hh", "soma"), Insertion("pas", "dendrite", leak)),
        probes=(Probe(SOMA), Probe(TIP)),
        duration=10.0,
    )


def _clamped() -> Experiment:
    """Every clamp and current, and what is recorded of them and of the membrane."""
    own = "m_hh", "ina", "i_VoltageClamp", "i_GapJunction"
    return replace(
        _base(),
        stimuli=(CurrentClamp(SOMA, 4.0, 5.0, 1.0),),
        waveforms=(
            RampClamp(TIP, 0.0, 5.0, 0.2, 0.1),
            SineClamp(TIP, 1.0, 6.0, 0.1),
            NoiseClamp(SOMA, 1.0, 8.0, 0.0, 0.2),
        ),
        voltage_clamps=(Clamp(SOMA, (1.0, 0.5, 0.5), (-50.0, -80.0, -60.0)),),
        gap_junctions=(GapJunction(SOMA, TIP, 0.01),),
        probes=(*_base().probes, *(Probe(SOMA, name) for name in own)),
    )


def _reached() -> Experiment:
    """Every point process of the library, and every source of events."""
    noise = NetStim(1.5, 20, 0.5, noise=1.0)
    spikes = SpikeSource(SOMA, -20.0)
    train = SpikeTrain((1.0, 3.0, 3.5))
    return replace(
        _base(),
        synapses=(
            Synapse(TIP, "AMPANMDA", weights=(0.01,), source=train),
            Synapse(TIP, "Exp2Syn", weights=(0.01,), source=noise),
            Synapse(SOMA, "ExpSyn", weights=(0.05,), source=SpikeTrain((2.0,)), delay=0.5),
            Synapse(TIP, "GABA_A", weights=(0.002,), source=spikes, delay=1.0),
            Synapse(SOMA, "NMDA", weights=(0.002,), source=train, delay=0.01),
            Synapse(TIP, "epsp", weights=()),
        ),
    )


def _relays() -> Model:
    """Points that send to each other, in a ring and with delays shorter than a step."""
    given = replace(
        _base(),
        synapses=(
            Synapse(TIP, "CheckRelay", weights=(2e-3,), source=SpikeTrain((1.0, 2.0))),
            Synapse(SOMA, "CheckRelay", weights=(3e-3,), source=PointSource(0)),
            Synapse(SOMA, "CheckRelay", (("wait", 0.0),), (3e-3,), PointSource(3), 0.01),
            Synapse(TIP, "CheckRelay", weights=(1e-3,), source=PointSource(1), delay=0.013),
            Synapse(TIP, "ExpSyn", weights=(1e-3,), source=PointSource(2), delay=1.0),
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "check_relay.mod").write_text(RELAY, encoding="utf-8")
        return build(replace(given, mechanism_folders=(folder,)))


def _trials(condition: Condition) -> Model:
    """Two trials of the spike lab, shortened."""
    study = preset("quick", conditions=(condition,))
    study = replace(
        study,
        cell=replace(study.cell, duration=SHORT),
        input=replace(study.input, time=1.0),
        background=replace(study.background, start=0.0),
    )
    count = study.points(condition)[-1]
    trials = (trial_experiment(study, Trial(condition, count, number)) for number in range(2))
    return build_batch([replace(trial, probes=(Probe(SOMA),)) for trial in trials])
