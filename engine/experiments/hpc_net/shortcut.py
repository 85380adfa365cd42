"""The exact shortcut: hidden and output neurons are linear, so a run is sums of known responses.

Backward Euler on a passive tree is a linear map from the currents of all steps to the voltages of
all steps: a neuron's voltage is the weighted sum of what its synapses do to the soma, which is
known beforehand for every site and every trace of an input (``modes``).

Most modes are summed in single precision, which the tolerance of the modes covers: on the human
cell voltages change by 3e-10 of the largest and updates by 8e-12.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.backends.cpu import available_cores
from engine.errors import UserError
from engine.experiments.hpc_net import kernels, kernels_back
from engine.experiments.hpc_net.encoding import decay
from engine.experiments.hpc_net.kernels import aligned, padded
from engine.experiments.hpc_net.modes import TOLERANCE, beginnings, make_modes
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.spec import Precision
from engine.experiments.hpc_net.tiles import COLUMNS, ROWS, SMALL_COLUMNS
from engine.experiments.hpc_net.ways import ByteArray, Voltages, trace_numbers
from engine.linear import is_linear, leak
from engine.mechanisms.lanes import WIDTH
from engine.mechanisms.narrow import NARROW_WIDTH
from engine.transfer import impulse_responses
from engine.types import FloatArray, IntArray


class Shortcut:
    """A network as tables of responses.

    Parameters
    ----------
    network : Network
    threads
        Cores to use, all by default; the results do not depend on them.
    precision
        "double" keeps all modes in double precision, about a third slower.

    Raises
    ------
    UserError
        If the hidden neuron or its synapses are not linear, or it does not rest at ``v_init``.
    """

    name = "shortcut"

    def __init__(
        self, network: Network, threads: int | None = None, precision: Precision = "mixed"
    ) -> None:
        self.network = network
        self._threads = threads or available_cores()
        self._pool = ThreadPoolExecutor(max(self._threads - 1, 1))  # idle until it is given work
        response, self._bias = soma_responses(network)
        self._trace, self._number = trace_numbers(network.trace)
        self._live, self._order = beginnings(self._trace)
        used, place = np.unique(network.node, return_inverse=True)
        self._site = place.reshape(network.node.shape).astype(np.int32)
        self._n_row = padded(network.spec.n_hidden, ROWS)
        self._n_column = padded(network.spec.n_hidden, COLUMNS)
        self._modes = make_modes(response[:, used] / network.r_mean, self._trace, precision)
        self._wide, self._shape = self._modes.wide()
        self._narrow, self._small_shape = self._modes.narrow()
        n_time = network.n_time
        self._bias_wide = np.pad(self._bias, (0, padded(n_time, SMALL_COLUMNS) - n_time))
        size = self._threads, max(len(self._trace), 1), self._n_row + 1
        self._mix = aligned((*size, WIDTH))
        self._small_mix = aligned((*size, NARROW_WIDTH), np.float32)
        none = np.empty((0, network.n_in), np.uint8)
        self._met = none, self._slots(none)

    def describe(self) -> str:
        if self.n_double == self.n_mode:
            return f"exact shortcut, {self.n_mode} modes in double precision"
        return (
            f"exact shortcut, the largest {self.n_double} of {self.n_mode} modes in double "
            f"precision, the others in single (voltages to {TOLERANCE:.0e} of the largest)"
        )

    @property
    def bias_response(self) -> FloatArray:
        """(n_time,) mV at a hidden soma by a bias of 1."""
        return self._bias

    @property
    def n_mode(self) -> int:
        return self._modes.n_mode

    @property
    def n_double(self) -> int:
        """Modes that are summed in double precision."""
        return self._modes.n_double

    def voltages(self, images: ByteArray, weights: Weights) -> Voltages:
        """Run every sample from rest; see :class:`engine.experiments.hpc_net.ways.Way`."""
        network, n_sample = self.network, len(images)
        n_time, n_hidden = network.n_time, network.spec.n_hidden
        slot, used, count = self._slots(images)
        hidden = aligned((n_sample, self._n_row, len(self._bias_wide)))
        output = np.empty((n_sample, network.n_out, n_time))
        keep, gain = decay(network.spec.point, network.spec.cell.dt)

        def run(thread: int, samples: IntArray) -> None:
            kernels.hidden_voltages(
                samples,
                slot,
                used,
                count,
                self._live,
                self._site,
                weights.hidden,
                self.n_double,
                self._wide,
                self._shape,
                self.n_mode - self.n_double,
                self._narrow,
                self._small_shape,
                self._mix[thread],
                self._small_mix[thread],
                weights.hidden_bias,
                self._bias_wide,
                hidden,
            )
            kernels.output_voltages(
                samples,
                hidden,
                weights.output,
                weights.output_bias,
                keep,
                gain / network.output_resistance,
                output,
            )

        self._met = images, (slot, used, count)
        self.each(run, count)
        return Voltages(hidden[:, :n_hidden, :n_time], output)

    def through_traces(self, images: ByteArray, error: FloatArray, window: slice) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        slot, used, count = self._known(images)
        share = aligned((len(images), used.shape[1], self._n_column))
        trace, error = np.ascontiguousarray(self._trace[:, window]), np.ascontiguousarray(error)

        def run(_: int, samples: IntArray) -> None:
            turned = aligned((error.shape[2], self._n_column))
            turned[:, error.shape[1] :] = 0.0
            kernels_back.project_traces(samples, used, count, trace, error, turned, share)

        self.each(run, count)
        update = np.empty(self.network.node.shape)

        def gather(_: int, inputs: IntArray) -> None:
            kernels_back.gather_traces(inputs, slot, share, self.network.factor, update)

        self.each(gather, (slot >= 0).sum(axis=0))
        return update

    def through_responses(self, images: ByteArray, error: FloatArray) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        slot, used, count = self._known(images)
        mode, filtered = self._modes.mode, self._modes.filtered
        share = aligned((len(images), int(count.max(initial=1)), mode.shape[1], self._n_column))
        error = np.ascontiguousarray(error)

        def run(_: int, samples: IntArray) -> None:
            turned = aligned((error.shape[2], self._n_column))
            turned[:, error.shape[1] :] = 0.0
            kernels_back.project_modes(samples, used, count, filtered, error, turned, share)

        self.each(run, count)
        update = np.empty(self.network.node.shape)

        def gather(_: int, inputs: IntArray) -> None:
            kernels_back.gather_modes(inputs, slot, share, self._site, mode, update)

        self.each(gather, (slot >= 0).sum(axis=0))
        return update

    def _slots(self, images: ByteArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        trace = self._number[images]
        slot = np.empty(trace.shape, np.int32)
        used = np.zeros((len(images), padded(len(self._trace), ROWS)), np.int32)
        count = np.empty(len(images), np.int32)
        kernels.slots_of(trace, self._order, slot, used, count)
        return slot, used, count

    def _known(self, images: ByteArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slots of images, which are at hand where these were run last."""
        last, found = self._met
        return found if images is last else self._slots(images)

    def each(self, work: Callable[[int, IntArray], None], effort: IntArray) -> None:
        """Deal entries out to the threads, the heavy ones first; kernels hold no lock of Python."""
        if not len(effort):
            return
        order = np.argsort(-effort, kind="stable").astype(np.int32)
        threads = min(self._threads, len(order))
        hands = [np.sort(order[k::threads]) for k in range(threads)]
        others = [self._pool.submit(work, k, hands[k]) for k in range(1, threads)]
        work(0, hands[0])
        for other in others:
            other.result()


