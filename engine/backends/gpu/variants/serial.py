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
