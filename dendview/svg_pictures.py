"""Drawings of the engine (SVG) as PNG files."""

import os
from pathlib import Path

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer

from dendview.pictures import save_picture
from engine.atomic import written_aside


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
    texts = {"Software": "DendView", **({"Recipe": recipe} if recipe else {})}
    save_picture(image, path, scale, texts)


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
