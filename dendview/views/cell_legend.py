"""The legend of the 3-D cell: names with squares, a strip of classes, or a bar with ticks."""

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from dendview.colors import Theme, hex_color, mix, rgb
from dendview.scene import CANDIDATE_SHARE, WAITING_SHARE, CellScene, Legend, done_color
from dendview.views.cell_text import font, haloed

LEFT, TOP = 14.0, 14.0
ROW = 19.0
BAR_WIDTH, BAR_HEIGHT = 14.0, 150.0


def paint_legend(
    painter: QPainter, size: tuple[float, float], theme: Theme, scene: CellScene
) -> float:
    """Paint the legend of a scene at the top left; gives where it ends below."""
    legend = scene.legend
    if legend is None:
        return 0.0
    y = TOP
    painter.setFont(font(12, bold=True))
    title = legend.title + (f" ({legend.unit})" if legend.unit else "")
    _text(painter, theme, LEFT, y + 11, title, theme.text)
    y += ROW
    if legend.entries:
        y = _entries(painter, theme, legend, y)
    else:
        y = _bar(painter, size, theme, scene, legend, y)
    if scene.classes is not None:
        y = _classes(painter, theme, scene, y + 12)
    return y


def _entries(painter: QPainter, theme: Theme, legend: Legend, y: float) -> float:
    painter.setFont(font(12))
    for name, color in legend.entries:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(color)))
        painter.drawRoundedRect(QRectF(LEFT, y, 12, 12), 3, 3)
        _text(painter, theme, LEFT + 19, y + 10.5, name, theme.text)
        y += ROW
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if legend.note:
        _text(painter, theme, LEFT, y + 10.5, legend.note, theme.muted)
        y += ROW
    return y


def _bar(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    scene: CellScene,
    legend: Legend,
    y: float,
) -> float:
    """Colors from the lowest (bottom) to the highest, with ticks; points beyond the limits."""
    painter.setFont(font(12))
    metrics = QFontMetricsF(painter.font())
    if legend.note:
        _text(painter, theme, LEFT, y + 9, legend.note, theme.muted)
        y += ROW
    height = max(min(BAR_HEIGHT, size[1] - y - 110), 48.0)
    top = y + 8
    low, high = legend.limits
    n = len(scene.table)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # no seams in the bar
    if legend.strip:
        for i, color in enumerate(scene.table):
            painter.setBrush(QBrush(QColor(hex_color(color))))
            painter.drawRect(QRectF(LEFT, top + i * height / n, BAR_WIDTH, height / n + 0.3))
    else:
        step = height / n
        for i, color in enumerate(scene.table):
            painter.setBrush(QBrush(QColor(hex_color(color))))
            painter.drawRect(QRectF(LEFT, top + height - (i + 1) * step, BAR_WIDTH, step + 0.5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if legend.unit == "mV" or legend.pointed:
            _points(painter, scene, top, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)

    def place(value: float) -> float:
        share = (value - low) / (high - low)
        if legend.strip:
            return top + (value + 0.5 - low) / (high - low) * height
        return top + height * (1 - share)

    used: list[float] = []
    marks = [(legend.rest, f"{legend.rest:g} rest")] if legend.rest is not None else []
    marks += [(t, f"{t:g}") for t in legend.ticks]
    for value, text in marks:
        if not low <= value <= high:
            continue
        at = place(value)
        if any(abs(at - other) < 13 for other in used):
            continue
        used.append(at)
        is_rest = text.endswith("rest")
        painter.setPen(QPen(QColor(theme.text), 2 if is_rest else 1))
        painter.drawLine(QPointF(LEFT + BAR_WIDTH, at), QPointF(LEFT + BAR_WIDTH + 5, at))
        baseline = at + (metrics.ascent() - metrics.descent()) / 2
        _text(painter, theme, LEFT + BAR_WIDTH + 9, baseline, text.replace("-", "−"), theme.text)
    return top + height + 10


def _classes(painter: QPainter, theme: Theme, scene: CellScene, y: float) -> float:
    """What the schedule player does to the colors."""
    ground, sample = rgb(theme.canvas), rgb(theme.accent)
    rows = (
        ("taken now", hex_color(sample), None),
        ("free, not taken", hex_color(mix(ground, sample, CANDIDATE_SHARE)), theme.text),
        ("waiting", hex_color(mix(ground, sample, WAITING_SHARE)), None),
        ("done", done_color(scene.theme), None),
    )
    painter.setFont(font(12))
    for name, color, rim in rows:
        painter.setPen(QPen(QColor(rim), 1.5) if rim else Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(color)))
        painter.drawRoundedRect(QRectF(LEFT + 1, y + 3, 14, 6), 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _text(painter, theme, LEFT + 22, y + 10.5, name, theme.text)
        y += ROW
    return y


def _points(painter: QPainter, scene: CellScene, top: float, height: float) -> None:
    """Triangles at the ends of the bar in the colors of what lies beyond."""
    x, w = LEFT, BAR_WIDTH
    for color, base, tip in (
        (scene.over, top - 1, top - 9),
        (scene.under, top + height + 1, top + height + 9),
    ):
        painter.setBrush(QBrush(QColor(color)))
        corners = [QPointF(x, base), QPointF(x + w, base), QPointF(x + w / 2, tip)]
        painter.drawPolygon(QPolygonF(corners))


def _text(
    painter: QPainter, theme: Theme, x: float, baseline: float, text: str, color: str
) -> None:
    """Text with an edge in the canvas color, on a baseline."""
    metrics = QFontMetricsF(painter.font())
    middle = baseline - (metrics.ascent() - metrics.descent()) / 2
    box = QRectF(x, middle - 9, metrics.horizontalAdvance(text), 18)
    haloed(painter, theme, box, text, color=QColor(color))
