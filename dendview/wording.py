"""Numbers and places as people read them."""

import re

from engine.distributions import Value
from engine.stimuli import Site

UNITS = {
    "S/cm2": "S/cm²", "mho/cm2": "S/cm²", "uF/cm2": "µF/cm²", "mA/cm2": "mA/cm²", "um": "µm",
    "ohm-cm": "Ω·cm", "ohm cm": "Ω·cm", "degC": "°C", "1": "", "uS": "µS",
}  # fmt: skip
"""NMODL's spelling of units and ours."""
THIN = "\u202f"
"""Narrow space that does not break: 4 071."""


def place(site: Site) -> str:
    """``dend[3](0.167)``."""
    return f"{site.section}({site.x:.3g})"


def variable_text(name: str) -> str:
    """A variable as its file writes it: ``ca[0]_cadiff`` of what is stored as ``ca__0_cadiff``."""
    return re.sub(r"__(\d+)(?=_|$)", r"[\1]", name)


def number(value: int) -> str:
    """4 071, with narrow spaces."""
    return f"{value:,}".replace(",", THIN)


def plural(n: int, noun: str) -> str:
    """``1 point``, ``4 071 points``."""
    return f"{number(n)} {noun}" if n == 1 else f"{number(n)} {noun}s"


def quantity(value: Value, unit: str) -> str:
    """A value with four digits and its unit; a law as it is written."""
    return f"{value:.4g} {unit}".rstrip()


def whole(value: float, unit: str) -> str:
    """A large value without decimals, with its unit."""
    return f"{value:,.0f} {unit}".replace(",", THIN)
