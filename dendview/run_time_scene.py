"""What the panel of run times says, as plain words and numbers. No Qt here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dendview.wording import number, plural
from engine.experiments.timings import Row, RunTimes, Timing

NOTHING = (
    "How long does the solve take on this machine? Measure it: predicted steps beside measured "
    "times, from one cell to thousands."
)
ONE_CORE = (
    "The steps are predicted for k threads a cell. The processor has no k threads: one core walks "
    "each order node by node, so the times of walked orders tell what the order costs in memory "
    "access, not what threads win."
)


@dataclass(frozen=True)
class Unit:
    """A way to tell a time; ``of`` gives the number."""

    title: str
    axis: str
    of: Callable[[Timing], float]


UNITS: dict[str, Unit] = {
    "ms": Unit("ms per solve", "ms per solve", lambda t: 1e3 * t.seconds),
    "ns": Unit("ns per node", "ns per node", lambda t: t.ns_per_node),
    "s": Unit("s per 1 s simulated", "s per 1 s simulated",
              lambda t: t.per_second()),
}  # fmt: skip


def digits(value: float) -> str:
    """Three digits, without an exponent: ``0.0123``, ``4.56``, ``1 230``."""
    if value >= 1000:
        return number(round(value))
    return f"{value:.3g}" if value >= 1e-4 else f"{value:.1e}"


def steps_text(row: Row) -> str:
    """``82``, and how many cells such a step takes at once where it is not one."""
    many = f" for {row.way.together}" if row.way.together > 1 else ""
    return f"{number(row.way.n_step)}{many}"


def cells_word(row: Row) -> str:
    return "cells at once" if row.way.together > 1 else "steps a cell"


def steps_a_cell(row: Row) -> float:
    return row.way.n_step / row.way.together


def row_tip(row: Row, n_cells: int) -> str:
    """All that is known of a row."""
    lines = [row.way.title, row.way.hint, f"predicted: {steps_text(row)} {cells_word(row)}"]
    if (t := row.at(n_cells)) is not None:
        low, high = digits(1e3 * t.lowest), digits(1e3 * t.highest)
        lines.append(
            f"measured: {digits(1e3 * t.seconds)} ms (median of {t.rounds} rounds, {low} to {high})"
        )
    else:
        lines.append(f"not measured: {row.missing or 'not reached yet'}")
    return "\n".join(line for line in lines if line)


def caption(result: RunTimes) -> str:
    """When and on what it was measured, and what is only predicted."""
    try:
        day = datetime.fromisoformat(result.date)
        when = f"{day.day} {day:%b %Y %H:%M}"
    except ValueError:
        when = result.date
    nodes, threads = number(result.n_comp), plural(result.n_threads, "thread")
    devices = " and ".join(result.devices)
    spines = f", {plural(result.n_spine, 'spine')} among them" if result.n_spine else ""
    return f"Measured {when} on {devices} · predicted for {threads} a cell · {nodes} nodes{spines}"


def remarks(result: RunTimes) -> str:
    """What has to be known to read the numbers, a paragraph each."""
    texts = [caption(result), ONE_CORE]
    texts += [f"Not measured: {result.left_out}."] if result.left_out else []
    texts += [f"No GPU: {reason}." for reason in dict.fromkeys(
        row.missing for row in result.rows if row.missing)]  # fmt: skip
    return "\n\n".join(texts)


def cells_text(n_cells: int) -> str:
    """``1 cell``, ``3 000 cells``."""
    return plural(n_cells, "cell")
