"""What reaches the points of a mechanism: connections, and events that are known before a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from engine.errors import UserError
from engine.experiment import Experiment
from engine.mechanisms.model import Mechanism
from engine.places import Places
from engine.synapses import (
    DETECTION,
    PointSource,
    SpikeSource,
    SpikeTrain,
    Synapse,
    event_times,
)
from engine.types import FloatArray, IntArray
from engine.validation import placed_mechanism


@dataclass(frozen=True, eq=False)
class Connections:
    """What reaches the points of one mechanism.

    Attributes
    ----------
    point : (n_connection,) int32
        Position of the target among the mechanism's points.
    weight : (n_connection, n_weight)
        Arguments of NET_RECEIVE at t = 0.
    time : (n_event,) ms
        Arrivals known before the run, ascending.
    connection : (n_event,) int32
    detector_node, detector_connection : (n_detector,) int32
        Where a threshold is watched, and the connection that a crossing goes to.
    detector_threshold, detector_delay : (n_detector,) mV, ms
    relay_synapse, relay_connection : (n_relay,) int32
        A synapse of the target's instance whose ``net_event`` goes to a connection.
    relay_delay : (n_relay,) ms
    """

    point: IntArray
    weight: FloatArray
    time: FloatArray
    connection: IntArray
    detector_node: IntArray
    detector_connection: IntArray
    detector_threshold: FloatArray
    detector_delay: FloatArray
    relay_synapse: IntArray
    relay_connection: IntArray
    relay_delay: FloatArray


def connect(
    mechanism: Mechanism,
    synapses: Sequence[Synapse],
    instance: IntArray,
    experiments: Sequence[Experiment],
    places: Places,
    known: Mapping[str, Mechanism],
) -> Connections:
    """One connection for every synapse that has a source."""
    end = experiments[0].duration + experiments[0].dt
    rows = [(row, s) for row, s in enumerate(synapses) if s.source is not None]
    for _, synapse in rows:
        if mechanism.receive is None:
            raise UserError(
                f"mechanism '{mechanism.name}' at {synapse.site} takes no events (it has no "
                "NET_RECEIVE); give it no source"
            )
        if len(synapse.weights) > len(mechanism.weights):
            raise UserError(
                f"the synapse at {synapse.site} has {len(synapse.weights)} weights; NET_RECEIVE of "
                f"'{mechanism.name}' takes {len(mechanism.weights)}: "
                f"{', '.join(mechanism.weights) or 'none'}"
            )
    weight = _weights(mechanism, [synapse for _, synapse in rows])
    time, connection = _known_events(rows, instance, experiments, end)
    detectors, relays = [], []
    for c, (row, synapse) in enumerate(rows):
        if isinstance(synapse.source, SpikeTrain):
            continue
        own = int(instance[row])
        if isinstance(synapse.source, SpikeSource):
            node = places.node(synapse.source.site, "source of a synapse", own)
            detectors.append((node, c, synapse.source.threshold, DETECTION + synapse.delay))
        if isinstance(synapse.source, PointSource):
            sender = experiments[own].synapses[synapse.source.synapse].mechanism
            if not any(send.kind == "event" for send in placed_mechanism(sender, known).sends):
                raise UserError(
                    f"the source of the synapse at {synapse.site} is a point of mechanism "
                    f"'{sender}', which sends nothing (it has no net_event); name another one"
                )
            relays.append((synapse.source.synapse, c, synapse.delay))
    relayed = np.array(relays, np.float64).reshape(-1, 3).T
    watched = np.array(detectors, np.float64).reshape(-1, 4).T
    return Connections(
        point=np.array([row for row, _ in rows], np.int32),
        weight=weight,
        time=time,
        connection=connection,
        detector_node=watched[0].astype(np.int32),
        detector_connection=watched[1].astype(np.int32),
        detector_threshold=watched[2].copy(),
        detector_delay=watched[3].copy(),
        relay_synapse=relayed[0].astype(np.int32),
        relay_connection=relayed[1].astype(np.int32),
        relay_delay=relayed[2].copy(),
    )


def _weights(mechanism: Mechanism, synapses: Sequence[Synapse]) -> FloatArray:
    """(n, n_weight), 0 where less is given."""
    width = max(1, len(mechanism.weights))
    if synapses and all(len(s.weights) == width for s in synapses):
        return np.array([s.weights for s in synapses], np.float64)
    weight = np.zeros((len(synapses), width))
    for c, synapse in enumerate(synapses):
        weight[c, : len(synapse.weights)] = synapse.weights
    return weight


def _known_events(
    rows: Sequence[tuple[int, Synapse]],
    instance: IntArray,
    experiments: Sequence[Experiment],
    end: float,
) -> tuple[FloatArray, IntArray]:
    """Arrivals known before the run, by time and then by connection, and whose they are."""
    found: list[Sequence[float] | FloatArray] = [
        synapse.source.times
        if isinstance(synapse.source, SpikeTrain)
        else event_times(synapse.source, end, experiments[int(instance[row])].seed)
        for row, synapse in rows
    ]
    count = [len(times) for times in found]
    sent = np.fromiter(chain.from_iterable(found), np.float64, sum(count))
    connection = np.repeat(np.arange(len(rows), dtype=np.int32), count)
    delay = np.array([synapse.delay for _, synapse in rows], np.float64)
    inside = sent <= end
    sent, connection = sent[inside], connection[inside]
    time = sent + delay[connection]
    order = np.argsort(time, kind="stable")
    return time[order], connection[order]
