"""Eight numbers as one value: a numba type whose arithmetic is vector instructions.

LLVM vectorizes a loop only where it can prove that nothing overlaps; generated code says what it
means instead. A ``lanes`` value is one register of AVX-512, two of AVX2, four of NEON. Every
operation is done number by number and products are fused with sums only where :func:`fma` says so:
a number's bits do not depend on its neighbors, on the loop it is computed in or on the processor.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from engine.mechanisms.fastmath import build_exp

WIDTH = 8
_REAL, _WHOLE, _INDEX = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
_VECTOR, _FLAGS = ir.VectorType(_REAL, WIDTH), ir.VectorType(ir.IntType(1), WIDTH)


class Lanes(types.Type):
    """The numba type of eight doubles."""

    def __init__(self) -> None:
        super().__init__("lanes")


class Mask(types.Type):
    """The numba type of eight truth values."""

    def __init__(self) -> None:
        super().__init__("mask")


lanes, mask = Lanes(), Mask()
_KNOWN = Lanes, Mask, types.Float, types.Integer, types.Boolean


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Lanes) -> None:
        super().__init__(manager, type_, _VECTOR)


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Mask) -> None:
        super().__init__(manager, type_, _FLAGS)


def spread(builder: Any, value: Any) -> Any:
    """One double in every lane."""
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_INDEX, 0))
    zeros = ir.Constant(ir.VectorType(_INDEX, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)


def promote(context: Any, builder: Any, type_: Any, value: Any) -> Any:
    """A lanes value from a lanes value or a number."""
    if isinstance(type_, Lanes):
        return value
    if isinstance(type_, Mask):
        return builder.uitofp(value, _VECTOR)
    return spread(builder, context.cast(builder, value, type_, types.float64))


def _suits(*kinds: Any) -> bool:
    """Whether an operation on these types is one of ours."""
    wide = any(isinstance(kind, Lanes | Mask) for kind in kinds)
    return wide and all(isinstance(kind, _KNOWN) for kind in kinds)


def _truth(context: Any, builder: Any, type_: Any, value: Any) -> Any:
    """A mask from a mask, a truth value or numbers, which are true where they are not 0."""
    if isinstance(type_, Mask):
        return value
    if isinstance(type_, Lanes):
        return builder.fcmp_unordered("!=", value, ir.Constant(_VECTOR, [0.0] * WIDTH))
    real = spread(builder, context.cast(builder, value, type_, types.float64))
    return builder.fcmp_unordered("!=", real, ir.Constant(_VECTOR, [0.0] * WIDTH))


def _operator(operation: Callable, result: Any, generate: Callable) -> None:
    """Teach numba an operator by its instructions; far sooner compiled than a function of ours."""

    class Template(AbstractTemplate):
        key = operation

        def generic(self, args: Any, kws: Any) -> Any:
            count = 1 if operation in (operator.neg, operator.not_) else 2
            return signature(result, *args) if len(args) == count and _suits(*args) else None

    infer_global(operation)(Template)
    if operation in (operator.neg, operator.not_):
        for kind in (Lanes, Mask):
            lower_builtin(operation, kind)(generate)
        return
    for left in _KNOWN:
        for right in _KNOWN:
            if {left, right} & {Lanes, Mask}:
                lower_builtin(operation, left, right)(generate)


def _binary(operation: Callable, instruction: str) -> None:
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        pairs = zip(signature.args, values, strict=True)
        x, y = (promote(context, builder, t, v) for t, v in pairs)
        return getattr(builder, instruction)(x, y)

    _operator(operation, lanes, generate)


def _compare(operation: Callable, sign: str) -> None:
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        pairs = zip(signature.args, values, strict=True)
        x, y = (promote(context, builder, t, v) for t, v in pairs)
        compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        return compare(sign, x, y)

    _operator(operation, mask, generate)


def _connect(operation: Callable, instruction: str) -> None:
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        pairs = zip(signature.args, values, strict=True)
        x, y = (_truth(context, builder, t, v) for t, v in pairs)
        return getattr(builder, instruction)(x, y)

    _operator(operation, mask, generate)


def _negative(context, builder, signature, values):  # type: ignore[no-untyped-def]
    return builder.fneg(promote(context, builder, signature.args[0], values[0]))


def _opposite(context, builder, signature, values):  # type: ignore[no-untyped-def]
    return builder.not_(_truth(context, builder, signature.args[0], values[0]))


_operator(operator.neg, lanes, _negative)
_operator(operator.not_, mask, _opposite)
_connect(operator.and_, "and_")
_connect(operator.or_, "or_")
for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _binary(_operation, _instruction)
for _operation, _sign in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _compare(_operation, _sign)


def _pointer(context: Any, builder: Any, type_: Any, array: Any, index: Any) -> Any:
    """Address of an element of a contiguous array."""
    proxy = cgutils.create_struct_proxy(type_)(context, builder, value=array)
    return builder.gep(proxy.data, [index])


@intrinsic
def load(typingctx, array, index):  # type: ignore[no-untyped-def]
    """Eight elements from an index on."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        at = _pointer(context, builder, signature.args[0], values[0], values[1])
        return builder.load(builder.bitcast(at, _VECTOR.as_pointer()), typ=_VECTOR, align=8)

    return lanes(array, types.intp), generate


