"""A ``.mod`` file as it is written: declarations and statements, every one with its line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.mechanisms.expressions import Element, Expr, Name
from engine.mechanisms.model import Ion


@dataclass(frozen=True)
class Assign:
    target: Name | Element
    value: Expr
    line: int


@dataclass(frozen=True)
class Derive:
    """``x' = value``."""

    target: Name | Element
    value: Expr
    line: int


@dataclass(frozen=True)
class Local:
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Perform:
    """A procedure called for its effect."""

    name: str
    arguments: tuple[Expr, ...]
    line: int


@dataclass(frozen=True)
class If:
    condition: Expr
    then: "Body"
    other: "Body"
    line: int


@dataclass(frozen=True)
class Solve:
    block: str
    method: str | None
    line: int
    steady: bool = False


@dataclass(frozen=True)
class Nested:
    """Braces inside a block: a scope of their own."""

    body: "Body"
    line: int


@dataclass(frozen=True)
class WatchFor:
    """``WATCH (condition) flag``."""

    condition: Expr
    flag: Expr
    line: int


@dataclass(frozen=True)
class For:
    """``FROM i = first TO last BY stride``."""

    name: str
    first: Expr
    last: Expr
    stride: Expr
    body: "Body"
    line: int


@dataclass(frozen=True)
class While:
    condition: Expr
    body: "Body"
    line: int


Side = tuple[tuple[int, Name | Element], ...]
"""Molecules of a reaction: how many of each."""


@dataclass(frozen=True)
class Reaction:
    """``~ left <-> right (forward, backward)``; no right side for ``->`` and ``<<``.

    ``inflow`` is True for ``<<``, whose flux into ``left`` is ``forward`` itself.
    """

    left: Side
    right: Side
    forward: Expr
    backward: Expr
    inflow: bool
    line: int


@dataclass(frozen=True)
class Conserve:
    """``CONSERVE side = total``."""

    side: Side
    total: Expr
    line: int


@dataclass(frozen=True)
class Compartment:
    """``COMPARTMENT index, volume { states }``."""

    index: str | None
    volume: Expr
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Equation:
    """``~ left = right`` of a LINEAR block."""

    left: Expr
    right: Expr
    line: int


Statement = (
    Assign | Derive | Local | Perform | If | Solve | Nested | WatchFor | For | While
    | Reaction | Conserve | Compartment | Equation
)  # fmt: skip
Body = tuple[Statement, ...]


@dataclass(frozen=True)
class Block:
    """INITIAL, BREAKPOINT, DERIVATIVE, KINETIC, LINEAR, PROCEDURE, FUNCTION or NET_RECEIVE."""

    kind: str
    name: str
    formals: tuple[str, ...]
    body: Body
    line: int


@dataclass(frozen=True)
class Declared:
    name: str
    value: float | None
    unit: str
    limits: tuple[float, float] | None
    line: int


@dataclass
class Source:
    """What the parser collects; the passes read it and never change it."""

    path: Path
    title: str = ""
    suffix: str = ""
    kind: Literal["density", "point", "artificial"] = "density"
    ions: list[tuple[Ion, int]] = field(default_factory=list)
    nonspecific: list[tuple[str, int]] = field(default_factory=list)
    electrode: list[tuple[str, int]] = field(default_factory=list)
    pointers: dict[str, int] = field(default_factory=dict)
    ranges: dict[str, int] = field(default_factory=dict)
    globals: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, Declared] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)
    assigned: dict[str, Declared] = field(default_factory=dict)
    states: dict[str, Declared] = field(default_factory=dict)
    initial: Block | None = None
    breakpoint: Block | None = None
    receive: Block | None = None
    connect: Block | None = None
    derivatives: dict[str, Block] = field(default_factory=dict)
    kinetics: dict[str, Block] = field(default_factory=dict)
    linears: dict[str, Block] = field(default_factory=dict)
    arrays: dict[str, int] = field(default_factory=dict)
    procedures: dict[str, Block] = field(default_factory=dict)
    functions: dict[str, Block] = field(default_factory=dict)

    def blocks(self) -> list[Block]:
        """Every block with statements."""
        one_of_a_kind = (self.initial, self.breakpoint, self.receive, self.connect)
        single = [block for block in one_of_a_kind if block is not None]
        named = (self.derivatives, self.kinetics, self.linears, self.procedures, self.functions)
        return [*single, *(block for blocks in named for block in blocks.values())]


def elements(array: str, size: int) -> list[str]:
    """What the elements of an array are called: ``ca[0]`` is ``ca__0``."""
    return [f"{array}__{k}" for k in range(size)]
