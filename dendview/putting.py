"""Putting things on a place of the cell from the window, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dendview.attached_fields import source_text
from dendview.attaching import WAVEFORMS
from dendview.state import Message, Picking
from dendview.wording import place, variable_text
from engine.synapses import NetStim

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def add_clamp(window: MainWindow, segment: int) -> None:
    """A clamp at a segment; the next step is to run, so go where that is seen."""
    state = window.state
    if window.controllers.experiment.add_clamp(segment) and state.cell and state.experiment:
        clamp = state.experiment.stimuli[-1]
        what = f"{clamp.amplitude:g} nA from {clamp.delay:g} to {clamp.delay + clamp.duration:g} ms"
        state.message = Message(f"Current clamp at {place(clamp.site)}: {what}. F5 runs.", "done")


def add_waveform(window: MainWindow, kind: str, segment: int) -> None:
    """A current that follows a formula, at a segment."""
    state = window.state
    if window.controllers.experiment.add_waveform(segment, kind) and state.experiment:
        wave = state.experiment.waveforms[-1]
        when = f"from {wave.delay:g} to {wave.delay + wave.duration:g} ms"
        text = f"{WAVEFORMS[kind]} current at {place(wave.site)} {when}. F5 runs."
        state.message = Message(text, "done")


def add_voltage_clamp(window: MainWindow, segment: int) -> None:
    """A voltage clamp at a segment."""
    state = window.state
    if window.controllers.experiment.add_voltage_clamp(segment) and state.experiment:
        clamp = state.experiment.voltage_clamps[-1]
        steps = zip(clamp.levels, clamp.durations, strict=True)
        what = ", then ".join(f"{level:g} mV for {lasts:g} ms" for level, lasts in steps)
        text = f"Voltage clamp at {place(clamp.site)}: {what}. F5 runs."
        state.message = Message(text.replace("-", "−"), "done")


def add_synapse(window: MainWindow, segment: int, mechanism: str) -> None:
    """A synapse at a segment."""
    state = window.state
    if window.controllers.experiment.add_synapse(segment, mechanism) and state.experiment:
        synapse = state.experiment.synapses[-1]
        what = f"{synapse.mechanism} at {place(synapse.site)}: {source_text(synapse)}"
        source = synapse.source
        if isinstance(source, NetStim):
            what = (
                f"{synapse.mechanism} at {place(synapse.site)}: {source.number} events every "
                f"{source.interval:g} ms from {source.start:g} ms on"
            )
        state.message = Message(f"{what}. F5 runs.", "done")


def begin_synapse(window: MainWindow, segment: int, mechanism: str) -> None:
    """Ask where the spikes come from that drive a new synapse at a segment."""
    if (cell := window.state.cell) is not None:
        window.controllers.picking.begin(Picking("synapse", cell.site(segment), mechanism))


def begin_gap_junction(window: MainWindow, segment: int) -> None:
    """Ask for the other end of a gap junction at a segment."""
    if (cell := window.state.cell) is not None:
        window.controllers.picking.begin(Picking("gap_junction", cell.site(segment)))


def add_probe(window: MainWindow, segment: int, variable: str = "v") -> None:
    """A probe at a segment."""
    state = window.state
    if window.controllers.experiment.add_probe(segment, variable) and state.experiment:
        what = "Voltage" if variable == "v" else variable_text(variable)
        where = place(state.experiment.probes[-1].site)
        state.message = Message(f"{what} is recorded at {where}.", "done")
