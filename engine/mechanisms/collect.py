"""Walk the grammar's tree once and collect declarations and blocks into a :class:`Source`."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

from lark import Token

from engine.errors import MechanismError
from engine.mechanisms.model import Ion
from engine.mechanisms.source import Block, Declared, Source, Statement, elements
from engine.mechanisms.statements import Node, body_of, nodes, statement_of
from engine.units import BOLTZMANN, ELEMENTARY_CHARGE, FARADAY, GAS_CONSTANT

_CONSTANTS = {
    "faraday": FARADAY,
    "e": ELEMENTARY_CHARGE,
    "k": BOLTZMANN,
    "k-mole": GAS_CONSTANT,
    "pi": math.pi,
}
"""Physical constants a UNITS block may name, in SI units."""
_KINDS: dict[str, Literal["density", "point", "artificial"]] = {
    "suffix": "density",
    "point_process": "point",
    "artificial_cell": "artificial",
}
MAX_SIZE = 1000
MAX_DEPTH = 150
_PREFIX = {"": 1.0, "kilo": 1e3, "k": 1e3, "milli": 1e-3, "m": 1e-3, "micro": 1e-6, "u": 1e-6}
_UNIT = re.compile(
    r"(?P<factor>[\d.]+(?:e[+-]?\d+)?)?\s*(?P<prefix>kilo|milli|micro|[kmu])??"
    r"(?P<unit>coulombs?|coul|c|joules?|j|1)?(?:\s*/\s*(?P<per>degc|kelvin|k|mole?|degk))?(?:-?\s*/?\s*mole?)?"
)


def collect(tree: Node, path: Path, title: str) -> Source:
    """Declarations and blocks of a file.

    Raises
    ------
    MechanismError
        Where a name is declared twice or a block stands twice.
    """
    _check_depth(tree, path)
    source = Source(path, title)
    for node in nodes(tree):
        match node.data:
            case "neuron":
                _neuron(node, source)
            case "units":
                _units(node, source)
            case "parameter" | "constant" | "assigned" | "state":
                _declarations(node, source)
            case "file_local":
                for item in nodes(node):  # lives as long as the mechanism, like ASSIGNED
                    (name,) = _tokens(item)
                    declared = Declared(str(name), None, "", None, name.line or 0)
                    if sizes := nodes(item):
                        _array(sizes[0], declared, source.assigned, source)
                    else:
                        source.assigned[declared.name] = declared
            case "initial" | "breakpoint":
                _single_block(node, source)
            case "net_receive":
                _net_receive(node, source)
            case "derivative" | "kinetic" | "linear":
                blocks = getattr(source, f"{node.data}s")
                _named_block(node, blocks, str(node.data).upper(), (), source)
            case "define":
                defined, value = _tokens(node)
                source.constants[str(defined)] = float(value)
            case "procedure" | "function":
                formals = tuple(str(formal.children[0]) for formal in nodes(nodes(node)[0]))
                blocks = source.procedures if node.data == "procedure" else source.functions
                _named_block(node, blocks, str(node.data).upper(), formals, source)
    for array, size in source.arrays.items():
        for names in (source.ranges, source.globals):
            if array in names:
                names |= dict.fromkeys(elements(array, size), names.pop(array))
    return source


def _check_depth(tree: Node, path: Path) -> None:
    """Refuse what later walks could not descend into."""
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise MechanismError(
                path,
                f"an expression nests more than {MAX_DEPTH} operations",
                "split it with a LOCAL variable",
                node.meta.line,
            )
        pending += [(child, depth + 1) for child in nodes(node)]


def _tokens(node: Node) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token)]


def _signed(node: Node) -> float:
    return float("".join(str(token) for token in node.children))


def _unit(node: Node) -> str:
    return next((str(t)[1:-1].strip() for t in _tokens(node) if t.type == "UNIT"), "")


def _neuron(node: Node, source: Source) -> None:
    for item in nodes(node):
        names = _tokens(item)
        match item.data:
            case "suffix" | "point_process" | "artificial_cell":
                source.suffix = str(names[0])
                source.kind = _KINDS[str(item.data)]
            case "useion":
                parts = {str(part.data): part for part in nodes(item)}
                read, write = (
                    tuple(str(t) for t in parts[key].children) if key in parts else ()
                    for key in ("read", "write")
                )
                valence = _signed(nodes(parts["valence"])[0]) if "valence" in parts else None
                source.ions.append((Ion(str(names[0]), read, write, valence), names[0].line or 0))
            case "nonspecific":
                source.nonspecific += [(str(name), name.line or 0) for name in names]
            case "electrode":
                source.electrode += [(str(name), name.line or 0) for name in names]
            case "pointer":
                source.pointers |= {str(name): name.line or 0 for name in names}
            case "range":
                source.ranges |= {str(name): name.line or 0 for name in names}
            case "global":
                source.globals |= {str(name): name.line or 0 for name in names}


def _units(node: Node, source: Source) -> None:
    for item in nodes(node):
        tokens = _tokens(item)
        if item.data == "unit_constant":
            source.constants[str(tokens[0])] = _constant(tokens, source.path)
        elif item.data == "unit_value":
            source.constants[str(tokens[0])] = _signed(nodes(item)[0])


def _constant(tokens: list[Token], path: Path) -> float:
    """Value of ``NAME = (constant) (unit)``."""
    what = str(tokens[1])[1:-1].strip().lower()
    unit = str(tokens[2])[1:-1].strip() if len(tokens) > 2 else ""
    match = _UNIT.fullmatch(unit.lower())
    if what not in _CONSTANTS or not match:
        raise MechanismError(
            path,
            f"the unit constant ({what}) ({unit}) is not known",
            f"write its value, as in {tokens[0]} = 96485 (coulomb)",
            tokens[0].line,
        )
    return _CONSTANTS[what] / (_PREFIX[match["prefix"] or ""] * float(match["factor"] or 1))


def _declarations(node: Node, source: Source) -> None:
    kind = {"parameter": source.parameters, "assigned": source.assigned, "state": source.states}
    for item in nodes(node):
        name = _tokens(item)[0]
        numbers = [_signed(child) for child in nodes(item) if child.data == "signed"]
        limits = next((child for child in nodes(item) if child.data == "limits"), None)
        pair = tuple(_signed(child) for child in nodes(limits)) if limits else None
        has_value = node.data in ("parameter", "constant") and bool(numbers)
        declared = Declared(
            str(name),
            numbers[0] if has_value else None,
            _unit(item),
            (pair[0], pair[1]) if pair else None,
            name.line or 0,
        )
        if node.data == "constant":
            source.constants[declared.name] = declared.value or 0.0
            continue
        size = next((child for child in nodes(item) if child.data == "size"), None)
        if size is not None:
            _array(size, declared, kind[str(node.data)], source)
            continue
        for other in (source.parameters, source.states):
            if declared.name in other and other is not source.assigned and node.data != "assigned":
                raise MechanismError(
                    source.path,
                    f"'{name}' is declared twice, here and in line {other[declared.name].line}",
                    "keep one of the two",
                    name.line,
                )
        kind[str(node.data)][declared.name] = declared


def _array(size: Node, declared: Declared, into: dict[str, Declared], source: Source) -> None:
    text = str(size.children[0])
    number = source.constants.get(text) if text in source.constants else text
    try:
        count = int(float(number or 0))
    except ValueError:
        count = 0
    if not 1 <= count <= MAX_SIZE:
        raise MechanismError(
            source.path,
            f"the size of array '{declared.name}' is {text}",
            f"write a number from 1 to {MAX_SIZE}, or a name after DEFINE",
            declared.line,
        )
    source.arrays[declared.name] = count
    for name in elements(declared.name, count):
        into[name] = replace(declared, name=name)


def _single_block(node: Node, source: Source) -> None:
    kind = str(node.data)
    if getattr(source, kind) is not None:
        raise MechanismError(
            source.path, f"a second {kind.upper()} block", "join the two", node.meta.line
        )
    block = Block(kind.upper(), kind.upper(), (), body_of(nodes(node)[0]), node.meta.line)
    setattr(source, kind, block)


def _net_receive(node: Node, source: Source) -> None:
    formals, *parts = nodes(node)
    names = tuple(str(formal.children[0]) for formal in nodes(formals))
    line = node.meta.line
    statements: list[Statement] = []
    for part in parts:
        if part.data == "connect":
            source.connect = Block("INITIAL", "INITIAL", names, body_of(nodes(part)[0]), line)
        elif (statement := statement_of(part)) is not None:
            statements.append(statement)
    if source.receive is not None:
        raise MechanismError(source.path, "a second NET_RECEIVE block", "join the two", line)
    source.receive = Block("NET_RECEIVE", "NET_RECEIVE", names, tuple(statements), line)


def _named_block(
    node: Node, blocks: dict[str, Block], kind: str, formals: tuple[str, ...], source: Source
) -> None:
    name = _tokens(node)[0]
    every = (source.derivatives, source.kinetics, source.linears, source.procedures)
    if any(name in blocks for blocks in (*every, source.functions)):
        raise MechanismError(
            source.path, f"'{name}' is defined twice", "rename one of the two", name.line
        )
    blocks[str(name)] = Block(kind, str(name), formals, body_of(nodes(node)[-1]), name.line or 0)
