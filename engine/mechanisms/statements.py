"""Statements and expressions of the grammar's tree."""

from lark import Token, Tree

from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Call,
    Element,
    Expr,
    Name,
    Number,
    Unary,
)
from engine.mechanisms.source import (
    Assign,
    Body,
    Compartment,
    Conserve,
    Derive,
    Equation,
    For,
    If,
    Local,
    Nested,
    Perform,
    Reaction,
    Side,
    Solve,
    Statement,
    WatchFor,
    While,
)

Node = Tree[Token]


def nodes(node: Node) -> list[Node]:
    """Children that are trees."""
    return [child for child in node.children if isinstance(child, Tree)]


def body_of(node: Node) -> Body:
    statements = [statement_of(child) for child in nodes(node)]
    return tuple(statement for statement in statements if statement is not None)


def statement_of(node: Node) -> Statement | None:
    line = node.meta.line
    match node.data:
        case "local":
            return Local(tuple(str(token) for token in node.children), line)
        case "assign":
            return Assign(_variable(node.children[0]), expr_of(node.children[1]), line)
        case "derive":
            return Derive(_variable(node.children[0]), expr_of(node.children[-1]), line)
        case "call_statement":
            return Perform(str(node.children[0]), _arguments(node.children[1]), line)
        case "if_statement":
            condition, then, other = node.children
            otherwise: Body = ()
            if isinstance(other, Tree):
                nested = statement_of(other)
                assert nested is not None
                otherwise = nested.body if isinstance(nested, Nested) else (nested,)
            assert isinstance(then, Tree)
            return If(expr_of(condition), body_of(then), otherwise, line)
        case "solve":
            name, *how = (child for child in node.children if child is not None)
            steady = any(getattr(word, "type", "") == "STEADYSTATE" for word in how)
            return Solve(str(name), str(how[-1]) if how else None, line, steady)
        case "for_loop":
            name, first, last, stride, body = node.children
            assert isinstance(body, Tree)
            by = expr_of(stride) if stride is not None else ONE
            return For(str(name), expr_of(first), expr_of(last), by, body_of(body), line)
        case "while_loop":
            condition, body = node.children
            assert isinstance(body, Tree)
            return While(expr_of(condition), body_of(body), line)
        case "reversible":
            left, right, forward, backward = node.children
            rates = expr_of(forward), expr_of(backward)
            return Reaction(_side(left), _side(right), *rates, inflow=False, line=line)
        case "decay" | "inflow":
            left, rate = node.children
            inflow = node.data == "inflow"
            return Reaction(_side(left), (), expr_of(rate), ZERO, inflow, line)
        case "conserve":
            side, total = node.children
            return Conserve(_side(side), expr_of(total), line)
        case "compartment":
            index, volume, *names = node.children
            named = tuple(str(name) for name in names)
            return Compartment(str(index) if index else None, expr_of(volume), named, line)
        case "equation":
            left, right = node.children
            return Equation(expr_of(left), expr_of(right), line)
        case "body":
            return Nested(body_of(node), line)
        case "watch":
            condition, flag = node.children
            return WatchFor(expr_of(condition), expr_of(flag), line)
        case "table" | "conductance":
            return None  # rates are computed exactly, conductances are derived by a pass
    raise AssertionError(node.data)


def _variable(node: Token | Node) -> Name | Element:
    assert isinstance(node, Tree)
    name, index = node.children
    line = node.meta.line
    return Element(str(name), expr_of(index), line) if index else Name(str(name), line)


def _side(node: Token | Node) -> Side:
    """Molecules with their numbers; those after a minus count negative."""
    assert isinstance(node, Tree)
    found, sign = [], 1
    for child in node.children:
        if not isinstance(child, Tree):
            sign = -1 if str(child) == "-" else 1
            continue
        *count, name, index = child.children
        assert name is not None
        line = child.meta.line
        molecule = Element(str(name), expr_of(index), line) if index else Name(str(name), line)
        found.append((sign * (int(float(str(count[0]))) if count else 1), molecule))
    return tuple(found)


def _arguments(node: Token | Node) -> tuple[Expr, ...]:
    return tuple(expr_of(child) for child in node.children) if isinstance(node, Tree) else ()


def expr_of(node: Token | Node) -> Expr:
    assert isinstance(node, Tree), node
    parts = node.children
    match node.data:
        case "number":
            return Number(float(parts[0]))  # type: ignore[arg-type]
        case "name":
            return Name(str(parts[0]), node.meta.line)
        case "element":
            return Element(str(parts[0]), expr_of(parts[1]), node.meta.line)
        case "call":
            return Call(str(parts[0]), _arguments(parts[1]), node.meta.line)
        case "binary":
            return Binary(str(parts[1]), expr_of(parts[0]), expr_of(parts[2]))
        case "unary":
            sign, operand = str(parts[0]), expr_of(parts[1])
            return operand if sign == "+" else Unary(sign, operand)
    raise AssertionError(node.data)
