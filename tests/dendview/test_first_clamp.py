"""A new clamp is strong enough for the cell it is put on."""

from dataclasses import replace

import numpy as np
import pytest

from dendview.attaching import MOST
from dendview.controllers.experiment import ExperimentController
from dendview.controllers.files import FilesController
from dendview.controllers.selection import soma_segment
from dendview.first_clamp import FRIENDLY, amplitude_at, friendly
from dendview.state import AppState
from engine.model import build
from engine.morphology.samples import PREFIX, SAMPLES
from engine.recipes import RECIPES
from engine.recording import collect
from engine.resistance import steady_conductance, transfer_resistance
from engine.simulation import simulate
from engine.stimuli import Site


def opened(name):
    state = AppState()
    files = FilesController(state)
    files.show(files.load(f"{PREFIX}{name}"))
    return state


@pytest.mark.parametrize("name", SAMPLES)
def test_the_first_run_of_every_sample_cell_has_spikes(name):
    state = opened(name)
    controller = ExperimentController(state)
    assert controller.add_clamp(soma_segment(state.cell))
    (clamp,) = state.experiment.stimuli
    experiment = replace(state.experiment, frame_interval=state.experiment.duration)
    model = build(experiment, cell=state.cell.morphology)
    spikes = collect(model, simulate(model, "cpu")).spikes[:, 1]
    assert len(spikes) >= 1
    assert clamp.delay < spikes[0] < clamp.delay + clamp.duration


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_published_membranes_fire_and_come_back_to_rest(name):
    state = opened(name)
    controller = ExperimentController(state)
    assert controller.put_membrane(name)
    assert controller.add_clamp(soma_segment(state.cell))
    experiment = replace(state.experiment, frame_interval=state.experiment.duration)
    model = build(experiment, cell=state.cell.morphology)
    recording = collect(model, simulate(model, "cpu"))
    assert len(recording.spikes) >= 1
    assert abs(recording.values[0, 0, -1] - experiment.v_init) < 15


def test_a_thin_branch_is_not_asked_for_what_it_cannot_do():
    state = opened("human_l23")
    cell, experiment = state.cell, state.experiment
    tree = cell.trees["neuron"]
    far = int(np.argmax(cell.distance))
    soma, tip = (amplitude_at(experiment, cell, s) for s in (soma_segment(cell), far))
    node = int(tree.node_of_segment[far])
    own = transfer_resistance(tree, steady_conductance(experiment, tree), node)[node]
    assert tip < soma
    assert tip * own <= MOST * 1.34  # rounding up is by a third at most
    counted = replace(experiment, spike_site=Site(cell.site(far).section))
    assert amplitude_at(counted, cell, far) < tip  # where spikes are counted there, less will do


@pytest.mark.parametrize("value", [1e-4, 0.0299, 0.03, 0.31, 0.999, 1.0, 1.01, 7.3, 99.0])
def test_friendly_numbers_are_round_and_not_below(value):
    found = friendly(value)
    assert value * (1 - 1e-6) <= found <= value * 1.34
    digits = found / 10.0 ** np.floor(np.log10(found) + 1e-9)
    assert any(abs(digits - d) < 1e-9 for d in FRIENDLY)
