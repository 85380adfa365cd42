"""Text of a ``.mod`` file to a :class:`~engine.mechanisms.source.Source`."""

import re
from functools import cache
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from engine.errors import MechanismError
from engine.mechanisms.collect import collect
from engine.mechanisms.source import Source

_WAY_OUT = {
    "VERBATIM": "write the C code as NMODL statements",
    "INCLUDE": "paste the included file in its place",
    "BBCOREPOINTER": "compute the value in this mechanism",
    "RANDOM": "remove the noise or inject it with a stimulus",
    "EXTERNAL": "declare the value as a PARAMETER",
    "NONLINEAR": "solve the equations by hand in INITIAL",
    "DISCRETE": "write it as a PROCEDURE",
    "PARTIAL": "write it as a DERIVATIVE block",
    "FUNCTION_TABLE": "write the table as a FUNCTION",
    "BEFORE": "move the statements to BREAKPOINT or INITIAL",
    "AFTER": "move the statements to BREAKPOINT or INITIAL",
    "CONSTRUCTOR": "move the statements to INITIAL",
    "DESTRUCTOR": "remove the block",
    "FOR_NETCONS": "keep what is needed of each connection in an argument of NET_RECEIVE",
    "LONGITUDINAL_DIFFUSION": "remove the diffusion along the cable",
    "TERMINAL": "remove the block",
    "STEPPED": "declare the value as a PARAMETER",
    "SENS": "remove the statement",
    "DEFINEVAR": "declare the value as ASSIGNED",
    "RESET": "remove the statement",
}
"""Words of NMODL that are refused, and what the person can do."""


_TOKENS = {
    "LBRACE": "{", "RBRACE": "}", "LPAR": "(", "RPAR": ")", "EQUAL": "=", "COMMA": "a comma",
    "NAME": "a name", "NUMBER": "a number", "UNIT": "a (unit)", "TIMES": "*", "POWER": "^",
    "PLUS_MINUS": "+ or -", "COMPARE": "a comparison", "AND": "&&", "OR": "||", "NOT": "!",
    "QUOTE": "'", "_IF": "if", "_ELSE": "else", "$END": "the end of the file",
}  # fmt: skip
"""The grammar's terminals as a person would name them."""


@cache
def _grammar() -> Lark:
    text = (Path(__file__).parent / "nmodl.lark").read_text(encoding="utf-8")
    return Lark(
        text, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=True
    )


def parse_source(text: str, path: str | Path) -> Source:
    """Parse NMODL.

    Parameters
    ----------
    text
        The whole file.
    path
        What error messages call it.

    Raises
    ------
    MechanismError
        With the line, where the text is not NMODL or holds a construct the engine does not support.
    """
    title, plain = _strip(text, Path(path))
    _refuse_unsupported(plain, Path(path))
    return collect(_tree(_mark_reactions(plain), path), Path(path), title)


def _mark_reactions(plain: str) -> str:
    """``@`` for the tilde of every reaction; the tilde of an equation stays."""

    def mark(match: re.Match[str]) -> str:
        return f"@{match[1]}" if match[2] != "=" else match[0]

    return re.sub(r"~((?:(?!<->|->|<<|=|~)[^{}])*)(?=(<->|->|<<|=))", mark, plain)


def parse_tree(text: str, rule: str = "start") -> Tree[Token]:
    """Lark's tree of a text without comments, for tests of the grammar."""
    return _grammar().parse(text) if rule == "start" else Lark.parse(_grammar(), text, start=rule)


def _tree(plain: str, path: str | Path) -> Tree[Token]:
    try:
        return _grammar().parse(plain)
    except UnexpectedEOF:
        raise _unbalanced(plain, path) from None
    except UnexpectedToken as error:
        token = error.token
        if token.type == "$END":
            raise _unbalanced(plain, path) from None
        raise MechanismError(
            path, f"'{token}' is not expected here", "expected " + _expected(error), token.line
        ) from None
    except UnexpectedCharacters as error:
        raise MechanismError(
            path, f"'{error.char}' is not expected here", "expected " + _expected(error), error.line
        ) from None


def _unbalanced(plain: str, path: str | Path) -> MechanismError:
    lines = plain.count("\n") + 1
    return MechanismError(path, "the file ends inside a block", "a closing '}' is missing", lines)


def _expected(error: UnexpectedInput) -> str:
    """The grammar's words for what may stand there, in ours."""
    candidates = (getattr(error, name, None) for name in ("accepts", "allowed", "expected"))
    accepted = next((names for names in candidates if names), ())
    found = sorted({_TOKENS.get(name, name) for name in accepted})
    if not found:
        return "a block such as NEURON { … }"
    return ", ".join(found[:8]) + (" …" if len(found) > 8 else "")


def _strip(text: str, path: Path) -> tuple[str, str]:
    """The title, and the text with title and comments blanked so that lines stay where they are."""
    title = ""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    pattern = re.compile(
        r"^[ \t]*TITLE\b(?P<title>[^\n]*)"
        r"|^[ \t]*COMMENT\b[\s\S]*?^[ \t]*ENDCOMMENT\b[^\n]*"
        r"|^[ \t]*(?P<open>COMMENT\b)"
        r"|[:?][^\n]*"
        r"|\bUNITS(?:OFF|ON)\b"
        r"|\b(?:PROTECT|MUTEXLOCK|MUTEXUNLOCK)\b",  # kernels share no variables
        re.MULTILINE,
    )
    out, at = [], 0
    for match in pattern.finditer(text):
        if match["open"]:
            line = text.count("\n", 0, match.start()) + 1
            raise MechanismError(path, "COMMENT is never closed", "add a line ENDCOMMENT", line)
        if match["title"] is not None:
            title = title or match["title"].strip()
        out += [text[at : match.start()], blank(match)]
        at = match.end()
    return title, "".join([*out, text[at:]])


def _refuse_unsupported(plain: str, path: Path) -> None:
    for match in re.finditer(r"\b[A-Z_]{3,}\b", plain):
        if (word := match[0].upper()) in _WAY_OUT:
            line = plain.count("\n", 0, match.start()) + 1
            raise MechanismError(path, f"construct {word} is not supported", _WAY_OUT[word], line)
