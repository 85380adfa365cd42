"""Methods of SOLVE: against dense algebra, and the same in all three ways to run a mechanism."""

from pathlib import Path

import numpy as np
import pytest

from engine.mechanisms import load_mechanism, parse
from engine.mechanisms.recording import record
from tests.engine.mechanisms.harness import (
    Cell,
    run_numba,
    run_reference,
    run_shim,
    shim_library,
)

FOLDER = Path(__file__).with_name("mod")
FILES = sorted(path.stem for path in FOLDER.glob("*.mod"))
VOLTAGES = np.array([-90.0, -61.0, -33.0, 15.0])


def cell_of(name: str, n_instance: int = 1, kept: tuple[str, ...] = ()) -> Cell:
    n = len(VOLTAGES)
    cell = Cell(record(load_mechanism(FOLDER / f"{name}.mod"), kept), np.arange(n), n, n_instance)
    cell.arrays["voltage"] = np.repeat(VOLTAGES, n_instance)
    for key, value in {"ena": 50.0, "cai": 1e-4, "cao": 2.0, "ica": -3e-3}.items():
        if key in cell.arrays:
            cell.arrays[key][:] = value
    return cell


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("n_instance", [1, 2])
def test_files_three_ways(tmp_path, name, n_instance):
    cell = cell_of(name, n_instance)
    library = shim_library(cell.mechanism, tmp_path)
    for which in ("initialize", "current", "advance", "current", "advance"):
        expected = run_reference(cell, which)
        for found in (run_numba(cell, which), run_shim(library, cell, which)):
            for key in expected.arrays:
                scale = np.abs(expected.arrays[key]).max()
                np.testing.assert_allclose(
                    found.arrays[key], expected.arrays[key], rtol=1e-12, atol=1e-13 * scale,
                    err_msg=f"{which} {key}",
                )  # fmt: skip
        cell = expected


def markov_matrix(v: float) -> np.ndarray:
    on, off = 3.0, 0.4
    a, b = on * np.exp((v + 20) / 25), off * np.exp(-(v + 50) / 30)
    moves = [(0, 1, 3 * a, b), (1, 2, 2 * a, 2 * b), (2, 3, a, 3 * b), (3, 4, off, off / 20)]
    moves.append((4, 0, on * b / (a + b), 1e-4))
    rate = np.zeros((5, 5))
    for here, there, forward, backward in moves:
        rate[there, here] += forward
        rate[here, here] -= forward
        rate[here, there] += backward
        rate[there, there] -= backward
    return rate


def test_a_markov_channel_is_backward_euler_and_starts_at_rest():
    cell = run_numba(cell_of("markov"), "initialize")
    states = np.array([cell.arrays[s.name] for s in cell.mechanism.states])
    for k, v in enumerate(VOLTAGES):
        values, vectors = np.linalg.eig(markov_matrix(v))
        rest = np.real(vectors[:, np.argmin(np.abs(values))])
        np.testing.assert_allclose(states[:, k], rest / rest.sum(), rtol=1e-6, atol=1e-9)
    cell.arrays["voltage"] += 40.0
    after = run_numba(cell, "advance")
    for k, v in enumerate(VOLTAGES + 40.0):
        step = np.linalg.solve(np.eye(5) - 0.025 * markov_matrix(v), states[:, k])
        found = [after.arrays[s.name][k] for s in cell.mechanism.states]
        np.testing.assert_allclose(found, step, rtol=1e-10)
        assert sum(found) == pytest.approx(1.0, abs=1e-14)


def test_a_flux_can_be_read_after_its_reaction():
    cell = run_numba(run_numba(cell_of("markov", kept=("into",)), "initialize"), "advance")
    a, b = 3 * np.exp((VOLTAGES + 20) / 25), 0.4 * np.exp(-(VOLTAGES + 50) / 30)
    expected = a * cell.arrays["c3"] - 3 * b * cell.arrays["o"]
    np.testing.assert_allclose(cell.arrays["into"], expected, rtol=1e-6, atol=1e-12)


