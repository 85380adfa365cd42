"""What the schedule views draw, as plain arrays and sentences. No Qt here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dendview.colors import ColorTable
from engine.schedule.model import Schedule
from engine.types import IntArray, NodeSet, ScheduleMethod

METHOD_TEXTS: dict[ScheduleMethod, tuple[str, str]] = {
    "dhs": ("DHS", "Every step takes the k deepest compartments whose children are all done."),
    "hines": ("Serial Hines", "One thread takes one compartment after another; the others wait."),
    "permute1": (
        "CoreNEURON permute 1",
        "One thread for each cell. It pays with many cells; one cell alone is solved serially.",
    ),
    "permute2": (
        "CoreNEURON permute 2",
        "Levels from the root fill the threads; loose tips are moved in to keep children apart.",
    ),
    "branches": (
        "Branches",
        "The cell is split at one place; whole branches go to threads, the trunk comes after them.",
    ),
    "depth_levels": (
        "Depth levels",
        "One level of equal depth after another, the deepest first, in chunks of k.",
    ),
    "height_levels": (
        "Height levels",
        "All tips first, then what stands on them, level by level in chunks of k.",
    ),
}
"""Name of each method and one line that explains it, in the order of the menus."""

NODE_TEXTS: dict[NodeSet, tuple[str, str]] = {
    "neuron": (
        "NEURON's nodes",
        "With a massless node at every section end, as NEURON and the paper count.",
    ),
    "merged": (
        "Merged nodes",
        "Massless nodes that join nothing are eliminated beforehand, exactly.",
    ),
}
"""Name of each node set and one line that explains it."""

WAITING, CANDIDATE, TAKEN, DONE = 0, 1, 2, 3


def step_classes(schedule: Schedule, step: int) -> NDArray[np.uint8]:
    """Where every node stands when ``step`` steps are done.

    The last step done is the one shown: its nodes are *taken now*, nodes that were free too but not
    chosen are *candidates*, nodes of earlier steps are *done*. Before the first step the tips are
    candidates. Roots are not eliminated and stay *waiting*.

    Parameters
    ----------
    schedule : Schedule
    step : int
        Steps done, 0 to ``n_step``; clamped.

    Returns
    -------
    (n_comp,) uint8
        0 waiting, 1 candidate, 2 taken now, 3 done.
    """
    now = min(max(step, 0), schedule.n_step) - 1
    own, ready = schedule.step, schedule.ready
    classes = np.zeros(schedule.n_comp, np.uint8)
    classes[(ready <= max(now, 0)) & (own > now)] = CANDIDATE
    classes[own < now] = DONE
    classes[own == now] = TAKEN
    classes[own < 0] = WAITING
    return classes


@dataclass(frozen=True)
class Progress:
    """Numbers of the player: the step shown and how many nodes are in each class."""

    step: int
    n_step: int
    taken: int
    done: int
    candidates: int

    def __str__(self) -> str:
        head = f"step {self.step}/{self.n_step}"
        if self.step == 0:
            return f"{head} · {self.candidates} candidates"
        counts = f"{self.taken} taken now · {self.done} done · {self.candidates} candidates"
        return f"{head} · {counts}"


def progress(schedule: Schedule, step: int) -> Progress:
    """The same as counting :func:`step_classes`, without looking at the nodes."""
    shown = min(max(step, 0), schedule.n_step)
    if shown == 0:
        free = int(schedule.n_free[0]) if schedule.n_step else 0
        return Progress(0, schedule.n_step, 0, 0, free)
    taken = int(schedule.width[shown - 1])
    done = int(schedule.step_start[shown - 1])
    return Progress(shown, schedule.n_step, taken, done, int(schedule.n_free[shown - 1]) - taken)


def badge(schedule: Schedule) -> tuple[str, bool]:
    """``351 = bound 351 ✓ optimal`` or ``471, bound 351 (+34 %)``, and whether it is optimal."""
    if schedule.optimal:
        return f"{schedule.n_step} = bound {schedule.bound} ✓ optimal", True
    above = 100 * (schedule.n_step / schedule.bound - 1)
    percent = f"{above:.1f}" if above < 10 else f"{above:,.0f}".replace(",", " ")
    return f"{schedule.n_step} · bound {schedule.bound} (+{percent} %)", False


def binding_text(schedule: Schedule) -> str:
    """Why no schedule is shorter, and from which number of threads on more do not help."""
    if schedule.n_step == 0:
        return "There is nothing to eliminate: the cell is its roots."
    enough, k = schedule.n_threads_enough, schedule.n_threads
    if schedule.binds == "depth":
        text = (
            f"depth-bound: the deepest compartment has {schedule.depth} ancestors, and each waits "
            "for the one before. More threads cannot help"
        )
        text += f" (from {enough} on)." if enough > 1 else "."
    else:
        text = (
            f"work-bound: {schedule.n_serial} compartments keep {k} "
            f"{'thread' if k == 1 else 'threads'} busy for longer than the depth of "
            f"{schedule.depth}. More threads help, up to {enough}."
        )
    if schedule.optimal:
        return text[0].upper() + text[1:]
    more = schedule.n_step - schedule.bound
    return f"{more} {'step' if more == 1 else 'steps'} more than the best schedule, which is {text}"


def sensible_speed(n_step: int) -> float:
    """Steps per second that play a schedule in about a quarter of a minute, one of ``SPEEDS``."""
    return min(SPEEDS, key=lambda speed: abs(np.log(speed * 15 / max(n_step, 1))))


SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)


def rows_used(schedule: Schedule) -> int:
    """Threads that ever do something, at least 1: those after them are idle all the time."""
    return int(schedule.thread.max(initial=0)) + 1


def node_at(schedule: Schedule, step: int, thread: int) -> int:
    """Node in a slot (both counted from 0), or -1 where the slot is idle or does not exist."""
    if not 0 <= step < schedule.n_step:
        return -1
    here = schedule.node[schedule.step_start[step] : schedule.step_start[step + 1]]
    found = here[schedule.thread[here] == thread]
    return int(found[0]) if found.size else -1


def visible_slots(schedule: Schedule, first: int, last: int) -> tuple[IntArray, IntArray, IntArray]:
    """Nodes of the steps ``first`` to ``last`` (not included), with their steps and threads."""
    first, last = max(first, 0), min(last, schedule.n_step)
    if last <= first:
        none = np.empty(0, np.int32)
        return none, none, none
    node = schedule.node[schedule.step_start[first] : schedule.step_start[last]]
    return node, schedule.step[node], schedule.thread[node]


def slot_image(
    schedule: Schedule,
    colors: ColorTable,
    idle: tuple[int, int, int],
    steps: tuple[int, int],
    threads: tuple[int, int],
    shape: tuple[int, int],
) -> NDArray[np.uint8]:
    """A picture of many slots: each pixel shows the share of its slots that are busy.

    Where a pixel holds several threads, it has the color of the first: a mixture of all hues would
    be gray.

    Parameters
    ----------
    schedule : Schedule
    colors : (n_threads, 3) uint8
    idle : (3,)
        Color of an idle slot.
    steps, threads : (first, last)
        Range drawn, last not included.
    shape : (height, width)
        Pixels, at most one for a slot.

    Returns
    -------
    (height, width, 3) uint8
        Thread ``threads[0]`` on top.
    """
    height, width = shape
    _, step, thread = visible_slots(schedule, *steps)
    inside = (thread >= threads[0]) & (thread < threads[1])
    step, thread = step[inside].astype(np.int64), thread[inside].astype(np.int64)
    n_step, n_thread = max(steps[1] - steps[0], 1), max(threads[1] - threads[0], 1)
    column = (step - steps[0]) * width // n_step
    row = (thread - threads[0]) * height // n_thread
    pixel = row * width + column
    busy = np.bincount(pixel, minlength=height * width)
    slots = np.outer(_share(n_thread, height), _share(n_step, width)).ravel()
    share = (busy / slots).reshape(height, width, 1)
    first = threads[0] + -(-np.arange(height) * n_thread // height)
    own = colors[first % len(colors)].astype(float)[:, None, :]
    return np.rint(share * own + (1 - share) * np.array(idle, float)).astype(np.uint8)


def _share(n: int, parts: int) -> NDArray[np.int64]:
    """How many of 0 … n - 1 fall into each part ``i * parts // n``; at least 1, for a division."""
    return np.maximum(np.bincount(np.arange(n) * parts // n, minlength=parts), 1)
