"""From sections to compartments: nseg rules, areas, axial conductances (NEURON's numbers)."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from engine.errors import UserError

RULE_KINDS = ("max_length", "d_lambda", "fixed")


@dataclass(frozen=True)
class Rule:
    """How sections are cut into segments.

    ``max_length``: nseg = 1 + 2 int(L / value), value in µm; ``d_lambda``: nseg odd and segments at
    most value times the length constant at 100 Hz; ``fixed``: value segments in every section.
    """

    kind: Literal["max_length", "d_lambda", "fixed"] = "max_length"
    value: float = 40.0

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """``max_length:40``, ``d_lambda:0.1`` or ``fixed:5``.

        Raises
        ------
        UserError
            If the rule is none of the three or its value is not a positive number.
        """
        kind, colon, number = (part.strip() for part in text.partition(":"))
        if kind not in RULE_KINDS:
            near = get_close_matches(kind, RULE_KINDS, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UserError(
                f"rule '{text}' is not one of max_length:40, d_lambda:0.1, fixed:5{hint}"
            )
        try:
            value = float(number)
        except ValueError:
            example = {"max_length": 40, "d_lambda": 0.1, "fixed": 5}[kind]
            what = f"has '{number}' where a number belongs" if number else "lacks its value"
            raise UserError(f"rule '{text}' {what}; write for example {kind}:{example}") from None
        rule = cls(kind, value)  # type: ignore[arg-type]
        rule.check()
        return rule

    def check(self) -> None:
        """Refuse values no cell can be cut by.

        Raises
        ------
        UserError
        """
        if self.kind not in RULE_KINDS:
            raise UserError(f"rule kind '{self.kind}' is not one of {', '.join(RULE_KINDS)}")
        if not 0 < self.value < float("inf"):
            raise UserError(f"rule '{self}' needs a positive value")
        if self.kind == "fixed" and self.value != int(self.value):
            raise UserError(f"rule '{self}' needs a whole number of segments")
        if self.kind == "fixed" and self.value > 32767:
            raise UserError(f"rule '{self}' asks for more than 32767 segments in a section")

    def __str__(self) -> str:
        return f"{self.kind}:{self.value:g}"
