"""Walk the grammar's tree once and collect declarations and blocks into a :class:`Source`."""

import math
import re
from pathlib import Path

from lark import Token, Tree

from engine.errors import MechanismError
from engine.mechanisms.expressions import Binary, Call, Expr, Name, Number, Unary
from engine.mechanisms.model import Ion
from engine.mechanisms.source import (
    Assign,
    Block,
    Body,
    Declared,
    Derive,
    If,
    Local,
    Nested,
    Perform,
    Solve,
    Source,
    Statement,
)
from engine.units import BOLTZMANN, ELEMENTARY_CHARGE, FARADAY, GAS_CONSTANT

Node = Tree[Token]

_CONSTANTS = {
    "faraday": FARADAY,
    "e": ELEMENTARY_CHARGE,
    "k": BOLTZMANN,
    "k-mole": GAS_CONSTANT,
    "pi": math.pi,
}
"""Physical constants a UNITS block may name, in SI units."""
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
    for node in _nodes(tree):
        match node.data:
            case "neuron":
                _neuron(node, source)
            case "units":
                _units(node, source)
            case "parameter" | "constant" | "assigned" | "state":
                _declarations(node, source)
            case "file_local":
                for token in _tokens(node):  # lives as long as the mechanism, like ASSIGNED
                    source.assigned[str(token)] = Declared(
                        str(token), None, "", None, token.line or 0
                    )
            case "initial" | "breakpoint":
                _single_block(node, source)
            case "derivative":
                _named_block(node, source.derivatives, "DERIVATIVE", (), source)
            case "procedure" | "function":
                formals = tuple(str(formal.children[0]) for formal in _nodes(_nodes(node)[0]))
                blocks = source.procedures if node.data == "procedure" else source.functions
                _named_block(node, blocks, str(node.data).upper(), formals, source)
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
        pending += [(child, depth + 1) for child in _nodes(node)]


def _nodes(node: Node) -> list[Node]:
    return [child for child in node.children if isinstance(child, Tree)]


def _tokens(node: Node) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token)]


def _signed(node: Node) -> float:
    return float("".join(str(token) for token in node.children))


def _unit(node: Node) -> str:
    return next((str(t)[1:-1].strip() for t in _tokens(node) if t.type == "UNIT"), "")


def _neuron(node: Node, source: Source) -> None:
    for item in _nodes(node):
        names = _tokens(item)
        match item.data:
            case "suffix":
                source.suffix = str(names[0])
            case "useion":
                parts = {str(part.data): part for part in _nodes(item)}
                read, write = (
                    tuple(str(t) for t in parts[key].children) if key in parts else ()
                    for key in ("read", "write")
                )
                valence = _signed(_nodes(parts["valence"])[0]) if "valence" in parts else None
                source.ions.append((Ion(str(names[0]), read, write, valence), names[0].line or 0))
            case "nonspecific":
                source.nonspecific += [(str(name), name.line or 0) for name in names]
            case "range":
                source.ranges |= {str(name): name.line or 0 for name in names}
            case "global":
                source.globals |= {str(name): name.line or 0 for name in names}


def _units(node: Node, source: Source) -> None:
    for item in _nodes(node):
        tokens = _tokens(item)
        if item.data == "unit_constant":
            source.constants[str(tokens[0])] = _constant(tokens, source.path)
        elif item.data == "unit_value":
            source.constants[str(tokens[0])] = _signed(_nodes(item)[0])


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
    for item in _nodes(node):
        name = _tokens(item)[0]
        numbers = [_signed(child) for child in _nodes(item) if child.data == "signed"]
        limits = next((child for child in _nodes(item) if child.data == "limits"), None)
        pair = tuple(_signed(child) for child in _nodes(limits)) if limits else None
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
        kind = {"parameter": source.parameters, "assigned": source.assigned, "state": source.states}
        for other in (source.parameters, source.states):
            if declared.name in other and other is not source.assigned and node.data != "assigned":
                raise MechanismError(
                    source.path,
                    f"'{name}' is declared twice, here and in line {other[declared.name].line}",
                    "keep one of the two",
                    name.line,
                )
        kind[str(node.data)][declared.name] = declared


def _single_block(node: Node, source: Source) -> None:
    kind = str(node.data)
    if getattr(source, kind) is not None:
        raise MechanismError(
            source.path, f"a second {kind.upper()} block", "join the two", node.meta.line
        )
    block = Block(kind.upper(), kind.upper(), (), _body(_nodes(node)[0]), node.meta.line)
    setattr(source, kind, block)


def _named_block(
    node: Node, blocks: dict[str, Block], kind: str, formals: tuple[str, ...], source: Source
) -> None:
    name = _tokens(node)[0]
    if name in (*source.derivatives, *source.procedures, *source.functions):
        raise MechanismError(
            source.path, f"'{name}' is defined twice", "rename one of the two", name.line
        )
    blocks[str(name)] = Block(kind, str(name), formals, _body(_nodes(node)[-1]), name.line or 0)


def _body(node: Node) -> Body:
    statements = [_statement(child) for child in _nodes(node)]
    return tuple(statement for statement in statements if statement is not None)


def _statement(node: Node) -> Statement | None:
    line = node.meta.line
    match node.data:
        case "local":
            return Local(tuple(str(token) for token in node.children), line)
        case "assign":
            return Assign(str(node.children[0]), _expr(node.children[1]), line)
        case "derive":
            return Derive(str(node.children[0]), _expr(node.children[-1]), line)
        case "call_statement":
            return Perform(str(node.children[0]), _arguments(node.children[1]), line)
        case "if_statement":
            condition, then, other = node.children
            otherwise: Body = ()
            if isinstance(other, Tree):
                nested = _statement(other)
                assert nested is not None
                otherwise = nested.body if isinstance(nested, Nested) else (nested,)
            assert isinstance(then, Tree)
            return If(_expr(condition), _body(then), otherwise, line)
        case "solve":
            name, method = node.children
            return Solve(str(name), str(method) if method else None, line)
        case "body":
            return Nested(_body(node), line)
        case "table" | "conductance":
            return None  # rates are computed exactly, conductances are derived by a pass
    raise AssertionError(node.data)


def _arguments(node: Token | Node) -> tuple[Expr, ...]:
    return tuple(_expr(child) for child in node.children) if isinstance(node, Tree) else ()


def _expr(node: Token | Node) -> Expr:
    assert isinstance(node, Tree), node
    parts = node.children
    match node.data:
        case "number":
            return Number(float(parts[0]))  # type: ignore[arg-type]
        case "name":
            return Name(str(parts[0]), node.meta.line)
        case "call":
            return Call(str(parts[0]), _arguments(parts[1]), node.meta.line)
        case "binary":
            return Binary(str(parts[1]), _expr(parts[0]), _expr(parts[2]))
        case "unary":
            sign, operand = str(parts[0]), _expr(parts[1])
            return operand if sign == "+" else Unary(sign, operand)
    raise AssertionError(node.data)
