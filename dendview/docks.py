"""The panels around the cell, and where they stand in each perspective."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPixmap
from PyQt6.QtWidgets import QAbstractScrollArea, QDockWidget, QMainWindow, QTabBar, QWidget

from dendview.state import AppState, Perspective
from dendview.views.cost_view import CostView
from dendview.views.experiment_panel import ExperimentPanel
from dendview.views.gantt_view import GanttView
from dendview.views.inspector import Inspector
from dendview.views.lab_curves import LabCurves
from dendview.views.lab_panel import LabPanel
from dendview.views.lab_spines import LabSpines
from dendview.views.lab_trials import LabTrials
from dendview.views.matrix_view import MatrixView
from dendview.views.method_table import MethodTable
from dendview.views.project_tree import ProjectTree
from dendview.views.race_view import RaceView
from dendview.views.run_time_view import RunTimeView
from dendview.views.schedule_panel import SchedulePanel
from dendview.views.step_player import StepPlayer
from dendview.views.time_player import TimePlayer
from dendview.views.trace_view import TraceView
from dendview.views.training_answers import TrainingAnswers
from dendview.views.training_curves import TrainingCurves
from dendview.views.training_hidden import TrainingHidden
from dendview.views.training_panel import TrainingPanel
from dendview.views.training_robustness import TrainingRobustness
from dendview.views.training_runs import TrainingRuns
from dendview.views.training_voltage import TrainingVoltage
from dendview.views.training_weights import TrainingWeights

Stack = tuple[str, ...]
"""Panels behind one another, as tabs; the first is in front."""


@dataclass(frozen=True)
class Layout:
    """Stacks of panels by side, with the share of the window they take at first."""

    left: tuple[Stack, ...] = ()
    right: tuple[Stack, ...] = ()
    bottom: tuple[Stack, ...] = ()
    left_width: int = 230
    right_width: int = 270
    bottom_share: float = 0.33
    upper: int = 600  # of the first of stacks one above the other, where the others take 400

    @property
    def panels(self) -> tuple[str, ...]:
        """All panels of the layout."""
        return tuple(
            name for side in (self.left, self.right, self.bottom) for s in side for name in s
        )


LAYOUTS: dict[Perspective, Layout] = {
    "start": Layout(),
    "explore": Layout(left=(("project",),), right=(("inspector",),)),
    "schedule": Layout(
        left=(("schedule", "project"),),
        right=(("inspector",),),
        bottom=(("gantt", "race", "matrix"), ("costs", "methods", "run_time")),
        left_width=264,
    ),
    "simulate": Layout(
        left=(("project",),),
        right=(("experiment",), ("inspector",)),
        bottom=(("traces",),),
        right_width=318,
    ),
    "spike_lab": Layout(
        left=(("lab", "spines", "project"),),
        right=(("lab_curves",), ("lab_trials", "traces")),
        left_width=292,
        right_width=468,
    ),
    "training": Layout(
        left=(("training", "project"),),
        right=(
            ("training_curves", "training_runs"),
            ("training_answers", "training_hidden", "training_weights", "training_robustness"),
        ),
        bottom=(("training_voltage",),),
        left_width=312,
        right_width=468,
        bottom_share=0.3,
        upper=330,
    ),
}

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}


class Plot(Protocol):
    """A view that can save what it shows."""

    def export(self, path: Path) -> None: ...

    def grab(self) -> QPixmap: ...


class Docks:
    """Makes the panels once and moves them as a perspective wants them."""

    def __init__(self, window: QMainWindow, state: AppState) -> None:
        self._window = window
        self.project = ProjectTree(state)
        self.inspector = Inspector(state)
        self.schedule = SchedulePanel(state)
        self.gantt = GanttView(state)
        self.costs = CostView(state)
        self.methods = MethodTable(state)
        self.run_time = RunTimeView(state)
        self.race = RaceView(state)
        self.matrix = MatrixView(state)
        self.experiment = ExperimentPanel(state)
        self.traces = TraceView(state)
        self.lab = LabPanel(state)
        self.lab_spines = LabSpines(state)
        self.lab_curves = LabCurves(state)
        self.lab_trials = LabTrials(state)
        self.training_answers = TrainingAnswers(state)
        self.training_hidden = TrainingHidden(state)
        self.training_voltage = TrainingVoltage(state)
        self.training_weights = TrainingWeights(state)
        self.training_robustness = TrainingRobustness(state)
        self.training = TrainingPanel(state)
        self.training_curves = TrainingCurves(state)
        self.training_runs = TrainingRuns(state)
        self.step_player = StepPlayer(state)
        self.time_player = TimePlayer(state)
        self.by_name: dict[str, QDockWidget] = {}
        self.plots: dict[str, Plot] = {
            "gantt": self.gantt,
            "costs": self.costs,
            "methods": self.methods,
            "run_time": self.run_time,
            "race": self.race,
            "matrix": self.matrix,
            "plot": self.traces,
            "spike_curves": self.lab_curves,
            "training_confusion": self.training_answers,
            "training_samples": self.training_answers.samples,
            "training_responses": self.training_hidden,
            "training_voltages": self.training_voltage,
            "training_histogram": self.training_weights,
            "robustness": self.training_robustness,
            "training_curves": self.training_curves,
        }
        self.players: dict[Perspective, QWidget] = {
            "schedule": self.step_player,
            "simulate": self.time_player,
            "spike_lab": self.time_player,
        }
        for name, title, widget in (
            ("project", "Project", self.project),
            ("inspector", "Inspector", self.inspector),
            ("schedule", "Schedule", self.schedule),
            ("gantt", "Gantt chart", self.gantt),
            ("costs", "Cost against threads", self.costs),
            ("methods", "Methods", self.methods),
            ("run_time", "Run time", self.run_time),
            ("race", "Race", self.race),
            ("matrix", "Matrix", self.matrix),
            ("experiment", "Experiment", self.experiment),
            ("traces", "Traces", self.traces),
            ("lab", "Study", self.lab),
            ("spines", "Spines", self.lab_spines),
            ("lab_curves", "Spike probability", self.lab_curves),
            ("lab_trials", "Trials", self.lab_trials),
            ("training_answers", "Answers", self.training_answers),
            ("training_hidden", "Responses", self.training_hidden),
            ("training_voltage", "Voltage of a sample", self.training_voltage),
            ("training_weights", "Weights", self.training_weights),
            ("training_robustness", "Robustness", self.training_robustness),
            ("training", "Training", self.training),
            ("training_curves", "Loss and accuracy", self.training_curves),
            ("training_runs", "Trainings", self.training_runs),
        ):
            self._add(name, title, widget)
        self.step_player.setAccessibleName("Player of the schedule's steps")
        self.time_player.setAccessibleName("Player of the run's time")
        window.setCorner(Qt.Corner.BottomLeftCorner, AREAS["left"])
        window.setCorner(Qt.Corner.BottomRightCorner, AREAS["right"])
        window.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
        )

    def _add(self, name: str, title: str, widget: QWidget) -> None:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(name)
        dock.setWidget(widget)
        widget.setAccessibleName(title)
        for inner in widget.findChildren(QAbstractScrollArea):
            inner.setAccessibleName(inner.accessibleName() or title)
        self._window.addDockWidget(AREAS["left"], dock)
        dock.hide()
        self.by_name[name] = dock

    def arrange(self, perspective: Perspective) -> None:
        """Put the panels where the perspective has them at first."""
        window, layout = self._window, LAYOUTS[perspective]
        for name, dock in self.by_name.items():
            dock.setFloating(False)
            window.removeDockWidget(dock)
            if name not in layout.panels:  # a layout that is kept must know all panels
                window.addDockWidget(AREAS["left"], dock)
                dock.hide()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self._arrange_side("left", layout.left, down)
        self._arrange_side("right", layout.right, down)
        self._arrange_side("bottom", layout.bottom, across)
        for side, width in ((layout.left, layout.left_width), (layout.right, layout.right_width)):
            if side:
                window.resizeDocks([self.by_name[side[0][0]]], [width], across)
        for stacks in (layout.left, layout.right):
            if len(stacks) > 1:  # the upper ones hold more
                heads = [self.by_name[stack[0]] for stack in stacks]
                window.resizeDocks(heads, [layout.upper, *[400] * (len(heads) - 1)], down)
        if layout.bottom:
            height = int(window.height() * layout.bottom_share)
            heads = [self.by_name[stack[0]] for stack in layout.bottom]
            window.resizeDocks(heads, [height] * len(heads), down)
            window.resizeDocks(heads, [1000] * len(heads), across)
            for side, width in (
                (layout.left, layout.left_width),
                (layout.right, layout.right_width),
            ):
                if side:
                    window.resizeDocks([self.by_name[side[0][0]]], [width], across)

    def _arrange_side(
        self, side: str, stacks: tuple[Stack, ...], direction: Qt.Orientation
    ) -> None:
        before: QDockWidget | None = None
        for stack in stacks:
            head = self.by_name[stack[0]]
            self._window.addDockWidget(AREAS[side], head)
            if before is not None:
                self._window.splitDockWidget(before, head, direction)
            head.show()
            before = head
        for stack in stacks:  # a dock beside one that is a tab would become a tab as well
            head = self.by_name[stack[0]]
            for name in stack[1:]:
                self._window.tabifyDockWidget(head, self.by_name[name])
                self.by_name[name].show()
            head.raise_()
        for bar in self._window.findChildren(QTabBar):
            bar.setAccessibleName("Panels behind one another")
