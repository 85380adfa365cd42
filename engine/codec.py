"""Frozen dataclasses to and from plain JSON values, with errors that name the field.

Knows dataclasses, ``str``, ``int``, ``float``, ``bool``, ``Literal``, tuples and unions of them;
what the annotations say is what is accepted. Where a union holds several dataclasses, each has a
class variable ``kind``, which is written with its fields and says which one is meant.
"""

import dataclasses
import json
import math
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class FieldError(ValueError):
    """A field cannot be used: its dotted name, what is wrong with it, and the way out."""

    def __init__(self, where: str, what: str, fix: str = "") -> None:
        self.where, self.what, self.fix = where, what, fix
        super().__init__(f"{where}: {what}" + (f"; {fix}" if fix else ""))


def close_match(name: str, known: list[str]) -> str:
    """``did you mean 'x'?`` where a known name is near, else the list of what is known."""
    if near := get_close_matches(name, known, 1):
        return f"did you mean '{near[0]}'?"
    return f"known: {', '.join(known)}" if known else ""


def encode(value: Any) -> Any:
    """Plain JSON value of a dataclass, tuple or scalar."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"kind": kind_of(type(value)), **fields} if kind_of(type(value)) else fields
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(kind: Any, value: Any, where: str = "") -> Any:
    """The value of a plain JSON value as an annotation ``kind`` wants it.

    Raises
    ------
    FieldError
        If a field is missing, unknown or of another kind.
    """
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, value, where)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in args or type(value) not in {type(a) for a in args}:
            names = [str(a) for a in args]
            raise FieldError(
                where, f"{_show(value)} is not a choice", close_match(str(value), names)
            )
        return value
    if origin in (Union, UnionType):
        return _decode_union(args, value, where)
    if origin is tuple:
        return _decode_tuple(args, value, where)
    return _decode_scalar(kind, value, where)


def kind_of(kind: Any) -> str:
    """The class variable ``kind`` by which a dataclass is told from others; empty without one."""
    own = getattr(kind, "kind", "")
    named = dataclasses.is_dataclass(kind) and "kind" not in {
        f.name for f in dataclasses.fields(kind)
    }
    return own if named and isinstance(own, str) else ""


def _decode_union(args: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and NoneType in args:
        return None
    groups = [a for a in args if dataclasses.is_dataclass(a)]
    scalars = [a for a in args if a is not NoneType and a not in groups]
    if not isinstance(value, dict) and scalars:
        return decode(scalars[0], value, where)
    if len(groups) > 1 and isinstance(value, dict):
        kinds = {kind_of(a): a for a in groups}
        if (kind := value.get("kind")) not in kinds:
            what = f"{_show(kind)} is not a kind" if "kind" in value else "has no kind"
            raise FieldError(where, what, close_match(str(kind), list(kinds)))
        return decode(kinds[kind], value, where)
    return decode((groups or scalars)[0], value, where)


def _decode_dataclass(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise FieldError(where, f"{_show(value)} is not a group of fields", "write {…}")
    hints = get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    prefix = f"{where}." if where else ""
    if kind_of(kind) and value.get("kind") == kind_of(kind):
        value = {name: item for name, item in value.items() if name != "kind"}
    for name in value:
        if name not in fields:
            raise FieldError(prefix + name, "unknown field", close_match(name, list(fields)))
    known = {name: decode(hints[name], item, prefix + name) for name, item in value.items()}
    for name, f in fields.items():
        optional = (
            f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
        )
        if name not in known and not optional:
            raise FieldError(prefix + name, "missing field", "add it")
    return kind(**known)


def _decode_tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise FieldError(where, f"{_show(value)} is not a list", "write […]")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(decode(args[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if len(value) != len(args):
        raise FieldError(where, f"has {len(value)} items", f"it takes {len(args)}")
    return tuple(
        decode(a, item, f"{where}[{i}]")
        for i, (a, item) in enumerate(zip(args, value, strict=True))
    )


def _decode_scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and type(value) in (int, float):
        try:
            number = float(value)
        except OverflowError:  # a whole number of hundreds of digits
            number = math.inf
        if not math.isfinite(number):
            raise FieldError(where, f"{_show(value)} is not finite", "write a finite number")
        return number
    if kind is str and isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise FieldError(where, f"{value!a} holds half a character", "write it again")
    if type(value) is not kind:
        raise FieldError(where, f"{_show(value)} is not {KINDS[kind]}", f"write {KINDS[kind]}")
    return value


def _show(value: Any) -> str:
    """A value as JSON writes it."""
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "…"
