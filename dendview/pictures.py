"""Pictures to files, with their size on paper and the recipe inside."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

from engine.errors import UserError

Pixels = NDArray[np.uint8]

BASE_DPI = 100
"""Dots per inch written into a picture at scale 1."""


def to_image(pixels: Pixels) -> QImage:
    """Pixels as a Qt image of its own."""
    height, width, _ = pixels.shape
    data = pixels.tobytes()
    return QImage(data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def save_array(pixels: Pixels, path: Path) -> None:
    """Write pixels as a PNG.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    save_picture(to_image(pixels), path, 1.0, {})


def save_picture(image: QImage, path: Path, scale: float, texts: dict[str, str]) -> None:
    """Write a PNG with texts (the recipe) inside.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    dots_per_meter = round(BASE_DPI * scale / 0.0254)
    image.setDotsPerMeterX(dots_per_meter)
    image.setDotsPerMeterY(dots_per_meter)
    for key, text in texts.items():
        image.setText(key, text)
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent}; choose another one")
    if not image.save(str(path), "PNG"):
        raise UserError(f"{path} cannot be written; choose another folder")
