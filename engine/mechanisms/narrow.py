"""Sixteen numbers of single precision as one value, beside the eight doubles of ``lanes``.

Twice as many products an instruction, for sums whose addends are so small that what single
precision rounds off does not show in the result. Products are fused with sums; a number's bits do
not depend on its neighbors.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from engine.mechanisms.lanes import WIDTH, lanes

NARROW_WIDTH = 2 * WIDTH
_SINGLE, _INDEX = ir.FloatType(), ir.IntType(32)
_VECTOR = ir.VectorType(_SINGLE, NARROW_WIDTH)
_WIDE = ir.VectorType(ir.DoubleType(), WIDTH)


class Narrow(types.Type):
    """The numba type of sixteen singles."""

    def __init__(self) -> None:
        super().__init__("narrow")


narrow = Narrow()


@register_model(Narrow)
class _NarrowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Narrow) -> None:
        super().__init__(manager, type_, _VECTOR)


def _address(context: Any, builder: Any, type_: Any, array: Any, index: Any) -> Any:
    """Of sixteen elements of a contiguous array of singles."""
    proxy = cgutils.create_struct_proxy(type_)(context, builder, value=array)
    return builder.bitcast(builder.gep(proxy.data, [index]), _VECTOR.as_pointer())


@intrinsic
def load_narrow(typingctx, array, index):  # type: ignore[no-untyped-def]
    """Sixteen singles from an index on."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        at = _address(context, builder, signature.args[0], values[0], values[1])
        return builder.load(at, typ=_VECTOR, align=4)

    return narrow(array, types.intp), generate


@intrinsic
def store_narrow(typingctx, array, index, value):  # type: ignore[no-untyped-def]
    """Put sixteen singles from an index on."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        at = _address(context, builder, signature.args[0], values[0], values[1])
        builder.store(values[2], at, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, narrow), generate


@intrinsic
def splat_narrow(typingctx, value):  # type: ignore[no-untyped-def]
    """A number, rounded to single precision, in every place."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        one = context.cast(builder, values[0], signature.args[0], types.float32)
        one = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), one, ir.Constant(_INDEX, 0)
        )
        zeros = ir.Constant(ir.VectorType(_INDEX, NARROW_WIDTH), [0] * NARROW_WIDTH)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)

    return narrow(value), generate


@intrinsic
def fma_narrow(typingctx, a, b, c):  # type: ignore[no-untyped-def]
    """a b + c, rounded once."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        name = f"llvm.fma.v{NARROW_WIDTH}f32"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)

    return narrow(narrow, narrow, narrow), generate


def _half(first: int) -> Any:
    @intrinsic
    def function(typingctx, x):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
            places = ir.Constant(ir.VectorType(_INDEX, WIDTH), [*range(first, first + WIDTH)])
            none = ir.Constant(_VECTOR, ir.Undefined)
            return builder.fpext(builder.shuffle_vector(values[0], none, places), _WIDE)

        return lanes(narrow), generate

    return function


lower_half, upper_half = _half(0), _half(WIDTH)
"""The first and the last eight numbers as doubles."""
