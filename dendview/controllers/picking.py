"""Things that need two places: the first is there, the next one that is chosen is the second."""

from dataclasses import replace

from dendview.attaching import new_spike_source
from dendview.controllers.experiment import ExperimentController
from dendview.picking import ask
from dendview.state import AppState, Message, Picking
from dendview.wording import place
from engine.stimuli import GapJunction, Site


class PickingController:
    """Replaces ``picking`` of the state, and takes the place that is chosen while it is there.

    A place is chosen by a click on the cell (:meth:`take`) or by whatever selects one.
    """

    def __init__(self, state: AppState, experiment: ExperimentController) -> None:
        self.state = state
        self._experiment = experiment
        state.events.selection.connect(self._on_selection)
        for event in (state.events.cell, state.events.experiment):
            event.connect(self._end)

    def begin(self, picking: Picking) -> None:
        """Ask for the other place."""
        self.state.picking = picking
        self.state.message = Message(f"{ask(picking)} Esc cancels.")

    def stop(self) -> None:
        """Ask no longer; nothing is changed."""
        if self.state.picking is not None:
            self._end()
            self.state.message = Message("No place was chosen; nothing is changed.")

    def take(self, segment: int) -> bool:
        """The place that was asked for; -1, which is the ground, asks on."""
        picking, cell = self.state.picking, self.state.cell
        if picking is None or cell is None or segment < 0:
            return False
        site = cell.site(segment)
        if picking.purpose in ("gap_junction", "other_end") and site == picking.site:
            text = f"A gap junction joins two places; choose one other than {place(site)}."
            self.state.message = Message(text, "warning")
            return False
        self._end()
        return self._put(picking, site)

    def _put(self, picking: Picking, site: Site) -> bool:
        state, edit = self.state, self._experiment
        if (experiment := state.experiment) is None:
            return False
        match picking.purpose:
            case "gap_junction":
                gap = GapJunction(picking.site, site)
                done = edit.edit(gap_junctions=(*experiment.gap_junctions, gap))
                what = f"{place(gap.site)} and {place(site)} are joined by {gap.conductance:g} µS"
            case "other_end":
                gaps = list(experiment.gap_junctions)
                gaps[picking.index] = replace(gaps[picking.index], other=site)
                done = edit.edit(gap_junctions=tuple(gaps))
                what = f"{place(picking.site)} is joined with {place(site)}"
            case "synapse":
                source = new_spike_source(site, experiment)
                done = edit.add_synapse_at(picking.site, picking.mechanism, source)
                what = f"{picking.mechanism} at {place(picking.site)} hears spikes of {place(site)}"
            case "source":
                source = new_spike_source(site, experiment)
                synapses = list(experiment.synapses)
                synapses[picking.index] = replace(synapses[picking.index], source=source)
                done = edit.edit(synapses=tuple(synapses))
                what = f"The synapse at {place(picking.site)} hears spikes of {place(site)}"
        if done:
            state.message = Message(f"{what}. F5 runs.", "done")
        return done

    def _on_selection(self, segment: int | None) -> None:
        if segment is not None and self.state.picking is not None:
            self.take(segment)

    def _end(self, *_: object) -> None:
        self.state.picking = None
