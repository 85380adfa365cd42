"""Some instances of a model as a model of their own."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine.connections import Connections
from engine.model import Model
from engine.placing import Placed
from engine.twigs import N_PART
from engine.types import IntArray


def select(model: Model, first: int, count: int, room: int = 0) -> Model:
    """The model of instances ``first`` … ``first + count - 1``, which count from 0 then.

    Parameters
    ----------
    model : Model
    first, count
    room
        Further instances of the bare cell, without what belongs to single instances.
    """
    if not is_mixed(model):
        return replace(model, n_instance=count + room)
    changes: dict[str, Any] = {}
    names = {
        "clamp": ("node", "on", "off", "amplitude"),
        "hold": ("node", "until", "level", "conductance"),
        "gap": ("node", "conductance"),
    }
    starts = {}
    shift = 0  # of the numbers of twigs' nodes
    if model.twigs is not None and model.twigs.instance is not None:
        shift = N_PART * int(np.searchsorted(model.twigs.instance, first))
        changes["twigs"] = model.twigs.select(first, count)

    def moved(node: IntArray) -> IntArray:
        return np.where(node < model.n_comp, node, node - shift).astype(np.int32)

    for kind, fields in names.items():
        here, owner = _part(getattr(model, f"{kind}_instance"), first, count)
        starts[kind] = here.start or 0
        for field in fields:
            values = getattr(model, f"{kind}_{field}")[here]
            changes[f"{kind}_{field}"] = moved(values) if field == "node" else values
        changes[f"{kind}_instance"] = owner
    here, owner = _part(model.played_instance, first, count)
    changes |= {"played_node": moved(model.played_node[here]), "played_instance": owner}
    changes["played"] = model.played[:, here]
    placed = []
    for number, p in enumerate(model.placed):
        here, owner = _part(p.instance, first, count)
        starts[str(number)] = here.start or 0
        placed.append(p if owner is None else _points(p, here, owner, moved))
    changes["placed"] = tuple(placed)
    probes = []
    for probe in model.probes:
        rows = np.array(probe.rows[first : first + count] or (probe.index,) * count, np.int64)
        if probe.kind == "voltage":
            rows = moved(rows.astype(np.int32)).astype(np.int64)
        else:
            rows -= starts.get(str(probe.mechanism) if probe.kind == "state" else probe.kind, 0)
        same = (*rows.tolist(), *rows.tolist()[:1] * room)
        probes.append(replace(probe, index=same[0], rows=same if len(set(same)) > 1 else ()))
    changes["probes"] = tuple(probes)
    experiments = model.experiments[first : first + count] or model.experiments
    return replace(
        model,
        **changes,
        n_instance=count + room,
        experiments=experiments,
        experiment=experiments[0] if experiments else model.experiment,
    )


def is_mixed(model: Model) -> bool:
    """Whether anything belongs to single instances."""
    owners = (getattr(model, f"{kind}_instance") for kind in ("clamp", "played", "hold", "gap"))
    tagged = [*owners, *(p.instance for p in model.placed)]
    tagged += [model.twigs.instance] if model.twigs is not None else []
    return any(owner is not None for owner in tagged)


def _part(instance: IntArray | None, first: int, count: int) -> tuple[slice, IntArray | None]:
    """Entries of some instances and their new owners."""
    if instance is None:
        return slice(None), None
    start, stop = np.searchsorted(instance, (first, first + count))
    return slice(int(start), int(stop)), instance[start:stop] - np.int32(first)


def _points(p: Placed, here: slice, owner: IntArray, moved: Any) -> Placed:
    return replace(
        p,
        node=moved(p.node[here]),
        values={name: values[here] for name, values in p.values.items()},
        connections=None if p.connections is None else _connections(p.connections, here, moved),
        synapse=p.synapse[here],
        instance=owner,
    )


def _connections(given: Connections, here: slice, moved: Any) -> Connections:
    """The connections to some points, with their events."""
    mine = (given.point >= here.start) & (given.point < here.stop)
    number = np.cumsum(mine, dtype=np.int32) - 1
    events, watched = mine[given.connection], mine[given.detector_connection]
    relayed = mine[given.relay_connection]
    return Connections(
        point=given.point[mine] - np.int32(here.start),
        weight=given.weight[mine],
        time=given.time[events],
        connection=number[given.connection[events]],
        detector_node=moved(given.detector_node[watched]),
        detector_connection=number[given.detector_connection[watched]],
        detector_threshold=given.detector_threshold[watched],
        detector_delay=given.detector_delay[watched],
        relay_synapse=given.relay_synapse[relayed],
        relay_connection=number[given.relay_connection[relayed]],
        relay_delay=given.relay_delay[relayed],
    )
