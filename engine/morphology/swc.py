"""SWC: seven numbers a row (id, type, x, y, z, radius, parent), read fast where clean, with care
where not.

The rules: http://www.neuronland.org/NLMorphologyConverter/MorphologyFormats/SWC/Spec.html and the
INCF specification. What is harmless is read and noted; what would need a guess about the tree is
refused, with every problem of the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.morphology.model import Morphology
from engine.morphology.pointwise import header_note
from engine.morphology.problems import Problem, as_notes
from engine.types import FloatArray, IntArray

_NAMES = ("id", "type", "x", "y", "z", "radius", "parent")
_SEPARATORS = re.compile(r"[\s,;]+")
_START = re.compile(r"\d+")
_DECIMAL_COMMA = re.compile(r"\d,\d")


@dataclass
class Rows:
    """The rows of a file as they stand there, before their order and tree are known.

    ``values`` is (n_row, 5): type, x, y, z, radius; ``id`` and ``parent`` are int64.
    """

    id: np.ndarray
    parent: np.ndarray
    values: FloatArray
    line: IntArray
    text: list[str]
    problems: list[Problem] = field(default_factory=list)
    left_out: frozenset[int] = frozenset()  # ids of rows that could not be read

    def row(self, i: int | np.integer) -> str:
        return self.text[self.line[i] - 1].strip()[:200]


def parse_rows(text: str) -> Rows:
    """Numbers of every row; a row that cannot be read becomes a problem and is left out."""
    lines = text.split("\n")
    return _parse_clean(lines) or _parse_odd(lines)


def _parse_clean(lines: list[str]) -> Rows | None:
    """Rows of a file all of whose rows are seven plain numbers or more; None where any is odd."""
    first = 0
    while first < len(lines) and (not lines[first].strip() or lines[first].lstrip()[0] == "#"):
        first += 1
    last = len(lines)
    while last > first and not lines[last - 1].strip():
        last -= 1
    try:
        table = np.loadtxt(lines[first:last], comments=None, ndmin=2)
    except ValueError:
        return None
    if len(table) != last - first or table.shape[1] < 7:
        return None  # an empty row in between, too few columns
    whole = table[:, (0, 1, 6)]
    with np.errstate(invalid="ignore"):
        clean = (whole == np.rint(whole)).all() and (np.abs(whole) < 2**31).all()
    if not (clean and np.isfinite(table[:, :7]).all()):
        return None
    if "." in lines[first].split()[0]:
        return None  # ids like 1.0 earn a note
    line = np.arange(first + 1, last + 1, dtype=np.int32)
    id_, parent = table[:, 0].astype(np.int64), table[:, 6].astype(np.int64)
    problems = list(_oddities({"format.more_columns": first + 1} if table.shape[1] > 7 else {}))
    return Rows(id_, parent, table[:, 1:6], line, lines, problems)


def _parse_odd(lines: list[str]) -> Rows:
    """Rows of any file, line by line."""
    problems: list[Problem] = []
    left_out: set[int] = set()
    ids: list[int] = []
    parents: list[int] = []
    values: list[list[float]] = []
    numbers: list[int] = []
    odd: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        row = line.split("#", 1)[0].strip()
        if not row:
            continue
        try:
            fields = _fields(row, number, odd)
            whole = [_whole(fields[i], i, number, row, odd) for i in (0, 1, 6)]
            real = [_real(fields[i], i, number, row) for i in range(2, 6)]
        except _BadRow as bad:
            problems.append(bad.problem)
            if (start := _START.match(row)) and len(start[0]) < 19:
                left_out.add(int(start[0]))
            continue
        ids.append(whole[0])
        parents.append(whole[2])
        values.append([float(whole[1]), *real])
        numbers.append(number)
    problems.extend(_oddities(odd))
    return Rows(
        np.array(ids, np.int64),
        np.array(parents, np.int64),
        np.array(values, np.float64).reshape(-1, 5),
        np.array(numbers, np.int32),
        lines,
        problems,
        frozenset(left_out),
    )


class _BadRow(Exception):  # noqa: N818
    def __init__(self, code: str, meaning: str, fix: str, line: int, text: str) -> None:
        self.problem = Problem(code, meaning, fix, line, text[:200])


def _fields(row: str, line: int, odd: dict[str, int]) -> list[str]:
    fields = row.split()
    if "," in row or ";" in row:
        spaced = [f.rstrip(",;") for f in fields]
        if len(spaced) >= 7 and any(_DECIMAL_COMMA.search(f) for f in spaced[:7]):
            raise _BadRow(
                "format.decimal_comma",
                "a number is written with a decimal comma",
                "write decimal points, as in 1.5",
                line,
                row,
            )
        fields = [f for f in _SEPARATORS.split(row) if f]
        odd.setdefault("format.commas", line)
    if len(fields) < 7:
        raise _BadRow(
            "format.columns",
            f"the row has {len(fields)} of the 7 numbers of an SWC point",
            "complete it: id type x y z radius parent",
            line,
            row,
        )
    if len(fields) > 7:
        odd.setdefault("format.more_columns", line)
    return fields


def _whole(token: str, column: int, line: int, row: str, odd: dict[str, int]) -> int:
    try:
        value = int(token)
    except ValueError:
        try:
            real = float(token)
        except ValueError:
            real = float("nan")
        if not real.is_integer():
            raise _BadRow(
                "identity.not_whole" if column != 1 else "semantics.type",
                f"the {_NAMES[column]} '{token[:40]}' is not a whole number",
                f"give the point a whole number as {_NAMES[column]}",
                line,
                row,
            ) from None
        value = int(real)
        odd.setdefault("format.float_ids", line)
    limit = 2**31 if column == 1 else 2**62
    if abs(value) >= limit or (column == 0 and value < 0) or "_" in token:
        raise _BadRow(
            "identity.out_of_range" if column != 1 else "semantics.type",
            f"the {_NAMES[column]} '{token[:40]}' is not one SWC allows",
            "number the points from 1" if column == 0 else "use a small whole number",
            line,
            row,
        )
    return value


def _real(token: str, column: int, line: int, row: str) -> float:
    name = _NAMES[column]
    try:
        value = float(token)
    except ValueError:
        value = None
    if value is None or "_" in token:
        raise _BadRow(
            "format.number",
            f"the {name} '{token[:40]}' is not a number",
            "write a number in µm or remove the point",
            line,
            row,
        )
    if not np.isfinite(value):
        raise _BadRow(
            "geometry.not_finite",
            f"the {name} is {token[:40]}",
            "give the point a number in µm, or remove it and join its children to its parent",
            line,
            row,
        )
    return value


def _oddities(odd: dict[str, int]) -> Iterator[Problem]:
    said = {
        "format.commas": ("the columns are separated by commas", "SWC uses spaces; read as meant"),
        "format.more_columns": ("rows have more than seven columns", "the others were left out"),
        "format.float_ids": (
            "ids, types or parents are written with decimal places",
            "read as whole numbers",
        ),
    }
    for code, line in odd.items():
        yield Problem(code, *said[code], line, severity="warning")


def parent_rows(rows: Rows) -> np.ndarray:
    """(n_row,) row of each point's parent; -1 at a root, -2 where the parent is not in the file."""
    order = np.argsort(rows.id, kind="stable")
    sorted_id = rows.id[order]
    place = np.minimum(np.searchsorted(sorted_id, rows.parent), len(order) - 1)
    found = sorted_id[place] == rows.parent
    return np.where(rows.parent < 0, -1, np.where(found, order[place], -2))


