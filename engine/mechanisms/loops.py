"""Loops: FROM is written out, WHILE and iterations of a solver are repeated while they run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.mechanisms.expressions import ZERO, Call, Expr, Name, Number
from engine.mechanisms.model import Loop, Step
from engine.mechanisms.source import For, While

if TYPE_CHECKING:
    from engine.mechanisms.lower import Lowering, Scope

MAX_TURNS = 1000
"""Most turns of a FROM loop, which is written out."""
MAX_WHILE = 1_000_000
"""Turns after which a WHILE ends, so that a run never hangs."""
Values = dict[str, Expr]


def unroll(lowering: "Lowering", loop: For, scope: "Scope") -> None:
    """Every turn of a FROM loop, one after the other."""
    bounds = [lowering.number(e, scope, loop.line) for e in (loop.first, loop.last, loop.stride)]
    whole = [
        int(bound.value) for bound in bounds if isinstance(bound, Number) and bound.value % 1 == 0
    ]
    if len(whole) < 3 or whole[2] < 1:
        raise lowering.error(
            "the bounds of FROM are no whole numbers",
            "write numbers or names after DEFINE; use WHILE for others",
            loop.line,
        )
    first, last, stride = whole
    if (last - first) // stride >= MAX_TURNS:
        raise lowering.error(f"FROM takes more than {MAX_TURNS} turns", "use WHILE", loop.line)
    for k in range(first, last + 1, stride):
        inner = scope.new_child({loop.name: Number(float(k))})
        lowering.execute(loop.body, inner)


def repeat(
    lowering: "Lowering",
    start: Values,
    condition: Callable[[Values], Expr],
    turn: Callable[[Values], Values],
    limit: int,
) -> Values:
    """Lower a loop.

    Parameters
    ----------
    lowering
    start
        Values before the first turn.
    condition, turn
        Given the names of the values inside the loop: whether there is another turn, and the
        values after it.
    limit

    Returns
    -------
    dict
        The values after the loop.
    """
    lowering.loops += 1
    inside = {key: Name(f"loop{lowering.loops}__{key}") for key in start}
    names: Values = dict(inside)
    saved, lowering.steps = lowering.save(), []
    holds = condition(names)
    head, lowering.steps = lowering.steps, []
    after = turn(names)
    body = lowering.steps
    lowering.restore(saved)
    loop = Loop(
        tuple(name.name for name in inside.values()),
        tuple(start.values()),
        tuple(head),
        holds,
        tuple(body),
        tuple(after[key] for key in start),
        limit,
    )
    lowering.steps.append(Step(f"loop{lowering.loops}", ZERO, loop))
    opaque = Call("loop", tuple(Name(name) for name in sorted(loop.reads)))
    lowering.definitions |= dict.fromkeys(loop.carried, opaque)
    return names


def while_loop(lowering: "Lowering", statement: While, scope: "Scope") -> None:
    """WHILE: what its body writes is carried from turn to turn."""
    carried: dict[tuple[int, str], Expr] = {}
    while True:  # until a turn that starts from names writes nothing else
        found = _written(lowering, statement, scope, carried)
        if found.keys() <= carried.keys():
            break
        carried = found | carried
    keys = {f"{name}_{level + 1}": (level, name) for level, name in carried}
    start = {key: _get(lowering, scope, place) for key, place in keys.items()}

    def at(values: Values) -> "Scope":
        for key, place in keys.items():
            _set(lowering, scope, place, values[key])
        return scope

    def condition(values: Values) -> Expr:
        return lowering.truth(statement.condition, at(values), statement.line)

    def turn(values: Values) -> Values:
        lowering.execute(statement.body, at(values).new_child())
        return {key: _get(lowering, scope, place) for key, place in keys.items()}

    maps = [dict(level) for level in scope.maps]
    results = repeat(lowering, start, condition, turn, MAX_WHILE)
    _reset(scope, maps)
    at(results)


def _written(
    lowering: "Lowering", statement: While, scope: "Scope", carried: dict[tuple[int, str], Expr]
) -> dict[tuple[int, str], Expr]:
    """Variables a turn writes: level of the scope (-1 for the file's) and name."""
    saved, maps = lowering.save(), [dict(level) for level in scope.maps]
    for level, name in carried:
        _set(lowering, scope, (level, name), Name(f"turn__{level + 1}__{name}"))
    before = dict(lowering.values)
    starts = [dict(level) for level in scope.maps]
    lowering.execute(statement.body, scope.new_child())
    found: dict[tuple[int, str], Expr] = {
        (-1, name): value for name, value in lowering.values.items() if before.get(name) != value
    }
    for i, names in enumerate(scope.maps):
        found |= {(i, name): value for name, value in names.items() if starts[i].get(name) != value}
    lowering.restore(saved)
    _reset(scope, maps)
    return found


def _get(lowering: "Lowering", scope: "Scope", place: tuple[int, str]) -> Expr:
    level, name = place
    if level >= 0:
        return scope.maps[level][name]
    return lowering.values.get(name, lowering.unset(name))


def _set(lowering: "Lowering", scope: "Scope", place: tuple[int, str], value: Expr) -> None:
    level, name = place
    if level >= 0:
        scope.maps[level][name] = value
    else:
        lowering.values[name] = value


def _reset(scope: "Scope", maps: list[dict[str, Expr]]) -> None:
    for level, saved in zip(scope.maps, maps, strict=True):
        level.clear()
        level.update(saved)
