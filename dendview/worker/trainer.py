"""Trainings in the engine's process; the network made last is kept, so that going on is quick."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dendview.worker.protocol import Train
from engine.experiments.hpc_net.spec import Training
from engine.exporting.training_run import Folder, Kept, Order, kept_run, read_folder, with_batch
from engine.types import BackendName
from engine.validation import free_memory

COPIES = 4
"""Arrays of all voltages of a batch that learning holds at once: those of the hidden neurons,
their rectified copy, and two of the errors that are taken back."""


class Trainer:
    """Runs trainings; holds the data and the tables of the last one."""

    def __init__(self) -> None:
        self._known: tuple[Any, Any, Any] | None = None  # what it was made for, data, way

    def train(self, work: Train) -> Generator[Kept, Order | None, None]:
        """Train, from the beginning or from the checkpoint.

        Raises
        ------
        UserError
            If data, cell or settings cannot be used, or the folder cannot be written.
        MemoryError
            If a batch does not fit into what is free.
        """
        from engine.experiments.hpc_net.training import with_rate

        path, training, state = Path(work.folder), work.training, None
        if work.resume:
            found, state = read_folder(path)
            training = replace(
                training, learning=replace(found.learning, epochs=training.learning.epochs)
            )
        if work.batch is not None:
            if state is not None:
                training, state = with_batch(training, state, work.batch)
            else:
                learning = replace(training.learning, batch=work.batch)
                training = replace(training, learning=learning)
        folder = Folder(path, training)
        data, way = self._made(training, work.backend)
        check_memory(training, len(data.train), way.network.n_time, way.network.n_out)
        if state is not None:
            state = with_rate(state, work.rate, training.learning, len(data.train))
        elif work.rate is not None:
            folder = Folder(
                path, replace(training, learning=replace(training.learning, rate=work.rate))
            )
        yield from kept_run(way, data, folder, state)

    def _made(self, training: Training, backend: BackendName) -> tuple[Any, Any]:
        """Data and network, made anew where they are others than last time."""
        from engine.experiments.hpc_net import load, make_way, prepare

        key = training.network, training.data, training.way, training.precision, backend
        if self._known is None or self._known[0] != key:
            self._known = None  # two do not have to fit
            data = load(training.data)
            network = prepare(training, data)
            way = make_way(network, training.way, backend, precision=training.precision)
            self._known = key, data, way
        else:
            way = self._known[2]
            training.learning.check(training.network.cell.duration)
            way.network.window(training.learning.start, training.learning.stop)
        return self._known[1], self._known[2]


def check_memory(training: Training, n_train: int, n_time: int, n_out: int) -> None:
    """Refuse a batch whose voltages do not fit into the free memory.

    Raises
    ------
    MemoryError
    """
    neurons = training.network.n_hidden + n_out
    n_sample = min(training.learning.batch, n_train)
    needed = COPIES * 8 * n_sample * neurons * n_time
    free = free_memory()
    if free is not None and needed > free:
        raise MemoryError(f"{needed:,} bytes are needed and {free:,} are free")