def soma_responses(network: Network) -> tuple[FloatArray, FloatArray]:
    """Responses at a hidden soma: to currents at every node, and to its bias.

    Returns
    -------
    response : (n_step, n_comp) mV per nA, to a current of one step
    bias : (n_time,) mV, to a bias of 1

    Raises
    ------
    UserError
        If the hidden neuron or its synapses are not linear, or it does not rest at ``v_init``.
    """
    if network.spec.conductance is not None:
        raise UserError(
            "conductance synapses are not linear, so there is no exact shortcut; take the "
            "compartmental way"
        )
    model, rest = network.model, network.spec.cell.v_init
    if active := [p.mechanism.name for p in model.placed if not is_linear(p.mechanism)]:
        raise UserError(
            f"the hidden neuron has {active[0]}, which is not linear, so there is no exact "
            "shortcut; take the compartmental way"
        )
    drift, g = leak(model.placed, model.n_comp, model.experiment.celsius)
    if (np.abs(drift + g * rest) > 1e-12 * np.maximum(np.abs(drift), 1e-12)).any():
        raise UserError(
            f"the hidden neuron does not rest at v_init = {rest:g} mV, so it has no exact "
            "shortcut; let its leak reverse there, or take the compartmental way"
        )
    response = impulse_responses(model, network.soma)
    steady = np.cumsum(response[:, network.soma_node]) / network.soma_resistance
    return response, np.concatenate([[0.0], steady])
