"""One cell on several cores: a cut of the tree that is balanced, and the bits of one core."""

import os
import subprocess
import sys

import numpy as np
import pytest

from engine.backends.cpu import CpuRun
from engine.backends.layout import level_order, part_order
from engine.backends.pace import RETRY, Pace
from engine.benchmarks.trees import write_tree
from engine.discretize import Rule
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build
from engine.stimuli import CurrentClamp, Site

SOMA = Site("soma[0]")
RUN = """
import sys
from engine.backends.cpu import CpuRun
from engine.discretize import Rule
from engine.experiment import Experiment
from engine.model import build
run = CpuRun(build(Experiment(sys.argv[1], rule=Rule("fixed", 5), duration=1.0)), 2)
run.initialize()
hits = run._code.advance.stats.cache_hits
print(run.structure.cores, len(run.advance(5).time), sum(hits.values()))
"""


@pytest.fixture(scope="module")
def swc(tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "tree.swc"
    write_tree(path, 300)
    return path


@pytest.fixture(params=[("pas",), ("hh",), ("hh", "pas")], ids="+".join)
def experiment(request, swc):
    regions = ("dendrite", "soma") if len(request.param) > 1 else ("all",)
    return Experiment(
        str(swc),
        rule=Rule("fixed", 5),
        insertions=tuple(map(Insertion, request.param, regions)),
        stimuli=(CurrentClamp(SOMA, 0.2, 5.0, 8.0), CurrentClamp(Site("dend[40]"), 1.0, 2.0, 0.5)),
        probes=(Probe(SOMA), Probe(Site("dend[111]"))),
        duration=5.0,
    )


@pytest.mark.parametrize("cores", [2, 3])
def test_the_bits_are_those_of_one_core(experiment, cores):
    model = build(experiment)
    one, many = CpuRun(model), CpuRun(model, cores)
    assert len(many.layout.start) == cores + 1
    assert many.structure.cores
    for first, second in (
        (one.initialize(), many.initialize()),
        (one.advance(100), many.advance(100)),
        (one.advance(13), many.advance(13)),
    ):
        np.testing.assert_array_equal(second.traces, first.traces)
        np.testing.assert_array_equal(second.frames, first.frames)
        np.testing.assert_array_equal(second.spikes, first.spikes)
    np.testing.assert_array_equal(many.voltage, one.voltage)


def test_nan_ends_the_samples(experiment):
    run = CpuRun(build(experiment), 2)
    run.initialize()
    run.advance(3)
    run._arrays["v"][run.layout.start[1] + 5] = np.nan
    samples = run.advance(5)
    assert samples.bad is not None
    assert len(samples.time) == 0


@pytest.mark.parametrize("n_part", [2, 4])
def test_parts_are_subtrees_of_equal_size_with_a_small_trunk(swc, n_part):
    parent = build(Experiment(str(swc), rule=Rule("fixed", 5))).tree.parent
    layout = part_order(parent, n_part)
    assert layout is not None
    sizes = np.diff(layout.start)
    assert sizes.max() + layout.start[0] <= (1 / n_part + 0.15) * len(parent)
    np.testing.assert_array_equal(layout.order[layout.place], np.arange(len(parent)))
    part = np.searchsorted(layout.start, np.arange(len(parent)), side="right")
    inner = np.arange(layout.n_root, len(parent))
    above = layout.parent[inner]
    assert (above < inner).all()
    assert ((part[above] == part[inner]) | (part[above] == 0)).all()
    np.testing.assert_array_equal(np.sort(layout.joint), inner[part[above] == 0])


def test_a_cable_is_not_cut():
    cable = np.arange(-1, 999, dtype=np.int32)
    assert part_order(cable, 2) is None
    assert len(level_order(cable).start) == 2


def test_a_later_process_runs_the_compiled_loop(swc, tmp_path):
    own = {"DENDVIEW_CACHE": str(tmp_path / "a"), "NUMBA_CACHE_DIR": str(tmp_path / "b")}
    command = [sys.executable, "-c", RUN, str(swc)]
    said = [
        subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [s.stdout.split() for s in said] == [["True", "5", "0"], ["True", "5", "1"]]


def test_the_faster_number_of_threads_is_taken_and_the_other_tried_again():
    pace = Pace((2, 1))
    taken = []
    for _ in range(3 * RETRY):
        taken.append(pace.choose())
        pace.note(taken[-1], {2: 3.0, 1: 1.0}[taken[-1]])
    assert taken[:2] == [2, 1]
    assert taken.count(2) == 1 + 3
    for _ in range(2 * RETRY):
        choice = pace.choose()
        pace.note(choice, {2: 0.5, 1: 1.0}[choice])
    assert pace.choose() == 2
