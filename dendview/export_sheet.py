"""The export dialog over the window: which view draws what, and what is said when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, Qt, QUrl
from PyQt6.QtGui import QDesktopServices, QGuiApplication, QImage

from dendview.colors import ThemeName
from dendview.controllers.export import ExportKind, Target
from dendview.dialogs.export import ExportDialog
from dendview.pictures import save_picture, to_image
from dendview.state import Message
from dendview.svg_pictures import Figure, save_svg, svg_image
from dendview.widgets.lazy import LazyWidget
from engine.errors import UserError

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def open_export(window: MainWindow) -> None:
    """Show the dialog."""
    state, controller = window.state, window.controllers.export
    view = window.pane.view
    size = QSize(max(view.width(), 320), max(view.height(), 240))

    def preview(target: Target, theme: ThemeName, room: QSize) -> QImage | None:
        if target == "cell":
            small = size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
            ratio = small.width() / size.width()
            points = (size.width(), size.height())
            return to_image(view.render_image(*points, ratio, theme))
        widget = window.docks.plots.get(target)
        if isinstance(widget, Figure):
            return svg_image(widget.drawing(theme))
        if isinstance(widget, LazyWidget):
            widget.draw_now()
        return None if widget is None else widget.grab().toImage()

    def save(kind: ExportKind, path: Path, scale: float, theme: ThemeName) -> None:
        if kind.target == "cell":
            points = (size.width(), size.height())
            image = to_image(view.render_image(*points, scale, theme))
            texts = {"Title": window.windowTitle(), "Recipe": controller.recipe()}
            save_picture(image, path, scale, texts)
        elif (plot := window.docks.plots.get(kind.target)) is not None:
            try:
                if isinstance(plot, Figure) and path.suffix.lower() in (".png", ".svg"):
                    save_svg(plot.drawing(theme), path, plot.recipe())
                else:
                    plot.export(path)
            except OSError as error:
                why = error.strerror or error
                raise UserError(
                    f"{path} cannot be written ({why}); choose another folder"
                ) from error
        else:
            controller.save(kind.target, path)

    def themed(target: Target) -> bool:
        return target == "cell" or isinstance(window.docks.plots.get(target), Figure)

    dialog = ExportDialog(state, controller, preview, save, themed, size, window.folder, window)
    dialog.saved.connect(lambda path: tell_saved(window, Path(path)))
    window.show_sheet(dialog)


def tell_saved(window: MainWindow, path: Path) -> None:
    """Say what was saved, with the ways to it."""
    window.settings.folder = str(path.parent)
    message = Message(f"Saved {path.name}", "done", str(path))
    window.state.message = message
    clipboard = QGuiApplication.clipboard()

    def show_folder() -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))

    def copy_path() -> None:
        if clipboard is not None:
            clipboard.setText(str(path))

    window.toast.show_message(message, [("Show folder", show_folder), ("Copy path", copy_path)])
