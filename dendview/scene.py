"""What the 3-D view shows of a state: a value per segment, its colors, legend and marks. No Qt."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dendview.colors import (
    THEMES,
    ColorTable,
    ThemeName,
    diverging_map,
    hex_color,
    map_for,
    mix,
    readable,
    rgb,
    thread_colors,
    type_color,
    type_name,
)
from dendview.markers import Link, Marker, links_of, markers_of
from dendview.picking import prompt
from dendview.runs import nodes_of_run, shown_run
from dendview.schedule_scene import step_classes
from dendview.spine_places import DrawnSpines, spines_of
from dendview.state import AppState, Cell
from dendview.training_scene import synapse_lines, synapses_of, weight_colors
from dendview.training_synapses import SynapseMap
from dendview.wording import place
from engine.compartments import CompartmentTree
from engine.schedule import depths
from engine.schedule.model import Schedule
from engine.types import Float32Array, IntArray

NOTHING_OPEN = "Open a morphology or pick a sample"

MISSING = np.float32(-1e30)
"""Value of a segment that has none (the root has no thread)."""

WAITING_SHARE, CANDIDATE_SHARE = 0.36, 0.60
"""How much of its color a compartment keeps while it waits, and while it could be taken."""

MAX_ENTRIES = 8
"""Classes a legend names one by one; more become a strip with numbers."""


@dataclass(frozen=True, eq=False)
class Legend:
    """What the colors mean.

    ``entries`` names classes one by one; else the colors are a bar from ``limits[0]`` to
    ``limits[1]`` with ``ticks``, continuous or (``strip``) one cell per class. ``rest`` is a tick
    of its own; ``note`` a short line under the title; ``pointed`` where values lie beyond the
    limits, in the colors at the ends of the bar.
    """

    title: str
    unit: str = ""
    entries: tuple[tuple[str, str], ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)
    ticks: tuple[float, ...] = ()
    strip: bool = False
    rest: float | None = None
    note: str = ""
    pointed: bool = False


@dataclass(frozen=True, eq=False)
class CellScene:
    """Everything the 3-D view draws.

    Attributes
    ----------
    cell : Cell or None
    values : (n_segment,) float32
        A class number or a quantity; :data:`MISSING` where there is none.
    table : (n, 3) uint8
        Colors of the classes, or of ``limits[0]`` to ``limits[1]`` in equal steps.
    categorical : bool
    limits : (float, float)
    missing, under, over : str
        Colors of segments without a value and beyond the limits.
    legend : Legend or None
    reason : str
        One sentence on why not what was asked for is shown; empty where it is.
    classes : (n_segment,) int32 or None
        Of the schedule player: 0 waiting, 1 candidate, 2 taken now, 3 done.
    selection, hovered : int or None
    markers : tuple of Marker
    links : tuple of Link
    spines : DrawnSpines or None
        Of a trial of the spike lab, or of the experiment.
    synapses : SynapseMap or None
        Of the hidden neuron whose weights are shown.
    asked : str
        What the person is to click next; empty where nothing is asked.
    theme : str
    """

    cell: Cell | None
    values: Float32Array
    table: ColorTable
    categorical: bool
    limits: tuple[float, float]
    missing: str
    under: str
    over: str
    legend: Legend | None
    reason: str
    classes: IntArray | None
    selection: int | None
    hovered: int | None
    markers: tuple[Marker, ...]
    links: tuple[Link, ...]
    spines: DrawnSpines | None
    synapses: SynapseMap | None
    asked: str
    theme: ThemeName


@dataclass(frozen=True, eq=False)
class _Coloring:
    values: np.ndarray
    table: ColorTable
    legend: Legend
    categorical: bool = False
    limits: tuple[float, float] = (0.0, 1.0)
    faint: bool = False  # segments without a value step back


def resolve(state: AppState) -> CellScene:
    """The scene of a state; where data are missing it says so and falls back to type colors."""
    cell, theme = state.cell, state.theme
    if cell is None:
        none = np.zeros(0, np.float32)
        return _scene(state, _Coloring(none, np.zeros((1, 3), np.uint8), Legend("")), NOTHING_OPEN)
    coloring = _color(state, cell)
    if isinstance(coloring, str):
        return _scene(state, _by_type(cell, theme), coloring)
    return _scene(state, coloring, "")


def _color(state: AppState, cell: Cell) -> _Coloring | str:
    """Values and colors of what is asked for, or one sentence on why there are none."""
    theme = state.theme
    match state.color_by:
        case "type":
            return _by_type(cell, theme)
        case "depth":
            return _by_depth(cell.trees[state.nodes], theme)
        case "distance":
            return _by_distance(cell, theme)
        case "thread":
            return _by_thread(state.schedule, cell.trees[state.nodes], theme)
        case "step":
            return _by_step(state.schedule, cell.trees[state.nodes], theme)
        case "voltage":
            return _by_voltage(state, cell)
        case "weight":
            return _by_weight(state)


def _scene(state: AppState, coloring: _Coloring, reason: str) -> CellScene:
    theme = THEMES[state.theme]
    n = state.cell.n_segment if state.cell is not None else 0
    dark, lab = state.theme == "dark", state.perspective == "spike_lab"
    quiet = lab or state.perspective == "training"  # neither runs the experiment

    def valid(segment: int | None) -> int | None:
        return segment if segment is not None and 0 <= segment < n else None

    return CellScene(
        cell=state.cell,
        values=np.ascontiguousarray(coloring.values, np.float32),
        table=coloring.table,
        categorical=coloring.categorical,
        limits=coloring.limits,
        missing=hex_color(mix(rgb(theme.canvas), rgb(theme.muted), 0.3 if coloring.faint else 0.6)),
        under="#7d86d9" if dark else "#1b1464",
        over="#ff5d73" if dark else "#c2185b",
        legend=coloring.legend if state.cell is not None else None,
        reason=reason,
        classes=_classes(state),
        selection=valid(state.selection),
        hovered=valid(state.hovered),
        markers=() if quiet else markers_of(state),
        links=links_of(state.cell, state.experiment, state.theme)
        if state.cell and not quiet
        else (),
        spines=_spines(state),
        synapses=synapses_of(state),
        asked=prompt(state.picking) if state.picking is not None else "",
        theme=state.theme,
    )


def _spines(state: AppState) -> DrawnSpines | None:
    """In the spike lab those of the preview, elsewhere those of the experiment."""
    cell, experiment, preview = state.cell, state.experiment, state.lab_preview
    if cell is None or state.perspective == "training":
        return None
    if state.perspective == "spike_lab":
        return preview.drawn if preview is not None and state.lab_study is not None else None
    return None if experiment is None else spines_of(cell.sections, experiment)


def _by_type(cell: Cell, theme: ThemeName) -> _Coloring:
    tree = cell.trees["neuron"]
    ground = rgb(THEMES[theme].canvas)
    tags, values = np.unique(tree.tag[tree.node_of_segment], return_inverse=True)
    table = np.stack([readable(rgb(type_color(int(t))), ground, 2.2) for t in tags])
    entries = [(type_name(int(t)), hex_color(c)) for t, c in zip(tags, table, strict=True)]
    shown = entries[: 2 * MAX_ENTRIES]
    note = f"and {len(entries) - len(shown)} more" if len(entries) > len(shown) else ""
    return _Coloring(values, table, Legend("Type", entries=tuple(shown), note=note), True)


@lru_cache(maxsize=2)
def _depth(tree: CompartmentTree) -> IntArray:
    return depths(tree.parent)


def _by_depth(tree: CompartmentTree, theme: ThemeName) -> _Coloring:
    values = _depth(tree)[tree.node_of_segment]
    return _bar(values, (0, max(int(_depth(tree).max()), 1)), "Depth", "compartments", theme)


def _by_distance(cell: Cell, theme: ThemeName) -> _Coloring:
    far = np.isfinite(cell.distance)
    values = np.where(far, cell.distance, MISSING)
    limit = float(cell.distance[far].max()) if far.any() else 1.0
    return _bar(values, (0.0, max(limit, 1e-3)), "Path distance", "µm", theme)


def _bar(
    values: np.ndarray, limits: tuple[float, float], title: str, unit: str, theme: ThemeName
) -> _Coloring:
    legend = Legend(title, unit, limits=limits, ticks=nice_ticks(*limits, n=5))
    return _Coloring(values, map_for(theme), legend, limits=limits)


def _unfit(schedule: Schedule | None, tree: CompartmentTree) -> str:
    if schedule is None:
        return "There is no schedule yet: choose a method in the Schedule perspective"
    if schedule.n_comp != tree.n_comp:
        return "The schedule was made for other compartments; make it again"
    return ""


def _by_thread(
    schedule: Schedule | None, tree: CompartmentTree, theme: ThemeName
) -> _Coloring | str:
    if (why := _unfit(schedule, tree)) or schedule is None:
        return why
    thread = schedule.thread[tree.node_of_segment]
    k = max(int(schedule.thread.max(initial=0)) + 1, 1)
    ground = rgb(THEMES[theme].canvas)
    table = _readable_threads(schedule.n_threads if k <= schedule.n_threads else k, ground)
    values = np.where(thread >= 0, thread, MISSING)
    limits = (0.0, float(len(table)))
    if len(table) <= MAX_ENTRIES:
        entries = [(f"thread {i}", hex_color(c)) for i, c in enumerate(table)]
        legend = Legend("Thread", entries=tuple(entries))
    else:
        ticks = tuple(t for t in nice_ticks(0, len(table) - 1) if t == int(t))
        note = f"{len(table)} threads"
        legend = Legend("Thread", limits=limits, ticks=ticks, strip=True, note=note)
    return _Coloring(values, table, legend, True, limits)


@lru_cache(maxsize=8)
def _readable_threads(k: int, ground: tuple[int, int, int]) -> ColorTable:
    return np.stack([readable(c, ground, 2.0) for c in thread_colors(k)])


def _by_step(schedule: Schedule | None, tree: CompartmentTree, theme: ThemeName) -> _Coloring | str:
    if (why := _unfit(schedule, tree)) or schedule is None:
        return why
    step = schedule.step[tree.node_of_segment] + 1
    values = np.where(step > 0, step, MISSING)
    return _bar(values, (1, max(schedule.n_step, 2)), "Step", "", theme)


def voltage_of_segments(state: AppState) -> Float32Array | str:
    """(n_segment,) mV of the shown run: its newest frame while it runs, else the one nearest to
    the state's time; or one sentence on why there is none."""
    run, cell = shown_run(state), state.cell
    if run is None or cell is None:
        return "Run the cell to see its voltage"
    recording = run.recording
    if not len(recording.frame_time):
        return "The run has not reached its first picture yet"
    segment, node_of_segment = nodes_of_run(cell, recording.origin)
    if not np.array_equal(segment, recording.segment):
        return "This run was made with other compartments; run the cell again"
    if run.state == "running":
        frame = len(recording.frame_time) - 1
    else:
        frame = int(np.argmin(np.abs(recording.frame_time - state.time)))
    return recording.frames[frame][node_of_segment]