def parents_have_smaller_ids(rows: Rows) -> bool:
    """Whether the order of ids is an order along the tree; it also rules out rings."""
    return bool((rows.parent < rows.id).all())


def build(rows: Rows, problems: list[Problem], name: str) -> Morphology:
    """The morphology of sound rows, parents first.

    Points stand in the order of their ids where every parent has the smaller id, which is also
    NEURON's order; otherwise along the tree from each root, children in the order of their ids.
    """
    up = parent_rows(rows)
    if parents_have_smaller_ids(rows):
        order = np.argsort(rows.id, kind="stable")
    else:
        order = _along_the_tree(up, rows.id)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    up = up[order]
    values = rows.values[order]
    return Morphology(
        xyz=np.ascontiguousarray(values[:, 1:4]),
        radius=values[:, 4].copy(),
        parent=np.where(up < 0, -1, place[up]).astype(np.int32),
        tag=values[:, 0].astype(np.int32),
        line=rows.line[order],
        name=name,
        source="swc",
        notes=as_notes(problems) + header_note(rows.text),
    )


def _along_the_tree(up: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Rows in depth-first order; an unbranched run stays together."""
    children: list[list[int]] = [[] for _ in up]
    stack: list[int] = []
    for i in np.argsort(ids, kind="stable")[::-1].tolist():
        (children[up[i]] if up[i] >= 0 else stack).append(i)
    order = []
    while stack:
        i = stack.pop()
        order.append(i)
        stack.extend(children[i])  # largest id first, so the smallest is taken next
    return np.array(order)
