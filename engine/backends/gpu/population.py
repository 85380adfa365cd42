"""How many threads the cells of a population get, and what may stand for all of them."""

from collections.abc import Sequence
from dataclasses import replace

from engine.backends.gpu.device import Device
from engine.backends.gpu.pacing import candidates, choose_shape, nodes_of
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.tables import structure_of
from engine.instances import is_mixed, select
from engine.model import Model

FULL = 8
"""Cells per multiprocessor that are enough for a measurement."""


def choose_shapes(
    models: Sequence[Model], device: Device, single: bool = False, n_device: int = 1
) -> list[Shape]:
    """A shape for every model.

    Models of one kernel and of about one size get the same, so that they share a launch: the
    fastest for the largest of them, as many times as there are cells of all. It is measured once.
    Different trees of one kernel are solved by steps, whose bits no shape changes. One that is the
    only one of its kernel may be solved by rounds, as it is in a run of its own, which is decided
    once for a tree and a device: a second tree beside it may so change its last digits.
    Of cells that are to be shared out among several devices no more are measured than one gets.

    Raises
    ------
    BackendError
        If a model can run in no shape.
    """
    alike: dict[object, list[int]] = {}
    for k, model in enumerate(models):
        sizes = tuple(candidates(*nodes_of(model)))
        alike.setdefault((structure_of(model, single), sizes), []).append(k)
    shapes: dict[int, Shape] = {}
    most = FULL * device.properties.n_multiprocessor
    for numbers in alike.values():
        here = [models[k] for k in numbers]
        rounds = len({model.tree.parent.tobytes() for model in here}) == 1
        share = -(-sum(model.n_instance for model in here) // n_device)
        shape = choose_shape(stand_in(here, min(most, share)), device, single, rounds)
        shapes |= dict.fromkeys(numbers, shape)
    return [shapes[k] for k in range(len(models))]


def stand_in(models: Sequence[Model], most: int | None = None) -> Model:
    """The model with the largest cell, of about as many nodes as all have together.

    ``most`` limits its instances. Where these differ, they are the first of the model's own.
    """
    sizes = [nodes_of(model)[1] for model in models]
    largest = max(range(len(models)), key=lambda k: sizes[k])
    model = models[largest]
    if is_mixed(model):
        return model if most is None or most >= model.n_instance else select(model, 0, most)
    if len(models) == 1:
        return replace(model, n_instance=min(model.n_instance, most or model.n_instance))
    total = sum(n * m.n_instance for n, m in zip(sizes, models, strict=True))
    wanted = max(1, round(total / sizes[largest]))
    return replace(model, n_instance=min(wanted, most or wanted))
