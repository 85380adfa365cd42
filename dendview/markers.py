"""What is marked on the cell: everything that sits on a place, and what belongs together. No Qt."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from dendview.colors import OKABE_ITO, THEMES, ThemeName, hex_color, readable, rgb
from dendview.spine_places import on_cell, place_of
from dendview.state import AppState, Cell
from dendview.wording import place, variable_text
from engine.experiment import Experiment
from engine.stimuli import Site
from engine.synapses import SpikeSource

MarkerKind = Literal["clamp", "probe", "voltage_clamp", "synapse", "gap_junction"]


@dataclass(frozen=True)
class Marker:
    """What is put on a segment, or on a spine of it that is drawn ``at`` a place (µm)."""

    kind: MarkerKind
    segment: int
    label: str
    color: str
    at: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Link:
    """Two segments that belong together: a gap junction, or spikes (``start``) and a synapse."""

    start: int
    stop: int
    color: str


def markers_of(state: AppState) -> tuple[Marker, ...]:
    """Markers of the experiment, and of the place that waits for another one."""
    if (cell := state.cell) is None:
        return ()
    there = _markers(cell, state.experiment, state.theme)
    waiting = state.picking
    if waiting is None or waiting.index >= 0 or waiting.site.section not in cell.sections.name:
        return there
    gap = waiting.purpose == "gap_junction"
    kind: MarkerKind = "gap_junction" if gap else "synapse"
    color = THEMES[state.theme].done if gap else THEMES[state.theme].accent
    label = "and …" if gap else f"{waiting.mechanism}, spikes of …"
    return (*there, Marker(kind, cell.segment(waiting.site), label, color))


@lru_cache(maxsize=4)
def links_of(cell: Cell, experiment: Experiment | None, theme: ThemeName) -> tuple[Link, ...]:
    if experiment is None:
        return ()
    colors, known = THEMES[theme], cell.sections.name
    pairs = [(gap.site, gap.other, colors.done) for gap in experiment.gap_junctions]
    pairs += [
        (synapse.source.site, synapse.site, colors.accent)
        for synapse in experiment.synapses
        if isinstance(synapse.source, SpikeSource)
    ]
    ends = [(on_cell(experiment, a), on_cell(experiment, b), color) for a, b, color in pairs]
    return tuple(
        Link(cell.segment(one), cell.segment(other), color)
        for one, other, color in ends
        if one.section in known and other.section in known
    )


@lru_cache(maxsize=4)
def _markers(cell: Cell, experiment: Experiment | None, theme: ThemeName) -> tuple[Marker, ...]:
    if experiment is None:
        return ()
    ground = rgb(THEMES[theme].canvas)
    colors = THEMES[theme]
    marks: list[tuple[MarkerKind, Site, str, str]] = []
    for clamp in experiment.stimuli:
        marks.append(("clamp", clamp.site, f"{clamp.amplitude:g} nA", colors.warning))
    for wave in experiment.waveforms:
        marks.append(("clamp", wave.site, wave.kind, colors.warning))
    for hold in experiment.voltage_clamps:
        levels = [v for v, lasts in zip(hold.levels, hold.durations, strict=True) if lasts > 0]
        text = " → ".join(f"{v:g}" for v in levels).replace("-", "−")
        marks.append(("voltage_clamp", hold.site, f"{text} mV", colors.error))
    for synapse in experiment.synapses:
        marks.append(("synapse", synapse.site, synapse.name or synapse.mechanism, colors.accent))
    for gap in experiment.gap_junctions:
        for site in (gap.site, gap.other):
            marks.append(("gap_junction", site, "gap junction", colors.done))
    for i, probe in enumerate(experiment.probes):
        color = hex_color(readable(rgb(OKABE_ITO[i % len(OKABE_ITO)]), ground, 2.2))
        what = "" if probe.variable == "v" else f" {variable_text(probe.variable)}"
        marks.append(("probe", probe.site, f"{place(probe.site)}{what}", color))
    made, sections = [], cell.sections
    for kind, site, label, color in marks:
        below = on_cell(experiment, site)
        if below.section in sections.name:
            drawn = place_of(sections, experiment, site)
            at = None if drawn is None else (float(drawn[0]), float(drawn[1]), float(drawn[2]))
            made.append(Marker(kind, cell.segment(below), label, color, at))
    return tuple(made)
