"""A spin box for a quantity with its unit: it takes "200 pA" and shows the canonical "0.2 nA"."""

import re
from functools import cache
from typing import Any

from PyQt6.QtGui import QValidator
from PyQt6.QtWidgets import QDoubleSpinBox, QWidget

_NUMBER = re.compile(r"\s*([+\-−]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+\-]?\d+)?)\s*(.*?)\s*$")
_SPELLING = {
    "µ": "u",
    "μ": "u",
    "Ω": "ohm",
    "\u2126": "ohm",  # the ohm sign, besides the Greek letter
    "·": "*",
    "²": "**2",
    "°C": "degC",
}


@cache
def _registry() -> Any:
    import pint  # half a second: only when a unit is typed for the first time

    return pint.UnitRegistry()


def _spell(unit: str) -> str:
    """A unit as pint spells it: ``µF/cm²`` becomes ``uF/cm**2``."""
    for sign, word in _SPELLING.items():
        unit = unit.replace(sign, word)
    return re.sub(r"(?<=[A-Za-z])(\d)", r"**\1", unit.replace("^", "**"))


def parse_quantity(text: str, unit: str) -> float:
    """The number of ``unit`` that a text means; a bare number is taken in ``unit``.

    Raises
    ------
    ValueError
        If there is no number, or the unit is unknown or of another kind; one clause says so.
    """
    if (match := _NUMBER.match(text)) is None:
        raise ValueError(f"'{text.strip()}' has no number; type for example 1 {unit}".rstrip())
    value = float(match[1].replace(",", ".").replace("−", "-"))
    given = match[2]
    if not given or given == unit or not unit:
        if given and given != unit:
            raise ValueError(f"this number has no unit; leave out '{given}'")
        return value
    try:
        registry = _registry()
        return float(registry.Quantity(value, _spell(given)).to(_spell(unit)).magnitude)
    except Exception as error:  # pint raises many kinds, all mean the same to the person
        raise ValueError(f"'{given}' is not a unit of this kind; {unit} is expected") from error


class QuantityBox(QDoubleSpinBox):
    """A value with a fixed unit; ``valueChanged(float)`` fires in that unit when it is done.

    Parameters
    ----------
    unit : str
        As shown: ``nA``, ``ms``, ``µF/cm²``, ``Ω·cm``, ``°C``; empty for a plain number.
    minimum, maximum, step : float
        In ``unit``.
    decimals : int
        Digits after the point that are kept.
    """

    def __init__(
        self,
        unit: str,
        value: float = 0.0,
        minimum: float = -1e9,
        maximum: float = 1e9,
        step: float = 1.0,
        decimals: int = 6,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.unit = unit
        self.setDecimals(decimals)
        self.setRange(minimum, maximum)
        self.setSingleStep(step)
        self.setKeyboardTracking(False)
        self.setValue(value)
        line = self.lineEdit()
        assert line is not None
        line.textEdited.connect(self._on_edit)
        self.setToolTip(self._hint())

    def _hint(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        limits = f"{self.minimum():.6g} to {self.maximum():.6g}{unit}"
        return f"{limits}; other units of this kind may be typed"

    def textFromValue(self, value: float) -> str:
        """The value in its canonical unit, no trailing zeros."""
        text = (
            f"{value:.{self.decimals()}f}".rstrip("0").rstrip(".")
            if self.decimals()
            else f"{value:.0f}"
        )
        text = "0" if text in ("-0", "") else text
        return f"{text} {self.unit}".rstrip()

    def valueFromText(self, text: str | None) -> float:
        """The value a typed text means, within the range."""
        try:
            return min(max(parse_quantity(text or "", self.unit), self.minimum()), self.maximum())
        except ValueError:
            return self.value()

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Any text may stand while it is typed; only a quantity within the range is taken."""
        try:
            value = parse_quantity(text or "", self.unit)
        except ValueError:
            return QValidator.State.Intermediate, text or "", position
        inside = self.minimum() <= value <= self.maximum()
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text or "", position

    def fixup(self, text: str | None) -> str:
        """What replaces a text that is not taken: the nearest allowed value, or the one before."""
        return self.textFromValue(self.valueFromText(text))

    def _on_edit(self, text: str) -> None:
        """Tell at once what is wrong with a text that will not be taken."""
        try:
            value, wrong = parse_quantity(text, self.unit), ""
            if not self.minimum() <= value <= self.maximum():
                wrong = self._hint()
        except ValueError as error:
            wrong = str(error)
        self.setProperty("wrong", bool(wrong))
        self.setToolTip(wrong or self._hint())
        style = self.style()
        assert style is not None
        style.unpolish(self)
        style.polish(self)
