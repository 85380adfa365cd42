# mypy: disable-error-code="no-untyped-def, assignment"
"""Serial Hines elimination with fused products: the bits that gathering on a device must give."""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.backends.gpu.variants.systems import TreeSystem
from engine.types import FloatArray

J = {"nogil": True, "cache": True, "error_model": "numpy"}


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once."""
    signature = types.float64(types.float64, types.float64, types.float64)

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.f64")
        return builder.call(function, arguments)

    return signature, generate


@njit(**J)
def eliminate_fused(parent, a, d, r, factor):
    """From the highest index down, each node into its parent; ``d`` becomes its inverse.

    Parameters
    ----------
    parent, a, d, r, factor : (n,)
        Parent, axial conductance (0 at roots), diagonal, right side, work space. On return ``d``
        holds the inverse diagonal, ``factor`` a over the diagonal, ``r`` the right side times the
        inverse.
    """
    for i in range(parent.size - 1, -1, -1):
        inverse = 1.0 / d[i]
        factor[i] = a[i] * inverse
        r[i] = r[i] * inverse
        d[i] = inverse
        p = parent[i]
        if p >= 0:
            d[p] = fma(-factor[i], a[i], d[p])
            r[p] = fma(a[i], r[i], r[p])


@njit(**J)
def substitute_fused(parent, r, factor):
    """From the roots out."""
    for i in range(parent.size):
        if parent[i] >= 0:
            r[i] = fma(factor[i], r[parent[i]], r[i])


def solve_fused(system: TreeSystem) -> FloatArray:
    """(n_comp,) mV, the solution of one system."""
    a = np.where(system.parent < 0, 0.0, system.g_axial)
    d, r, factor = system.diag.copy(), system.rhs.copy(), np.empty_like(a)
    eliminate_fused(system.parent, a, d, r, factor)
    substitute_fused(system.parent, r, factor)
    return r


def factors(
    parent: np.ndarray, g_axial: FloatArray, diag: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(n_comp,) each: what a constant matrix needs, ``a / d`` and ``1 / d`` after elimination."""
    d, r, factor = diag.copy(), np.zeros_like(diag), np.empty_like(diag)
    eliminate_fused(parent, g_axial, d, r, factor)
    return factor, d


@njit(**J)
def take_twigs(host, count, rank_start, a, factor, d):
    """Take the shares of twigs from their hosts' diagonal ``d``, as the kernels do."""
    for h in range(host.size):
        for rank in range(count[h]):
            p = rank_start[rank] + h
            d[host[h]] = fma(-factor[p], a[p], d[host[h]])


@njit(**J)
def factor_rounds(rounds, ends, receiver, sibling, n_node, d, edge, inverse, factor, down, gain):
    """What a contraction of a constant matrix leaves behind; arrays by place, ``gain`` by receiver.

    ``d`` and ``edge`` hold the diagonal and the axial conductances; ``d`` is spent, ``edge`` holds
    on return the conductance to the parent at the time a node is taken.
    """
    taken_down = np.zeros(n_node)  # by slot
    for s in range(rounds.shape[0] - 1):
        for p in range(rounds[s, 0], rounds[s + 1, 0]):
            inverse[p] = 1.0 / d[p]
            factor[p] = edge[p] * inverse[p]
            if ends[p, 1] >= 0:
                down[p] = edge[ends[p, 1]] * inverse[p]
                taken_down[rounds[s, 2] + p - rounds[s, 1]] = down[p]
        for q in range(rounds[s, 3], rounds[s + 1, 3]):
            place, link, above, slot = receiver[q]
            while link >= 0:
                c = link >> 1
                link = sibling[c] if link & 1 else -1
                d[place] = fma(-factor[c], edge[c], d[place])
            if above >= 0:
                gain[q] = edge[place]
                d[place] = fma(-taken_down[slot], edge[place], d[place])
                edge[place] = edge[place] * factor[above]
    for p in range(rounds[-1, 0], n_node):
        inverse[p] = 1.0 / d[p]
