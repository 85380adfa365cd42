"""Try it yourself: a schedule by hand, beside the best there is."""

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, ThemeName
from dendview.puzzle import Puzzle
from dendview.views.puzzle_tree import PuzzleTree
from engine.errors import UserError

LEAD = (
    "Each step takes as many free nodes as there are threads. A node is free (bright ring) once "
    "all below it are done. Which do you take to need the fewest steps?"
)


class PuzzleDialog(QDialog):
    """The tree, what is chosen, the steps so far, and how it stands."""

    def __init__(
        self, puzzle: Puzzle, name: str, theme: ThemeName, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Try it yourself")
        self._theme = THEMES[theme]
        self.puzzle = puzzle
        heading = QLabel(f"Try it yourself: {name}")
        heading.setProperty("role", "title")
        lead = QLabel(LEAD)
        lead.setWordWrap(True)
        self.tree = PuzzleTree(self._theme)
        self.tree.node_clicked.connect(self._on_node)
        self.verdict, self.told = QLabel(), QLabel()
        for label in (self.verdict, self.told):
            label.setWordWrap(True)
        self.told.setProperty("role", "muted")
        self.threads = QSpinBox()
        self.threads.setRange(1, 16)
        self.threads.setValue(puzzle.n_threads)
        self.threads.setAccessibleName("Threads")
        self.threads.valueChanged.connect(lambda k: self.show_puzzle(self.puzzle.restart(k)))
        self.steps = QListWidget()
        self.steps.setAccessibleName("Steps taken")
        self.steps.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.take = self._button("Take the step", "Return", self._on_take)
        self.take.setProperty("primary", True)
        self.undo = self._button("Undo", "Backspace", self._on_undo)
        self.best = self._button("Choose as DHS", "D", self._on_best)
        self.again = self._button("Start over", "R", self._on_again)
        self._arrange(heading, lead)
        self.show_puzzle(puzzle)
        self.tree.setFocus()
        self.resize(860, 560)

    def _button(self, text: str, key: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _=False: call())
        sequence = QKeySequence(key)
        button.setToolTip(f"{text} ({sequence.toString(QKeySequence.SequenceFormat.NativeText)})")
        shortcut = QShortcut(sequence, self)
        shortcut.activated.connect(button.click)
        return button

    def _arrange(self, heading: QLabel, lead: QLabel) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Threads"))
        row.addWidget(self.threads)
        row.addStretch()
        side = QVBoxLayout()
        side.setSpacing(8)
        side.addLayout(row)
        side.addWidget(self.verdict)
        side.addWidget(self.told)
        side.addWidget(self.take)
        side.addWidget(self.best)
        side.addWidget(self.undo)
        side.addWidget(self.again)
        side.addWidget(self.steps, 1)
        close = QPushButton("Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        side.addWidget(close)
        holder = QWidget()
        holder.setLayout(side)
        holder.setFixedWidth(240)
        side.setContentsMargins(0, 0, 0, 0)
        middle = QHBoxLayout()
        middle.setSpacing(14)
        middle.addWidget(self.tree, 1)
        middle.addWidget(holder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.setSpacing(10)
        layout.addWidget(heading)
        layout.addWidget(lead)
        layout.addLayout(middle, 1)

    def show_puzzle(self, puzzle: Puzzle, told: str = "") -> None:
        """Show how it stands."""
        self.puzzle = puzzle
        self.tree.show_puzzle(puzzle)
        text, good = puzzle.verdict()
        color = self._theme.done if good else self._theme.warning
        self.verdict.setText(text)
        self.verdict.setStyleSheet(f"color: {color}; font-weight: 600;")
        left = puzzle.n_threads - len(puzzle.chosen)
        idle = f"{len(puzzle.chosen)} chosen, {left} of {puzzle.n_threads} threads idle."
        self.told.setText(told or ("" if puzzle.over else idle))
        self.take.setEnabled(bool(puzzle.chosen))
        self.best.setEnabled(not puzzle.over)
        self.undo.setEnabled(bool(puzzle.steps))
        self.again.setEnabled(bool(puzzle.steps or puzzle.chosen))
        self.steps.clear()
        for i, nodes in enumerate(puzzle.steps):
            self.steps.addItem(f"{i + 1}:  {', '.join(map(str, nodes))}")
        self.steps.scrollToBottom()

    def _on_node(self, node: int) -> None:
        try:
            self.show_puzzle(self.puzzle.toggle(node))
        except UserError as error:
            self.show_puzzle(self.puzzle, str(error))

    def _on_take(self) -> None:
        try:
            self.show_puzzle(self.puzzle.take_step())
        except UserError as error:
            self.show_puzzle(self.puzzle, str(error))

    def _on_undo(self) -> None:
        self.show_puzzle(self.puzzle.undo())

    def _on_again(self) -> None:
        self.show_puzzle(self.puzzle.restart())

    def _on_best(self) -> None:
        self.show_puzzle(self.puzzle.choose(self.puzzle.best_choice))
