"""Which gesture calls which controller: the one place where views and controllers meet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PyQt6.QtWidgets import QApplication, QFileDialog, QMenu

from dendview.actions import COLORINGS, NODE_SETS, PERSPECTIVES
from dendview.attaching import WAVEFORMS
from dendview.cell_menus import (
    fill_cell_menu,
    inspect,
    show_context_menu,
    show_mechanisms,
    show_place_menu,
)
from dendview.colors import ThemeName
from dendview.controllers.engine import CHOICES
from dendview.controllers.files import notes_text
from dendview.diagnosis import system_report
from dendview.dialogs.texts import AboutDialog, ShortcutsDialog, TextDialog
from dendview.export_sheet import open_export
from dendview.history import Undoable
from dendview.lab_wiring import (
    choose_card,
    open_study,
    replay,
    run_study,
    toggle,
    wire_lab,
)
from dendview.messages import restart_engine, show_details, show_message
from dendview.opening import open_dropped, stop_reading
from dendview.project_items import open_item, pick_for_item, remove_item, select_item
from dendview.putting import (
    add_clamp,
    add_probe,
    add_voltage_clamp,
    add_waveform,
    begin_gap_junction,
)
from dendview.schedule_scene import METHOD_TEXTS
from dendview.schedule_wiring import (
    check_order,
    measure_run_time,
    open_puzzle,
    race,
    show_panel,
    wire_schedule,
)
from dendview.theme_qt import apply_theme
from dendview.training_views_wiring import examine, open_robustness, wire_training_views
from dendview.training_wiring import cancel as cancel_training
from dendview.training_wiring import choose_card as choose_images
from dendview.training_wiring import train, training_handlers, wire_training
from dendview.wording import plural
from engine.experiments.spike_presets import PRESETS
from engine.morphology.samples import PREFIX, SAMPLES
from engine.recipes import RECIPES
from engine.schedule import MAX_THREADS

if TYPE_CHECKING:
    from dendview.main_window import MainWindow

Handlers = dict[str, Callable[[], object]]

MORPHOLOGIES = "*.swc *.asc *.swc.gz *.asc.gz *.SWC *.ASC"
FILTER = (
    f"Morphologies and experiments ({MORPHOLOGIES} *.json);;"
    f"Morphologies ({MORPHOLOGIES});;Experiments (*.json);;All files (*)"
)


def make_handlers(window: MainWindow) -> Handlers:
    """What each action of the table does."""
    state, controllers = window.state, window.controllers
    selection, experiment = controllers.selection, controllers.experiment
    schedule, lab, plan = controllers.schedule, controllers.spike_lab, controllers.spike_plan

    def edited() -> Undoable:
        if state.perspective == "training":
            return controllers.training_plan
        return plan if state.perspective == "spike_lab" else experiment

    def put(field: str, value: object) -> Callable[[], None]:
        return partial(setattr, state, field, value)

    def at_selection(call: Callable[[int], object]) -> Callable[[], None]:
        def act() -> None:
            if state.selection is not None:
                call(state.selection)

        return act

    handlers: Handlers = {
        "open": partial(browse, window),
        "start": put("perspective", "start"),
        "export": partial(open_export, window),
        "close": controllers.files.close,
        "quit": window.close,
        "undo": lambda: edited().undo(),
        "redo": lambda: edited().redo(),
        "clear_selection": selection.clear,
        "palette": lambda: window.open_palette(),
        "fit": lambda: window.pane.view.fit(),
        "align": lambda: window.pane.view.align_apical(),
        "reset_layout": lambda: window.reset_layout(),
        "fullscreen": partial(toggle_full_screen, window),
        "select_soma": selection.select_soma,
        "clamp": at_selection(partial(add_clamp, window)),
        "voltage_clamp": at_selection(partial(add_voltage_clamp, window)),
        "gap_junction": at_selection(partial(begin_gap_junction, window)),
        "probe": at_selection(partial(add_probe, window)),
        "mechanisms": partial(show_mechanisms, window),
        "notes": partial(show_notes, window),
        "threads_double": lambda: schedule.choose_threads(min(2 * state.n_threads, MAX_THREADS)),
        "threads_halve": lambda: schedule.choose_threads(max(state.n_threads // 2, 1)),
        "step_forward": partial(schedule.advance, 1),
        "step_back": partial(schedule.advance, -1),
        "step_first": partial(schedule.go_to, 0),
        "step_last": lambda: schedule.go_to(state.schedule.n_step if state.schedule else 0),
        "play": partial(toggle_play, window),
        "run": partial(run, window),
        "cancel": partial(cancel, window),
        "clear_runs": partial(clear_runs, window),
        "restart_engine": partial(restart_engine, window),
        "check": partial(check_order, window),
        "race": partial(race, window),
        "matrix": partial(show_panel, window, "matrix"),
        "puzzle": partial(open_puzzle, window),
        "run_time": partial(measure_run_time, window),
        "engine": lambda: window.engine_popup.open_below(window.chip),
        "single": lambda: controllers.engine.turn_precision(),
        "test_engines": partial(test_engines, window),
        "run_study": partial(run_study, window),
        "resume_study": lambda: lab.resume(),
        "reshuffle": plan.reshuffle,
        "replay": partial(replay, window),
        "deviation": partial(toggle, window, "lab_deviation"),
        "published": partial(toggle, window, "lab_published"),
        "open_study": partial(open_study, window),
        "examine": partial(examine, window),
        "open_robustness": partial(open_robustness, window),
        "shortcuts": lambda: window.show_sheet(ShortcutsDialog(window)),
        "report": partial(show_report, window),
        "about": lambda: window.show_sheet(AboutDialog(window)),
    }
    handlers |= {f"perspective:{name}": put("perspective", name) for name in PERSPECTIVES}
    handlers |= {
        f"waveform:{kind}": at_selection(partial(add_waveform, window, kind)) for kind in WAVEFORMS
    }
    handlers |= {f"study:{name}": partial(choose_card, window, name) for name in PRESETS}
    handlers |= training_handlers(window)
    handlers |= {f"color:{name}": put("color_by", name) for name in COLORINGS}
    handlers |= {f"membrane:{name}": partial(experiment.put_membrane, name) for name in RECIPES}
    handlers |= {f"theme:{name}": put("theme", name) for name in get_args(ThemeName)}
    handlers |= {f"engine:{name}": partial(controllers.engine.choose, name) for name in CHOICES}
    handlers |= {f"method:{name}": partial(schedule.choose_method, name) for name in METHOD_TEXTS}
    handlers |= {f"nodes:{name}": partial(schedule.choose_nodes, name) for name in NODE_SETS}
    return handlers


def browse(window: MainWindow) -> None:
    """Ask for a file and open it."""
    path, _ = QFileDialog.getOpenFileName(
        window, "Open a morphology or experiment", window.folder, FILTER
    )
    if path:
        window.settings.folder = str(Path(path).parent)
        window.open_source(path)


def toggle_full_screen(window: MainWindow) -> None:
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()


def run(window: MainWindow) -> None:
    """Go where runs are seen, and run; in the labs run what is planned there."""
    if window.state.perspective == "spike_lab":
        run_study(window)
        return
    if window.state.perspective == "training":
        train(window)
        return
    window.state.perspective = "simulate"
    window.controllers.run.start()


def cancel(window: MainWindow) -> None:
    """Stop what goes on: the choice of a place, reading, or the run."""
    if window.state.picking is not None:
        window.controllers.picking.stop()
    elif window.reading:
        stop_reading(window)
    elif cancel_training(window):
        return
    elif window.controllers.spike_lab.running:
        window.controllers.spike_lab.cancel()
    elif window.controllers.robustness.examining:
        window.controllers.robustness.cancel()
    elif window.controllers.run_time.measuring:
        window.controllers.run_time.cancel()
    else:
        window.controllers.run.cancel()


def test_engines(window: MainWindow) -> None:
    """Show what the engine says of itself, and let it try everything."""
    window.engine_popup.open_below(window.chip)
    window.controllers.engine.test()


def toggle_play(window: MainWindow) -> None:
    """Play what the perspective shows: the steps, or the run."""
    if window.state.perspective == "schedule":
        window.controllers.schedule.toggle_play()
    else:
        window.controllers.run.toggle_play()


def clear_runs(window: MainWindow) -> None:
    """Forget all runs but the shown one."""
    for earlier in window.state.runs:
        if earlier.number != window.state.shown_run:
            window.controllers.run.discard(earlier.number)


def show_notes(window: MainWindow) -> None:
    """What the reader found odd in the open file."""
    cell = window.state.cell
    if cell is None:
        return
    notes = cell.morphology.notes
    lead = f"{plural(len(notes), 'note')} on {cell.morphology.name}:" if notes else ""
    text = notes_text(cell.morphology) or f"Nothing odd was found in {cell.morphology.name}."
    window.show_sheet(TextDialog("Notes on the file", lead, text, window))


def show_report(window: MainWindow) -> None:
    """Versions, OpenGL and engine."""
    lead = "Copy this into a bug report."
    text = system_report(window.gl, window.state.engine)
    window.show_sheet(TextDialog("System report", lead, text, window))


def click(window: MainWindow, segment: int) -> None:
    """A click on the cell: the place that was asked for, or a new selection."""
    if window.state.picking is not None:
        window.controllers.picking.take(segment)
    else:
        window.controllers.selection.select(segment)


def fill_sample_menus(window: MainWindow) -> None:
    """Samples and recent files in the File menu."""
    file_menu = window.menus["File"]
    before = window.actions_table["start"]
    samples = QMenu("Open &sample", window)
    for name, info in SAMPLES.items():
        action = samples.addAction(info.title, partial(window.open_source, f"{PREFIX}{name}"))
        assert action is not None
        action.setToolTip(info.description)
    window.menus["File/Samples"] = samples
    file_menu.insertMenu(before, samples)
    recent = QMenu("Open &recent", window)
    window.menus["File/Recent"] = recent
    file_menu.insertMenu(before, recent)

    def fill(*_: object) -> None:
        recent.clear()
        for source in window.state.recent:
            path = Path(source)
            action = recent.addAction(path.name, partial(window.open_source, source))
            assert action is not None
            action.setToolTip(source)
            action.setStatusTip(source)
        recent.setEnabled(not recent.isEmpty())

    window.state.events.recent.connect(fill)
    fill()


def fill_panel_menu(window: MainWindow) -> None:
    """Panels can be shown and hidden from the View menu."""
    panels = QMenu("&Panels", window)
    for dock in window.docks.by_name.values():
        panels.addAction(dock.toggleViewAction())
    window.menus["View/Panels"] = panels
    window.menus["View"].insertMenu(window.actions_table["reset_layout"], panels)


def wire(window: MainWindow) -> None:
    """Join gestures to controllers, and the state to what only the window can do."""
    fill_sample_menus(window)
    fill_cell_menu(window)
    fill_panel_menu(window)
    _wire_cell(window)
    wire_schedule(window)
    wire_lab(window)
    wire_training_views(window)
    wire_training(window)
    _wire_simulation(window)
    state = window.state
    window.status.message_clicked.connect(partial(show_details, window))
    state.events.message.connect(partial(show_message, window))
    state.events.recent.connect(lambda names: setattr(window.settings, "recent", names))
    state.events.theme.connect(partial(_change_theme, window))


def _wire_cell(window: MainWindow) -> None:
    """Start page, 3-D cell, inspector and project."""
    view, start, docks = window.pane.view, window.start_page, window.docks
    selection, coloring = window.controllers.selection, window.controllers.coloring
    start.sample_chosen.connect(lambda name: window.open_source(f"{PREFIX}{name}"))
    start.file_chosen.connect(partial(open_dropped, window))
    start.images_chosen.connect(partial(choose_images, window))
    start.browse_clicked.connect(window.actions_table["open"].trigger)

    view.segment_clicked.connect(partial(click, window))
    view.segment_hovered.connect(selection.hover)
    view.segment_double_clicked.connect(partial(inspect, window))
    view.context_requested.connect(partial(show_context_menu, window))
    window.pane.color_by.activated.connect(
        lambda row: coloring.choose(window.pane.color_by.itemData(row))
    )

    docks.inspector.clamp_clicked.connect(partial(add_clamp, window))
    docks.inspector.probe_clicked.connect(partial(add_probe, window))
    docks.project.item_clicked.connect(partial(select_item, window))
    docks.project.item_opened.connect(partial(open_item, window))
    docks.project.remove_requested.connect(partial(remove_item, window))
    docks.project.place_requested.connect(partial(pick_for_item, window))
    docks.inspector.more_clicked.connect(partial(show_place_menu, window))


def _wire_simulation(window: MainWindow) -> None:
    """Experiment, traces and the player of the run."""
    docks, run, selection = window.docks, window.controllers.run, window.controllers.selection
    experiment = window.controllers.experiment
    docks.experiment.experiment_edited.connect(experiment.replace)
    docks.experiment.membrane_chosen.connect(experiment.put_membrane)
    docks.experiment.segment_clicked.connect(selection.select)
    docks.experiment.remove_requested.connect(experiment.remove)
    docks.experiment.place_wanted.connect(window.controllers.picking.begin)
    docks.experiment.more_clicked.connect(partial(show_place_menu, window))
    docks.traces.experiment_edited.connect(experiment.replace)
    docks.traces.time_clicked.connect(run.set_time)
    docks.traces.probe_clicked.connect(selection.select_probe)
    docks.traces.site_clicked.connect(selection.select_site)
    docks.traces.run_clicked.connect(run.show)
    docks.time_player.time_chosen.connect(run.set_time)
    docks.time_player.play_toggled.connect(run.toggle_play)
    popup, engine = window.engine_popup, window.controllers.engine
    popup.backend_chosen.connect(engine.choose)
    popup.single_clicked.connect(engine.turn_precision)
    popup.test_clicked.connect(engine.test)
    popup.report_clicked.connect(window.actions_table["report"].trigger)
    window.state.backend = window.settings.backend
    window.state.events.backend.connect(lambda name: setattr(window.settings, "backend", name))


def _change_theme(window: MainWindow, theme: ThemeName) -> None:
    window.settings.theme = theme
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, theme)
