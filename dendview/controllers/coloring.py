"""Each perspective has its own coloring of the cell, and keeps the one a person chose there."""

from dendview.state import AppState, Cell, ColorBy, Perspective

FIRST: dict[Perspective, ColorBy] = {
    "start": "type",
    "explore": "type",
    "schedule": "depth",
    "simulate": "type",
    "spike_lab": "type",
    "training": "type",
}
"""What a perspective shows of a cell just opened; a run then brings the voltage."""


class ColoringController:
    """Replaces ``color_by`` when the perspective, the cell or the player's step changes.

    Depth explains how short a schedule can be; once the player moves, the threads that take the
    compartments are what is looked at.
    """

    def __init__(self, state: AppState) -> None:
        self.state = state
        self._kept = dict(FIRST)
        self._moved = False
        state.events.color_by.connect(self._keep)
        state.events.perspective.connect(self._on_perspective)
        state.events.cell.connect(self._on_cell)
        state.events.step.connect(self._on_step)

    def choose(self, quantity: ColorBy) -> None:
        """Color by a quantity, here and whenever this perspective comes back."""
        self.state.color_by = quantity

    def _keep(self, quantity: ColorBy) -> None:
        self._kept[self.state.perspective] = quantity

    def _on_perspective(self, perspective: Perspective) -> None:
        self.state.color_by = self._kept[perspective]

    def _on_cell(self, _: Cell | None) -> None:
        self._kept, self._moved = dict(FIRST), False
        self.state.color_by = self._kept[self.state.perspective]

    def _on_step(self, step: int) -> None:
        """The first step of the player brings the threads, unless a person chose otherwise."""
        state = self.state
        if step and not self._moved and state.perspective == "schedule":
            self._moved = True
            if state.color_by == "depth":
                state.color_by = "thread"
