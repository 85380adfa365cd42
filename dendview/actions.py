# ruff: noqa: E501  (a table, one row a line)
"""Everything a person can do, as data: menus, shortcuts, toolbar and search palette come from here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PyQt6.QtGui import QAction, QActionGroup, QKeySequence
from PyQt6.QtWidgets import QMenu, QMenuBar, QWidget

from dendview.attaching import WAVEFORMS
from dendview.controllers.engine import CHOICES, SINGLE
from dendview.controllers.training_plan import CARDS
from dendview.membranes import short_title
from dendview.schedule_scene import METHOD_TEXTS
from dendview.state import AppState
from dendview.training import find_run
from engine.experiments.spike_presets import PRESETS
from engine.precision import parts
from engine.recipes import RECIPES, RecipeInfo


@dataclass(frozen=True)
class Situation:
    """What decides whether an action makes sense now."""

    state: AppState
    can_undo: bool = False
    can_redo: bool = False
    reading: bool = False


Condition = Callable[[Situation], bool]


def always(_: Situation) -> bool:
    return True


def has_cell(s: Situation) -> bool:
    return s.state.cell is not None


def has_notes(s: Situation) -> bool:
    return s.state.cell is not None and bool(s.state.cell.morphology.notes)


def has_selection(s: Situation) -> bool:
    return s.state.cell is not None and s.state.selection is not None


def in_schedule(s: Situation) -> bool:
    return s.state.perspective == "schedule" and s.state.schedule is not None


def can_run(s: Situation) -> bool:
    if s.state.perspective == "training":
        return can_train(s)
    return s.state.experiment is not None and s.state.job is None


def can_measure(s: Situation) -> bool:
    return s.state.cell is not None and s.state.job is None


def has_run(s: Situation) -> bool:
    return s.state.perspective in ("simulate", "spike_lab") and s.state.shown_run is not None


def can_study(s: Situation) -> bool:
    return s.state.cell is not None and s.state.job is None


def has_study(s: Situation) -> bool:
    return s.state.lab_study is not None


def can_resume(s: Situation) -> bool:
    shown = (r for r in s.state.lab_runs if r.number == s.state.lab_shown)
    return s.state.job is None and any(r.state in ("stopped", "failed") for r in shown)


def can_replay(s: Situation) -> bool:
    return s.state.job is None and s.state.lab_point is not None and s.state.lab_trial is not None


def can_train(s: Situation) -> bool:
    data = s.state.training_data
    return s.state.job is None and data is not None and data.state == "ready"


def is_training(s: Situation) -> bool:
    job = s.state.job
    runs = any(run.state == "running" for run in s.state.training_runs)
    return runs and job is not None and not job.cancelling


def can_go_on(s: Situation) -> bool:
    run = find_run(s.state.training_runs, s.state.training_shown)
    return s.state.job is None and run is not None and run.can_resume


def has_epochs(s: Situation) -> bool:
    run = find_run(s.state.training_runs, s.state.training_shown)
    return s.state.perspective == "training" and run is not None and bool(run.kept)


def can_examine(s: Situation) -> bool:
    return has_epochs(s) and s.state.job is None and not s.state.robustness_missing


def can_cancel(s: Situation) -> bool:
    return s.state.job is not None or s.state.picking is not None


def can_play(s: Situation) -> bool:
    return in_schedule(s) or has_run(s)


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    Attributes
    ----------
    id
        Its handler's key.
    menu
        ``File``, or ``View/Theme`` for a submenu.
    shortcuts
        As :class:`QKeySequence` reads them.
    tip
        One line for the status bar and the tool tip.
    enabled, checked
        Asked after every change of the state; ``checked`` None makes a plain action.
    separator
        A line above it in the menu.
    """

    id: str
    text: str
    menu: str
    shortcuts: tuple[str, ...] = ()
    tip: str = ""
    enabled: Condition = always
    checked: Condition | None = None
    separator: bool = False


def _is(field: str, value: object) -> Condition:
    return lambda s: getattr(s.state, field) == value


def _choices(
    prefix: str, field: str, menu: str, names: Mapping[str, str], keys: str = "", **more: Condition
) -> tuple[ActionSpec, ...]:
    """One checkable action per value of a field of the state."""
    return tuple(
        ActionSpec(
            f"{prefix}:{value}",
            text,
            menu,
            (keys.format(i),) if keys else (),
            checked=_is(field, value),
            enabled=more.get("enabled", always),
        )
        for i, (value, text) in enumerate(names.items(), 1)
    )


