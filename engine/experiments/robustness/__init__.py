"""Is a network of dendritic neurons harder to mislead, and is it the dendrites? (Fig. 6d, e)

for progress in examine(Study(), network, weights, learning, data, folder):
    ...
print(conclusion(progress.result))
"""

from engine.experiments.robustness.deep_nets import why_no_torch
from engine.experiments.robustness.examining import examine
from engine.experiments.robustness.progress import Progress
from engine.experiments.robustness.study import (
    DISTURBANCES,
    EPSILONS,
    SUBJECTS,
    Curve,
    Descent,
    Point,
    Result,
    Study,
    from_json,
    to_json,
)
from engine.experiments.robustness.telling import HELP, conclusion

__all__ = [
    "DISTURBANCES",
    "EPSILONS",
    "HELP",
    "SUBJECTS",
    "Curve",
    "Descent",
    "Point",
    "Progress",
    "Result",
    "Study",
    "conclusion",
    "examine",
    "from_json",
    "to_json",
    "why_no_torch",
]
