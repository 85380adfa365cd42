"""Time of an epoch of training: the shortcut, the engine's simulation, and NEURON, extrapolated.

The shortcut learns whole mini-batches, the first ones of the data; its epoch is the mean of one
times their number. The engine simulates the first samples of the same network with the same weights
side by side and NEURON one after the other; neither learns. NEURON has all neurons and synapses of
the network in each of as many processes as there are cores, which run at the same time and are
counted as if they shared the samples without any loss. All say the voltages they end with.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from engine.backends import why_no_gpu
from engine.backends.cpu import available_cores
from engine.benchmarks.neuron_trials import described
from engine.benchmarks.spike_lab import TIMEOUT, answer_of, compiled
from engine.benchmarks.step import SCRIPTS, machine
from engine.errors import BackendError
from engine.experiments.hpc_net.choosing import make_way
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.encoding import spikes
from engine.experiments.hpc_net.network import Network, Weights, first_weights
from engine.experiments.hpc_net.optimizer import Memory, step
from engine.experiments.hpc_net.rule import outcome
from engine.experiments.hpc_net.spec import Learning, Training, WayName
from engine.experiments.hpc_net.training import TEST_BATCH, ask, prepare
from engine.experiments.hpc_net.ways import Way
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections
from engine.types import BackendName

BATCHES = 8
"""Mini-batches that are learned in a round; what they cost depends on their images."""
SIDE_BY_SIDE = 4
"""Samples that are simulated in a round."""
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
    training: Training,
    data: Dataset,
    rounds: int = 3,
    neuron: str | None = sys.executable,
    backend: BackendName = "cpu",
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every program on the first samples of the data, the shortcut on the CPU first.

    Parameters
    ----------
    training
    data
    rounds
        Measurements, of which the median counts, after one that is not counted.
    neuron
        A Python that has NEURON installed; None leaves it out.
    backend
        "gpu" measures both ways there too; "auto" does so where there is one.

    Yields
    ------
    program, answer
        ``seconds`` of a sample and of an ``epoch``, how that was extrapolated (``how``), the last
        voltages of the first sample (``hidden``, ``output``), or ``missing`` with the reason. The
        shortcut's has ``test_seconds`` too, of all test images.
    """
    network = prepare(training, data)
    weights = first_weights(network)
    used: list[BackendName] = ["cpu"]
    if backend == "gpu" or (backend == "auto" and not why_no_gpu()):
        used.append("gpu")
    names: tuple[WayName, ...] = ("shortcut", "compartmental")
    for name in names:
        for where in used:
            program = name if where == "cpu" else f"{name} on the GPU"
            try:
                way = make_way(network, name, where)
            except BackendError as error:
                yield program, {"missing": str(error)}
                continue
            ours = learned if name == "shortcut" else simulated
            yield program, ours(way, weights, training.learning, data, rounds)
    if neuron is not None:
        yield "neuron", theirs(network, weights, data.train[0], rounds, neuron, len(data.train))


def learned(
    way: Way, weights: Weights, learning: Learning, data: Dataset, rounds: int
) -> dict[str, Any]:
    """The shortcut on the first mini-batches."""
    size = learning.batch
    starts = [k for k in range(0, BATCHES * size, size) if k == 0 or k + size <= len(data.train)]
    times, memory = [], Memory()
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        for k in starts:
            images, labels = data.train[k : k + size], data.train_labels[k : k + size]
            found = outcome(way, images, labels, weights, learning)
            _, memory = step(weights, found.direction, learning.rate, learning.optimizer, memory)
        times.append((time.perf_counter() - begin) / min(len(starts) * size, len(data.train)))
    tests = []
    images, labels = data.test[:TEST_BATCH], data.test_labels[:TEST_BATCH]
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        ask(way, images, labels, weights, learning)
        tests.append((time.perf_counter() - begin) / len(images))
    seconds = median(times[1:])
    return {
        "seconds": seconds,
        "epoch": seconds * len(data.train),
        "test_seconds": median(tests[1:]) * len(data.test),
        "how": f"{len(starts)} mini-batches of {size} learned, times the samples of an epoch",
        **ends(way, weights, data),
    }


def simulated(
    way: Way, weights: Weights, learning: Learning, data: Dataset, rounds: int
) -> dict[str, Any]:
    """The engine's simulation on the first samples, side by side."""
    images, times = data.train[: min(SIDE_BY_SIDE, learning.batch)], []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        way.voltages(images, weights)
        times.append((time.perf_counter() - begin) / len(images))
    seconds = median(times[1:])
    return {
        "seconds": seconds,
        "epoch": seconds * len(data.train),
        "how": f"{len(images)} samples side by side, not learned, times the samples of an epoch",
        **ends(way, weights, data),
    }


def ends(way: Way, weights: Weights, data: Dataset) -> dict[str, list[float]]:
    """Last voltages of the first sample."""
    last = way.voltages(data.train[:1], weights)
    return {"hidden": last.hidden[0, :, -1].tolist(), "output": last.output[0, :, -1].tolist()}


def theirs(
    network: Network, weights: Weights, image: np.ndarray, rounds: int, python: str, n_train: int
) -> dict[str, Any]:
    """NEURON on one sample in every process, as many at the same time as there are cores."""
    n_process = available_cores()
    with tempfile.TemporaryDirectory(prefix="dendview-bench-") as name:
        folder = Path(name)
        (folder / "driven.mod").write_text(DRIVEN, encoding="utf-8")
        given = task(network, weights, image, rounds)
        (folder / "task.json").write_text(json.dumps(given), encoding="utf-8")
        if said := compiled(folder, python, False):
            return {"missing": said}
        try:
            with ThreadPoolExecutor(n_process) as pool:
                done = [*pool.map(lambda _: _alone(folder, python), range(n_process))]
        except subprocess.TimeoutExpired:
            return {"missing": f"took more than {TIMEOUT:g} s"}
        answers = [answer_of(each, 1) for each in done]
    answer = next((each for each in answers if "seconds" not in each), answers[0])
    if "seconds" in answer:
        rate = sum(1.0 / each["seconds"] for each in answers)
        answer["seconds"] = n_process / rate
        answer["epoch"] = n_train / rate
        answer["processes"] = n_process
        answer["how"] = (
            f"a sample in each of {n_process} processes at the same time, not learned, times the "
            f"samples of an epoch over {n_process}"
        )
    return answer


def _alone(folder: Path, python: str) -> "subprocess.CompletedProcess[str]":
    """One process of NEURON on one core."""
    return subprocess.run(
        [python, str(SCRIPT), "task.json"], cwd=folder, capture_output=True, text=True,
        timeout=TIMEOUT, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


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
        "precision": "double; the shortcut's smaller modes on the CPU in single",
    }
    return {**about, "programs": rows}
