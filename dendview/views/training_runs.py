"""All trainings side by side: data, what was asked for, how good they are and how they stand."""

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dendview.state import AppState
from dendview.training import TrainingRun, data_name
from dendview.widgets.lazy import LazyWidget
from engine.experiments.hpc_net.spec import Training

COLUMNS = ("", "Data", "Epochs", "Test", "Best", "Rate", "State")
LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
TIPS = (
    "Number of the training",
    "What it learns from",
    "Finished epochs of those asked for",
    "Accuracy on the test images after the last epoch",
    "The best of all epochs",
    "Learning rate of the next batch",
    "How it stands",
)


class TrainingRuns(LazyWidget):
    """Reports which training is to be shown, resumed or forgotten."""

    run_clicked = pyqtSignal(int)
    resume_wanted = pyqtSignal(int)
    longer_wanted = pyqtSignal(int)
    forget_wanted = pyqtSignal(int)
    plan_wanted = pyqtSignal(int)
    folder_wanted = pyqtSignal(int)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumHeight(84)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Trainings")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setFrameShape(QTableWidget.Shape.NoFrame)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        if (rows := self.table.verticalHeader()) is not None:
            rows.hide()
            rows.setDefaultSectionSize(26)
        if (header := self.table.horizontalHeader()) is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
            header.setHighlightSections(False)
        for column, tip in enumerate(TIPS):
            if (item := self.table.horizontalHeaderItem(column)) is not None:
                item.setToolTip(tip)
                side = LEFT if column in (1, 6) else RIGHT
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.itemSelectionChanged.connect(self._on_selection)
        self.table.customContextMenuRequested.connect(self._on_menu)
        for event in (state.events.training_runs, state.events.training_shown):
            event.connect(self.redraw)

    def _draw(self) -> None:
        runs = self._state.training_runs[::-1]  # the last one on top
        table = self.table
        table.blockSignals(True)
        table.setRowCount(len(runs))
        for row, run in enumerate(runs):
            for column, text in enumerate(cells(run)):
                item = table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    table.setItem(row, column, item)
                    side = LEFT if column in (1, 6) else RIGHT
                    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                if item.text() != text:
                    item.setText(text)
                item.setData(Qt.ItemDataRole.UserRole, run.number)
                item.setToolTip(tip(run))
            if run.number == self._state.training_shown:
                table.selectRow(row)
        if self._state.training_shown is None:
            table.clearSelection()
        table.blockSignals(False)

    def _number_at(self, row: int) -> int | None:
        item = self.table.item(row, 0)
        return None if item is None else int(item.data(Qt.ItemDataRole.UserRole))

    def _on_selection(self) -> None:
        number = self._number_at(self.table.currentRow())
        if number is not None and number != self._state.training_shown:
            self.run_clicked.emit(number)

    def _may_go_on(self, run: TrainingRun) -> bool:
        """Whether the plan has more epochs than a training has done."""
        plan = self._state.training_plan
        more = plan is not None and plan.learning.epochs > run.n_epoch
        return more and run.state != "running" and bool(run.epochs)

    def _on_menu(self, at: QPoint) -> None:
        number = self._number_at(self.table.rowAt(at.y()))
        run = next((r for r in self._state.training_runs if r.number == number), None)
        viewport = self.table.viewport()
        if run is None or viewport is None:
            return
        menu = QMenu(self)
        wishes = (
            ("Let it run for the planned epochs", self.longer_wanted, self._may_go_on(run)),
            ("Resume", self.resume_wanted, run.can_resume and self._state.job is None),
            ("Plan the same again", self.plan_wanted, True),
            ("Show its folder", self.folder_wanted, True),
            ("Take out of the list", self.forget_wanted, run.state != "running"),
        )
        for text, signal, can in wishes:
            action = menu.addAction(text, lambda s=signal, n=run.number: s.emit(n))
            if action is not None:
                action.setEnabled(can)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(viewport.mapToGlobal(at))


def cells(run: TrainingRun) -> tuple[str, ...]:
    """The texts of a row."""
    last, best = run.test_accuracy, run.best
    return (
        f"{run.number}",
        f"{data_name(run.training.data)} · {run.training.name or 'own settings'}",
        f"{run.n_epoch}/{run.training.learning.epochs}",
        "—" if last is None else f"{100 * last:.2f} %",
        "—" if best is None else f"{100 * best.test_accuracy:.2f} %",
        f"{run.rate_wanted or run.rate or run.training.learning.rate:.3g}",
        run.state,
    )


def tip(run: TrainingRun) -> str:
    """What was asked for, and why it stands as it does."""
    lines = [run.title, described(run.training)]
    if run.best is not None:
        lines.append(f"best at epoch {run.best.number}")
    if run.why:
        lines.append(run.why)
    return "\n".join((*lines, run.folder))


SITES = {"basal": "basal dendrites", "dendrite": "dendrites", "soma": "the soma"}


def described(training: Training) -> str:
    """The settings that are looked at first."""
    learning, network = training.learning, training.network
    known = {"quasi_static": "the paper's rule", "exact": "exact gradient"}
    rule = known.get(learning.rule, f"rule '{learning.rule}'")
    return (
        f"{network.n_hidden} hidden neurons, synapses on {SITES[network.placement]}, {rule}, "
        f"{learning.optimizer.name}, batch {learning.batch}, from {learning.start:g} ms, softmax "
        f"{learning.softmax}, sign {learning.sign}"
    )
