"""Ions: their style by NEURON's rules, Nernst's potential, mechanisms that set concentrations."""

import numpy as np
import pytest

from engine.errors import UserError
from engine.mechanisms import parse
from engine.mechanisms.ions import IonStyle, ion_mechanism, ion_style, starting_value
from engine.mechanisms.model import KERNELS
from tests.engine.mechanisms.harness import Cell, run_numba, run_reference, run_shim, shim_library

POOL = """
NEURON { SUFFIX pool USEION ca READ ica WRITE cai RANGE depth }
PARAMETER { depth = 0.1 (um) tau = 80 (ms) rest = 1e-4 (mM) }
ASSIGNED { ica (mA/cm2) }
STATE { cai (mM) }
BREAKPOINT { SOLVE states METHOD cnexp }
DERIVATIVE states { cai' = -1e4 * ica / (2 * 96485 * depth) - (cai - rest) / tau }
"""
CHANNEL = """
NEURON { SUFFIX channel USEION ca READ eca WRITE ica }
ASSIGNED { v eca ica }
BREAKPOINT { ica = 1e-5 * (v - eca) }
"""
READER = """
NEURON { SUFFIX reader USEION ca READ cai NONSPECIFIC_CURRENT i }
ASSIGNED { v cai i }
BREAKPOINT { i = 1e-5 * cai * v }
"""
OTHER = """
NEURON { SUFFIX other USEION q READ eq, qi WRITE iq VALENCE 3 }
ASSIGNED { v eq qi iq }
BREAKPOINT { iq = 1e-5 * (v - eq) * qi }
"""
pool, channel = parse(POOL, "pool.mod"), parse(CHANNEL, "channel.mod")
reader, other = parse(READER, "reader.mod"), parse(OTHER, "other.mod")


@pytest.mark.parametrize(
    ("mechanisms", "ion", "style"),
    [  # NEURON 9: h.ion_style gives 0o10, 0o61, 0o367, 0o367, 0o61 in octal
        ([channel], "ca", ("unused", False, False)),
        ([channel, reader], "ca", ("fixed", True, False)),
        ([pool], "ca", ("state", True, True)),
        ([pool, channel, reader], "ca", ("state", True, True)),
        ([other], "q", ("fixed", True, False)),
    ],
)
def test_styles_are_neurons(mechanisms, ion, style):
    found = ion_style(ion, mechanisms)
    assert (found.concentration, found.computed, found.follows) == style
    assert found.valence == {"ca": 2.0, "q": 3.0}[ion]


def test_valences_must_agree_and_be_known():
    wrong = parse(CHANNEL.replace("ica }", "ica VALENCE 1 }", 1), "wrong.mod")
    with pytest.raises(UserError, match="'channel' gives ion 'ca' another valence"):
        ion_style("ca", [wrong, pool])
    unknown = parse(OTHER.replace("VALENCE 3", ""), "unknown.mod")
    with pytest.raises(UserError, match=r"valence of ion 'q'.*add VALENCE"):
        ion_style("q", [unknown])


def test_nernst_is_neurons(h):
    """NEURON's nernst(), and where a concentration is not positive."""
    h.celsius = 6.3
    pairs = [(5e-5, 2.0), (1e-4, 2.0), (2.0, 2.0), (0.0, 2.0), (1.0, 0.0), (3.0, -1.0)]
    for valence in (1.0, 2.0, -1.0):
        mechanism = ion_mechanism(IonStyle("ca", valence, "state", True, True))
        cell = Cell(mechanism, np.arange(len(pairs)), len(pairs))
        cell.arrays["cai"][:], cell.arrays["cao"][:] = np.transpose(pairs)
        found = run_numba(cell, "initialize").arrays["eca"]
        np.testing.assert_array_equal(run_numba(cell, "current").arrays["eca"], found)
        expected = [h.nernst(inside, outside, valence) for inside, outside in pairs]
        np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_starting_values_are_neurons(h):
    section = h.Section()
    section.insert("hh")
    assert section(0.5).ena == starting_value("ena", "na")
    assert section(0.5).ek == starting_value("ek", "k")
    for ion in ("na", "k"):
        for side in "io":
            here = getattr(h, f"{ion}{side}0_{ion}_ion")
            assert here == starting_value(f"{ion}{side}", ion)
    assert (starting_value("eq", "q"), starting_value("qo", "q")) == (0.0, 1.0)


