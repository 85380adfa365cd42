"""What can be varied in a tree solve on a device, and the variants that are compared."""

from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import UserError
from engine.schedule import MAX_THREADS

Method = Literal["permute1", "permute2", "branches", "depth_levels", "dhs", "contract"]
"""Schedules by name; ``contract`` takes nodes out of cables as well."""
Memory = Literal["auto", "shared", "global"]


@dataclass(frozen=True)
class SolveVariant:
    """One way to solve the systems of many cells.

    Attributes
    ----------
    name : str
        Names it in tables and on the command line.
    method : str
    threads : int
        k, the threads of one cell, 1 to 1024; to gather they are a power of two.
    gather : bool
        Parents gather from their children, which gives the same bits in every run; otherwise
        children are added by atomic operations, as DeepDendrite and CoreNEURON do it.
    boosted : bool
        Nodes lie in the order of the steps; otherwise as the cell numbers them, and each thread
        follows a list ("memory boosting" off).
    block : int
        Threads of a block; 0 takes as many as suit the method.
    memory : {"auto", "shared", "global"}
        Where a cell's numbers lie while they are worked on; ``auto``: shared memory if they fit.
    twigs : bool
        Spines (and other short ends) are eliminated by one thread each, without waiting.
    constant : bool
        The matrix does not change: its factors are kept, each solve treats the right side alone.
    """

    name: str
    method: Method
    threads: int = 1
    gather: bool = True
    boosted: bool = True
    block: int = 0
    memory: Memory = "auto"
    twigs: bool = False
    constant: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= MAX_THREADS:
            raise UserError(f"{self.name}: {self.threads} threads a cell; choose 1 to 1024")
        if self.block % 32 or not 0 <= self.block <= MAX_THREADS:
            raise UserError(f"{self.name}: a block of {self.block} threads; give warps of 32")
        if self.threads & (self.threads - 1) and self.method != "permute1":
            raise UserError(f"{self.name}: {self.threads} threads; choose a power of two")
        if not self.gather and (self.twigs or self.constant or self.method == "contract"):
            raise UserError(f"{self.name}: twigs, contraction and kept factors need gathering")
        if not self.boosted and (self.gather or self.method != "dhs"):
            raise UserError(f"{self.name}: lists in place of boosting are for dhs with atomics")

    @property
    def published(self) -> bool:
        """Whether it works as the programs the paper compares, atomics included."""
        return not self.gather or self.method == "permute1"

    @property
    def exact(self) -> bool:
        """Whether every bit is that of serial Hines elimination."""
        return self.gather and self.method not in ("permute1", "contract")


def scatter(name: str, method: Method, threads: int, block: int = 0) -> SolveVariant:
    """A variant with atomic additions."""
    return SolveVariant(name, method, threads, gather=False, block=block)


PERMUTE1 = SolveVariant("permute1", "permute1", block=128)
"""The paper's baseline: one thread a cell, blocks of 128."""

PUBLISHED: tuple[SolveVariant, ...] = (
    PERMUTE1,
    SolveVariant("permute1-b32", "permute1", block=32),
    scatter("permute2", "permute2", 32, 128),
    scatter("branches-16", "branches", 16),
    *(scatter(f"dhs-{k}", "dhs", k) for k in (4, 8, 16, 32)),
    replace(scatter("dhs-16-unboosted", "dhs", 16), boosted=False),
)
"""As the paper and the programs it compares do it; blocks of one warp except where told."""

GATHERED: tuple[SolveVariant, ...] = (
    SolveVariant("permute2-gather", "permute2", 32),
    *(SolveVariant(f"dhs-{k}-gather", "dhs", k) for k in (4, 8, 16, 32, 64, 128, 256)),
    *(SolveVariant(f"contract-{k}", "contract", k) for k in (16, 32, 64, 128, 256)),
)
"""Ours, for cells without spines."""

SPINY: tuple[SolveVariant, ...] = (
    *(SolveVariant(f"dhs-{k}-gather", "dhs", k) for k in (256, 512, 1024)),
    *(SolveVariant(f"dhs-{k}-twigs", "dhs", k, twigs=True) for k in (128, 256, 512, 1024)),
    *(SolveVariant(f"contract-{k}-twigs", "contract", k, twigs=True) for k in (256, 512, 1024)),
)
"""Ours, for cells with thousands of spines."""

TWIGGY: tuple[Method, ...] = ("dhs", "contract")

CONSTANT: tuple[SolveVariant, ...] = (
    *(SolveVariant(f"dhs-{k}-constant", "dhs", k, constant=True) for k in (16, 32, 64)),
    *(SolveVariant(f"contract-{k}-constant", "contract", k, constant=True) for k in (32, 64, 128)),
    *(
        SolveVariant(f"{method}-256-twigs-constant", method, 256, twigs=True, constant=True)
        for method in TWIGGY
    ),
)
"""Ours, where the matrix does not change from step to step."""


def unboosted_spiny() -> tuple[SolveVariant, ...]:
    """The paper's pair for spine cells: 32 threads with and without boosting."""
    boosted = scatter("dhs-32", "dhs", 32)
    return boosted, replace(boosted, name="dhs-32-unboosted", boosted=False)


def all_variants() -> tuple[SolveVariant, ...]:
    """Every named variant once."""
    found = (*PUBLISHED, *unboosted_spiny(), *GATHERED, *SPINY, *CONSTANT)
    return tuple({v.name: v for v in found}.values())
