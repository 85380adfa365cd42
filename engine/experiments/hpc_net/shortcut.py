"""The exact shortcut: hidden and output neurons are linear, so a run is sums of known responses.

Backward Euler on a passive tree is a linear map from the currents of all steps to the voltages of
all steps. What a synapse with weight 1 at a site does to the soma, when its input has a given
trace, is that trace through the site's impulse response; a neuron's voltage is the weighted sum
over its synapses. All these responses lie, to ``TOLERANCE``, in a space of a few tens of modes.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.backends.cpu import available_cores
from engine.errors import UserError
from engine.experiments.hpc_net import kernels
from engine.experiments.hpc_net.kernels import COLUMNS, ROWS, padded
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.ways import ByteArray, Voltages, output_voltages, trace_numbers
from engine.linear import leak
from engine.mechanisms.lanes import WIDTH
from engine.transfer import impulse_responses
from engine.types import FloatArray

TOLERANCE = 1e-9
"""Of the largest response: what leaving out modes may change in any response. A neuron's voltage
sums many of them with both signs: on the human cell it changes by 8e-11 of the largest, an update
by 2e-12, with 20 modes."""


class Shortcut:
    """A network as tables of responses.

    Parameters
    ----------
    network : Network
    threads
        Cores to use, all by default; the results do not depend on them.

    Raises
    ------
    UserError
        If the hidden neuron or its synapses are not linear, or it does not rest at ``v_init``.
    """

    name = "shortcut"

    def __init__(self, network: Network, threads: int | None = None) -> None:
        if network.spec.conductance is not None:
            raise UserError(
                "conductance synapses are not linear, so there is no exact shortcut; take the "
                "compartmental way"
            )
        self.network = network
        self._threads = threads or available_cores()
        self._pool = ThreadPoolExecutor(max(self._threads - 1, 1))  # idle until it is given work
        model, rest = network.model, network.spec.cell.v_init
        drift, g = leak(model.placed, model.n_comp, model.experiment.celsius)
        if (np.abs(drift + g * rest) > 1e-12 * np.maximum(np.abs(drift), 1e-12)).any():
            raise UserError(
                f"the hidden neuron does not rest at v_init = {rest:g} mV, so it has no exact "
                "shortcut; let its leak reverse there, or take the compartmental way"
            )
        response = impulse_responses(model, network.soma)
        steady = np.cumsum(response[:, network.soma_node]) / network.soma_resistance
        self._bias = np.concatenate([[0.0], steady])
        self._trace, self._number = trace_numbers(network.trace)
        used, place = np.unique(network.node, return_inverse=True)
        self._site = place.reshape(network.node.shape).astype(np.int32)
        self._n_row = padded(network.spec.n_hidden, ROWS)
        self._n_column = padded(network.spec.n_hidden, COLUMNS)
        self._n_wide = padded(network.n_time, COLUMNS)
        self._prepare(response[:, used] / network.r_mean)
        self._mix = np.zeros(
            (self._threads, self._n_row, max(len(self._trace), 1), self._mode.shape[1])
        )

    @property
    def bias_response(self) -> FloatArray:
        """(n_time,) mV at a hidden soma by a bias of 1."""
        return self._bias

    def _prepare(self, response: FloatArray) -> None:
        """Modes of the sites' responses to all traces, and the traces through them."""
        n_step = len(response)
        wide, size, shape = np.linalg.svd(response.T, full_matrices=False)
        keep = size > 1e-15 * size[0]
        wide, size, shape = wide[:, keep], size[keep], shape[keep]
        through = np.zeros((len(size), len(self._trace), n_step + 1))
        for n in range(n_step):  # causal: what arrives by step n
            through[:, :, n + 1] = shape[:, n::-1] @ self._trace[:, : n + 1].T
        flat = (size[:, None, None] * through).reshape(len(size), -1)
        turn, size, _ = np.linalg.svd(flat, full_matrices=False)
        mode, filtered = wide @ turn, turn.T @ flat
        n_mode = self._enough(mode, filtered)
        self.n_mode = n_mode
        more = padded(n_mode, WIDTH) - n_mode
        self._mode = np.ascontiguousarray(np.pad(mode[:, :n_mode], ((0, 0), (0, more))))
        filtered = filtered[:n_mode].reshape(n_mode, len(self._trace), n_step + 1)
        gap = self._n_wide - (n_step + 1)
        self._filtered = np.ascontiguousarray(
            np.pad(filtered.transpose(1, 0, 2), ((0, 0), (0, more), (0, gap)))
        )
        self._first = np.argmax(self._trace > 0, axis=1).astype(np.int32)

    def _enough(self, mode: FloatArray, filtered: FloatArray) -> int:
        """The fewest modes that surely leave out no more than TOLERANCE of the largest response."""
        if not filtered.size:
            return 1
        parts = np.array_split(mode, max(1, len(mode) // 32))
        largest = max(float(np.abs(part @ filtered).max()) for part in parts)
        each = np.abs(mode).max(axis=0) * np.abs(filtered).max(axis=1)
        left_out = np.append(np.cumsum(each[::-1])[::-1], 0.0)  # by keeping the first 0, 1, …
        return max(1, int(np.argmax(left_out <= TOLERANCE * largest)))

    def voltages(self, images: ByteArray, weights: Weights) -> Voltages:
        """Run every sample from rest; see :class:`engine.experiments.hpc_net.ways.Way`."""
        n_sample, n_time = len(images), self.network.n_time
        n_hidden = self.network.spec.n_hidden
        slot, used, count = self._slots(images)
        hidden = np.zeros((n_sample, self._n_row, self._n_wide))
        hidden[:, :n_hidden, :n_time] = weights.hidden_bias[:, None] * self._bias
        output = np.empty((n_sample, self.network.n_out, n_time))

        def run(thread: int, part: slice) -> None:
            kernels.hidden_voltages(
                thread,
                slot[part],
                used[part],
                count[part],
                self._site,
                weights.hidden,
                self.n_mode,
                self._mode,
                self._filtered,
                self._first,
                self._mix,
                hidden[part],
            )
            output[part] = output_voltages(self.network, hidden[part, :n_hidden, :n_time], weights)

        self._share(run, n_sample)
        return Voltages(hidden[:, :n_hidden, :n_time], output)

    def through_traces(self, images: ByteArray, error: FloatArray, window: slice) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        slot, used, count = self._slots(images)
        turned = self._turned(error)
        share = np.empty((len(images), used.shape[1], self._n_column))
        trace = np.ascontiguousarray(self._trace[:, window])

        def run(_: int, part: slice) -> None:
            kernels.project_traces(used[part], count[part], trace, turned[part], share[part])

        self._share(run, len(images))
        update = np.zeros(self.network.node.shape)
        kernels.gather_traces(slot, share, self.network.factor, update)
        return update

    def through_responses(self, images: ByteArray, error: FloatArray) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        slot, used, count = self._slots(images)
        turned = self._turned(error)
        share = np.empty(
            (len(images), int(count.max(initial=1)), self._mode.shape[1], self._n_column)
        )

        def run(_: int, part: slice) -> None:
            kernels.project_modes(
                used[part], count[part], self._filtered, turned[part], share[part]
            )

        self._share(run, len(images))
        update = np.zeros(self.network.node.shape)

        def gather(_: int, part: slice) -> None:
            kernels.gather_modes(slot[:, part], share, self._site[part], self._mode, update[part])

        self._share(gather, self.network.n_in)
        return update

    def _slots(self, images: ByteArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        trace = self._number[images]
        slot = np.empty(trace.shape, np.int32)
        used = np.zeros((len(images), padded(len(self._trace), ROWS)), np.int32)
        count = np.empty(len(images), np.int32)
        kernels.slots_of(trace, slot, used, count)
        return slot, used, count

    def _turned(self, error: FloatArray) -> FloatArray:
        """(n_sample, n_time, n_hidden padded), contiguous."""
        n_sample, n_hidden, n_time = error.shape
        turned = np.zeros((n_sample, n_time, self._n_column))
        turned[:, :, :n_hidden] = error.transpose(0, 2, 1)
        return turned

    def _share(self, work: Callable[[int, slice], None], size: int) -> None:
        """Split so many entries over the threads; the kernels hold no lock of Python's."""
        threads = min(self._threads, size)
        edge = [size * k // threads for k in range(threads + 1)] if threads else []
        others = [
            self._pool.submit(work, k, slice(edge[k], edge[k + 1])) for k in range(1, threads)
        ]
        if threads:
            work(0, slice(0, edge[1]))
        for other in others:
            other.result()
