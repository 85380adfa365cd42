"""The scene of a state: what is shown, and one sentence where it cannot be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dendview.scene import (
    MISSING,
    describe,
    nice_ticks,
    resolve,
    round_below,
    voltage_of_segments,
)
from dendview.state import AppState, Run
from engine.discretize import Rule
from engine.experiment import Experiment, Probe
from engine.model import build
from engine.recording import Recording
from engine.schedule import make_schedule
from engine.stimuli import CurrentClamp, Site
from tests.dendview.made_cells import y_cell
from tests.dendview.small_cell import small_cell, small_experiment, small_morphology


def recording(cell, times=(0.0, 1.0, 2.0), n_comp=None):
    n = n_comp or cell.trees["merged"].n_comp
    frames = np.array([np.full(n, -65.0 + 10 * i) + np.arange(n) for i in range(len(times))])
    return Recording(
        time=np.array(times),
        values=np.zeros((0, 1, len(times))),
        labels=(),
        units=(),
        frame_time=np.array(times),
        frames=frames.astype(np.float32),
        spikes=np.zeros((0, 2)),
        segment=np.arange(n, dtype=np.int32),
        origin=Experiment("made"),
        complete=True,
    )


@pytest.fixture
def state():
    cell = y_cell()
    schedule = make_schedule(cell.trees["neuron"], "dhs", 4)
    return AppState(cell=cell, schedule=schedule, experiment=Experiment("made"))


def test_nothing_open_says_what_to_do():
    scene = resolve(AppState())
    assert scene.cell is None
    assert scene.reason == "Open a morphology or pick a sample"


def test_types_are_classes_named_in_the_legend(state):
    scene = resolve(state)
    assert scene.categorical
    assert not scene.reason
    names = [name for name, _ in scene.legend.entries]
    assert names == ["soma", "basal dendrite", "apical dendrite"]
    tags = state.cell.trees["neuron"].tag
    np.testing.assert_array_equal(np.array([1, 3, 4])[scene.values.astype(int)], tags)


@pytest.mark.parametrize("color_by", ["type", "depth", "distance", "thread", "step", "voltage"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_coloring_has_a_value_a_table_and_a_legend(state, color_by, theme):
    state.runs = (Run(1, Experiment("made"), recording(state.cell), "done"),)
    state.shown_run = 1
    state.theme, state.color_by = theme, color_by
    scene = resolve(state)
    assert scene.reason == ""
    assert scene.legend is not None
    assert scene.values.shape == (state.cell.n_segment,)
    assert scene.values.dtype == np.float32
    shown = scene.values[scene.values != MISSING]
    assert len(shown) >= state.cell.n_segment - 1  # the root has no thread and no step
    if scene.categorical:
        assert shown.max() < len(scene.table)
    else:
        low, high = scene.limits
        assert low < high
        assert len(scene.legend.ticks) >= 2


@pytest.mark.parametrize(
    ("color_by", "sentence"), [("thread", "schedule"), ("step", "schedule"), ("voltage", "Run the")]
)
def test_missing_data_are_said_and_types_are_shown(state, color_by, sentence):
    state.schedule = None
    state.color_by = color_by
    scene = resolve(state)
    assert sentence in scene.reason
    assert scene.legend.title == "Type"


def test_a_schedule_of_other_compartments_is_not_drawn(state):
    state.schedule = make_schedule(np.array([-1, 0, 1], np.int32), "dhs", 2)
    state.color_by = "thread"
    assert "other compartments" in resolve(state).reason


def test_threads_and_steps_are_those_of_the_schedule(state):
    tree = state.cell.trees["neuron"]
    for color_by, of_node in (("thread", state.schedule.thread), ("step", state.schedule.step + 1)):
        state.color_by = color_by
        values = resolve(state).values
        taken = tree.parent[tree.node_of_segment] >= 0
        np.testing.assert_array_equal(values[taken], of_node[tree.node_of_segment][taken])
        assert np.all(values[~taken] == MISSING)


def test_many_threads_become_a_strip(state):
    state.schedule = make_schedule(state.cell.trees["neuron"], "dhs", 32)
    state.color_by = "thread"
    scene = resolve(state)
    assert scene.legend.strip
    assert len(scene.table) == 32
    assert not scene.legend.entries


def test_voltage_is_the_frame_nearest_to_the_time(state):
    state.color_by, state.shown_run = "voltage", 1
    state.runs = (Run(1, Experiment("made"), recording(state.cell), "done"),)
    for time, first in ((0.0, -65), (0.6, -55), (99.0, -45)):
        state.time = time
        scene = resolve(state)
        assert scene.values[0] == first
        assert scene.limits == state.voltage_limits  # never scaled to the frame
    assert scene.legend.rest == -65.0


def test_a_running_run_shows_its_newest_frame(state):
    state.color_by, state.shown_run, state.time = "voltage", 1, 0.0
    state.runs = (Run(1, Experiment("made"), recording(state.cell), "running"),)
    assert resolve(state).values[0] == -45


def test_a_run_of_other_compartments_is_not_drawn(state):
    state.color_by, state.shown_run = "voltage", 1
    state.runs = (Run(1, Experiment("made"), recording(state.cell, n_comp=5), "done"),)
    assert "other compartments" in resolve(state).reason


def test_player_classes_show_only_once_it_has_started(state):
    state.color_by, state.perspective = "thread", "schedule"
    assert resolve(state).classes is None
    state.step = 2
    classes = resolve(state).classes
    taken = np.flatnonzero(state.schedule.step == 1)
    np.testing.assert_array_equal(np.flatnonzero(classes == 2), taken)
    state.perspective = "explore"
    assert resolve(state).classes is None


def test_markers_stand_where_the_experiment_puts_them(state):
    site = Site("apic[0]", 0.5)
    state.experiment = replace(
        state.experiment,
        stimuli=(CurrentClamp(site), CurrentClamp(Site("gone[3]"))),
        probes=(Probe(Site("soma[0]")),),
    )
    clamp, probe = resolve(state).markers  # the site that is gone is left out
    assert (clamp.kind, clamp.segment, clamp.label) == ("clamp", 3, "0.3 nA")
    assert (probe.kind, probe.segment, probe.label) == ("probe", 0, "soma[0](0.5)")


def test_the_card_says_all_that_is_known(state):
    state.runs, state.shown_run = (Run(1, Experiment("m"), recording(state.cell), "done"),), 1
    lines = describe(state, 3)
    step, thread = state.schedule.step[3] + 1, state.schedule.thread[3]
    assert lines == (
        "apic[0](0.5)",
        "apical dendrite · 40.0 µm long · Ø 4.00 µm",
        "110 µm from the soma",
        f"node 3 · thread {thread} · step {step}",
        "−62.0 mV",
    )
    assert describe(state, 10**6) == ()


def test_a_selection_of_another_cell_is_dropped(state):
    state.selection, state.hovered = 10**6, -1
    scene = resolve(state)
    assert scene.selection is None
    assert scene.hovered is None


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e5))
def test_ticks_are_round_and_within(low, span):
    ticks = nice_ticks(low, low + span)
    assert all(low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in ticks)
    assert 1 <= len(ticks) <= 6


@given(st.floats(1e-6, 1e9))
def test_round_below_is_one_two_or_five(value):
    length = round_below(value)
    assert value / 2.51 <= length <= value * (1 + 1e-8)
    mantissa = length / 10 ** np.floor(np.log10(length) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6


@pytest.mark.parametrize("x", [0.0, 1.0])
def test_a_run_that_keeps_massless_nodes_shows_its_voltage(x):
    """A clamp at an end of a section keeps a node there that the cell's merged tree leaves out."""
    experiment = replace(
        small_experiment(),
        stimuli=tuple(CurrentClamp(Site(s, x)) for s in ("soma[0]", "apic[1]")),
        duration=0.1,
        frame_interval=0.1,
    )
    model = build(experiment, cell=small_morphology())
    cell = small_cell(experiment)
    assert model.tree.n_comp > cell.trees["merged"].n_comp
    frames = np.arange(model.tree.n_comp, dtype=np.float32)[None] * [[1.0], [-1.0]]
    made = replace(
        recording(cell, times=(0.0, 0.1), n_comp=model.tree.n_comp),
        frames=frames.astype(np.float32),
        segment=model.tree.segment,
        origin=experiment,
    )
    run = Run(1, experiment, made, "done")
    state = AppState(cell=cell, experiment=experiment, runs=(run,), shown_run=1, time=0.1)
    np.testing.assert_array_equal(voltage_of_segments(state), -model.tree.node_of_segment)
    other = replace(experiment, rule=Rule("fixed", 9))
    state.cell = small_cell(other)
    assert "other compartments" in voltage_of_segments(state)
