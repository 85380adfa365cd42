"""The compartmental way: every neuron of the network simulated by the engine, step by step.

Slower than the shortcut by orders of magnitude, but it needs no linearity: hidden neurons may have
active dendrites and conductance synapses, which only the quasi-static rule can teach. For passive
ones it is what the shortcut is held against.

A hidden neuron's voltage counts from that of one more, which runs beside the others and which
nothing drives: active ones need not rest where they begin.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from engine.backends import choose_backend
from engine.backends.base import Backend
from engine.errors import UserError
from engine.experiment import Cable, Experiment, Insertion, Probe
from engine.experiments.hpc_net.encoding import spikes
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.ways import ByteArray, Voltages
from engine.model import Model, build, build_batch
from engine.morphology.model import Morphology, Tag
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from engine.synapses import Synapse
from engine.types import BackendName, FloatArray, IntArray

ROOM = 1 << 27
"""Bytes of currents that are made for one run of neurons side by side."""
MANY = 256
"""Neurons with conductance synapses in one run, which are described one by one."""


class Compartmental:
    """A network whose neurons run side by side on a backend, those of all samples.

    Parameters
    ----------
    network : Network
    backend
        As :func:`engine.simulation.simulate`.

    Raises
    ------
    BackendError
        If the backend cannot run here.
    """

    name = "compartmental"

    def __init__(self, network: Network, backend: BackendName | Backend = "cpu") -> None:
        self.network = network
        self.backend = choose_backend(backend) if isinstance(backend, str) else backend
        self._traces: dict[int, FloatArray] = {}
        morphology = read_morphology(resolve(network.spec.cell.morphology))
        self._sections = make_sections(morphology)
        self._point = build(self._point_cell(), cell=self._cylinder())

    def describe(self) -> str:
        return f"every compartment simulated, {self.backend.describe()}"

    @property
    def bias_response(self) -> FloatArray:
        """A hidden neuron that is not linear has no response that scales with its bias."""
        raise self._no_gradient()

    def voltages(self, images: ByteArray, weights: Weights) -> Voltages:
        """Run every sample from rest; see :class:`engine.experiments.hpc_net.ways.Way`."""
        network = self.network
        n_sample, n_hidden, n_time = len(images), network.spec.n_hidden, network.n_time
        pairs = [(b, j) for b in range(n_sample) for j in range(n_hidden)]
        run = self._by_currents if network.spec.conductance is None else self._by_conductances
        rows = np.empty((len(pairs), n_time))
        done = 0
        for part in run(images, weights, pairs):
            rows[done : done + len(part)] = part
            done += len(part)
        hidden = rows.reshape(n_sample, n_hidden, n_time)
        heard = np.maximum(hidden, 0.0)
        current = np.matmul(weights.output.T, heard) + weights.output_bias[:, None]
        current = (current / network.output_resistance).reshape(-1, n_time)
        place = np.zeros(1, np.int32)
        driven = [(place, row[:-1, None]) for row in current]
        output = self._driven(self._point, driven) if driven else np.empty((0, n_time))
        return Voltages(hidden, output.reshape(n_sample, network.n_out, n_time))

    def through_traces(self, images: ByteArray, error: FloatArray, window: slice) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        seen = np.stack([self._inputs(image)[:, window] for image in images])
        total = np.einsum("bin,bjn->ij", seen, error, optimize=True)
        return total[:, :, None] * self.network.factor

    def through_responses(self, images: ByteArray, error: FloatArray) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        raise self._no_gradient()

    def each(self, work: Callable[[int, IntArray], None], effort: IntArray) -> None:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        work(0, np.arange(len(effort), dtype=np.int32))

    def input_trace(self, level: int) -> FloatArray:
        """(n_time,) mV of an input neuron for a pixel value, simulated."""
        if level not in self._traces:
            spec = self.network.spec
            encoding = spec.encoding
            train = spikes(encoding, float(self.network.levels[level]), spec.cell.duration)
            synapse = Synapse(
                Site("soma[0]"),
                "ExpSyn",
                (("tau", encoding.tau), ("e", encoding.reversal)),
                (encoding.weight,),
                train,
                encoding.delay,
            )
            experiment = replace(self._point_cell(), synapses=(synapse,))
            model = build(experiment, cell=self._cylinder())
            self._traces[level] = self._traces_of(model)[0]
        return self._traces[level]

    def _inputs(self, image: np.ndarray) -> FloatArray:
        """(n_in, n_time) max(v, 0) of the input neurons."""
        levels, place = np.unique(image, return_inverse=True)
        return np.maximum(np.stack([self.input_trace(int(x)) for x in levels]), 0.0)[place]

    def _currents(self, seen: FloatArray, j: int, weights: Weights) -> tuple[IntArray, FloatArray]:
        """Nodes of a hidden neuron and the (n_step, n_node) nA its synapses and bias put there."""
        network = self.network
        node = network.node[:, j].reshape(-1)
        used, place = np.unique(np.append(node, network.soma_node), return_inverse=True)
        current = np.zeros((len(used), network.n_time - 1))
        heard = np.flatnonzero(seen.any(axis=1))
        n_synapse = network.node.shape[2]
        for q in range(n_synapse):
            share = weights.hidden[heard, j, q, None] / network.r_mean * seen[heard, :-1]
            np.add.at(current, place[:-1].reshape(-1, n_synapse)[heard, q], share)
        current[place[-1]] += weights.hidden_bias[j] / network.soma_resistance
        return used.astype(np.int32), current.T

    def _by_currents(
        self, images: ByteArray, weights: Weights, pairs: list[tuple[int, int]]
    ) -> Iterator[FloatArray]:
        """(n, n_time) mV from rest of hidden neurons, given by sample and number, part by part."""
        driven: list[tuple[IntArray, FloatArray]] = []
        size, last = 0, -1
        soma = np.array([self.network.soma_node], np.int32)
        still = np.zeros((self.network.n_time - 1, 1))
        for b, j in pairs:
            if b != last:
                seen, last = self._inputs(images[b]), b
            driven.append(self._currents(seen, j, weights))
            size += driven[-1][1].nbytes
            if size > ROOM or (b, j) == pairs[-1]:
                driven.append((soma, still))
                trace = self._driven(self.network.model, driven)
                yield trace[:-1] - trace[-1]
                driven, size = [], 0

    def _by_conductances(
        self, images: ByteArray, weights: Weights, pairs: list[tuple[int, int]]
    ) -> Iterator[FloatArray]:
        """As :meth:`_by_currents`."""
        for k in range(0, len(pairs), MANY):
            experiments = [
                self.conductance_experiment(images[b], weights, j) for b, j in pairs[k : k + MANY]
            ]
            bare = replace(self.network.model.experiment, name="nothing drives it")
            trace = self._traces_of(build_batch([*experiments, bare], self._sections))
            yield trace[:-1] - trace[-1]

    def conductance_experiment(self, image: np.ndarray, weights: Weights, j: int) -> Experiment:
        """One hidden neuron with its conductance synapses, spikes and bias, for one image."""
        network, opens = self.network, self.network.spec.conductance
        assert opens is not None
        tree, spec, rest = network.model.tree, network.spec, network.spec.cell.v_init
        synapses = []
        for i, pixel in enumerate(image.tolist()):
            train = spikes(spec.encoding, float(network.levels[pixel]), spec.cell.duration)
            if train.start + spec.encoding.delay > spec.cell.duration:
                continue
            for node, weight in zip(network.node[i, j], weights.hidden[i, j], strict=True):
                up = opens.excitatory if weight > 0 else opens.inhibitory
                shape = ("tau1", opens.tau1), ("tau2", opens.tau2), ("e", rest + up)
                site = Site(tree.sections.name[tree.section[node]], float(tree.x[node]))
                size = (opens.peak * abs(float(weight)),)
                synapses.append(Synapse(site, "Exp2Syn", shape, size, train, spec.encoding.delay))
        bias = float(weights.hidden_bias[j]) / network.soma_resistance
        clamp = CurrentClamp(network.soma, 0.0, spec.cell.duration, bias)
        stimuli = (*spec.cell.stimuli, clamp)
        return replace(network.model.experiment, synapses=tuple(synapses), stimuli=stimuli)

    def _driven(self, model: Model, driven: list[tuple[IntArray, FloatArray]]) -> FloatArray:
        """(n, n_time) mV from ``v_init`` of one neuron each, by (n_step, n_node) nA at nodes."""
        instance = np.arange(len(driven), dtype=np.int32)
        played = replace(
            model,
            n_instance=len(driven),
            played_node=np.concatenate([node for node, _ in driven]),
            played_instance=np.repeat(instance, [len(node) for node, _ in driven]),
            played=np.concatenate([current for _, current in driven], axis=1),
        )
        return self._traces_of(played)

    def _traces_of(self, model: Model) -> FloatArray:
        """(n_instance, n_time) mV from ``v_init``."""
        parts = [chunk.traces[0] for chunk in simulate(model, self.backend)]
        return np.concatenate(parts, axis=1) - model.experiment.v_init

    def _point_cell(self) -> Experiment:
        """An experiment with a point neuron; its sizes as float32 are made up for in cm and g."""
        point, cell = self.network.spec.point, self.network.spec.cell
        size = float(np.float32(point.size))
        more = (point.size / size) ** 2
        return replace(
            cell,
            morphology="point neuron",
            axon="keep",
            cables=(Cable("all", more * point.cm, 100.0),),
            insertions=(Insertion("pas", "all", (("g", more * point.g), ("e", 0.0))),),
            v_init=0.0,
            reversals=(),
            ion_values=(),
            tune_rest=False,
            mechanism_folders=(),
            stimuli=(),
            waveforms=(),
            synapses=(),
            gap_junctions=(),
            voltage_clamps=(),
            probes=(Probe(Site("soma[0]")),),
            spike_site=Site("soma[0]"),
        )

    def _cylinder(self) -> Morphology:
        size = self.network.spec.point.size
        xyz = np.array([[-size / 2, 0.0, 0.0], [size / 2, 0.0, 0.0]])
        return Morphology(
            xyz=xyz,
            radius=np.full(2, size / 2),
            parent=np.array([-1, 0], np.int32),
            tag=np.full(2, int(Tag.SOMA), np.int32),
            line=np.full(2, -1, np.int32),
            name="point neuron",
        )

    def _no_gradient(self) -> UserError:
        return UserError(
            "the exact rule needs the shortcut, which holds for passive hidden neurons; "
            "choose rule 'quasi_static' for the compartmental way"
        )
