"""The panel *Training*: what to learn from, every setting, and the buttons that run it."""

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from dendview.state import AppState
from dendview.views.training_data import TrainingDataView
from dendview.views.training_foot import TrainingFoot
from dendview.views.training_form import TrainingForm

HELP = (
    "HPC-Net (Zhang et al. 2023, Fig. 6): pixels drive input neurons, every hidden neuron is a "
    "detailed pyramidal cell, and its synapses learn."
)


class TrainingPanel(QWidget):
    """Data and settings in a page that scrolls, progress and buttons below it."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(268)
        self.data = TrainingDataView(state)
        self.form = TrainingForm(state)
        self.foot = TrainingFoot(state)
        page = QWidget()
        page.setObjectName("panel")
        column = QVBoxLayout(page)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        lead = QLabel(HELP)
        lead.setWordWrap(True)
        lead.setProperty("role", "muted")
        column.addWidget(lead)
        column.addWidget(self.data)
        column.addWidget(self.form)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.foot)
