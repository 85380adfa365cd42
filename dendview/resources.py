"""Icons: the program's own, and the line icons of the toolbar, drawn from paths in this file."""

from functools import cache
from pathlib import Path

from PyQt6.QtCore import QByteArray, QRectF, Qt
from PyQt6.QtGui import QIcon, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

_HERE = Path(__file__).parent

_LINES = {  # on a 24 x 24 grid; "fill" shapes are filled, all others stroked
    "run": '<path class="fill" d="M7 4.5 L19.5 12 L7 19.5 Z"/>',
    "cancel": '<rect class="fill" x="6" y="6" width="12" height="12" rx="1.5"/>',
    "undo": '<path d="M4 10 H14 A5.5 5.5 0 0 1 14 21 H9 M8.5 5.5 L4 10 L8.5 14.5"/>',
    "redo": '<path d="M20 10 H10 A5.5 5.5 0 0 0 10 21 H15 M15.5 5.5 L20 10 L15.5 14.5"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15 L20.5 20.5"/>',
    "open": '<path d="M3.5 19 V5.5 H9.5 L11.5 8 H20.5 V19 Z"/>',
    "fit": '<path d="M4 9 V4 H9 M15 4 H20 V9 M20 15 V20 H15 M9 20 H4 V15"/>'
    '<circle class="fill" cx="12" cy="12" r="2"/>',
    "apical": '<path d="M12 20 V5 M6.5 10.5 L12 5 L17.5 10.5"/>',
    "drop": '<path d="M12 4 V14.5 M7 10 L12 15 L17 10 M4 16.5 V20 H20 V16.5"/>',
    "play": '<path class="fill" d="M7 4.5 L19.5 12 L7 19.5 Z"/>',
    "pause": '<rect class="fill" x="6" y="5" width="4" height="14" rx="1"/>'
    '<rect class="fill" x="14" y="5" width="4" height="14" rx="1"/>',
    "previous": '<path class="fill" d="M19 5 L8.5 12 L19 19 Z"/><path d="M6 5 V19"/>',
    "next": '<path class="fill" d="M5 5 L15.5 12 L5 19 Z"/><path d="M18 5 V19"/>',
    "first": '<path d="M12 6 L6 12 L12 18 M18 6 L12 12 L18 18"/>',
    "last": '<path d="M12 6 L18 12 L12 18 M6 6 L12 12 L6 18"/>',
    "back": '<path d="M14.5 5.5 L8 12 L14.5 18.5"/>',
    "forward": '<path d="M9.5 5.5 L16 12 L9.5 18.5"/>',
    "close": '<path d="M6 6 L18 18 M18 6 L6 18"/>',
}


def asset(name: str) -> Path:
    """A file of the ``assets`` folder, in a wheel or in the source tree."""
    inside = _HERE / "assets" / name
    return inside if inside.exists() else _HERE.parent / "assets" / name


@cache
def app_icon() -> QIcon:
    """The program's icon."""
    return QIcon(str(asset("dendview.svg")))


def _draw(name: str, color: str, size: int) -> QPixmap:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{color}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">'
        + _LINES[name].replace('class="fill"', f'fill="{color}" stroke="none"')
        + "</svg>"
    )
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


@cache
def line_icon(name: str, color: str, disabled: str) -> QIcon:
    """A toolbar icon in the colors of the theme, sharp at twice the pixel density."""
    icon = QIcon()
    for size in (20, 40, 60):
        icon.addPixmap(_draw(name, color, size), QIcon.Mode.Normal)
        icon.addPixmap(_draw(name, disabled, size), QIcon.Mode.Disabled)
    return icon
