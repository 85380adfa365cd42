"""Drawings of the engine (SVG) as PNG files."""

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer

from dendview.colors import ThemeName
from dendview.pictures import save_picture
from engine.atomic import written_aside


@runtime_checkable
class Figure(Protocol):
    """A plot that is saved as the engine draws it, in the theme that is asked for."""

    def drawing(self, theme: ThemeName) -> str:
        """As SVG; raises :class:`UserError` where there is nothing to draw."""

    def recipe(self) -> str:
        """What makes it again, to be kept in a picture."""


def svg_image(svg: str, scale: float = 2.0) -> QImage:
    """A drawing as a picture, without a window or a display."""
    app = QGuiApplication.instance()
    if app is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QGuiApplication([])
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    image = QImage(renderer.defaultSize() * scale, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def save_svg_as_png(svg: str, path: Path, scale: float = 2.0, recipe: str = "") -> None:
    """Draw an SVG and write it as a PNG, without a window or a display.

    Parameters
    ----------
    svg
        The drawing; its size in pixels times ``scale`` is that of the picture.
    path
    scale
    recipe
        Written into the picture.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    texts = {"Software": "DendView", **({"Recipe": recipe} if recipe else {})}
    save_picture(svg_image(svg, scale), path, scale, texts)


def save_svg(svg: str, path: str | Path, recipe: str = "") -> None:
    """Write a drawing as it is (``.svg``), or as a picture with its recipe.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() == ".svg":
        with written_aside(path) as aside:
            aside.write_text(svg, encoding="utf-8")
    else:
        save_svg_as_png(svg, path, recipe=recipe)
