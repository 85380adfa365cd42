"""Step counts of the paper's cells, published or counted independently on NEURON's trees."""

import csv

import numpy as np
import pytest

from engine.compartments import path_distance
from engine.discretize import Rule, discretize
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections, stub_axon
from engine.schedule import check, make_schedule
from tests.engine.schedule.neuron_trees import ca1, ca3b, purkinje

DHS_THREADS = (1, 2, 4, 8, 16, 32, 64)


@pytest.fixture(scope="module")
def ca1_tree(h, data_dir):
    return ca1(h, data_dir)


@pytest.fixture(scope="module")
def purkinje_tree(h, data_dir):
    return purkinje(h, data_dir)


def tree_of(path, stub=False):
    sections = make_sections(read_morphology(path))
    if stub:
        sections = stub_axon(sections)
    return discretize(sections, Rule("max_length", 40), nodes="neuron")


@pytest.fixture(scope="module")
def human_tree(data_dir):
    name = "human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC"
    return tree_of(data_dir / "morphologies/paper" / name, stub=True)


def twice(parent):
    return np.concatenate([parent, np.where(parent < 0, -1, parent + len(parent))])


def counts(parent, method="dhs", threads=DHS_THREADS):
    schedules = [make_schedule(parent, method, k) for k in threads]
    for schedule in schedules:
        check(schedule)
    return [schedule.n_step for schedule in schedules]


def test_ca1_takes_as_many_steps_as_published(ca1_tree):
    assert len(ca1_tree) == 1414
    assert counts(ca1_tree) == [1413, 707, 354, 180, 108, 108, 108]


def test_ca1_takes_the_same_nodes_in_every_step_as_the_authors_program(ca1_tree, data_dir):
    path = data_dir / "datasets/deepdendrite_reference/ca1_dhs16_step_sizes.csv"
    with path.open() as file:
        published = [int(row["nodes_per_cell"]) for row in csv.DictReader(file)]
    schedule = make_schedule(ca1_tree, "dhs", 16)
    assert schedule.width[::-1].tolist() == published[1:]  # the file begins at the root


def test_ca1_by_the_other_methods(ca1_tree):
    assert counts(ca1_tree, "depth_levels", (16, 32)) == [147, 120]
    assert counts(ca1_tree, "permute2", (32,)) == [110]
    assert counts(twice(ca1_tree), "permute2", (32,)) == [128]
    assert counts(ca1_tree, "branches", (16,)) == [1381]


def test_ca3b(h, data_dir):
    parent = ca3b(h, data_dir)
    assert len(parent) == 1079
    assert counts(parent) == [1078, 540, 271, 137, 71, 66, 66]


def test_purkinje(purkinje_tree):
    assert len(purkinje_tree) == 3223
    assert counts(purkinje_tree) == [3222, 1612, 810, 412, 214, 119, 94]
    assert counts(purkinje_tree, "depth_levels", (16, 32)) == [254, 154]
    assert counts(purkinje_tree, "permute2", (32,)) == [125]
    assert counts(twice(purkinje_tree), "permute2", (32,)) == [215]
    assert counts(purkinje_tree, "branches", (16,)) == [3200]


def test_l5b(data_dir):
    tree = tree_of(data_dir / "morphologies/paper/L5bPC_hay2011_cell1.asc", stub=True)
    assert tree.n_comp == 839
    assert counts(tree) == [838, 420, 211, 106, 83, 83, 83]
    assert counts(tree, "depth_levels", (16, 32)) == [101, 87]
    assert counts(tree, "permute2", (32,)) == [84]
    assert counts(twice(tree.parent), "permute2", (32,)) == [93]
    assert counts(tree, "branches", (16,)) == [487]


def test_human(human_tree):
    assert human_tree.n_comp == 1263
    assert counts(human_tree) == [1262, 632, 317, 159, 81, 81, 81]
    assert counts(human_tree, "depth_levels", (16, 32)) == [133, 97]
    assert counts(human_tree, "permute2", (32,)) == [88]
    assert counts(twice(human_tree.parent), "permute2", (32,)) == [113]
    assert counts(human_tree, "branches", (16,)) == [653]


def test_spn(data_dir):
    """With the axon as reconstructed there is one node more than published, on a short branch."""
    name = "SPN_lindroos2018_latest_WT-P270-20-14ak.swc"
    tree = tree_of(data_dir / "morphologies/paper" / name)
    assert tree.n_comp == 269
    assert counts(tree) == [268, 135, 68, 35, 21, 21, 21]
    assert counts(tree, "depth_levels", (16, 32)) == [27, 21]
    assert counts(tree, "permute2", (32,)) == [21]
    assert counts(tree, "branches", (16,)) == [95]


def test_human_full_spine(human_tree):
    """1.3 spines per µm, rounded down, on every dendritic segment more than 60 µm from the soma.

    A spine is a neck and a head of one segment each: four nodes.
    """
    tree = human_tree
    spiny = (path_distance(tree) > 60) & np.isin(tree.tag, (Tag.BASAL, Tag.APICAL))
    n_spine = np.where(spiny, np.floor(1.3 * tree.length), 0).astype(int)
    assert n_spine.sum() == 24_994
    shaft = np.repeat(np.arange(tree.n_comp), n_spine)
    first = tree.n_comp + 4 * np.arange(shaft.size)
    spines = np.stack([shaft, first, first + 1, first + 2], axis=1)
    parent = np.concatenate([tree.parent, spines.ravel()])
    assert len(parent) == 101_239
    assert counts(parent) == [101_238, 50_620, 25_311, 12_656, 6_330, 3_168, 1_587]
    assert counts(parent, "dhs", (128, 256, 512, 1024)) == [796, 401, 205, 107]
    assert counts(parent, "depth_levels", (16, 32)) == [6_367, 3_205]
    assert counts(parent, "branches", (16,)) == [56_305]
