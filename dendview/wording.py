"""Numbers and places as people read them."""

from engine.stimuli import Site

THIN = "\u202f"
"""Narrow space that does not break: 4 071."""


def place(site: Site) -> str:
    """``dend[3](0.167)``."""
    return f"{site.section}({site.x:.3g})"


def number(value: int) -> str:
    """4 071, with narrow spaces."""
    return f"{value:,}".replace(",", THIN)


def plural(n: int, noun: str) -> str:
    """``1 point``, ``4 071 points``."""
    return f"{number(n)} {noun}" if n == 1 else f"{number(n)} {noun}s"


def quantity(value: float, unit: str) -> str:
    """A value with four digits and its unit."""
    return f"{value:.4g} {unit}".rstrip()


def whole(value: float, unit: str) -> str:
    """A large value without decimals, with its unit."""
    return f"{value:,.0f} {unit}".replace(",", THIN)
