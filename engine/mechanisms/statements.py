"""Statements and expressions of the grammar's tree."""

from lark import Token, Tree

from engine.mechanisms.expressions import Binary, Call, Expr, Name, Number, Unary
from engine.mechanisms.source import (
    Assign,
    Body,
    Derive,
    If,
    Local,
    Nested,
    Perform,
    Solve,
    Statement,
    WatchFor,
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
            return Assign(str(node.children[0]), expr_of(node.children[1]), line)
        case "derive":
            return Derive(str(node.children[0]), expr_of(node.children[-1]), line)
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
            name, method = node.children
            return Solve(str(name), str(method) if method else None, line)
        case "body":
            return Nested(body_of(node), line)
        case "watch":
            condition, flag = node.children
            return WatchFor(expr_of(condition), expr_of(flag), line)
        case "table" | "conductance":
            return None  # rates are computed exactly, conductances are derived by a pass
    raise AssertionError(node.data)


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
        case "call":
            return Call(str(parts[0]), _arguments(parts[1]), node.meta.line)
        case "binary":
            return Binary(str(parts[1]), expr_of(parts[0]), expr_of(parts[2]))
        case "unary":
            sign, operand = str(parts[0]), expr_of(parts[1])
            return operand if sign == "+" else Unary(sign, operand)
    raise AssertionError(node.data)
