"""Opening cells: from a file or a sample to the state, all or nothing."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from dendview.controllers.cells import make_cell
from dendview.state import AppState, Cell, Message
from dendview.wording import plural
from engine.errors import FileError, MorphologyError
from engine.experiment import Experiment, Rule, default_experiment, from_json
from engine.morphology.doctor import Problem, examine
from engine.morphology.model import Morphology
from engine.morphology.reading import read_morphology
from engine.morphology.samples import PREFIX, SAMPLES, resolve
from engine.types import NodeSet
from engine.validation import validate

N_RECENT = 10


@dataclass(frozen=True, eq=False)
class Opened:
    """A cell that was read, not yet shown.

    ``nodes`` is the node set its schedule is first shown in; ``seconds`` is what reading took;
    ``file`` is the experiment's file where one was opened.
    """

    cell: Cell
    experiment: Experiment
    nodes: NodeSet
    seconds: float
    file: str = ""


class FilesController:
    """Reads cells and puts them into the state.

    :meth:`load` touches no state and may run in another thread; :meth:`show` makes its result the
    open cell. :meth:`open` is both.
    """

    def __init__(self, state: AppState) -> None:
        self.state = state

    def load(self, source: str) -> Opened:
        """Read a cell and cut it.

        Parameters
        ----------
        source
            A path of a morphology or an experiment (``.json``), or ``sample:NAME``.

        Raises
        ------
        FileError
            If the file cannot be read or is damaged.
        UserError
            If an experiment cannot be run on its cell.
        """
        begin = time.perf_counter()
        if is_experiment(source):
            return self._load_experiment(source, begin)
        path = resolve(source)
        if not path.exists():
            raise MorphologyError(
                path, "there is no such file", "check its name, or choose File ▸ Open"
            )
        morphology = read_morphology(path)
        rule, nodes = usual_cut(source)
        cell = make_cell(source, morphology, replace(default_experiment(source), rule=rule))
        experiment = default_experiment(source, cell.sections, name=morphology.name)
        experiment = replace(experiment, rule=rule)
        return Opened(cell, experiment, nodes, time.perf_counter() - begin)

    def _load_experiment(self, source: str, begin: float) -> Opened:
        """Read an experiment and the cell that it is about."""
        path = Path(source)
        try:
            experiment = from_json(path.read_text(encoding="utf-8"), path)
        except OSError as error:
            what = f"this experiment cannot be read ({error.strerror})"
            raise FileError(path, what, "check its name, or choose File ▸ Open") from None
        except UnicodeDecodeError:
            raise FileError(
                path, "this is not text", "choose an experiment that DendView wrote"
            ) from None
        shape = resolve(experiment.morphology)
        if not shape.exists():
            raise FileError(
                path,
                f"its morphology {shape} is not there",
                'put that file there, or write another path under "morphology"',
            )
        cell = make_cell(experiment.morphology, read_morphology(shape), experiment)
        try:
            validate(experiment, cell.trees[experiment.nodes], kept=False)
        except FileError as error:  # of its mechanisms; what was opened is the experiment
            where = f"{error.path}:{error.line}" if error.line else f"{error.path}"
            raise FileError(path, f"{where}: {error.what}", error.fix) from None
        return Opened(cell, experiment, experiment.nodes, time.perf_counter() - begin, source)

    def show(self, opened: Opened) -> None:
        """Make a cell that was read the open one; the runs of the cell before are left behind."""
        state = self.state
        state.playing = ""
        state.selection = state.hovered = state.shown_run = None
        state.runs, state.step, state.time = (), 0, 0.0
        state.schedule = None
        state.experiment = None  # its places belong to the cell before
        state.nodes = opened.nodes
        state.cell = opened.cell
        state.experiment = opened.experiment
        if state.perspective == "start":
            state.perspective = "explore"
        self.remember(opened.file or opened.cell.source)
        state.message = opened_message(opened)

    def open(self, source: str) -> None:
        """Read a cell and show it; where it cannot be read nothing changes.

        Raises
        ------
        FileError
        """
        self.show(self.load(source))

    def open_sample(self, name: str) -> None:
        """Open one of the cells that come with the program."""
        self.open(f"{PREFIX}{name}")

    def problems(self, source: str) -> tuple[Problem, ...]:
        """What is wrong with a morphology, line by line; empty where it cannot be looked at."""
        if is_experiment(source):
            return ()
        try:
            return tuple(examine(resolve(source)))
        except OSError:
            return ()

    def remember(self, source: str) -> None:
        """Put a source at the head of the recent ones; samples, which have cards, are left out."""
        if source.startswith(PREFIX):
            return
        source = str(Path(source).absolute())
        others = [name for name in self.state.recent if name != source]
        self.state.recent = (source, *others)[:N_RECENT]

    def forget(self, source: str) -> None:
        """Take a source off the recent ones."""
        self.state.recent = tuple(name for name in self.state.recent if name != source)

    def close(self) -> None:
        """Back to the start page, without a cell."""
        state = self.state
        state.playing = ""
        state.perspective = "start"
        state.selection = state.hovered = state.shown_run = None
        state.runs, state.schedule = (), None
        state.experiment = None
        state.cell = None


def is_experiment(source: str) -> bool:
    """Whether a source is a file of an experiment, not of a morphology."""
    return not source.startswith(PREFIX) and Path(source).suffix.lower() == ".json"


def usual_cut(source: str) -> tuple[Rule, NodeSet]:
    """How a cell is cut at first: a sample as the published model of its class."""
    info = SAMPLES.get(source.removeprefix(PREFIX)) if source.startswith(PREFIX) else None
    return (Rule(), "neuron") if info is None else (Rule.parse(info.rule), info.nodes)


def opened_message(opened: Opened) -> Message:
    """What was read, and whether the file has oddities worth a look."""
    morphology = opened.cell.morphology
    what = plural(morphology.n_point, "point")
    if opened.file:
        what = f"the experiment {Path(opened.file).name} on {morphology.name}, {what},"
    text = f"Read {what} in {max(opened.seconds, 0.1):.1f} s"
    if not morphology.notes:
        return Message(text, "done")
    return Message(
        f"{text}, {plural(len(morphology.notes), 'note')}", "info", notes_text(morphology)
    )


def notes_text(morphology: Morphology) -> str:
    """The notes of a file, one a line."""
    return "\n".join(
        f"line {note.line}: {note.text}" if note.line else note.text for note in morphology.notes
    )


def title(cell: Cell | None) -> str:
    """A cell's name for people: a sample's title, else the file's name."""
    if cell is None:
        return ""
    if cell.source.startswith(PREFIX):
        info = SAMPLES.get(cell.source.removeprefix(PREFIX))
        if info is not None:
            return str(info.title)
    return cell.morphology.name