def _by_voltage(state: AppState, cell: Cell) -> _Coloring | str:
    values = voltage_of_segments(state)
    if isinstance(values, str):
        return values
    run = shown_run(state)
    rest = run.experiment.v_init if run is not None else None
    limits = state.voltage_limits
    ticks = nice_ticks(*limits, n=7)
    legend = Legend("Voltage", "mV", limits=limits, ticks=ticks, rest=rest)
    return _Coloring(values, map_for(state.theme), legend, limits=limits)


def _by_weight(state: AppState) -> _Coloring | str:
    drawn = weight_colors(state)
    if isinstance(drawn, str):
        return drawn
    values = np.where(np.isnan(drawn.values), MISSING, drawn.values)
    limits = (-drawn.limit, drawn.limit)
    ticks = nice_ticks(*limits, n=5)
    legend = Legend(drawn.title, limits=limits, ticks=ticks, note=drawn.note, pointed=True)
    return _Coloring(values, diverging_map(state.theme), legend, limits=limits, faint=True)


def _classes(state: AppState) -> IntArray | None:
    """Classes of the schedule player, once it has left its start in the Schedule perspective."""
    cell, schedule = state.cell, state.schedule
    if cell is None or schedule is None or state.color_by not in ("thread", "step"):
        return None
    if state.perspective != "schedule" or (state.step == 0 and state.playing != "schedule"):
        return None
    tree = cell.trees[state.nodes]
    if schedule.n_comp != tree.n_comp:
        return None
    return step_classes(schedule, state.step)[tree.node_of_segment].astype(np.int32)