def _runs_on(name: str) -> Condition:
    """Whether that engine is asked for, in whatever precision."""
    return lambda s: parts(s.state.backend)[0] == name


def can_be_single(s: Situation) -> bool:
    return parts(s.state.backend)[0] != "cpu" and bool(s.state.engine) and not s.state.no_gpu


def _membrane(name: str, info: RecipeInfo) -> ActionSpec:
    """Puts a published membrane on the open cell."""
    tip = f"{info.source}. {info.note}"
    return ActionSpec(f"membrane:{name}", short_title(info), "Cell/Membrane", (), tip, has_cell)


COLORINGS = {
    "type": "Type",
    "depth": "Depth",
    "thread": "Thread",
    "step": "Step",
    "distance": "Path distance",
    "voltage": "Voltage",
    "weight": "Weight",
}
PERSPECTIVES = {
    "explore": "Explore",
    "schedule": "Schedule",
    "simulate": "Simulate",
    "spike_lab": "Spike lab",
    "training": "Training",
}
NODE_SETS = {"neuron": "NEURON's nodes", "merged": "Merged nodes"}

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("open", "&Open…", "File", ("Ctrl+O",), "Open a morphology (SWC, Neurolucida ASC) or an experiment (JSON)"),
    ActionSpec("start", "&Start page", "File", ("Ctrl+Home",), "Samples and recent files"),
    ActionSpec("export", "&Export…", "File", ("Ctrl+E",), "Save pictures and data", has_cell, separator=True),
    ActionSpec("close", "&Close cell", "File", ("Ctrl+W",), "Close the open cell", has_cell, separator=True),
    ActionSpec("quit", "&Quit", "File", ("Ctrl+Q",), "End DendView", separator=True),
    ActionSpec("undo", "&Undo", "Edit", ("Ctrl+Z",), "Take back the last change of the experiment", lambda s: s.can_undo),
    ActionSpec("redo", "&Redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), "Bring back what was undone", lambda s: s.can_redo),
    ActionSpec("clear_selection", "&Clear selection", "Edit", ("Ctrl+D",), "Select nothing", has_selection, separator=True),
    ActionSpec("palette", "Search &actions…", "Edit", ("Ctrl+K", "Ctrl+Shift+P"), "Find anything a menu holds by typing", separator=True),
    *_choices("perspective", "perspective", "View", {n: t for n, t in PERSPECTIVES.items() if n != "training"}, "Ctrl+{}", enabled=has_cell),
    ActionSpec("perspective:training", "Training", "View", ("Ctrl+5",), "Train a network of dendritic neurons", checked=_is("perspective", "training")),
    *_choices("color", "color_by", "View/Color by", COLORINGS, "Alt+{}", enabled=has_cell),
    ActionSpec("fit", "&Fit the cell", "View", ("Home",), "Frame the whole cell", has_cell, separator=True),
    ActionSpec("align", "&Apical up", "View", ("Ctrl+Up",), "Turn the cell so that its apical dendrite points up", has_cell),
    *_choices("theme", "theme", "View/Theme", {"dark": "Dark", "light": "Light"}),
    ActionSpec("reset_layout", "&Reset layout", "View", (), "Put the panels of this perspective back where they belong", has_cell, separator=True),
    ActionSpec("fullscreen", "F&ull screen", "View", ("F11",), "Use the whole screen"),
    ActionSpec("select_soma", "Select &soma", "Cell", ("Ctrl+M",), "Select the middle of the soma", has_cell),
    ActionSpec("clamp", "&Current clamp here", "Cell", ("Ctrl+I",), "Inject a current pulse at the selection", has_selection),
    ActionSpec("voltage_clamp", "&Voltage clamp here", "Cell", (), "Hold the voltage at the selection", has_selection),
    *(ActionSpec(f"waveform:{kind}", f"{name} current here", "Cell/Played current", (), f"Inject a {kind} of current at the selection", has_selection) for kind, name in WAVEFORMS.items()),
    ActionSpec("gap_junction", "&Gap junction from here…", "Cell", (), "Join the selection with the place you click next", has_selection),
    ActionSpec("probe", "&Record voltage here", "Cell", ("Ctrl+R",), "Record the voltage at the selection", has_selection),
    *(_membrane(name, info) for name, info in RECIPES.items()),
    ActionSpec("mechanisms", "Mec&hanisms…", "Cell", (), "Use .mod files of your own: which are ready, and why others are not", has_cell),
    ActionSpec("notes", "&Notes on the file…", "Cell", (), "What the reader found odd in the file", has_notes, separator=True),
    *_choices("method", "method", "Schedule/Method", {m: name for m, (name, _) in METHOD_TEXTS.items()}, enabled=has_cell),
    ActionSpec("threads_double", "&Double the threads", "Schedule", ("Ctrl+]",), "Twice as many threads", lambda s: has_cell(s) and s.state.n_threads < 1024),
    ActionSpec("threads_halve", "&Halve the threads", "Schedule", ("Ctrl+[",), "Half as many threads", lambda s: has_cell(s) and s.state.n_threads > 1),
    *_choices("nodes", "nodes", "Schedule/Nodes", NODE_SETS, enabled=has_cell),
    ActionSpec("check", "&Check the order", "Schedule", ("Ctrl+Shift+C",), "Solve serially and in this order: are the voltages the same?", lambda s: s.state.schedule is not None, separator=True),
    ActionSpec("race", "&Race of the methods", "Schedule", (), "All methods at the same beat on this cell", has_cell),
    ActionSpec("matrix", "&Matrix lens", "Schedule", (), "What each step does to the equations of a small cell", has_cell),
    ActionSpec("puzzle", "Try it &yourself…", "Schedule", (), "Schedule a small tree by hand, beside the best there is"),
    ActionSpec("run_time", "Measure run &time", "Schedule", ("Ctrl+T",), "Time of the solve by method and number of cells, beside the predicted steps", can_measure),
    ActionSpec("step_forward", "Step &forward", "Schedule", ("Ctrl+Right",), "Do the next step", lambda s: in_schedule(s) and s.state.schedule is not None and s.state.step < s.state.schedule.n_step, separator=True),
    ActionSpec("step_back", "Step &back", "Schedule", ("Ctrl+Left",), "Take the last step back", lambda s: in_schedule(s) and s.state.step > 0),
    ActionSpec("step_first", "To the &start", "Schedule", ("Ctrl+Shift+Left",), "Nothing is done yet", in_schedule),
    ActionSpec("step_last", "To the &end", "Schedule", ("Ctrl+Shift+Right",), "All steps are done", in_schedule),
    ActionSpec("run", "&Run", "Simulate", ("F5",), "Run the experiment in the engine", can_run),
    ActionSpec("cancel", "&Cancel", "Simulate", ("Esc",), "Stop the run and keep what is done; choose no place where one is asked for", can_cancel),
    ActionSpec("play", "&Play or pause", "Simulate", ("Ctrl+Space",), "Play the schedule's steps, or the run", can_play, separator=True),
    ActionSpec("clear_runs", "C&lear earlier runs", "Simulate", (), "Forget all runs but the shown one", lambda s: len(s.state.runs) > 1 and s.state.job is None),
    ActionSpec("engine", "&Engine…", "Simulate", (), "What computes, why not the other, and a test", separator=True),
    *(ActionSpec(f"engine:{name}", title, "Simulate/Engine for runs", checked=_runs_on(name)) for name, (title, _) in CHOICES.items()),
    ActionSpec("single", "&Single precision on the GPU", "Simulate/Engine for runs", (), SINGLE, can_be_single, checked=lambda s: parts(s.state.backend)[1] == "single", separator=True),
    ActionSpec("test_engines", "&Test engines", "Simulate", (), "Look for a GPU anew and let every engine run the same model"),
    ActionSpec("restart_engine", "Restart &engine", "Simulate", (), "End the engine's process and start a new one", separator=True),
    *(ActionSpec(f"study:{name}", f"{card.title}", "Spike lab", (), card.note) for name, card in PRESETS.items()),
    ActionSpec("run_study", "&Run the study", "Spike lab", ("Ctrl+F5",), "Run all trials of the planned study", lambda s: can_study(s) and has_study(s), separator=True),
    ActionSpec("resume_study", "Res&ume the study", "Spike lab", (), "Go on with the shown study; nothing that is finished runs again", can_resume),
    ActionSpec("reshuffle", "Re&shuffle", "Spike lab", ("Ctrl+Shift+R",), "Draw all places, trains and weights anew, by the next seed", has_study),
    ActionSpec("replay", "Re&play the trial", "Spike lab", ("Ctrl+Return",), "Run the chosen trial again with traces and the voltage of the whole cell", can_replay),
    ActionSpec("deviation", "Mean ± &SD, as published", "Spike lab", (), "Draw the publication's band and not Wilson's 95 % intervals", checked=_is("lab_deviation", True), separator=True),
    ActionSpec("published", "&Published points", "Spike lab", (), "Lay the published spike probabilities over the curves", checked=_is("lab_published", True)),
    ActionSpec("open_study", "&Open a study…", "Spike lab", (), "Open the folder of a study, finished or not", has_cell, separator=True),
    *(ActionSpec(f"images:{name}", f"HPC-Net: {card.title}", "Training", (), card.note) for name, card in CARDS.items()),
    ActionSpec("train", "&Start training", "Training", ("Ctrl+Shift+F5",), "Train what is planned, from the beginning", can_train, separator=True),
    ActionSpec("pause_training", "&Pause the training", "Training", ("Ctrl+Shift+Space",), "Save a checkpoint and let go of the engine", is_training),
    ActionSpec("resume_training", "&Resume the training", "Training", (), "Go on from the checkpoint of the shown training", can_go_on),
    ActionSpec("checkpoint", "Save a &checkpoint", "Training", (), "Save a checkpoint now; the training goes on", is_training),
    ActionSpec("epoch_back", "Epoch &before", "Training", ("Ctrl+Alt+Left",), "Look at the epoch before", has_epochs, separator=True),
    ActionSpec("epoch_forward", "Epoch &after", "Training", ("Ctrl+Alt+Right",), "Look at the epoch after", has_epochs),
    ActionSpec("epoch_last", "&Last epoch", "Training", ("Ctrl+Alt+End",), "Look at the last epoch, and follow it", has_epochs),
    ActionSpec("examine", "&Examine robustness", "Training", (), "Attack the images, and ask the network of the shown epoch and its controls", can_examine, separator=True),
    ActionSpec("open_robustness", "Open a robustness stud&y…", "Training", (), "Show the result of an earlier study"),
    ActionSpec("open_training", "&Open a training…", "Training", (), "Open the folder of a training, finished or not", separator=True),
    ActionSpec("shortcuts", "&Keyboard shortcuts", "Help", ("F1",), "All shortcuts in one table"),
    ActionSpec("report", "System &report", "Help", (), "Versions, OpenGL, engine: to copy into a bug report"),
    ActionSpec("about", "&About DendView", "Help", separator=True),
)  # fmt: skip


