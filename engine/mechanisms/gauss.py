"""Small systems of linear equations, solved by arithmetic that is written out once and for all."""

from collections.abc import Callable, Sequence

from engine.mechanisms.expressions import (
    ZERO,
    Binary,
    Call,
    Expr,
    Select,
    divide,
    multiply,
    subtract,
)

Define = Callable[[str, Expr], Expr]


def eliminate(
    matrix: Sequence[Sequence[Expr]], right: Sequence[Expr], define: Define, pivot: bool
) -> list[Expr]:
    """The solution of ``matrix x = right``.

    Parameters
    ----------
    matrix, right
        Entries that are :data:`ZERO` cost nothing.
    define
        Names an intermediate value.
    pivot
        Exchange rows so that the largest entry of a column divides (by selection, without a
        branch). Without it rows keep their order, except where an entry is absent.
    """
    m, r, n = [list(row) for row in matrix], list(right), len(right)
    for k in range(n):
        if not pivot and m[k][k] == ZERO:
            other = next((i for i in range(k + 1, n) if m[i][k] != ZERO), k)
            m[k], m[other], r[k], r[other] = m[other], m[k], r[other], r[k]
        for i in range(k + 1, n):
            if pivot and m[i][k] != ZERO:
                _exchange(m, r, k, i, define)
        for i in range(k + 1, n):
            if m[i][k] == ZERO:
                continue
            factor = define("factor", divide(m[i][k], m[k][k]))
            for j in range(k + 1, n):
                if m[k][j] != ZERO:
                    m[i][j] = define("entry", subtract(m[i][j], multiply(m[k][j], factor)))
            r[i] = define("right", subtract(r[i], multiply(r[k], factor)))
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            r[k] = subtract(r[k], multiply(m[k][j], r[j]))
        r[k] = define("solution", divide(r[k], m[k][k]))
    return r


def _exchange(m: list[list[Expr]], r: list[Expr], k: int, i: int, define: Define) -> None:
    """Rows k and i in the order that puts the larger entry of column k on top."""
    larger = Binary(">", Call("fabs", (m[i][k],)), Call("fabs", (m[k][k],)))
    for j in range(k, len(r)):
        if m[k][j] != m[i][j]:
            top = define("entry", Select(larger, m[i][j], m[k][j]))
            m[i][j] = define("entry", Select(larger, m[k][j], m[i][j]))
            m[k][j] = top
    top = define("right", Select(larger, r[i], r[k]))
    r[i] = define("right", Select(larger, r[k], r[i]))
    r[k] = top
