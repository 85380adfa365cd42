"""The exact shortcut on a GPU: the same responses, as gathers and products of matrices.

Every sample lists the inputs that are heard; their traces through the modes, one under the other,
times the modes of their synapses are the voltages. All is in double precision, and nothing is added
in an order that changes from run to run: a repeated run gives the same bits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from engine.errors import BackendError
from engine.experiments.hpc_net.encoding import decay
from engine.experiments.hpc_net.modes import make_modes
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.shortcut import soma_responses
from engine.experiments.hpc_net.ways import ByteArray, Voltages, trace_numbers
from engine.types import FloatArray, IntArray

ROOM = 1 << 28
"""Bytes that the gathered modes of the samples of one product may take."""


class Arrays(Protocol):
    """Arrays of a device: CuPy, or what does as it does."""

    name: str
    module: Any
    """Functions of the names and meanings of NumPy's."""

    def to_host(self, array: Any) -> np.ndarray:
        """A copy as an array of NumPy's."""


class DeviceShortcut:
    """A network as tables of responses on a device.

    Parameters
    ----------
    network : Network
    arrays
        Those of the first NVIDIA device by default.

    Raises
    ------
    UserError
        As :class:`engine.experiments.hpc_net.shortcut.Shortcut`.
    BackendError
        If there is no device that can be used, or its memory is too small.
    """

    name = "shortcut"

    def __init__(self, network: Network, arrays: Arrays | None = None) -> None:
        response, self._bias = soma_responses(network)
        if arrays is None:
            from engine.backends.gpu.cupy_device import CupyArrays

            arrays = CupyArrays()
        self.network, self._arrays = network, arrays
        trace, self._number = trace_numbers(network.trace)
        used, place = np.unique(network.node, return_inverse=True)
        site = place.reshape(network.node.shape)
        modes = make_modes(response[:, used] / network.r_mean, trace, "double")
        n_mode, n_time = modes.n_mode, network.n_time
        keep, gain = decay(network.spec.point, network.spec.cell.dt)
        self._silent = len(trace)  # one more trace, of nothing
        self._n_mode = n_mode
        self._on_device(
            mode=modes.mode[site][..., :n_mode],
            filtered=np.pad(modes.filtered[:, :n_mode, :n_time], ((0, 1), (0, 0), (0, 0))),
            trace=np.pad(trace, ((0, 1), (0, 0))),
            factor=network.factor,
            bias=self._bias,
            leak=_steps(keep, gain / network.output_resistance, n_time),
        )

    def _on_device(self, **tables: FloatArray) -> None:
        with self._room(sum(table.nbytes for table in tables.values())):
            self._tables = {n: self._arrays.module.asarray(t) for n, t in tables.items()}

    @property
    def bias_response(self) -> FloatArray:
        """(n_time,) mV at a hidden soma by a bias of 1."""
        return self._bias

    @property
    def n_mode(self) -> int:
        return self._n_mode

    def describe(self) -> str:
        return f"exact shortcut, {self.n_mode} modes in double precision on {self._arrays.name}"

    def voltages(self, images: ByteArray, weights: Weights) -> Voltages:
        """Run every sample from rest; see :class:`engine.experiments.hpc_net.ways.Way`."""
        xp, tables, network = self._arrays.module, self._tables, self.network
        n_sample, n_hidden = len(images), network.spec.n_hidden
        hidden = np.empty((n_sample, n_hidden, network.n_time))
        output = np.empty((n_sample, network.n_out, network.n_time))
        with self._room(2 * ROOM):
            own = self._synapses(xp.asarray(weights.hidden))
            bias = xp.asarray(weights.hidden_bias)[:, None] * tables["bias"]
            far = xp.asarray(weights.output).T
            far_bias = xp.asarray(weights.output_bias)[:, None]
            for part, heard, trace in self._parts(images):
                shape = len(heard), heard.shape[1] * self._n_mode
                mixed = own[heard].reshape(*shape, n_hidden).transpose(0, 2, 1)
                through = tables["filtered"][trace].reshape(*shape, network.n_time)
                voltage = xp.matmul(mixed, through) + bias
                current = xp.matmul(far, xp.maximum(voltage, 0.0)) + far_bias
                hidden[part] = self._arrays.to_host(voltage)
                output[part] = self._arrays.to_host(xp.matmul(current, tables["leak"]))
        return Voltages(hidden, output)

    def through_traces(self, images: ByteArray, error: FloatArray, window: slice) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        xp, tables, network = self._arrays.module, self._tables, self.network
        with self._room(2 * ROOM):
            total = xp.zeros((network.n_in, network.spec.n_hidden))
            each = network.n_in * error.shape[2] * 8
            seen = tables["trace"][:, window]
            for k in range(0, len(images), step := max(1, ROOM // each)):
                part = slice(k, k + step)
                heard = seen[xp.asarray(self._numbers(images[part]))]
                back = xp.asarray(np.ascontiguousarray(error[part].transpose(0, 2, 1)))
                total += xp.matmul(heard, back).sum(axis=0)
        return self._arrays.to_host(total[:, :, None] * tables["factor"])

    def through_responses(self, images: ByteArray, error: FloatArray) -> FloatArray:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        xp, tables, network = self._arrays.module, self._tables, self.network
        n_hidden, n_time = network.spec.n_hidden, network.n_time
        with self._room(2 * ROOM):
            total = xp.zeros((network.n_in + 1, self._n_mode, n_hidden))
            for part, heard, trace in self._parts(images):
                shape = len(heard), heard.shape[1] * self._n_mode
                through = tables["filtered"][trace].reshape(*shape, n_time)
                back = xp.asarray(np.ascontiguousarray(error[part].transpose(0, 2, 1)))
                share = xp.matmul(through, back)
                share = share.reshape(*heard.shape, self._n_mode, n_hidden)
                for b in range(len(heard)):  # no input is listed twice but the one of nothing
                    total[heard[b]] += share[b]
        each = total[: network.n_in].transpose(0, 2, 1)[:, :, None]
        return self._arrays.to_host((tables["mode"] * each).sum(axis=3))

    def each(self, work: Callable[[int, IntArray], None], effort: IntArray) -> None:
        """See :class:`engine.experiments.hpc_net.ways.Way`."""
        work(0, np.arange(len(effort), dtype=np.int32))

    def _synapses(self, weight: Any) -> Any:
        """(n_in + 1, n_mode, n_hidden) modes of every connection; the last input is of nothing."""
        xp = self._arrays.module
        mixed = (self._tables["mode"] * weight[..., None]).sum(axis=2).transpose(0, 2, 1)
        return xp.concatenate([mixed, xp.zeros((1, *mixed.shape[1:]))])

    def _numbers(self, images: ByteArray) -> IntArray:
        """(n_sample, n_in) trace of every input."""
        number = self._number[images]
        return np.where(number < 0, self._silent, number).astype(np.int32)

    def _parts(self, images: ByteArray) -> list[tuple[slice, Any, Any]]:
        """Samples that fit into the room; the inputs heard in each, and their traces.

        (n_sample, n_heard) on the device, filled up with the input and the trace of nothing.
        """
        xp, network = self._arrays.module, self.network
        number = self._numbers(images)
        loud = number != self._silent
        each = 8 * self._n_mode * (network.n_time + network.spec.n_hidden)
        parts = []
        k = 0
        while k < len(images):
            most = max(1, int(loud[k : k + 64].sum(axis=1).max()))
            part = slice(k, k + min(64, max(1, ROOM // (each * most))))
            heard = np.argsort(~loud[part], axis=1, kind="stable")[:, :most].astype(np.int32)
            trace = np.take_along_axis(number[part], heard, axis=1)
            heard[trace == self._silent] = network.n_in
            parts.append((part, xp.asarray(heard), xp.asarray(trace)))
            k = part.stop
        return parts

    @contextmanager
    def _room(self, need: int) -> Iterator[None]:
        """Say in a sentence that the device has no room for so many bytes."""
        try:
            yield
        except MemoryError:
            raise BackendError(
                f"the shortcut needs about {need / 2**20:.0f} MiB more than is free on "
                f"{self._arrays.name}; close what else runs there, or choose backend 'cpu'"
            ) from None


def _steps(keep: float, gain: float, n_time: int) -> FloatArray:
    """(n_time, n_time): currents of all steps times it are the voltages of a leaky neuron."""
    age = np.arange(n_time)[None, :] - np.arange(n_time)[:, None] - 1
    return np.where(age >= 0, gain * keep ** np.maximum(age, 0), 0.0)
