"""Time of an epoch of training: the shortcut, the engine's simulation, and NEURON, extrapolated.

The shortcut learns whole mini-batches; its epoch is the time of one times their number. The engine
and NEURON simulate samples of the same network with the same weights and do not learn; NEURON has
all neurons and synapses in one process and is counted as if as many processes as there are cores
shared the samples without any loss. All say the voltages they end with.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from engine.backends.cpu import available_cores
from engine.benchmarks.neuron_trials import described
from engine.benchmarks.spike_lab import TIMEOUT, answer_of, compiled
from engine.benchmarks.step import SCRIPTS, machine
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.encoding import spikes
from engine.experiments.hpc_net.network import Network, Weights, first_weights
from engine.experiments.hpc_net.rule import outcome
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Training
from engine.experiments.hpc_net.training import prepare
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections

SCRIPT = SCRIPTS / "run_train_neuron.py"
DRIVEN = """
NEURON {
    POINT_PROCESS Driven
    ELECTRODE_CURRENT i
    POINTER vpre
    RANGE g
}
PARAMETER { g = 0 }
ASSIGNED { i (nanoamp) vpre (millivolt) v (millivolt) }
BREAKPOINT {
    i = 0
    if (vpre > 0) { i = g * vpre }
}
"""
"""A current g · max(v of another neuron, 0), for NEURON's compiler."""


def measure(
    training: Training, data: Dataset, rounds: int = 3, neuron: str | None = sys.executable
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every program on the first samples of the data, the shortcut first.

    Parameters
    ----------
    training
    data
    rounds
        Measurements, of which the median counts, after one that is not counted.
    neuron
        A Python that has NEURON installed; None leaves it out.

    Yields
    ------
    program, answer
        ``seconds`` of a sample and of an ``epoch``, the last voltages of the first sample
        (``hidden``, ``output``), or ``missing`` with the reason.
    """
    network = prepare(training, data)
    weights = first_weights(network)
    n_train, batch = len(data.train), training.learning.batch
    images, labels = data.train[:batch], data.train_labels[:batch]
    way = Shortcut(network)
    times = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        for _ in range(8):
            outcome(way, images, labels, weights, training.learning)
        times.append((time.perf_counter() - begin) / 8 / len(images))
    last = way.voltages(images[:1], weights)
    ends = {"hidden": last.hidden[0, :, -1].tolist(), "output": last.output[0, :, -1].tolist()}
    seconds = median(times[1:])
    yield "shortcut", {"seconds": seconds, "epoch": seconds * n_train, **ends}

    slow, times = Compartmental(network), []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        last = slow.voltages(images[:1], weights)
        times.append(time.perf_counter() - begin)
    ends = {"hidden": last.hidden[0, :, -1].tolist(), "output": last.output[0, :, -1].tolist()}
    seconds = median(times[1:])
    yield "compartmental", {"seconds": seconds, "epoch": seconds * n_train, **ends}
    if neuron is not None:
        yield "neuron", theirs(network, weights, images[0], rounds, neuron, n_train)


def theirs(
    network: Network, weights: Weights, image: np.ndarray, rounds: int, python: str, n_train: int
) -> dict[str, Any]:
    """NEURON on one sample."""
    with tempfile.TemporaryDirectory(prefix="dendview-bench-") as name:
        folder = Path(name)
        (folder / "driven.mod").write_text(DRIVEN, encoding="utf-8")
        given = task(network, weights, image, rounds)
        (folder / "task.json").write_text(json.dumps(given), encoding="utf-8")
        if said := compiled(folder, python, False):
            return {"missing": said}
        try:
            done = subprocess.run(
                [python, str(SCRIPT), "task.json"], cwd=folder, capture_output=True, text=True,
                timeout=TIMEOUT, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"missing": f"took more than {TIMEOUT:g} s"}
        answer = answer_of(done, 1)
    if "seconds" in answer:
        answer["epoch"] = answer["seconds"] * n_train / available_cores()
        answer["processes"] = available_cores()
    return answer


def task(network: Network, weights: Weights, image: np.ndarray, rounds: int) -> dict[str, Any]:
    """A sample as plain values; biases are left out, as they are 0 before learning."""
    spec, tree = network.spec, network.model.tree
    cell = described([spec.cell], make_sections(read_morphology(resolve(spec.cell.morphology))))
    trains = [
        spikes(spec.encoding, float(network.levels[pixel]), spec.cell.duration)
        for pixel in image.tolist()
    ]
    node = network.node
    names = np.array(tree.sections.name, object)[tree.section[node]]
    g = weights.hidden / network.r_mean
    n_in, _, n_synapse = node.shape
    return {
        "cell": cell,
        "point": asdict(spec.point),
        "encoding": asdict(spec.encoding),
        "inputs": [(s.start, s.interval) if s.start < spec.cell.duration else None for s in trains],
        "synapses": [
            [
                (i, names[i, j, q], float(tree.x[node[i, j, q]]), float(g[i, j, q]))
                for i in range(n_in)
                for q in range(n_synapse)
            ]
            for j in range(spec.n_hidden)
        ],
        "soma": (network.soma.section, network.soma.x),
        "output_g": (weights.output / network.output_resistance).tolist(),
        "n_out": network.n_out,
        "rounds": rounds,
        **{name: getattr(spec.cell, name) for name in ("celsius", "dt", "duration")},
    }


def report(training: Training, data: Dataset, answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All answers as one document; how many times as long as the shortcut, how far voltages are."""
    own = answers["shortcut"]
    rows: dict[str, Any] = {}
    for name, answer in answers.items():
        row = rows[name] = {k: v for k, v in answer.items() if k not in ("hidden", "output")}
        if name == "shortcut" or "seconds" not in answer:
            continue
        row["ratio"] = answer["epoch"] / own["epoch"]
        row["largest_relative_difference"] = max(
            float(np.abs(np.subtract(answer[k], own[k])).max() / np.abs(own[k]).max())
            for k in ("hidden", "output")
        )
    about = machine()
    about["unit"] = "s per sample and per epoch"
    about["task"] = {
        "data": data.name,
        "samples": len(data.train),
        "network": [data.n_in, training.network.n_hidden, len(data.classes)],
        "synapses": training.network.n_synapses,
        "batch": training.learning.batch,
        "rule": training.learning.rule,
        "dt_ms": training.network.cell.dt,
        "duration_ms": training.network.cell.duration,
        "morphology": Path(training.network.cell.morphology).name,
        "precision": "double",
    }
    return {**about, "programs": rows}
