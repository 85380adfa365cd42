"""The slow, obvious meaning of a ``.mod`` file: its statements run one by one, branches taken,
functions called."""

import math
from collections import ChainMap

from engine.mechanisms.expressions import Binary, Call, Expr, Name, Number, Unary, evaluate
from engine.mechanisms.source import Assign, Block, Body, If, Local, Nested, Perform, Solve, Source


class Interpreter:
    """Runs blocks on a dictionary of values."""

    def __init__(self, source: Source, values: dict[str, float]) -> None:
        self.source = source
        self.values = {**source.constants, **values}

    def run(self, body: Body, scope: ChainMap[str, float] | None = None) -> None:
        scope = ChainMap() if scope is None else scope
        for statement in body:
            match statement:
                case Local(names, _):
                    scope.update(dict.fromkeys(names, 0.0))
                case Assign(Name(name), value, _):
                    result = self.value(value, scope)
                    home = next((level for level in scope.maps if name in level), self.values)
                    home[name] = result
                case If(condition, then, other, _):
                    self.run(then if self.value(condition, scope) else other, scope.new_child())
                case Nested(inner, _):
                    self.run(inner, scope.new_child())
                case Perform(name, arguments, _):
                    self.call(
                        self.source.procedures[name], [self.value(a, scope) for a in arguments]
                    )
                case Solve():
                    pass
                case _:
                    raise AssertionError(statement)

    def call(self, block: Block, arguments: list[float]) -> float:
        scope = ChainMap(dict(zip(block.formals, arguments, strict=True)))
        if block.kind == "FUNCTION":
            scope[block.name] = 0.0
        self.run(block.body, scope)
        return scope.get(block.name, 0.0)

    def value(self, expr: Expr, scope: ChainMap[str, float]) -> float:
        match expr:
            case Name(name):
                return scope[name] if name in scope else self.values[name]
            case Call("exprelr", (argument,)):
                x = self.value(argument, scope)
                return 1.0 if 1 + x == 1 else x / (math.exp(x) - 1)
            case Call(function, arguments):
                values = [self.value(a, scope) for a in arguments]
                if function in self.source.functions:
                    return self.call(self.source.functions[function], values)
                return evaluate(Call(function, tuple(map(Number, values))), {})
            case Unary(operator, operand):
                return evaluate(Unary(operator, Number(self.value(operand, scope))), {})
            case Binary(operator, left, right):
                a, b = self.value(left, scope), self.value(right, scope)
                return evaluate(Binary(operator, Number(a), Number(b)), {})
        return evaluate(expr, {})
