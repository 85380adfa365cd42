"""Find an action by typing: everything that stands in a menu can be found here."""

from collections.abc import Iterator
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QObject, QSize, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

ROW_HEIGHT = 26


@dataclass(frozen=True)
class Entry:
    """An action and where it stands: ``View ▸ Theme``."""

    action: QAction
    place: str

    @property
    def text(self) -> str:
        return self.action.text().replace("&", "").rstrip("…")


def entries(bar: QMenuBar) -> list[Entry]:
    """Everything that stands in the menus of a bar."""

    def walk(menu: QMenu, place: str) -> Iterator[Entry]:
        for action in menu.actions():
            if (sub := action.menu()) is not None:
                sub.aboutToShow.emit()  # some are filled when they open
                yield from walk(sub, f"{place} ▸ {sub.title().replace('&', '')}")
            elif not action.isSeparator():
                yield Entry(action, place)

    return [
        entry
        for top in bar.actions()
        if (menu := top.menu()) is not None
        for entry in walk(menu, menu.title().replace("&", ""))
    ]


def score(query: str, entry: Entry) -> int:
    """How well an entry fits what was typed: 0 not at all, more is better."""
    words = query.lower().split()
    text, whole = entry.text.lower(), f"{entry.place} {entry.text}".lower()
    if not all(word in whole for word in words):
        letters = iter(text)
        squeezed = "".join(words)
        return 1 if len(squeezed) > 1 and all(letter in letters for letter in squeezed) else 0
    points = 10
    for word in words:
        points += 20 if text.startswith(word) else 10 if f" {word}" in f" {text}" else 0
    return points


class SearchPalette(QDialog):
    """A line to type in and the actions that fit; Return does the marked one."""

    def __init__(self, bar: QMenuBar, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("palette")
        self.setWindowTitle("Search actions")
        self._entries = entries(bar)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Search actions…")
        self.line.setAccessibleName("Search actions")
        self.list = QTreeWidget()
        self.list.setAccessibleName("Actions that fit")
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.list.header()
        assert header is not None
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self.tip = QLabel()
        self.tip.setProperty("role", "muted")
        self.tip.setContentsMargins(6, 2, 6, 0)
        self.tip.setMinimumWidth(1)
        self.list.currentItemChanged.connect(self._show_tip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        layout.addWidget(self.tip)
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(lambda item: self._do(item))
        self.resize(560, 420)
        center = parent.mapToGlobal(parent.rect().center())
        top = parent.mapToGlobal(parent.rect().topLeft())
        self.move(center.x() - 280, top.y() + 76)
        self._fill("")
        self.line.setFocus()

    def _fill(self, query: str) -> None:
        found = [(score(query, entry) if query.strip() else 1, entry) for entry in self._entries]
        found = [(points, entry) for points, entry in found if points and entry.action.isVisible()]
        found.sort(key=lambda pair: (not pair[1].action.isEnabled(), -pair[0]))
        self.list.clear()
        for _, entry in found:
            keys = entry.action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            item = QTreeWidgetItem([entry.text, entry.place, keys])
            item.setData(0, Qt.ItemDataRole.UserRole, entry.action)
            item.setSizeHint(0, QSize(0, ROW_HEIGHT))
            item.setToolTip(0, entry.action.toolTip())
            item.setForeground(1, self.palette().placeholderText())
            item.setForeground(2, self.palette().placeholderText())
            if not entry.action.isEnabled():
                item.setDisabled(True)
            self.list.addTopLevelItem(item)
        if self.list.topLevelItemCount():
            self.list.setCurrentItem(self.list.topLevelItem(0))
        self._show_tip(self.list.currentItem() or self.list.topLevelItem(0))

    def _show_tip(self, item: QTreeWidgetItem | None) -> None:
        """What the marked action does, or what it waits for."""
        text = item.toolTip(0) if item is not None else ""
        self.tip.setText(text.partition("\n")[0])

    def _do(self, item: QTreeWidgetItem | None) -> None:
        if item is None or item.isDisabled():
            return
        action: QAction = item.data(0, Qt.ItemDataRole.UserRole)
        self.accept()
        action.trigger()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            rows = self.list.topLevelItemCount()
            row = self.list.indexOfTopLevelItem(self.list.currentItem()) if rows else 0
            page = {
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_PageUp: -8,
                Qt.Key.Key_PageDown: 8,
            }
            key = Qt.Key(event.key())
            if key in page and rows:
                target = min(max(row + page[key], 0), rows - 1)
                self.list.setCurrentItem(self.list.topLevelItem(target))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._do(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)