def one_step(name: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Arrays before and after a step."""
    cell = run_numba(cell_of(name), "initialize")
    return cell.arrays, run_numba(cell, "advance").arrays


def test_implicit_and_explicit_steps():
    """One step of every method against the equations themselves."""
    inf, dt = 1 / (1 + np.exp(-(VOLTAGES + 40) / 9)), 0.025
    before, after = one_step("pair")
    matrix = np.eye(2) - dt * np.array([[-1 / 4, 0.3], [0.3, -2 / 4]])
    right = np.array([before["x"] + dt * inf / 4, before["b"]])
    np.testing.assert_allclose([after["x"], after["b"]], np.linalg.solve(matrix, right), rtol=1e-13)
    before, after = one_step("implicit")
    z, w = after["z"], after["w"]
    np.testing.assert_allclose(z, before["z"] + dt * (inf - z**3 - 0.3 * z * w), rtol=1e-14)
    np.testing.assert_allclose(w, before["w"] + dt * (z / (1 + w * w) - w), rtol=1e-14)
    before, after = one_step("explicit")
    e1, e2 = before["e1"], before["e2"]
    np.testing.assert_allclose(after["e1"], e1 + dt * (inf - e1 * e2), rtol=1e-15)
    np.testing.assert_allclose(after["e2"], e2 + dt * (e1 - e2), rtol=1e-15)


def test_linear_equations_and_a_while_in_initial():
    cell = run_numba(cell_of("pair"), "initialize")
    matrix = np.array([[1, -0.5, 1, 0], [2, 1, 0, 0], [0, 0, 1, -1], [-0.25, 0, 0, 1]])
    for k, v in enumerate(VOLTAGES):
        x, y, _, _ = np.linalg.solve(matrix, [v / 50, 3, 0, 0])
        assert cell.arrays["x"][k] == pytest.approx(x, rel=1e-13)
        assert cell.arrays["b"][k] == pytest.approx(y, rel=1e-13)
    cell = run_numba(cell_of("implicit", kept=("root", "turns")), "initialize")
    np.testing.assert_allclose(cell.arrays["root"], np.sqrt(VOLTAGES + 100), rtol=1e-15)
    assert (cell.arrays["turns"] > 3).all()
    assert not cell.mechanism.program("advance").stores[0][0].startswith("turns")


def test_shells_keep_calcium_and_buffer():
    cell = run_numba(cell_of("shells"), "initialize")
    cell.arrays["ica"][:] = 0.0

    def amounts(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
        arrays = cell.arrays
        held = sum(arrays[f"free__{k}"] + arrays[f"cabuf__{k}"] for k in range(4))
        pump = arrays["pump"] + arrays["pumpca"]
        return held, pump

    held, pump = amounts(cell)
    for _ in range(20):
        cell = run_numba(cell, "advance")
    np.testing.assert_allclose(amounts(cell)[0], held, rtol=1e-6)
    np.testing.assert_allclose(amounts(cell)[1], pump, rtol=1e-9)
    np.testing.assert_array_equal(cell.arrays["cai"], cell.arrays["ca__0"])


def test_cnexp_falls_back_where_it_cannot_be_exact():
    text = """
    NEURON { SUFFIX bent NONSPECIFIC_CURRENT i }
    ASSIGNED { v i } STATE { n }
    INITIAL { n = 0.9 }
    BREAKPOINT { SOLVE s METHOD cnexp i = 1e-3 * n * v }
    DERIVATIVE s { n' = 0.2 - n * n }
    """
    cell = run_numba(Cell(parse(text, "bent.mod"), np.array([0]), 1), "initialize")
    n = run_numba(cell, "advance").arrays["n"][0]
    assert n == pytest.approx(0.9 + 0.025 * (0.2 - n * n), rel=1e-15)


def test_a_slope_that_a_branch_turns_off_stays_a_number():
    text = """
    NEURON { SUFFIX off NONSPECIFIC_CURRENT i RANGE on }
    PARAMETER { on = 0 }
    ASSIGNED { v i } STATE { n }
    INITIAL { n = 0.5 }
    BREAKPOINT { SOLVE s METHOD cnexp i = n * v }
    DERIVATIVE s { LOCAL r
        if (on > 0) { r = n } else { r = 2 }
        n' = 0.1 - r
    }
    """
    cell = Cell(parse(text, "off.mod"), np.arange(2), 2)
    cell.arrays["on"][:] = [0.0, 1.0]
    n = run_numba(run_numba(cell, "initialize"), "advance").arrays["n"]
    np.testing.assert_allclose(n, [0.5 - 0.025 * 1.9, (0.5 + 0.025 * 0.1) / 1.025], rtol=1e-13)


def test_a_loop_around_the_voltage_is_no_linear_current():
    text = """
    NEURON { SUFFIX looped NONSPECIFIC_CURRENT i }
    ASSIGNED { v i }
    BREAKPOINT { LOCAL k, s
        k = 0
        s = 0
        WHILE (k < 3) { s = s + v * k  k = k + 1 }
        i = 1e-3 * s
    }
    """
    mechanism = parse(text, "looped.mod")
    assert not mechanism.analytic
    assert not mechanism.straight
    cell = Cell(mechanism, np.array([0]), 1)
    cell.arrays["voltage"][:] = -20.0
    found = run_numba(cell, "current").arrays
    assert found["i_membrane"][0] == pytest.approx(-0.06, rel=1e-14)
    assert found["g_membrane"][0] == pytest.approx(3e-3, rel=1e-9)
