"""How many threads a cell gets, and how many cells a block."""

from dataclasses import dataclass
from typing import Literal

from engine.backends.gpu.device import WARP

BLOCK = 128
"""Threads of a block that holds several cells."""
BOUNDS = (128, 256, 512, 1024)
"""Threads per block that kernels are compiled for: fewer leave each thread more registers."""
RESIDENT = 768
"""Threads that a multiprocessor is to hold at once, by which their registers are limited (to 80 of
65,536): while few threads of one cell go along its tree, those of other cells compute."""

Solve = Literal["dhs", "contract"]
"""``dhs``: steps of the schedule, whose bits are those of serial elimination; ``contract``: rounds
that take nodes out of cables as well, fewer of them, with other last digits."""
Store = Literal["auto", "tree", "global"]
"""Where a cell's voltages and equations lie while it steps. ``auto``: in shared memory if they fit,
else those of the tree, else none; ``tree``: those of spines are left in global memory."""


@dataclass(frozen=True)
class Shape:
    """Threads of one cell, and how they solve it.

    Attributes
    ----------
    threads
        1 to 1024: a divisor of 32, or a multiple of it. Up to 32 meet by the warp, and several
        cells share a block; more are a block.
    lanes
        Those that solve the tree, the k of its schedule: at most ``threads``. Up to 32 of them meet
        by the warp while the others wait.
    solve, store
        See :data:`Solve` and :data:`Store`.
    """

    threads: int
    lanes: int
    solve: Solve = "dhs"
    store: Store = "auto"

    def __post_init__(self) -> None:
        fits = WARP % self.threads == 0 if self.threads < WARP else self.threads % WARP == 0
        assert fits, self
        assert self.threads <= 1024, self
        assert 1 <= self.lanes <= self.threads, self

    @property
    def name(self) -> str:
        """``dhs-32``, ``contract-64 of 128 global``."""
        of = f" of {self.threads}" if self.lanes != self.threads else ""
        return f"{self.solve}-{self.lanes}{of}{f' {self.store}' if self.store != 'auto' else ''}"

    @property
    def cells(self) -> int:
        """Cells of a block."""
        return max(1, BLOCK // self.threads) if self.threads <= WARP else 1

    @property
    def definitions(self) -> tuple[str, ...]:
        """Options that the kernel is compiled with."""
        blocks = max(1, RESIDENT // self.bound)
        return f"-DMOST_THREADS={self.bound}", f"-DLEAST_BLOCKS={blocks}"

    @property
    def bound(self) -> int:
        """Most threads of a block that the kernel is compiled for."""
        return next(b for b in BOUNDS if b >= self.threads * self.cells)
