"""What a run takes of the memory."""

from engine.model import Model
from engine.twigs import N_PART


def bytes_needed(model: Model) -> int:
    """Memory that a run takes: arrays of the solver, traces and frames."""
    k = model.n_instance
    numbers = k * (6 + len(model.ion_currents) + len(model.ions)) * model.n_comp
    numbers += 16 * model.n_comp + model.played.size
    for p in model.placed:
        own = len(p.mechanism.states) + len(p.mechanism.assigned)
        if p.is_point:  # everything about a point is of one instance
            copies = k if p.instance is None else 1
            numbers += copies * len(p.node) * (own + len(p.values) + 6)
        else:
            numbers += len(p.node) * (k * own + 1 + len(p.values))
    if model.twigs is not None:
        copies = k if model.twigs.instance is None else 1
        numbers += copies * model.twigs.n_twig * (N_PART * 5 + 3)
    traces = (1 + len(model.probes) * k) * model.n_time
    return 8 * (numbers + traces) + frame_bytes(model)


def frame_bytes(model: Model) -> int:
    """Memory of the whole-cell frames."""
    return model.n_frame * (8 + 4 * model.n_comp)
