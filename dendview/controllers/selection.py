"""What is selected and what is pointed at."""

from dendview.spine_places import on_cell
from dendview.state import AppState, Cell
from engine.stimuli import Site


class SelectionController:
    """One selection for all views: replaces ``selection`` and ``hovered`` of the state."""

    def __init__(self, state: AppState) -> None:
        self.state = state

    def _valid(self, segment: int) -> int | None:
        cell = self.state.cell
        return segment if cell is not None and 0 <= segment < cell.n_segment else None

    def select(self, segment: int) -> None:
        """Select a segment; -1 clears the selection."""
        self.state.selection = self._valid(segment)

    def hover(self, segment: int) -> None:
        """The segment under the pointer; -1 where there is none."""
        self.state.hovered = self._valid(segment)

    def _of_node(self, node: int) -> int:
        """The segment a node of the schedule's tree is, or ends; -1 for none."""
        if self.state.cell is None:
            return -1
        tree = self.state.cell.trees[self.state.nodes]
        return int(tree.segment[node]) if 0 <= node < tree.n_comp else -1

    def select_node(self, node: int) -> None:
        """Select the segment of a node of the tree the schedule views show."""
        self.select(self._of_node(node))

    def hover_node(self, node: int) -> None:
        """The node under the pointer in a schedule view; -1 where there is none."""
        self.hover(self._of_node(node))

    def select_site(self, site: Site) -> None:
        """Select the segment that holds a site or bears its spine, if the cell has it."""
        cell, site = self.state.cell, on_cell(self.state.experiment, site)
        if cell is not None and site.section in cell.sections.name:
            self.select(cell.segment(site))

    def select_probe(self, index: int) -> None:
        """Select the segment a probe of the experiment sits on."""
        experiment = self.state.experiment
        if experiment is not None and 0 <= index < len(experiment.probes):
            self.select_site(experiment.probes[index].site)

    def select_soma(self) -> None:
        """Select the middle of the soma, or of the first section where there is none."""
        if self.state.cell is not None:
            self.select(soma_segment(self.state.cell))

    def clear(self) -> None:
        self.state.selection = None


def soma_segment(cell: Cell) -> int:
    """The segment nearest to where path distances start: the middle of the soma."""
    return int(cell.distance.argmin())
