"""Populations: different cells, each as often as wanted, that run in step."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.errors import FileError, UserError
from engine.experiment import SAMPLE_PREFIX, Experiment
from engine.instances import select
from engine.memory import bytes_needed
from engine.model import Model, build, build_batch, step_count
from engine.stimuli import NoiseClamp
from engine.synapses import NetStim
from engine.validation import free_memory, sites


@dataclass(frozen=True)
class Member:
    """A cell of a population.

    Attributes
    ----------
    experiment : Experiment
    copies : int
        So many cells. Where something about them is drawn, copy k has the experiment's seed + k;
        otherwise they are equal.
    name : str
        Empty: see :attr:`Population.names`.
    """

    experiment: Experiment
    copies: int = 1
    name: str = ""

    def cells(self) -> list[Experiment]:
        """The experiment of every copy."""
        if not is_drawn(self.experiment):
            return [self.experiment] * self.copies
        seed = self.experiment.seed
        return [replace(self.experiment, seed=seed + k) for k in range(self.copies)]


@dataclass(frozen=True)
class Population:
    """All cells of one run.

    Time step and duration are one for all; membranes, temperatures, inputs and probes are each
    member's own.
    """

    members: tuple[Member, ...]

    @property
    def n_cell(self) -> int:
        return sum(member.copies for member in self.members)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name for every member, no two alike: its own, or that of its experiment, or where
        that is one's with another cell or empty, of its morphology."""
        names: dict[str, None] = {}
        cells: dict[str, set[str]] = {}
        for member in self.members:
            cells.setdefault(member.experiment.name, set()).add(member.experiment.morphology)
        for member in self.members:
            name, morphology = member.experiment.name, member.experiment.morphology
            given = member.name or (name if len(cells[name]) == 1 else "") or stem(morphology)
            number, name = 1, given
            while name in names:
                number += 1
                name = f"{given} {number}"
            names[name] = None
        return tuple(names)


@dataclass(frozen=True, eq=False)
class Group:
    """Cells of one tree and membrane, the instances of one model.

    Attributes
    ----------
    model : Model
    members : tuple of int
        Which members these cells are, one after the other.
    first : tuple of int
        The instance that each of them begins with.
    """

    model: Model
    members: tuple[int, ...]
    first: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PopulationModel:
    """A population as flat arrays, group by group.

    Attributes
    ----------
    population : Population
    groups : tuple of Group
    """

    population: Population
    groups: tuple[Group, ...]

    @property
    def n_step(self) -> int:
        return self.groups[0].model.n_step

    @property
    def models(self) -> list[Model]:
        """That of every group."""
        return [group.model for group in self.groups]

    @cached_property
    def place(self) -> tuple[tuple[int, int], ...]:
        """Of every member: its group and the instance that it begins with."""
        found = {
            member: (number, first)
            for number, group in enumerate(self.groups)
            for member, first in zip(group.members, group.first, strict=True)
        }
        return tuple(found[k] for k in range(len(self.population.members)))

    def member_model(self, number: int) -> Model:
        """The cells of one member as a model of their own."""
        group, first = self.place[number]
        member = self.population.members[number]
        part = select(self.groups[group].model, first, member.copies)
        return replace(part, experiment=member.experiment)

    def cell_of(self, group: int, instance: int) -> tuple[int, int]:
        """Member and copy of an instance."""
        here = self.groups[group]
        k = int(np.searchsorted(here.first, instance, side="right")) - 1
        return here.members[k], instance - here.first[k]


def build_population(population: Population) -> PopulationModel:
    """Read, cut and equip all cells of a population; equal trees are built once.

    Raises
    ------
    UserError
        As :func:`engine.model.build`; if time steps or durations differ, there is no member or no
        copy of one; or if all together do not fit into the memory of this machine.
    """
    _check(population)
    alike: dict[object, list[int]] = {}
    for number, member in enumerate(population.members):
        alike.setdefault(_kind(member.experiment), []).append(number)
    groups = []
    for numbers in alike.values():
        members = [population.members[k] for k in numbers]
        copies = [member.copies for member in members]
        first = np.cumsum([0, *copies[:-1]]).tolist()
        try:
            model = _model(members)
        except FileError:
            raise
        except UserError as error:
            raise UserError(f"'{population.names[numbers[0]]}': {error}") from None
        groups.append(Group(model, tuple(numbers), tuple(first)))
    _check_memory(population, [group.model for group in groups])
    return PopulationModel(population, tuple(groups))


def _kind(experiment: Experiment) -> object:
    """Equal for cells that can be instances of one model with the bits that each has alone.

    A passive cell with neither synapses nor spines has a matrix that never changes, and is solved
    in another way (:mod:`engine.backends.constant`).
    """
    nodes = frozenset(site for _, site in sites(experiment) if site.x in (0, 1))
    bare = replace(experiment, synapses=(), spines=(), stimuli=(), seed=0, name="")
    return bare, nodes, bool(experiment.synapses), bool(experiment.spines)


def _model(members: list[Member]) -> Model:
    cells = [cell for member in members for cell in member.cells()]
    ends = [cell for member in members for cell in (member.cells()[0], member.cells()[-1])]
    if len({replace(cell, name="") for cell in ends}) == 1:
        return build(cells[0], len(cells))
    return build_batch(cells)


def _check(population: Population) -> None:
    if not population.members:
        raise UserError("the population has no cells; give at least one experiment")
    first, *others = population.members
    for name, member in zip(population.names, population.members, strict=True):
        if member.copies < 1:
            raise UserError(
                f"'{name}' is wanted {member.copies} times; ask for at least one copy, or leave it "
                "out of the population"
            )
    for name, member in zip(population.names[1:], others, strict=True):
        for what, one, other in (
            ("a time step", first.experiment.dt, member.experiment.dt),
            ("a duration", first.experiment.duration, member.experiment.duration),
        ):
            same = one == other
            if what == "a duration" and first.experiment.dt == member.experiment.dt:
                same = step_count(first.experiment) == step_count(member.experiment)
            if not same:
                raise UserError(
                    f"'{population.names[0]}' has {what} of {one:g} ms and '{name}' of {other:g} "
                    "ms; the cells of a population run in step, so give all the same, or run them "
                    "one by one"
                )


def _check_memory(population: Population, models: Iterable[Model]) -> None:
    needed, free = sum(bytes_needed(model) for model in models), free_memory()
    if free is not None and needed > free:
        raise UserError(
            f"{population.n_cell} cells need {needed / 1e9:.4g} GB and {free / 1e9:.1f} GB are "
            "free; run fewer of them at once, record fewer sites or shorten the run"
        )


def is_drawn(experiment: Experiment) -> bool:
    """Whether anything in a run depends on the seed."""
    trains = [s.source for s in experiment.synapses if isinstance(s.source, NetStim)]
    waves = [wave for wave in experiment.waveforms if isinstance(wave, NoiseClamp)]
    return bool(waves) or any(train.noise > 0 for train in trains)


def stem(morphology: str) -> str:
    """What a morphology is called without its folder and endings."""
    name = Path(morphology.removeprefix(SAMPLE_PREFIX)).name
    return name.removesuffix(".gz").rsplit(".", 1)[0] or morphology
