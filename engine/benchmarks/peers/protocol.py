"""What the peers' scripts share: a task comes as JSON, the times go back as JSON.

A script builds its model, says that it is ready, and then takes a round of steps for every line it
is sent, so that the programs can take turns. The scripts are run by whatever Python has the peer
installed, so they import nothing of ours and nothing but the standard library and the peer.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Round = Callable[[], tuple[float, float]]
"""Takes the steps of a round and gives wall and processor seconds."""


@dataclass
class Task:
    """One cell of the table.

    Attributes
    ----------
    swc
        Path of the tree.
    case
        ``passive``, ``hh`` or ``synaptic``: a passive tree with hh in the soma and synapses.
    copies, threads
        How many of the cell, on how many cores.
    branches
        Unbranched pieces of dendrite.
    n_step
        Steps of a round.
    segments
        Compartments of a branch.
    dt, celsius, ra, cm, g_pas, e_pas, amplitude
        ms, °C, Ω·cm, µF/cm², S/cm², mV, nA.
    n_synapse, rise, decay, weight, interval
        Synapses, each on a compartment of its own: time constants in ms, µS, ms between events.
    """

    swc: str
    case: str
    copies: int
    threads: int
    branches: int
    n_step: int
    segments: int = 5
    dt: float = 0.025
    celsius: float = 6.3
    ra: float = 150.0
    cm: float = 1.0
    g_pas: float = 5e-5
    e_pas: float = -65.0
    amplitude: float = 2.0
    n_synapse: int = 400
    rise: float = 0.5
    decay: float = 3.0
    weight: float = 2e-4
    interval: float = 1000.0

    def synapses(self) -> list[tuple[int, float, float]]:
        """Branch, place along it and time of the first event (ms) of every synapse."""
        chosen = random.Random(1).sample(range(self.branches * self.segments), self.n_synapse)
        phase = random.Random(2)
        places = (divmod(i, self.segments) for i in chosen)
        return [(b, (s + 0.5) / self.segments, phase.uniform(0, self.interval)) for b, s in places]


class CannotError(Exception):
    """The peer cannot run this case; the sentence says why."""


def timed(advance: Callable[[], object]) -> Round:
    """Wall and processor seconds of a call; the latter do not see other programs' load."""

    def take() -> tuple[float, float]:
        begin, spent = time.perf_counter(), time.process_time()
        advance()
        return time.perf_counter() - begin, time.process_time() - spent

    return take


def answer(measure: Callable[[Task], tuple[dict[str, Any], Round]]) -> None:
    """Build what the command line asks for, and take a round for every line that comes in."""
    task = Task(**json.loads(sys.argv[1]))
    try:
        said, take = measure(task)
    except (ImportError, CannotError) as error:
        print("\n" + json.dumps({"missing": str(error)}), flush=True)
        return
    print("\n" + json.dumps({"ready": said}), flush=True)
    for _ in sys.stdin:
        seconds, spent = take()
        print("\n" + json.dumps({"seconds": seconds, "cpu_seconds": spent}), flush=True)
