"""What the peers' scripts share: a task comes as JSON, the times go back as JSON.

The scripts are run by whatever Python has the peer installed, so they import nothing of ours and
nothing but the standard library and the peer.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Task:
    """One cell of the table.

    Attributes
    ----------
    swc
        Path of the tree.
    case
        ``passive``, ``hh`` or ``synaptic``.
    copies, threads
        How many of the cell, on how many cores.
    n_step, n_round
        Steps of a round, and rounds after a first one that is not counted.
    segments
        Compartments of a branch.
    dt, celsius, ra, cm, g_pas, e_pas, amplitude
        ms, °C, Ω·cm, µF/cm², S/cm², mV, nA.
    """

    swc: str
    case: str
    copies: int
    threads: int
    n_step: int
    n_round: int
    segments: int = 5
    dt: float = 0.025
    celsius: float = 6.3
    ra: float = 150.0
    cm: float = 1.0
    g_pas: float = 5e-5
    e_pas: float = -65.0
    amplitude: float = 2.0


class CannotError(Exception):
    """The peer cannot run this case; the sentence says why."""


def rounds(task: Task, advance: Callable[[], None]) -> dict[str, list[float]]:
    """Wall and processor seconds of every round; the latter do not see other programs' load."""
    wall, cpu = [], []
    for number in range(task.n_round + 1):
        begin, spent = time.perf_counter(), time.process_time()
        advance()
        if number:
            cpu.append(time.process_time() - spent)
            wall.append(time.perf_counter() - begin)
    return {"seconds": wall, "cpu_seconds": cpu}


def answer(measure: Callable[[Task], dict[str, Any]]) -> None:
    """Do the task on the command line and print what it gave."""
    task = Task(**json.loads(sys.argv[1]))
    try:
        result = measure(task)
    except (ImportError, CannotError) as error:
        result = {"missing": str(error)}
    print("\n" + json.dumps(result), flush=True)
