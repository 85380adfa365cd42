"""Room for plots above one another: where many would get too low they can be scrolled."""

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QScrollArea, QWidget

from dendview.views.trace_style import AXIS_WIDTH

LEAST_HEIGHT = 72
"""Pixels of a plot, for four ticks and a label."""
STIMULUS_HEIGHT = 70


class PlotsArea(QScrollArea):
    """Holds the plots; as high as they need, else as high as there is room.

    The wheel zooms in the plots, so it scrolls over their left axes only.
    """

    def __init__(self, plots: pg.GraphicsLayoutWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plots = plots
        self.setWidget(plots)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Plots of the traces")
        viewport = plots.viewport()
        assert viewport is not None  # every scroll area has one
        viewport.installEventFilter(self)

    def make_room(self, n_plot: int, with_stimulus: bool) -> None:
        """Let the plots be no lower than can be read."""
        stimulus = STIMULUS_HEIGHT if with_stimulus else 0
        self._plots.setMinimumHeight(n_plot * (LEAST_HEIGHT + 2) + stimulus)

    def show_bar(self, shown: bool) -> None:
        """Whether the bar may be seen; a picture of all plots needs none."""
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if shown else policy.ScrollBarAlwaysOff
        )

    @property
    def hidden_height(self) -> int:
        """Pixels of the plots that are out of sight."""
        bar = self.verticalScrollBar()
        return bar.maximum() if bar is not None else 0

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        bar = self.verticalScrollBar()
        if (
            isinstance(event, QWheelEvent)
            and bar is not None
            and bar.maximum() > 0
            and event.position().x() <= AXIS_WIDTH
        ):
            bar.setValue(bar.value() - event.angleDelta().y() // 2)
            return True
        return super().eventFilter(watched, event)
