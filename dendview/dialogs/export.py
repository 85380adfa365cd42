"""Save pictures and data: what on the left, how it will look on the right, where below."""

from collections.abc import Callable
from pathlib import Path
from typing import cast, get_args

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QPixmap
from PyQt6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import ThemeName
from dendview.controllers.export import KINDS, ExportController, ExportKind, Target
from dendview.state import AppState
from dendview.widgets.timers import make_timer
from engine.errors import UserError

PREVIEW = QSize(520, 330)
SCALES = (1, 2, 3, 4)

Draw = Callable[[float, ThemeName], QImage]
Save = Callable[[ExportKind, Path, float, ThemeName], None]


class ExportDialog(QDialog):
    """One dialog for all that can be saved; it stays open where saving fails.

    Parameters
    ----------
    state, controller
    draw
        The picture of the cell by scale and theme.
    preview
        A small picture of a target, or None where only words tell what is saved.
    save
        Writes the file; raises :class:`UserError` where it cannot.
    themed
        Whether a target can be had in another theme than that of the window.
    size
        Of the picture of the cell at scale 1, in pixels.
    folder
        Where the file goes at first.
    """

    saved = pyqtSignal(str)  # path

    def __init__(
        self,
        state: AppState,
        controller: ExportController,
        preview: Callable[[Target, ThemeName, QSize], QImage | None],
        save: Save,
        themed: Callable[[Target], bool],
        size: QSize,
        folder: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._state, self._controller = state, controller
        self._preview_of, self._save, self._size = preview, save, size
        self._themed = themed
        self._folder = folder
        self.kinds = QListWidget()
        self.kinds.setAccessibleName("What to save")
        self.kinds.setFixedWidth(180)
        for kind in KINDS:
            item = QListWidgetItem(kind.title)
            item.setData(Qt.ItemDataRole.UserRole, kind)
            item.setSizeHint(QSize(160, 30))
            if reason := kind.missing(state):
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                item.setToolTip(reason)
            self.kinds.addItem(item)
        self.picture = QLabel()
        self.picture.setObjectName("preview")
        self.picture.setFixedSize(PREVIEW)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setWordWrap(True)
        self.hint = QLabel()
        self.hint.setProperty("role", "muted")
        self.format = QComboBox()
        self.theme = QComboBox()
        for name in get_args(ThemeName):
            self.theme.addItem(name.capitalize(), name)
        self.theme.setCurrentIndex(self.theme.findData(state.theme))
        self.scale = QComboBox()
        for factor in SCALES:
            text = f"{factor}×   {size.width() * factor} × {size.height() * factor} pixels"
            self.scale.addItem(text, factor)
        self.scale.setCurrentIndex(1)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(14)
        for text, box in (("Format", self.format), ("Theme", self.theme), ("Size", self.scale)):
            box.setAccessibleName(text)
            box.setMinimumWidth(220)
            self._form.addRow(text, box)
        self.path = QLineEdit()
        self.path.setAccessibleName("File")
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.addWidget(QLabel("File"))
        where.addWidget(self.path, 1)
        where.addWidget(browse)
        self.error = QLabel()
        self.error.setProperty("role", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        buttons = QDialogButtonBox()
        self.export = QPushButton("Export")
        self.export.setDefault(True)
        self.export.clicked.connect(self._on_export)
        buttons.addButton(self.export, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.picture)
        right.addWidget(self.hint)
        right.addLayout(self._form)
        right.addStretch()
        top = QHBoxLayout()
        top.setSpacing(18)
        top.addWidget(self.kinds)
        top.addLayout(right, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        layout.addLayout(top, 1)
        layout.addLayout(where)
        layout.addWidget(self.error)
        layout.addWidget(buttons)
        self._draw_timer = make_timer(self, 30, self._draw, once=True)
        self.kinds.currentItemChanged.connect(self._on_kind)
        self.format.currentIndexChanged.connect(self._on_format)
        self.theme.currentIndexChanged.connect(lambda _: self._draw_timer.start())
        self.kinds.setCurrentRow(0)

    @property
    def kind(self) -> ExportKind:
        """What is chosen."""
        item = self.kinds.currentItem()
        assert item is not None  # the first row is chosen at the start
        return cast(ExportKind, item.data(Qt.ItemDataRole.UserRole))

    def choose(self, target: Target) -> None:
        """Choose what to save."""
        for row in range(self.kinds.count()):
            item = self.kinds.item(row)
            if item is not None and item.data(Qt.ItemDataRole.UserRole).target == target:
                self.kinds.setCurrentRow(row)

    @property
    def _theme(self) -> ThemeName:
        return cast(ThemeName, self.theme.currentData())

    def _on_kind(self, *_: object) -> None:
        kind = self.kind
        self.hint.setText(kind.hint)
        self.format.blockSignals(True)
        self.format.clear()
        for ending, text in kind.formats:
            self.format.addItem(f"{text} (.{ending})", ending)
        self.format.blockSignals(False)
        self._form.setRowVisible(self.theme, self._themed(kind.target))
        self._form.setRowVisible(self.scale, kind.target == "cell")
        self._on_format()
        self._draw_timer.start()

    def _on_format(self, *_: object) -> None:
        name = self._controller.file_name(self.kind.target, self.format.currentData())
        self.path.setText(str(Path(self._folder) / name))
        self._tell("")

    def _draw(self) -> None:
        """The preview, as large as its place."""
        image = self._preview_of(self.kind.target, self._theme, PREVIEW)
        if image is None:
            self.picture.setPixmap(QPixmap())
            self.picture.setText(f"{self.kind.title}\n{self.kind.hint}")
            return
        ratio = self.devicePixelRatioF()
        room = (PREVIEW - QSize(4, 4)) * ratio
        fitted = image.scaled(
            room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        fitted.setDevicePixelRatio(ratio)
        self.picture.setPixmap(QPixmap.fromImage(fitted))

    def _browse(self) -> None:
        ending = self.format.currentData()
        path, _ = QFileDialog.getSaveFileName(
            self, "Export", self.path.text(), f"{self.format.currentText()} (*.{ending})"
        )
        if path:
            self._folder = str(Path(path).parent)
            self.path.setText(path)

    def _on_export(self) -> None:
        path = Path(self.path.text()).expanduser()
        ending = self.format.currentData()
        if path.suffix.lower() != f".{ending}":
            path = path.with_name(f"{path.name}.{ending}")
        try:
            self._save(self.kind, path, float(self.scale.currentData()), self._theme)
        except UserError as error:
            self._tell(str(error))
            return
        self.saved.emit(str(path))
        self.accept()

    def _tell(self, error: str) -> None:
        self.error.setText(error)
        self.error.setVisible(bool(error))
