"""Scheduling by hand: choose at most k free nodes a step, and see what it costs. No Qt here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.errors import UserError
from engine.schedule import depths, lower_bound
from engine.types import FloatArray, IntArray

TOY = (-1, 0, 0, 0, 0, 0, 5, 6, 6, 7, 7, 8, 11, 8, 13)
"""Parents of the 15 compartments of Fig. 2d of Zhang et al. 2023: 14 steps for one thread, 5 for
four."""
LARGEST = 40
"""Nodes of the largest tree that is a puzzle and no labor."""


@dataclass(frozen=True, eq=False)
class Puzzle:
    """A tree that is being eliminated by hand.

    Attributes
    ----------
    parent : (n_comp,) int32
    n_threads : int
    steps : tuple of tuple of int
        Nodes of every step taken; the i-th is taken by thread i.
    chosen : tuple of int
        Nodes picked for the next step, at most ``n_threads``.
    """

    parent: IntArray
    n_threads: int
    steps: tuple[tuple[int, ...], ...] = ()
    chosen: tuple[int, ...] = ()

    @cached_property
    def step_of(self) -> IntArray:
        """(n_comp,) step that took each node, from 1; 0 where it is still there."""
        step = np.zeros(len(self.parent), np.int32)
        for i, nodes in enumerate(self.steps):
            step[list(nodes)] = i + 1
        return step

    @cached_property
    def candidates(self) -> tuple[int, ...]:
        """Nodes whose children are all done, the deepest first; roots stay."""
        left = self.step_of == 0
        children = np.bincount(
            self.parent[left & (self.parent >= 0)], minlength=len(self.parent)
        )  # still there
        free = np.flatnonzero(left & (self.parent >= 0) & (children == 0))
        order = np.lexsort((free, -depths(self.parent)[free]))
        return tuple(int(i) for i in free[order])

    @property
    def over(self) -> bool:
        return not self.candidates

    @cached_property
    def bound(self) -> int:
        """Fewest steps from the very start."""
        return lower_bound(self.parent, self.n_threads)

    @cached_property
    def still_possible(self) -> int:
        """Fewest steps in all from here on, however it goes on: Hu's bound is met on every tree."""
        left = np.flatnonzero(self.step_of == 0)
        place = np.full(len(self.parent), -1, np.int32)
        place[left] = np.arange(left.size)
        up = self.parent[left]
        rest = np.where(up < 0, -1, place[up]).astype(np.int32)
        return len(self.steps) + lower_bound(rest, self.n_threads)

    @property
    def best_choice(self) -> tuple[int, ...]:
        """What DHS takes now: the deepest candidates."""
        return self.candidates[: self.n_threads]

    def toggle(self, node: int) -> "Puzzle":
        """Pick a node for the next step, or put it back.

        Raises
        ------
        UserError
            If it cannot be taken now; says why.
        """
        if node in self.chosen:
            return replace(self, chosen=tuple(i for i in self.chosen if i != node))
        if node not in self.candidates:
            raise UserError(self.why_not(node))
        if len(self.chosen) == self.n_threads:
            raise UserError(
                f"All {self.n_threads} threads have a node; put one back, or take the step."
            )
        return replace(self, chosen=(*self.chosen, node))

    def why_not(self, node: int) -> str:
        """Why a node cannot be taken now."""
        if self.step_of[node]:
            return f"Node {node} is done since step {self.step_of[node]}."
        if self.parent[node] < 0:
            return f"Node {node} is the root: it is solved last and needs no step."
        waiting = np.flatnonzero((self.parent == node) & (self.step_of == 0))
        return f"Node {node} waits for {_names(waiting.tolist())}."

    def choose(self, nodes: tuple[int, ...]) -> "Puzzle":
        """Pick these candidates instead."""
        return replace(self, chosen=nodes)

    def take_step(self) -> "Puzzle":
        """Eliminate what is chosen.

        Raises
        ------
        UserError
            If nothing is chosen.
        """
        if not self.chosen:
            raise UserError("Choose at least one node; those with a bright ring are free.")
        return replace(self, steps=(*self.steps, self.chosen), chosen=())

    def undo(self) -> "Puzzle":
        """Take the last step back; its nodes are chosen again."""
        if not self.steps:
            return self
        return replace(self, steps=self.steps[:-1], chosen=self.steps[-1])

    def restart(self, n_threads: int | None = None) -> "Puzzle":
        return Puzzle(self.parent, n_threads or self.n_threads)

    def verdict(self) -> tuple[str, bool]:
        """How it stands, and whether the best is still possible."""
        taken, best = len(self.steps), self.still_possible
        good = best == self.bound
        if self.over:
            if good:
                return f"Done in {taken} steps: no schedule is shorter. ✓", True
            return f"Done in {taken} steps; {self.bound} are enough. Try again?", False
        if good:
            return f"Step {taken + 1} · {best} steps are still possible, the best there is.", True
        more = best - self.bound
        return f"Step {taken + 1} · {best} steps at best from here, {more} more than needed.", False


def _names(nodes: Iterable[int]) -> str:
    numbers = [str(i) for i in nodes]
    if len(numbers) == 1:
        return f"its child {numbers[0]}"
    return f"its children {', '.join(numbers[:-1])} and {numbers[-1]}"


def layout(parent: IntArray) -> FloatArray:
    """(n_comp, 2) places to draw a tree at: x in units of tips, y the depth; the root on top."""
    n = len(parent)
    place = np.zeros((n, 2))
    place[:, 1] = depths(parent)
    children: list[list[int]] = [[] for _ in range(n)]
    for i, p in enumerate(parent.tolist()):
        if p >= 0:
            children[p].append(i)
    tip = 0
    stack = [(i, False) for i in reversed(np.flatnonzero(parent < 0).tolist())]
    while stack:  # children before their parents
        node, seen = stack.pop()
        if not children[node]:
            place[node, 0] = tip
            tip += 1
        elif seen:
            place[node, 0] = np.mean([place[c, 0] for c in children[node]])
        else:
            stack.append((node, True))
            stack.extend((c, False) for c in reversed(children[node]))
    return place
