"""The tree solve on its own, in every published way and in ours, to be compared and timed."""

from engine.backends.gpu.variants.plan import SolvePlan, copy_bandwidth, fastest, prepare
from engine.backends.gpu.variants.systems import TreeSystem, make_population, passive_system
from engine.backends.gpu.variants.variant import PERMUTE1, SolveVariant, all_variants

__all__ = [
    "PERMUTE1",
    "SolvePlan",
    "SolveVariant",
    "TreeSystem",
    "all_variants",
    "copy_bandwidth",
    "fastest",
    "make_population",
    "passive_system",
    "prepare",
]
