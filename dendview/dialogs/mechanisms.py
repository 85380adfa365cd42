"""Folders of the user's own mechanisms: which file is ready, and why another is not."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, ThemeName
from dendview.wording import plural
from engine.errors import FileError, MechanismError
from engine.mechanism_folders import ModFile, read_folder

COLUMNS = ("File", "Mechanism", "Kind", "Ready, or why not")
KINDS = {"density": "membrane", "point": "synapse or other point", "artificial": "artificial cell"}
NOTHING_CHOSEN = "Choose a folder of .mod files."


class MechanismsDialog(QDialog):
    """A table of a folder's files; the ready ones can be put at the experiment's disposal.

    Parameters
    ----------
    used
        Folders the experiment uses; the last one is shown first.
    start
        Where the choice of a folder begins.
    apply
        Takes the folders that are to be used; False where that was refused (the window says why).
    theme
    """

    def __init__(
        self,
        used: Sequence[str],
        start: str,
        apply: Callable[[tuple[str, ...]], bool],
        theme: ThemeName,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mechanisms")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._used, self._start, self._apply = tuple(used), start, apply
        self._colors = THEMES[theme]
        self.folder = ""
        title = QLabel("Mechanisms")
        title.setProperty("role", "title")
        self.place = QLabel(NOTHING_CHOSEN)
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.place.setWordWrap(True)
        self.choose_button = QPushButton("Choose a folder…")
        self.choose_button.setAutoDefault(False)
        self.choose_button.clicked.connect(self._on_choose)
        top = QHBoxLayout()
        top.addWidget(self.place, 1)
        top.addWidget(self.choose_button)
        self.table = self._make_table()
        self.sentence = QLabel("")
        self.sentence.setWordWrap(True)
        self.sentence.setProperty("role", "muted")
        self.use_button = QPushButton("Use these")
        self.use_button.setProperty("primary", True)
        self.use_button.setDefault(True)
        self.use_button.clicked.connect(self._on_use)
        close = QPushButton("Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.addWidget(self.sentence, 1)
        bottom.addWidget(close)
        bottom.addWidget(self.use_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(12)
        layout.addWidget(title)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)
        layout.addLayout(bottom)
        self.resize(860, 460)
        self._tell(())
        if self._used:
            self.show_folder(self._used[-1])

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(COLUMNS))
        table.setHorizontalHeaderLabels(COLUMNS)
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setAccessibleName("Files of the folder")
        table.setWordWrap(True)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        if (rows := table.verticalHeader()) is not None:
            rows.setVisible(False)
            rows.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        if (header := table.horizontalHeader()) is not None:
            header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
            for column in range(3):
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        return table

    def show_folder(self, folder: str) -> None:
        """Read a folder and list its files."""
        self.folder = folder
        self.place.setText(folder)
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            files = read_folder(folder)
        except FileError as error:
            self.table.setRowCount(0)
            self._tell((), f"{error.what[:1].upper()}{error.what[1:]}; {error.fix}.")
            return
        finally:
            QApplication.restoreOverrideCursor()
        self.table.setRowCount(len(files))
        for row, file in enumerate(files):
            self._fill(row, file)
        self._tell(files)

    def _fill(self, row: int, file: ModFile) -> None:
        kind = KINDS[file.mechanism.kind] if file.mechanism is not None else ""
        ready = file.error is None
        said = "Ready" if file.error is None else why_not(file.error)
        for column, text in enumerate((file.path.name, file.name, kind, said)):
            cell = QTableWidgetItem(text)
            cell.setToolTip(text)
            if column == 3:
                cell.setForeground(QColor(self._colors.done if ready else self._colors.error))
            self.table.setItem(row, column, cell)

    def _tell(self, files: Sequence[ModFile], refusal: str = "") -> None:
        """How many are ready, and what the button would do."""
        ready = sum(file.mechanism is not None for file in files)
        using = self.folder in self._used
        text = f"{ready} of {plural(len(files), 'file')} ready" if files else refusal
        if using and files:
            text += "; this experiment uses them"
        self.sentence.setText(text)
        self.use_button.setText("Stop using" if using else "Use these")
        self.use_button.setEnabled(using or ready > 0)

    def _on_choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Choose a folder of .mod files", self.folder or self._start
        )
        if folder:
            self.show_folder(folder)

    def _on_use(self) -> None:
        """Use the folder, or stop using it; the dialog closes where that was taken."""
        others = tuple(folder for folder in self._used if folder != self.folder)
        wanted = others if self.folder in self._used else (*others, self.folder)
        if self._apply(wanted):
            self.accept()


def why_not(error: MechanismError) -> str:
    """``file.mod:12: what; way out``, without the folder, which stands above."""
    where = f"{Path(error.path).name}:{error.line}" if error.line else Path(error.path).name
    return f"{where}: {error.what}" + (f"; {error.fix}" if error.fix else "")