@intrinsic
def store(typingctx, array, index, value):  # type: ignore[no-untyped-def]
    """Put eight elements from an index on."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        at = _pointer(context, builder, signature.args[0], values[0], values[1])
        value = promote(context, builder, signature.args[2], values[2])
        builder.store(value, builder.bitcast(at, _VECTOR.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def splat(typingctx, value):  # type: ignore[no-untyped-def]
    """A number in every lane."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return promote(context, builder, signature.args[0], values[0])

    return lanes(value), generate


@intrinsic
def gather(typingctx, array, place, index):  # type: ignore[no-untyped-def]
    """The elements of ``array`` at ``place[index]`` … ``place[index + 7]``; places are uint32."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        place = _pointer(context, builder, signature.args[1], values[1], values[2])
        result = ir.Constant(_VECTOR, ir.Undefined)
        for k in range(WIDTH):
            number = builder.load(builder.gep(place, [ir.Constant(_WHOLE, k)]), typ=_INDEX)
            number = builder.zext(number, _WHOLE)
            at = _pointer(context, builder, signature.args[0], values[0], number)
            result = builder.insert_element(
                result, builder.load(at, typ=_REAL), ir.Constant(_INDEX, k)
            )
        return result

    return lanes(array, place, types.intp), generate


@intrinsic
def select(typingctx, condition, then, other):  # type: ignore[no-untyped-def]
    """Where the condition holds the one, elsewhere the other; both are computed."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        kinds = signature.args
        x, y = (promote(context, builder, kinds[k], values[k]) for k in (1, 2))
        return builder.select(_truth(context, builder, kinds[0], values[0]), x, y)

    return lanes(condition, then, other), generate


@intrinsic
def fma(typingctx, a, b, c):  # type: ignore[no-untyped-def]
    """a b + c, rounded once."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        taken = [
            promote(context, builder, t, v) for t, v in zip(signature.args, values, strict=True)
        ]
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f64")
        return builder.call(function, taken)

    return lanes(a, b, c), generate


def _one_instruction(name: str) -> Callable:
    @intrinsic
    def function(typingctx, x):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
            value = promote(context, builder, signature.args[0], values[0])
            kind = ir.FunctionType(_VECTOR, [_VECTOR])
            found = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f64")
            return builder.call(found, [value])

        return lanes(x), generate

    return function


fabs, sqrt, floor, ceil = map(_one_instruction, ("fabs", "sqrt", "floor", "ceil"))


@intrinsic
def exp(typingctx, x):  # type: ignore[no-untyped-def]
    """:func:`engine.mechanisms.fastmath.exp` of every lane; the same bits."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        value = promote(context, builder, signature.args[0], values[0])
        return build_exp(builder, value, _VECTOR, ir.VectorType(_WHOLE, WIDTH))

    return lanes(x), generate


@intrinsic
def lane(typingctx, x, k):  # type: ignore[no-untyped-def]
    """One of the eight numbers."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.extract_element(values[0], values[1])

    return types.float64(x, types.intp), generate


@intrinsic
def with_lane(typingctx, x, k, value):  # type: ignore[no-untyped-def]
    """The same with another number in one lane."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.insert_element(values[0], values[2], values[1])

    return lanes(x, types.intp, types.float64), generate


@njit(forceinline=True)
def put(array, index, value, count):  # type: ignore[no-untyped-def]
    """Store the first ``count`` lanes, all where there are eight or more to store."""
    if count >= WIDTH:
        store(array, index, value)
    else:
        for k in range(count):
            array[index + k] = lane(splat(value), k)


@njit(forceinline=True)
def add(array, index, value, count):  # type: ignore[no-untyped-def]
    """Add the first ``count`` lanes to what is there."""
    if count >= WIDTH:
        store(array, index, load(array, index) + value)
    else:
        for k in range(count):
            array[index + k] += lane(splat(value), k)


@njit(forceinline=True)
def scatter(array, place, index, value, count):  # type: ignore[no-untyped-def]
    """Store the first ``count`` lanes at ``place[index]`` …, one after the other."""
    for k in range(min(count, WIDTH)):
        array[place[index + k]] = lane(splat(value), k)


@njit(forceinline=True)
def scatter_add(array, place, index, value, count):  # type: ignore[no-untyped-def]
    """Add the first ``count`` lanes at ``place[index]`` …, one after the other."""
    for k in range(min(count, WIDTH)):
        array[place[index + k]] += lane(splat(value), k)


def roomy(values: Any) -> Any:
    """A copy with room behind it, where the last vector of a loop may read past the end."""
    room = np.zeros(len(values) + WIDTH, values.dtype)
    room[: len(values)] = values
    return room[: len(values)]


@intrinsic
def every(typingctx, condition):  # type: ignore[no-untyped-def]
    """Whether all eight are true."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        bits = builder.bitcast(values[0], ir.IntType(WIDTH))
        return builder.icmp_unsigned("==", bits, ir.Constant(ir.IntType(WIDTH), 2**WIDTH - 1))

    return types.boolean(condition), generate


@intrinsic
def larger(typingctx, x, y):  # type: ignore[no-untyped-def]
    """The larger of two numbers; where one is NaN either of them."""

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        x, y = values
        return builder.select(builder.fcmp_ordered(">", x, y), x, y)

    return lanes(x, y), generate
