"""Random expressions mean the same to the interpreter, to numba and to the CUDA text."""

import ctypes
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.mechanisms import compile_source
from engine.mechanisms.emit import CUDA, NUMBA, emit
from engine.mechanisms.emit_numba import IMPORTS
from engine.mechanisms.expressions import (
    COMPARISONS,
    FUNCTIONS,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    evaluate,
    fold,
)
from tests.engine.mechanisms.harness import compile_with_shim

VARIABLES = ("x", "y", "z")
POINTS = (
    np.random.default_rng(3).uniform(-4, 4, (40, 3)).round(2)
)  # round numbers, so that some conditions tie

numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.5, 10.0]).map(Number)
leaves = st.one_of(numbers, st.sampled_from(VARIABLES).map(Name))


def _grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    compare = st.builds(Binary, st.sampled_from(COMPARISONS), inner, inner)
    both = st.builds(Binary, st.sampled_from(["&&", "||"]), compare, compare)
    condition = st.one_of(compare, both, st.builds(Unary, st.just("!"), compare))
    exact = st.sampled_from(["fabs", "sqrt", "floor", "ceil"])
    return st.one_of(
        st.builds(Binary, st.sampled_from("+-*/"), inner, inner),
        st.builds(Unary, st.just("-"), inner),
        st.builds(Select, condition, inner, inner),
        st.builds(lambda f, a: Call(f, (a,)), exact, inner),
        st.builds(lambda a, b: Binary("%", a, b), inner, inner),
    )


expressions = st.recursive(leaves, _grow, max_leaves=12)


def _numba_values(batch: list[Expr]) -> np.ndarray:
    body = "".join(f"        out[k, i] = {emit(e, NUMBA)}\n" for k, e in enumerate(batch)).replace(
        "out[k", "out[@"
    )
    lines = [line.replace("@", str(k)) for k, line in enumerate(body.splitlines())]
    source = "\n".join(
        [
            IMPORTS,
            '@njit(error_model="numpy")',
            "def values(point, out):",
            "    for i in range(len(point)):",
            "        x, y, z = point[i, 0], point[i, 1], point[i, 2]",
            *lines,
        ]
    )
    out = np.empty((len(batch), len(POINTS)))
    compile_source(source, "expressions").values(POINTS, out)
    return out


def _cuda_values(batch: list[Expr], folder: Path) -> np.ndarray:
    lines = [f"        out[{k} * n + i] = {emit(e, CUDA)};" for k, e in enumerate(batch)]
    text = "\n".join(
        [
            'extern "C" __global__ void values(int n, const double* point, double* out) {',
            "    for (int i = 0; i < n; ++i) {",
            "        const double x = point[3 * i], y = point[3 * i + 1], z = point[3 * i + 2];",
            *lines,
            "    }",
            "}",
        ]
    )
    out = np.empty((len(batch), len(POINTS)))
    pointers = (a.ctypes.data_as(ctypes.c_void_p) for a in (np.ascontiguousarray(POINTS), out))
    compile_with_shim(text, folder).values(len(POINTS), *pointers)
    return out


def _interpreted(batch: list[Expr]) -> np.ndarray:
    values = [dict(zip(VARIABLES, point, strict=True)) for point in POINTS]
    return np.array([[evaluate(expr, v) for v in values] for expr in batch])


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(st.lists(expressions, min_size=60, max_size=60))
def test_arithmetic_is_the_same_to_the_bit(batch):
    """Operations IEEE rounds exactly: no tolerance. Sixty expressions go into one compilation."""
    expected = _interpreted(batch)
    np.testing.assert_array_equal(_numba_values(batch), expected)
    with tempfile.TemporaryDirectory() as folder:
        np.testing.assert_array_equal(_cuda_values(batch, Path(folder)), expected)


def test_every_function_everywhere(tmp_path):
    batch: list[Expr] = []
    for name, (count, _) in sorted(FUNCTIONS.items()):
        batch.append(Call(name, tuple(Name(v) for v in VARIABLES[:count])))
    batch += [Binary("^", Name("x"), Number(2.5)), Binary("^", Name("x"), Number(-3.0))]
    expected = _interpreted(batch)
    for found in (_numba_values(batch), _cuda_values(batch, tmp_path)):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_allclose(
            found, expected, rtol=1e-15 * 4
        )  # libraries differ by a few last places
    assert np.isnan(expected).any()  # bad domains were among them


@settings(max_examples=100, deadline=None)
@given(st.sampled_from("+-*/^%"), numbers, numbers)
def test_folding_gives_the_value_or_nothing(operator, left, right):
    expr = Binary(operator, left, right)
    folded = fold(expr)
    if isinstance(folded, Number):
        assert folded.value == evaluate(expr, {})
        assert np.isfinite(folded.value)
    else:
        assert folded == expr
        assert not np.isfinite(evaluate(expr, {}))


@pytest.mark.parametrize("name", ["lambda", "double", "int", "for", "n", "v_all"])
def test_names_of_languages_are_no_trouble(name):
    from engine.mechanisms import emit_numba, parse

    mechanism = parse(
        f"""NEURON {{ SUFFIX names NONSPECIFIC_CURRENT i RANGE {name} }}
        PARAMETER {{ {name} = 2 }} ASSIGNED {{ v i }} BREAKPOINT {{ i = {name} * v }}""",
        "names.mod",
    )
    compile(emit_numba(mechanism), "names.py", "exec")
