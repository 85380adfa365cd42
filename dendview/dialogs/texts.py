"""Dialogs that only tell: the system report, details of a message, shortcuts, about."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontDatabase, QGuiApplication, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

import engine
from dendview.actions import ACTIONS
from dendview.dialogs.buttons import copy_and_close
from dendview.resources import app_icon

MOUSE = (
    ("Turn the cell", "left drag"),
    ("Move the cell", "right drag, or Shift + left drag"),
    ("Zoom at the pointer", "wheel"),
    ("Turn, move, zoom by keys", "arrows, Shift + arrows, + and −"),
    ("Select a segment", "click"),
    ("Open its parameters", "double click"),
    ("Clamp, record …", "right click"),
)


class TextDialog(QDialog):
    """A text that can be copied."""

    def __init__(self, title: str, lead: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        heading = QLabel(title)
        heading.setProperty("role", "title")
        words = QLabel(lead)
        words.setWordWrap(True)
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(title)
        buttons, self.copy = copy_and_close(self, "Copy", self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(10)
        layout.addWidget(heading)
        if lead:
            layout.addWidget(words)
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)
        self.resize(720, 400)

    def _copy(self) -> None:
        if (clipboard := QGuiApplication.clipboard()) is not None:
            clipboard.setText(self.text.toPlainText())
        self.copy.setText("Copied")


class ShortcutsDialog(QDialog):
    """All keys of the table of actions, and what the mouse does on the cell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        heading = QLabel("Keyboard and mouse")
        heading.setProperty("role", "title")
        table = QTreeWidget()
        table.setHeaderHidden(True)
        table.setColumnCount(2)
        table.setRootIsDecorated(False)
        table.setAccessibleName("Shortcuts")
        if (header := table.header()) is not None:
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
            header.setStretchLastSection(False)
        groups: dict[str, list[tuple[str, str]]] = {}
        for spec in ACTIONS:
            if spec.shortcuts:
                native = QKeySequence.SequenceFormat.NativeText
                keys = ", ".join(QKeySequence(k).toString(native) for k in spec.shortcuts)
                text = spec.text.replace("&", "").rstrip("…")
                where, _, sub = spec.menu.partition("/")
                groups.setdefault(where, []).append((f"{sub}: {text}" if sub else text, keys))
        for name, rows in (("Mouse on the cell", list(MOUSE)), *groups.items()):
            top = QTreeWidgetItem([name])
            font = top.font(0)
            font.setBold(True)
            top.setFont(0, font)
            table.addTopLevelItem(top)
            for row in rows:
                top.addChild(QTreeWidgetItem(list(row)))
        table.expandAll()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(10)
        layout.addWidget(heading)
        layout.addWidget(table, 1)
        layout.addWidget(buttons)
        self.resize(520, 620)


class AboutDialog(QDialog):
    """Name, version, license."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About DendView")
        icon = QLabel()
        icon.setPixmap(app_icon().pixmap(96, 96))
        name = QLabel("DendView")
        name.setProperty("role", "title")
        words = QLabel(
            f"Version {engine.__version__}\n\n"
            "Look at, question and run detailed, many-compartment neurons.\n"
            "Schedules by dendritic hierarchical scheduling (Zhang et al. 2023).\n\n"
            "Free software: GNU General Public License, version 3 or later."
        )
        words.setWordWrap(True)
        column = QVBoxLayout()
        column.addWidget(name)
        column.addWidget(words)
        column.addStretch()
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 16)
        layout.addLayout(row, 1)
        layout.addWidget(buttons)
        self.resize(480, 290)
