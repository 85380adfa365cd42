"""The project: cell, cable, mechanisms, stimuli, probes and runs, each opened by a double click."""

from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor
from PyQt6.QtWidgets import QMenu, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from dendview.attached_fields import NOUNS, Group, source_text, wants_events
from dendview.colors import THEMES
from dendview.lab import progress_text
from dendview.runs import is_stale
from dendview.spine_places import shape_of, spine_text
from dendview.state import AppState, Run
from dendview.training import TrainingRun
from dendview.training import progress_text as training_text
from dendview.widgets.lazy import LazyWidget
from dendview.wording import place, plural, quantity, variable_text
from engine.experiment import Experiment
from engine.synapses import SpikeSource

Kind = Literal["cell", "cable", "mechanism", "run", "probes", "spines", "study", "training"] | Group


@dataclass(frozen=True)
class Item:
    """What a row stands for: the index-th of its kind (a run's number for a run)."""

    kind: Kind
    index: int


class ProjectTree(LazyWidget):
    """What makes up the experiment; clicks report what they hit."""

    item_clicked = pyqtSignal(object)  # Item
    item_opened = pyqtSignal(object)  # Item
    remove_requested = pyqtSignal(object)  # Item
    place_requested = pyqtSignal(object)  # Item that gets another second place

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._trainings: tuple[str, ...] = ()  # as they were drawn
        self.setMinimumWidth(190)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setAccessibleName("Project")
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.itemClicked.connect(lambda item: self._report(self.item_clicked, item))
        self.tree.itemActivated.connect(lambda item: self._report(self.item_opened, item))
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._on_context)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree)
        events = state.events
        for event in (
            events.cell,
            events.experiment,
            events.runs,
            events.shown_run,
            events.theme,
            events.lab_runs,
            events.lab_shown,
            events.training_shown,
        ):
            event.connect(self.redraw)
        events.training_runs.connect(self._redraw_trainings)

    def _redraw_trainings(self, runs: tuple[TrainingRun, ...]) -> None:
        """A training says much while it runs; its epochs are enough here."""
        texts = tuple(training_text(run) for run in runs)
        if texts != self._trainings:
            self._trainings = texts
            self.redraw()

    def _report(self, signal: object, row: QTreeWidgetItem) -> None:
        if (item := row.data(0, Qt.ItemDataRole.UserRole)) is not None:
            signal.emit(item)  # type: ignore[attr-defined]

    def context_menu(self, row: QTreeWidgetItem) -> QMenu | None:
        """What can be done with a row; None for a heading."""
        item: Item | None = row.data(0, Qt.ItemDataRole.UserRole)
        if item is None:
            return None
        menu = QMenu(self)
        opens = {
            "run": "Show",
            "study": "Show",
            "training": "Show",
            "cell": "Show in inspector",
        }.get(item.kind, "Parameters…")
        menu.addAction(opens, lambda: self.item_opened.emit(item))
        if item.kind == "gap_junctions":
            menu.addAction("Choose its other end…", lambda: self.place_requested.emit(item))
        if item.kind == "synapses" and self._takes_events(item.index):
            menu.addAction("Drive by spikes of a place…", lambda: self.place_requested.emit(item))
        if item.kind in (*NOUNS, "probes", "run", "study", "training"):
            menu.addAction("Remove", lambda: self.remove_requested.emit(item))
        return menu

    def _takes_events(self, index: int) -> bool:
        experiment = self._state.experiment
        return experiment is not None and wants_events(experiment, experiment.synapses[index])

    def _on_context(self, position: QPoint) -> None:
        row = self.tree.itemAt(position)
        viewport = self.tree.viewport()
        if row is not None and viewport is not None and (menu := self.context_menu(row)):
            menu.popup(viewport.mapToGlobal(position))

    def keyPressEvent(self, event: object) -> None:
        key = event.key()  # type: ignore[attr-defined]
        row = self.tree.currentItem()
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and row is not None:
            self._report(self.remove_requested, row)
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def _draw(self) -> None:
        state, tree = self._state, self.tree
        tree.clear()
        if state.cell is None:
            return
        root = self._add(tree.invisibleRootItem(), state.cell.morphology.name, Item("cell", 0))
        font = root.font(0)
        font.setBold(True)
        root.setFont(0, font)
        experiment = state.experiment
        if experiment is not None:
            membrane = self._add(root, "Membrane")
            for i, cable in enumerate(experiment.cables):
                row = self._add(membrane, f"cable · {cable.region}", Item("cable", i))
                cm, ra = quantity(cable.cm, "µF/cm²"), quantity(cable.ra, "Ω·cm")
                row.setToolTip(0, f"capacitance {cm}, axial resistivity {ra}")
            for i, insertion in enumerate(experiment.insertions):
                self._add(
                    membrane, f"{insertion.mechanism} · {insertion.region}", Item("mechanism", i)
                )
            stimuli = self._add(root, "Stimuli", hint="none; right-click the cell")
            for i, clamp in enumerate(experiment.stimuli):
                text = f"{place(clamp.site)}: {quantity(clamp.amplitude, 'nA')}"
                self._add(stimuli, text, Item("stimuli", i))
            for i, wave in enumerate(experiment.waveforms):
                self._add(stimuli, f"{place(wave.site)}: {wave.kind} current", Item("waveforms", i))
            for i, hold in enumerate(experiment.voltage_clamps):
                text = f"{place(hold.site)}: voltage clamp"
                self._add(stimuli, text, Item("voltage_clamps", i))
            synapses = self._add(root, "Synapses", hint="none; right-click the cell")
            for i, synapse in enumerate(experiment.synapses):
                text = f"{place(synapse.site)}: {synapse.name or synapse.mechanism}"
                if isinstance(synapse.source, SpikeSource):
                    text += f", {source_text(synapse)}"
                self._add(synapses, text, Item("synapses", i))
            for i, gap in enumerate(experiment.gap_junctions):
                text = f"{place(gap.site)}: gap junction with {place(gap.other)}"
                self._add(synapses, text, Item("gap_junctions", i))
            self._add_spines(root, experiment)
            probes = self._add(root, "Probes", hint="none; right-click the cell")
            for i, probe in enumerate(experiment.probes):
                self._add(
                    probes,
                    f"{place(probe.site)}: {variable_text(probe.variable)}",
                    Item("probes", i),
                )
        runs = self._add(root, "Runs", hint="none; press F5")
        for run in state.runs:
            row = self._add(runs, _run_text(run, state), Item("run", run.number))
            if run.number == state.shown_run:
                font = row.font(0)
                font.setBold(True)
                row.setFont(0, font)
        studies = self._add(root, "Spike studies", hint="none; press Ctrl+4")
        for study in state.lab_runs:
            text = f"{study.title} · {progress_text(study)}"
            row = self._add(studies, text, Item("study", study.number))
            if study.number == state.lab_shown:
                font = row.font(0)
                font.setBold(True)
                row.setFont(0, font)
        trainings = self._add(root, "Trainings", hint="none; press Ctrl+5")
        for training in state.training_runs:
            text = f"{training.title} · {training_text(training)}"
            row = self._add(trainings, text, Item("training", training.number))
            if training.number == state.training_shown:
                font = row.font(0)
                font.setBold(True)
                row.setFont(0, font)
        self._hint_empty(root)
        tree.expandAll()

    def _add_spines(self, root: QTreeWidgetItem, experiment: Experiment) -> None:
        """Spines by density, and those that are known one by one."""
        if not (experiment.spines or experiment.spine_density):
            return
        spines = self._add(root, "Spines")
        for density in experiment.spine_density:
            self._add(spines, f"{density.per_um:g} per µm · {density.region}")
        for i, spine in enumerate(experiment.spines):
            row = self._add(spines, f"spine[{i}] on {place(spine.site)}", Item("spines", i))
            row.setToolTip(0, spine_text(shape_of(experiment, i)))

    def _add(
        self, parent: QTreeWidgetItem | None, text: str, item: Item | None = None, hint: str = ""
    ) -> QTreeWidgetItem:
        row = QTreeWidgetItem([text])
        row.setToolTip(0, text)
        if item is not None:
            row.setData(0, Qt.ItemDataRole.UserRole, item)
        if hint:
            row.setData(0, Qt.ItemDataRole.UserRole + 1, hint)
        assert parent is not None
        parent.addChild(row)
        return row

    def _hint_empty(self, root: QTreeWidgetItem) -> None:
        """Say how to get the first one where a branch has none."""
        muted = QBrush(QColor(THEMES[self._state.theme].muted))
        for i in range(root.childCount()):
            row = root.child(i)
            if (
                row is not None
                and not row.childCount()
                and (hint := row.data(0, Qt.ItemDataRole.UserRole + 1))
            ):
                empty = self._add(row, hint)
                empty.setForeground(0, muted)
                empty.setFlags(Qt.ItemFlag.NoItemFlags)


def _run_text(run: Run, state: AppState) -> str:
    words = {
        "running": "running",
        "done": f"{run.seconds:.1f} s",
        "cancelled": "cancelled",
        "failed": "failed",
    }
    stale = run.state != "running" and is_stale(run, state.experiment)
    spikes = plural(len(run.recording.spikes), "spike")
    name = f"{run.experiment.name} · " if run.given else ""
    text = f"Run {run.number} · {name}{words[run.state]} · {spikes}"
    return text + (" · stale" if stale else "")
