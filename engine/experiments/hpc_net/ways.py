"""What every way to run a network gives: voltages of its neurons, and errors taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numba import njit

from engine.experiments.hpc_net.encoding import decay
from engine.experiments.hpc_net.network import Network, Weights
from engine.types import FloatArray, IntArray

ByteArray = np.ndarray
"""(n_sample, n_in) uint8 pixels, numbers of levels."""


@dataclass(frozen=True, eq=False)
class Voltages:
    """Of one batch, in mV from rest.

    Attributes
    ----------
    hidden : (n_sample, n_hidden, n_time)
        Somata.
    output : (n_sample, n_out, n_time)
    """

    hidden: FloatArray
    output: FloatArray


class Way(Protocol):
    """A way to run a network."""

    network: Network
    name: str

    def describe(self) -> str:
        """How it computes, and in which precision, for people."""

    @property
    def bias_response(self) -> FloatArray:
        """(n_time,) mV at a hidden soma by a bias of 1."""

    def voltages(self, images: ByteArray, weights: Weights) -> Voltages:
        """Run every sample from rest.

        Raises
        ------
        UnstableError
            If a voltage leaves what a membrane can have.
        """

    def through_traces(self, images: ByteArray, error: FloatArray, window: slice) -> FloatArray:
        """Sum over samples and the window of error · max(v of the input, 0) · r · g of a synapse.

        ``error`` is (n_sample, n_hidden, n_window); the result (n_in, n_hidden, n_synapse).
        """

    def through_responses(self, images: ByteArray, error: FloatArray) -> FloatArray:
        """Sum over samples and times of error · what the synapse does to the soma, per weight.

        ``error`` is (n_sample, n_hidden, n_time); the result (n_in, n_hidden, n_synapse).
        """

    def each(self, work: Callable[[int, IntArray], None], effort: IntArray) -> None:
        """Do work(thread, entries) for all entries, on the cores the way has.

        ``effort`` is what every entry costs, in any unit.
        """


@njit(nogil=True, cache=True, error_model="numpy")
def _leak_forward(current, keep, gain, voltage):  # type: ignore[no-untyped-def]
    for row in range(current.shape[0]):
        v = 0.0
        voltage[row, 0] = v
        for n in range(current.shape[1] - 1):
            v = keep * v + gain * current[row, n]
            voltage[row, n + 1] = v


@njit(nogil=True, cache=True, error_model="numpy")
def _leak_backward(error, keep, gain, back):  # type: ignore[no-untyped-def]
    last = error.shape[1] - 1
    for row in range(error.shape[0]):
        e = 0.0
        back[row, last] = 0.0
        for n in range(last, 0, -1):
            e = keep * e + error[row, n]
            back[row, n - 1] = gain * e


def leak(network: Network, current: FloatArray) -> FloatArray:
    """Voltages of point neurons by currents (nA) of the last axis' steps, backward Euler."""
    voltage = np.empty_like(current)
    keep, gain = decay(network.spec.point, network.spec.cell.dt)
    n_time = current.shape[-1]
    _leak_forward(current.reshape(-1, n_time), keep, gain, voltage.reshape(-1, n_time))
    return voltage


def leak_back(network: Network, error: FloatArray) -> FloatArray:
    """The transpose of :func:`leak`: from the gradient by voltages to that by currents."""
    back = np.empty_like(error)
    keep, gain = decay(network.spec.point, network.spec.cell.dt)
    n_time = error.shape[-1]
    _leak_backward(np.ascontiguousarray(error).reshape(-1, n_time), keep, gain,
                   back.reshape(-1, n_time))  # fmt: skip
    return back


def trace_numbers(trace: FloatArray) -> tuple[FloatArray, IntArray]:
    """The different traces that are not silent, and which of them every level has (-1: none)."""
    kinds, kind = np.unique(np.maximum(trace, 0.0), axis=0, return_inverse=True)
    heard = kinds.any(axis=1)
    number = np.where(heard, np.cumsum(heard) - 1, -1).astype(np.int32)
    return np.ascontiguousarray(kinds[heard]), number[kind.reshape(-1)]
