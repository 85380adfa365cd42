"""The words of a Neurolucida file: marks, strings, names, and whole points."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_NUMBER = r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|nan|inf(?:inity)?)(?![\w.])"
_TOKEN = re.compile(
    rf"""(?P<comment>;[^\n]*)
    |(?P<point>\(\s*+({_NUMBER})[\s,]++({_NUMBER})(?:[\s,]++({_NUMBER}))?(?:[\s,]++({_NUMBER}))?
        (?:[\s,]++[A-Za-z_]\w*+)?(?:\s*+\([^()\n]*+\))?\s*+\))
    |(?P<string>"[^"\n]*")
    |(?P<word>[A-Za-z_]\w*)
    |(?P<mark>[()|<>,])
    |(?P<other>[^\s()|<>,;"]+|")""",
    re.X | re.I,
)


class Token(NamedTuple):
    """``kind`` is point, string, word, mark or other; ``at`` the place in the text."""

    kind: str
    text: str
    at: int
    numbers: tuple[str | None, ...] = ()


def tokens(text: str) -> Iterator[Token]:
    """Everything but comments; a point's numbers are its groups, missing ones None."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "point":
            yield Token(kind, "(…)", match.start(), match.groups()[2:6])
        elif kind is not None and kind != "comment":
            yield Token(kind, match.group(), match.start())
