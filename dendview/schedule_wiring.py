"""Which gestures of the schedule's panels call which controller."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dendview.dialogs.puzzle import PuzzleDialog
from dendview.puzzle import LARGEST, TOY, Puzzle
from dendview.widgets.background import Background

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def wire_schedule(window: MainWindow) -> None:
    """Settings, chart, player, costs and methods of the schedule."""
    docks, schedule = window.docks, window.controllers.schedule
    selection = window.controllers.selection
    docks.schedule.method_chosen.connect(schedule.choose_method)
    docks.schedule.threads_chosen.connect(schedule.choose_threads)
    docks.schedule.nodes_chosen.connect(schedule.choose_nodes)
    docks.schedule.check_clicked.connect(window.actions_table["check"].trigger)
    docks.gantt.node_clicked.connect(selection.select_node)
    docks.gantt.node_hovered.connect(selection.hover_node)
    docks.gantt.step_clicked.connect(schedule.go_to)
    docks.step_player.step_chosen.connect(schedule.go_to)
    docks.step_player.play_toggled.connect(schedule.toggle_play)
    docks.step_player.speed_chosen.connect(schedule.set_speed)
    docks.costs.curve_wanted.connect(schedule.add_curve)
    docks.costs.threads_clicked.connect(schedule.choose_threads)
    docks.methods.comparison_wanted.connect(partial(compare_methods, window))
    docks.methods.method_chosen.connect(schedule.choose_method)
    docks.matrix.node_clicked.connect(selection.select_node)
    docks.matrix.sample_wanted.connect(lambda: window.open_source(TOY_SAMPLE, "schedule"))
    docks.race.race_clicked.connect(window.actions_table["race"].trigger)
    docks.race.finish_clicked.connect(window.controllers.race.finish)
    docks.run_time.measure_clicked.connect(window.actions_table["run_time"].trigger)
    docks.run_time.cancel_clicked.connect(window.actions_table["cancel"].trigger)


def show_panel(window: MainWindow, name: str) -> None:
    """Go to the schedules and bring one of their panels to the front."""
    window.state.perspective = "schedule"
    dock = window.docks.by_name[name]
    dock.show()
    dock.raise_()


def race(window: MainWindow) -> None:
    """Let all methods run; a race that goes on is paused, one that is over begins anew."""
    controller = window.controllers.race
    show_panel(window, "race")
    if window.state.race is not None:
        controller.toggle()
    elif (prepare := controller.preparation()) is not None:
        task = Background(window)
        task.done.connect(controller.begin)
        for over in (task.done, task.failed):
            over.connect(task.deleteLater)
        task.failed.connect(raise_defect)
        task.start(prepare)


TOY_SAMPLE = "sample:toy15"
PUZZLE_THREADS = 4
"""As in the paper's figure; more leave nothing to choose on a small tree."""


def open_puzzle(window: MainWindow) -> None:
    """Schedule by hand: the open cell where it is small, else the 15 compartments of the paper."""
    state = window.state
    parent, name = np.array(TOY, np.int32), "15 compartments"
    if state.cell is not None and state.cell.trees[state.nodes].n_comp <= LARGEST:
        parent, name = state.cell.trees[state.nodes].parent, state.cell.morphology.name
    window.show_sheet(PuzzleDialog(Puzzle(parent, PUZZLE_THREADS), name, state.theme, window))


def check_order(window: MainWindow) -> None:
    """Go where schedules are seen, and compare this one's voltages with the serial ones."""
    show_panel(window, "schedule")
    window.controllers.check.start()


def measure_run_time(window: MainWindow) -> None:
    """Go where run times are seen, and measure."""
    show_panel(window, "run_time")
    window.controllers.run_time.start()


def compare_methods(window: MainWindow) -> None:
    """Count all methods while the window lives on; on a large cell that takes seconds."""
    controller, schedule = window.controllers.schedule, window.state.schedule
    count = controller.comparison()
    if count is None or schedule is None:
        return
    task = Background(window)
    task.done.connect(partial(controller.show_comparison, schedule))
    for over in (task.done, task.failed):
        over.connect(task.deleteLater)
    task.failed.connect(raise_defect)
    task.start(count)


def raise_defect(error: Exception) -> None:
    """A defect of ours in another thread: the excepthook tells it with its traceback."""
    raise error
