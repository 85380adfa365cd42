"""Published spike probabilities of the human L2/3 cell, to lay over one's own.

Zhang, He, Ma et al., Nat. Commun. 14:5798 (2023), Fig. 5: 50 trials a point on the cell of Eyal et
al., Front. Cell. Neurosci. 12:181 (2018). The numbers are the fractions of cells with at least one
spike in the two spike files of the authors' repository (github.com/pkuzyc/DeepDendrite, Figure5,
spk_few_spine.dat and spk_full_spine.dat).
"""

N_TRIALS = 50
"""Behind every published number."""
SOURCE = "Zhang et al. 2023, Nat. Commun. 14:5798, Fig. 5"

_DISTRIBUTED = (0, 25, 50, 75, 100, 110, 120, 125, 130, 140, 165, 190, 215, 240)
_CLUSTERED = (0, 40, 80, 100, 120, 140, 160, 200, 240)
_PROBABILITY: dict[str, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "few-distributed": (
        _DISTRIBUTED,
        (0, 0, 0, 0, 0.02, 0.26, 0.78, 0.92, 1, 1, 1, 1, 1, 1),
    ),
    "full-distributed": (
        _DISTRIBUTED,
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0.30, 1, 1, 1, 1),
    ),
    "few-clustered": (
        _CLUSTERED,
        (0, 0, 0.10, 0.56, 0.80, 0.98, 0.98, 1, 1),
    ),
    "full-clustered": (
        _CLUSTERED,
        (0, 0, 0, 0.14, 0.34, 0.74, 0.84, 0.96, 1),
    ),
}


def published(condition: str) -> dict[int, float]:
    """Probability of a spike by number of synapses; empty for an unknown condition.

    Parameters
    ----------
    condition
        ``few-distributed``, ``few-clustered``, ``full-distributed`` or ``full-clustered``.
    """
    if condition not in _PROBABILITY:
        return {}
    return dict(zip(*_PROBABILITY[condition], strict=True))
