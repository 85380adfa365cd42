"""Which thread eliminates which node of a tree at which step, and how short that can be."""

from engine.schedule.bound import depths, lower_bound, threads_needed
from engine.schedule.costs import POWERS, CostCurve, MethodCost, compare, cost_curve
from engine.schedule.making import METHODS, make_schedule
from engine.schedule.model import Schedule
from engine.schedule.topology import MAX_THREADS
from engine.schedule.validity import check

__all__ = [
    "MAX_THREADS",
    "METHODS",
    "POWERS",
    "CostCurve",
    "MethodCost",
    "Schedule",
    "check",
    "compare",
    "cost_curve",
    "depths",
    "lower_bound",
    "make_schedule",
    "threads_needed",
]
