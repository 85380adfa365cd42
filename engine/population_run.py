"""A population's run as a generator of chunks, and its recording, member by member."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.backends import choose_backend
from engine.backends.base import Backend
from engine.population import Population, PopulationModel
from engine.recording import Chunk, Recording, RecordingBuilder
from engine.simulation import chunk_of, stepped, unstable
from engine.types import BackendName, FloatArray


@dataclass(frozen=True, eq=False)
class PopulationChunk:
    """A consecutive piece of a population's run.

    Attributes
    ----------
    start, stop : ms
    fraction : float
        Part of the run that is done.
    members : tuple of Chunk
        What every member did in that time; the instances of each are its copies. Frames are there
        of one cell of every tree, the first of the first member that has it.
    """

    start: float
    stop: float
    fraction: float
    members: tuple[Chunk, ...]


@dataclass(frozen=True, eq=False)
class PopulationRecording:
    """All of a population's run, or what was done before it was cancelled.

    Attributes
    ----------
    population : Population
    members : tuple of Recording
        In the order of the population; the instances of each are its copies.
    """

    population: Population
    members: tuple[Recording, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.population.names

    @property
    def time(self) -> FloatArray:
        """(n_time,) ms, one for all."""
        return self.members[0].time

    @property
    def complete(self) -> bool:
        return all(member.complete for member in self.members)

    @property
    def spikes(self) -> FloatArray:
        """(n_spike, 3) member, copy and time (ms), by time."""
        each = [
            np.column_stack([np.full(len(member.spikes), k), member.spikes])
            for k, member in enumerate(self.members)
        ]
        spikes = np.concatenate(each)
        return spikes[np.lexsort((spikes[:, 1], spikes[:, 0], spikes[:, 2]))]


def simulate_population(
    model: PopulationModel,
    backend: BackendName | Backend = "auto",
    chunks_per_second: float = 30.0,
    threads: int | None = None,
) -> Iterator[PopulationChunk]:
    """Run all cells of a population in step; each has the bits it has in a run of its own (on a
    device, where its tree is solved in the same way: see
    :class:`engine.backends.base.PopulationRun`).

    Parameters are those of :func:`engine.simulation.simulate`.

    Raises
    ------
    BackendError
        If the backend cannot run here.
    UnstableError
        If a voltage left the numbers a membrane can have; names the cell. What came before it has
        been yielded.
    """
    chosen = choose_backend(backend) if isinstance(backend, str) else backend
    run = chosen.start_population(model.models, threads)
    for samples, start, fraction in stepped(
        run.initialize, run.advance, model.n_step, chunks_per_second
    ):
        groups = [chunk_of(part, start, fraction) for part in samples]
        stop = groups[0].stop
        yield PopulationChunk(start, stop, fraction, members_of(model, groups))
        bad = [(part.bad[2], k, part.bad) for k, part in enumerate(samples) if part.bad is not None]
        if bad:
            _, group, (node, instance, time) = min(bad)
            member, copy = model.cell_of(group, instance)
            whose = f" of '{model.population.names[member]}', cell {copy},"
            raise unstable(model.groups[group].model, node, instance, time, whose)


def members_of(model: PopulationModel, groups: list[Chunk]) -> tuple[Chunk, ...]:
    """What every member did, out of what every group did."""
    found = []
    for (group, first), member in zip(model.place, model.population.members, strict=True):
        whole, last = groups[group], first + member.copies
        mine = (whole.spikes[:, 0] >= first) & (whole.spikes[:, 0] < last)
        part = replace(
            whole,
            traces=whole.traces[:, first:last],
            spikes=whole.spikes[mine] - (first, 0),
        )
        if first > 0:
            part = replace(part, frame_time=whole.frame_time[:0], frames=whole.frames[:0])
        found.append(part)
    return tuple(found)


class PopulationRecorder:
    """A recording that grows while a run goes on; see
    :class:`engine.recording.RecordingBuilder`."""

    def __init__(self, model: PopulationModel) -> None:
        self._population = model.population
        numbers = range(len(model.population.members))
        self._builders = [RecordingBuilder(model.member_model(k)) for k in numbers]

    @property
    def engine(self) -> str:
        """What computes the run; to be set by who knows."""
        return self._builders[0].engine

    @engine.setter
    def engine(self, name: str) -> None:
        for builder in self._builders:
            builder.engine = name

    def append(self, chunk: PopulationChunk) -> None:
        """Add the next chunk of the run."""
        for builder, part in zip(self._builders, chunk.members, strict=True):
            builder.append(part)

    def recording(self) -> PopulationRecording:
        """What is in so far."""
        members = tuple(builder.recording() for builder in self._builders)
        return PopulationRecording(self._population, members)


def collect_population(
    model: PopulationModel, chunks: Iterable[PopulationChunk]
) -> PopulationRecording:
    """All chunks of a run as one recording.

    Parameters
    ----------
    model : PopulationModel
    chunks
        What ``simulate_population(model)`` gives; may stop early.
    """
    recorder = PopulationRecorder(model)
    for chunk in chunks:
        recorder.append(chunk)
    return recorder.recording()