class Actions:
    """The table as Qt actions, kept in step with the state.

    Parameters
    ----------
    owner : QWidget
        The window; shortcuts work wherever the focus is in it.
    handlers : mapping of id to callable
        What an action does; an id without a handler is a defect and raises KeyError.
    """

    def __init__(self, owner: QWidget, handlers: Mapping[str, Callable[[], object]]) -> None:
        self.by_id: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, owner)
            action.setObjectName(spec.id)
            action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            tip = spec.tip or spec.text.replace("&", "").rstrip("…")
            action.setStatusTip(tip)
            action.setToolTip(f"{tip} ({keys})" if keys else tip)
            if spec.checked is not None:
                action.setCheckable(True)
                if (kind := spec.id.partition(":")[0]) not in groups:
                    groups[kind] = QActionGroup(owner)
                    policy = QActionGroup.ExclusionPolicy.ExclusiveOptional
                    groups[kind].setExclusionPolicy(policy)
                groups[kind].addAction(action)
            handler = handlers[spec.id]
            action.triggered.connect(lambda _=False, call=handler: call())
            owner.addAction(action)
            self.by_id[spec.id] = action

    def __getitem__(self, name: str) -> QAction:
        return self.by_id[name]

    def update(self, situation: Situation) -> None:
        """Enable and check what fits the situation."""
        for spec in ACTIONS:
            action = self.by_id[spec.id]
            action.setEnabled(spec.enabled(situation))
            if spec.checked is not None:
                action.setChecked(spec.checked(situation))


def fill_menus(bar: QMenuBar, actions: Actions) -> dict[str, QMenu]:
    """Make the menus of the table; gives them by path (``View/Theme``) for those that grow."""
    menus: dict[str, QMenu] = {}
    for spec in ACTIONS:
        name, _, sub = spec.menu.partition("/")
        if name not in menus:
            menus[name] = _titled(bar.addMenu(f"&{name}"))
        if sub and spec.menu not in menus:
            menus[spec.menu] = _titled(menus[name].addMenu(sub))
        if spec.separator:
            menus[spec.menu].addSeparator()
        menus[spec.menu].addAction(actions[spec.id])
    return menus


def _titled(menu: QMenu | None) -> QMenu:
    assert menu is not None  # Qt makes the menu it is asked for
    menu.setToolTipsVisible(True)
    return menu
