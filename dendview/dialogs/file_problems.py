"""What is wrong with a file that was refused, line by line, and how to mend it."""

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QFontDatabase, QGuiApplication
from PyQt6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, ThemeName
from dendview.dialogs.buttons import copy_and_close
from engine.morphology.doctor import Problem

COLUMNS = ("Line", "Text in the file", "What is wrong", "What to do")
N_TEXT = 40
"""Characters of a row of the file that are shown; hovering tells the rest."""
N_SHOWN = 500
"""Rows of the table; a file with more problems is broken in one way all over."""


def report(path: Path, sentence: str, problems: Sequence[Problem]) -> str:
    """All of it as text, to send to whoever made the file."""
    lines = [f"{path}", sentence, ""]
    for problem in problems:
        where = f"line {problem.line}" if problem.line else "file"
        text = f" [{problem.text.strip()}]" if problem.text else ""
        lines.append(
            f"{where}: {problem.meaning}; {problem.fix} ({problem.severity}, {problem.code}){text}"
        )
    return "\n".join(lines)


class FileProblemsDialog(QDialog):
    """A sheet over the window; the cell that was open stays as it was."""

    def __init__(
        self,
        path: Path,
        sentence: str,
        problems: Sequence[Problem],
        theme: ThemeName,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"{path.name} was not opened")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._text = report(path, sentence, problems)
        title = QLabel(f"{path.name} was not opened")
        title.setProperty("role", "title")
        self.sentence = QLabel(sentence)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = self._make_table(problems[:N_SHOWN], theme)
        hint = QLabel("Mend the file in a text editor and open it again. Nothing was changed.")
        hint.setProperty("role", "muted")
        buttons, self.copy = copy_and_close(self, "Copy report", self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(self.sentence)
        told = len(problems) <= 1 and not any(problem.line for problem in problems)
        if not told:  # one thing about the whole file is all in the sentence
            layout.addWidget(self.table, 1)
            if len(problems) > N_SHOWN:
                more = QLabel(
                    f"The first {N_SHOWN} of {len(problems)} are shown; the report has all."
                )
                more.setProperty("role", "muted")
                layout.addWidget(more)
            layout.addWidget(hint)
        else:
            layout.addStretch()
        layout.addWidget(buttons)
        size = (560, 170) if told else (900, min(240 + 46 * len(problems), 560))
        self.resize(*size)

    def _make_table(self, problems: Sequence[Problem], theme: ThemeName) -> QTableWidget:
        table = QTableWidget(len(problems), len(COLUMNS))
        table.setAccessibleName("Problems of the file")
        table.setHorizontalHeaderLabels(COLUMNS)
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setWordWrap(True)
        table.setTabKeyNavigation(False)
        mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        colors = THEMES[theme]
        for row, problem in enumerate(problems):
            text = problem.text.strip()
            short = text if len(text) <= N_TEXT else f"{text[: N_TEXT - 1]}…"
            texts = (str(problem.line or "–"), short, problem.meaning, problem.fix)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(problem.text if column == 1 else text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
                if column == 1:
                    item.setFont(mono)
                if column == 2:
                    ink = colors.error if problem.severity == "error" else colors.warning
                    item.setForeground(QColor(ink))
                table.setItem(row, column, item)
        if (rows := table.verticalHeader()) is not None:
            rows.hide()
        header = table.horizontalHeader()
        assert header is not None
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        return table

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.table.resizeRowsToContents()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.table.resizeRowsToContents()

    def _copy(self) -> None:
        if (clipboard := QGuiApplication.clipboard()) is not None:
            clipboard.setText(self._text)
        self.copy.setText("Copied")