def describe(state: AppState, segment: int) -> tuple[str, ...]:
    """Lines of the card of a segment: its name first, then what is known of it."""
    cell = state.cell
    if cell is None or not 0 <= segment < cell.n_segment:
        return ()
    tree = cell.trees["neuron"]
    node = tree.node_of_segment[segment]
    lines = [place(cell.site(segment))]
    shape = f"{_number(tree.length[node])} µm long · Ø {_number(tree.diameter[node])} µm"
    lines.append(f"{type_name(int(tree.tag[node]))} · {shape}")
    if np.isfinite(cell.distance[segment]):
        lines.append(f"{cell.distance[segment]:.0f} µm from the soma")
    here = cell.trees[state.nodes]
    own = int(here.node_of_segment[segment])
    line = f"node {own}"
    if state.schedule is not None and state.schedule.n_comp == here.n_comp:
        if (step := int(state.schedule.step[own]) + 1) > 0:
            line += f" · thread {state.schedule.thread[own]} · step {step}"
        else:
            line += " · root: solved last, by no thread"
    lines.append(line)
    lines += synapse_lines(state, segment)
    if not isinstance(voltage := voltage_of_segments(state), str):
        lines.append(f"{voltage[segment]:.1f} mV".replace("-", "−"))
    return tuple(lines)


def _number(value: float) -> str:
    """Two to three digits: 0.83, 12.4, 143."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def done_color(theme: ThemeName) -> str:
    """Gray of compartments that the schedule player has done."""
    colors = THEMES[theme]
    return hex_color(mix(rgb(colors.canvas), rgb(colors.muted), 0.42))


def nice_step(span: float, n: int) -> float:
    """The 1, 2 or 5 times a power of ten that cuts a span into at most about n parts."""
    raw = span / max(n, 1)
    power = 10.0 ** np.floor(np.log10(raw))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9)))


def round_below(value: float) -> float:
    """The greatest 1, 2 or 5 times a power of ten that is not above a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(m * power for m in (1, 2, 5) if m * power <= value * (1 + 1e-9)))


def nice_ticks(low: float, high: float, n: int = 4) -> tuple[float, ...]:
    """Round numbers from low to high."""
    if not high > low:
        return (low,)
    step = nice_step(high - low, n)
    first = np.ceil(low / step - 1e-9)
    return tuple(float(i * step) + 0.0 for i in np.arange(first, np.floor(high / step + 1e-9) + 1))
