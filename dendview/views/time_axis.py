"""The time axis below the plots of the traces: it stays in sight while these are scrolled."""

import pyqtgraph as pg
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QWidget

from dendview.colors import Theme

HEIGHT = 44


class TimeAxis(pg.GraphicsLayoutWidget):
    """As long as the plot that it belongs to is wide, and right below it."""

    _box: pg.ViewBox | None = None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ci.setSpacing(0)
        self.axis = pg.AxisItem("bottom")
        self.axis.enableAutoSIPrefix(False)
        self.axis.setStyle(hideOverlappingLabels=False)  # the first and the last one, too
        self.addItem(self.axis, 0, 0)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Time axis")

    def follow(self, plot: pg.PlotItem, theme: Theme) -> None:
        """Show the times of a plot; the wheel and the mouse zoom it here, too."""
        self.leave()
        self._box = plot.getViewBox()
        self.axis.linkToView(self._box)
        self._box.sigResized.connect(self._align)
        self.setBackground(theme.canvas)
        self.axis.setPen(theme.grid)
        self.axis.setTextPen(theme.muted)
        self.axis.setLabel("time (ms)", color=theme.muted)
        self._align()

    def leave(self) -> None:
        """Let the plot go, which is about to be removed."""
        if self._box is not None:
            self._box.sigResized.disconnect(self._align)
            self.axis.unlinkFromView()
            self._box = None

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._align()

    def _align(self, *_: object) -> None:
        """Begin and end where the plot does, whether or not a scroll bar stands beside it."""
        if self._box is None:  # pyqtgraph lays out before there is a plot
            return
        place = self._box.sceneBoundingRect()
        right = max(self.width() - place.right(), 0.0)
        self.ci.setContentsMargins(max(place.left(), 0.0), 0, right, 2)
