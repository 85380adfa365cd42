"""Which way a network runs, and where."""

from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.device_shortcut import DeviceShortcut
from engine.experiments.hpc_net.network import Network
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Precision, WayName
from engine.experiments.hpc_net.ways import Way
from engine.types import BackendName


def make_way(
    network: Network,
    way: WayName = "shortcut",
    backend: BackendName = "auto",
    threads: int | None = None,
    precision: Precision = "mixed",
) -> Way:
    """The way of that name on that backend.

    Parameters
    ----------
    network : Network
    way
    backend
        For the shortcut "auto" is the CPU: its batches are small, and its numbers are those of one
        kind of processor then. For the simulation "auto" takes a GPU where there is one.
    threads
        Cores of the shortcut on the CPU, all by default.
    precision
        Of the shortcut on the CPU; on a GPU it is always double.

    Raises
    ------
    UserError
        If the network has no shortcut.
    BackendError
        If the backend cannot run here.
    """
    if way == "compartmental":
        return Compartmental(network, backend)
    return DeviceShortcut(network) if backend == "gpu" else Shortcut(network, threads, precision)