def test_a_pool_owns_no_array_of_its_concentration():
    assert pool.writes_concentration
    assert not channel.writes_concentration
    assert pool.states == ()
    assert pool.ion_sets == ("cai",)
    assert pool.initialize.stores == ()  # NEURON leaves it at the ion's value


@pytest.mark.parametrize("node", [np.arange(6), np.array([0, 2, 5])])
@pytest.mark.parametrize("n_instance", [1, 2])
def test_a_pool_decays_and_fills(tmp_path, node, n_instance):
    cell = Cell(pool, node, 6, n_instance)
    cell.arrays["cai"][:] = 3e-4
    cell.arrays["ica"][:] = -1e-3
    library = shim_library(pool, tmp_path)
    for which in KERNELS:
        expected = run_reference(cell, which)
        for run in (run_numba(cell, which), run_shim(library, cell, which)):
            for key in expected.arrays:
                np.testing.assert_allclose(run.arrays[key], expected.arrays[key], rtol=1e-14)
        cell = expected
    here = np.zeros((6, n_instance), bool)
    here[node] = True
    assert (cell.arrays["cai"].reshape(here.shape)[~here] == 3e-4).all()
    inflow, rate = 1e4 * 1e-3 / (2 * 96485 * 0.1), 1 / 80
    target = (inflow + 1e-4 * rate) / rate
    after = 3e-4 + (1 - np.exp(-0.025 * rate)) * (target - 3e-4)
    np.testing.assert_allclose(cell.arrays["cai"].reshape(here.shape)[here], after, rtol=1e-12)


def test_a_current_that_is_read_is_the_sum_and_its_own_where_it_is_only_written():
    text = """
    NEURON { SUFFIX pump USEION ca READ ica WRITE ica, cai USEION k WRITE ik }
    ASSIGNED { v ica ik }
    STATE { cai  x }
    BREAKPOINT { SOLVE s METHOD cnexp  ica = 1e-3 * v  ik = 1e-4 * v }
    DERIVATIVE s { cai' = -ica  x' = ik }
    """
    mechanism = parse(text, "pump.mod")
    assert [variable.name for variable in mechanism.assigned] == ["own_ik"]
    cell = Cell(mechanism, np.arange(2), 2)
    cell.arrays["voltage"][:] = -10.0
    cell.arrays["ica"][:] = 5.0  # what other mechanisms have added
    cell.arrays["ik"][:] = 7.0
    cell = run_numba(run_numba(cell, "current"), "advance")
    np.testing.assert_allclose(cell.arrays["ica"], 5.0 - 1e-2, rtol=1e-15)
    np.testing.assert_allclose(cell.arrays["cai"], -0.025 * (5.0 - 1e-2), rtol=1e-14)
    np.testing.assert_allclose(cell.arrays["x"], -0.025 * 1e-3, rtol=1e-14)


def test_a_parameter_that_a_block_changes_lives_per_point():
    text = """
    NEURON { SUFFIX changed NONSPECIFIC_CURRENT i RANGE tau, other }
    PARAMETER { tau = 5 other = 2 }
    ASSIGNED { v i }
    INITIAL { if (tau > other) { tau = other } }
    BREAKPOINT { i = tau * v }
    """
    cell = Cell(parse(text, "changed.mod"), np.arange(2), 2)
    cell.arrays["tau"][:] = [5.0, 1.0]
    cell.arrays["voltage"][:] = 1.0
    cell = run_numba(run_numba(cell, "initialize"), "current")
    np.testing.assert_array_equal(cell.arrays["tau"], [5.0, 1.0])
    np.testing.assert_array_equal(cell.arrays["i_membrane"], [2.0, 1.0])
